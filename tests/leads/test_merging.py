"""Two leads become one and two again: nothing of either is lost, and nobody does it who may not see both."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update
from tests.leads.colleagues import events_of, hire, scope_of, shanghai, the_lead
from tests.leads.conftest import NOON
from tests.leads.two_leads import (
    DAY,
    FIRST,
    MINUTE,
    SECOND,
    Asked,
    ask,
    clear,
    enquiries,
    leads,
    marked_leads,
    merge,
    merges,
    undo,
)

from xinheng.audit.models import AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deeds import AlreadyDone, Deed, LeadChanged
from xinheng.leads.drafts import read_draft, save_draft
from xinheng.leads.file import open_file
from xinheng.leads.finding import find_leads, find_person
from xinheng.leads.lead_counts import leads_by
from xinheng.leads.merges import forget_old_images, set_apart, where_it_is_now
from xinheng.leads.merging import FIELDS, MergeRefused, Pair, merge_leads, undo_merge
from xinheng.leads.models import Lead, LeadEvent
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import NoSuchLead, Scope
from xinheng.leads.wanted import Match, Wanted
from xinheng.leads.work import LeadWork
from xinheng.staff.models import User
from xinheng.weeks import Weeks

Two = tuple[str, str]
Merged = Callable[..., None]
LATER = NOON + 31 * DAY


@pytest.fixture
def zhou(store: Database) -> User:
    return hire(store)


@pytest.fixture
def everyone(zhou: User) -> Scope:
    return scope_of(zhou, everyone=True)


@pytest.fixture
def work(store: Database, store_keys: Keys) -> LeadWork:
    return LeadWork(store, store_keys, site="https://x")


@pytest.fixture
def two(desk: EnquiryDesk, store: Database, asked: Asked, work: LeadWork, everyone: Scope) -> Two:
    """One that was called and is planned, and one that came an hour later from another number."""
    kept = ask(desk, store, asked, FIRST, extra={"company": "华强实业"})
    other = ask(
        desk, store, asked, SECOND, NOON + 60 * MINUTE, name="张先生", need="receivables", details="又来问"
    )
    work.write_note(kept, Deed(everyone, NOON + 2 * MINUTE), "说了价格", connected=True)
    work.plan(kept, Deed(everyone, NOON + 3 * MINUTE), shanghai("2026-11-25 10:00"), "寄合同")
    work.write_note(other, Deed(everyone, NOON + 70 * MINUTE), "没有人接")
    return kept, other


def test_the_kept_lead_has_everything_and_the_other_is_gone(
    store: Database, store_keys: Keys, two: Two, everyone: Scope
) -> None:
    kept, other = two
    before = clear(store, store_keys, kept)
    references = [*enquiries(store, kept), *enquiries(store, other)]
    merge(store, store_keys, everyone, kept, other)
    assert leads(store) == [kept]
    assert enquiries(store, kept) == references
    assert clear(store, store_keys, kept) == before | {
        "enquiry_count": 2,
        "last_enquiry_at": NOON + 60 * MINUTE,
    }
    kinds = [event.kind for event in events_of(store, kept)]
    assert sorted(kinds) == sorted(["enquiry", "enquiry", "connected", "status", "planned", "note", "merged"])
    with store.reading() as session:
        assert where_it_is_now(session, other) == kept
        file = open_file(session, store_keys, everyone, kept, revealed=True)
    assert [number.phone for number in file.further] == ["+8613900139000"]


def test_each_field_is_the_one_that_was_chosen(
    store: Database, store_keys: Keys, two: Two, everyone: Scope
) -> None:
    kept, other = two
    mine, theirs = (clear(store, store_keys, each) for each in two)
    merge(store, store_keys, everyone, kept, other, *FIELDS)
    now = clear(store, store_keys, kept)
    chosen = ("name", "phone", "company", "need", "owner_id", "status", "follow_up_at", "step")
    assert {name: now[name] for name in chosen} == {name: theirs[name] for name in chosen}
    assert (now["phone"], mine["phone"]) == ("+8613900139000", "+8613800138000")
    with store.reading() as session:
        file = open_file(session, store_keys, everyone, kept, revealed=True)
    assert [number.phone for number in file.further] == ["+8613800138000"]


@pytest.mark.parametrize("taken", [(), ("phone",)])
def test_an_enquiry_from_either_number_arrives_at_the_merged_lead(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asked,
    two: Two,
    everyone: Scope,
    taken: tuple,
) -> None:
    merge(store, store_keys, everyone, *two, *taken)
    for phone in (FIRST, SECOND):
        assert ask(desk, store, asked, phone, NOON + DAY, details=f"再来 {phone}") == two[0]
    assert the_lead(store, two[0]).enquiry_count == 4


@pytest.mark.parametrize("typed", [FIRST, SECOND, "8000", "9000"])
def test_a_merged_lead_is_found_by_either_number(
    store: Database, store_keys: Keys, two: Two, everyone: Scope, typed: str
) -> None:
    merge(store, store_keys, everyone, *two)
    with store.reading() as session:
        match = find_person(session, store_keys, everyone, typed)
        assert isinstance(match, Match)
        found = find_leads(session, everyone, Wanted(match=match), NOON)
    assert [lead.id for lead in found.leads] == [two[0]]


def test_undone_both_are_as_they_were(store: Database, store_keys: Keys, two: Two, everyone: Scope) -> None:
    before = [clear(store, store_keys, each) for each in two]
    told = [enquiries(store, each) for each in two]
    merge(store, store_keys, everyone, *two, *FIELDS)
    assert undo(store, store_keys, everyone, two[0]) == two[1]
    assert [clear(store, store_keys, each) for each in two] == before
    assert [enquiries(store, each) for each in two] == told
    assert [event.kind for event in events_of(store, two[1])] == ["enquiry", "note", "unmerged"]
    assert merges(store) == []
    with store.reading() as session:
        file = open_file(session, store_keys, everyone, two[0], revealed=True)
    assert not file.further


def test_what_was_done_since_stays_and_enquiries_go_by_their_number(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asked,
    two: Two,
    work: LeadWork,
    everyone: Scope,
) -> None:
    kept, other = two
    merge(store, store_keys, everyone, kept, other, "name")
    work.move(kept, Deed(everyone, NOON + DAY, the_lead(store, kept).version), "interested")
    work.write_note(kept, Deed(everyone, NOON + DAY), "合并以后说的")
    for phone in (FIRST, SECOND):
        ask(desk, store, asked, phone, NOON + DAY, details=f"再来 {phone}")
    undo(store, store_keys, everyone, kept, NOON + 2 * DAY)
    assert [len(enquiries(store, each)) for each in two] == [2, 2]
    lead = the_lead(store, kept)
    assert (lead.status, lead.open(store_keys, "name")) == ("interested", "张三丰")
    notes = [event.open(store_keys, "note") for event in events_of(store, kept) if event.kind == "note"]
    assert notes == ["合并以后说的"]
    for phone, lead_id in ((FIRST, kept), (SECOND, other)):
        assert ask(desk, store, asked, phone, NOON + 3 * DAY, details=f"第三次 {phone}") == lead_id


def test_who_asked_since_by_a_number_of_the_other_waits_there_for_a_call_once_it_is_undone(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asked,
    two: Two,
    work: LeadWork,
    everyone: Scope,
) -> None:
    kept, other = two
    work.write_note(other, Deed(everyone, NOON + 75 * MINUTE), "谈过", connected=True)
    work.move(other, Deed(everyone, NOON + 80 * MINUTE), "lost", "price")
    with store.writing() as session:
        session.execute(update(Lead).where(Lead.id == other).values(retain_until=NOON + 3 * DAY))
    before = the_lead(store, kept)
    merge(store, store_keys, everyone, kept, other)
    ask(desk, store, asked, SECOND, NOON + DAY, details="再来一次", need="overdue")
    due = the_lead(store, kept).first_response_due
    undo(store, store_keys, everyone, kept, NOON + 2 * DAY)
    lead = the_lead(store, other)
    assert (lead.status, lead.queue, lead.need) == ("new", "first", "overdue")
    assert (lead.first_response_due, lead.responded_at) == (due, None)
    assert lead.retain_until > NOON + 100 * DAY
    lead = the_lead(store, kept)
    assert (lead.first_response_due, lead.responded_at) == (before.first_response_due, before.responded_at)


def test_it_can_be_undone_for_thirty_days_and_then_nothing_is_kept_of_before(
    store: Database, store_keys: Keys, two: Two, everyone: Scope
) -> None:
    merge(store, store_keys, everyone, *two)
    (row,) = merges(store)
    assert b"139" not in (row.image or b"")
    with store.writing() as session:
        forget_old_images(session, LATER - 2 * DAY)
    assert merges(store)[0].image is not None
    with pytest.raises(MergeRefused, match="late"):
        undo(store, store_keys, everyone, two[0], LATER)
    with store.writing() as session:
        forget_old_images(session, LATER)
    assert merges(store)[0].image is None
    with pytest.raises(MergeRefused, match="late"):
        undo(store, store_keys, everyone, two[0], NOON + DAY)


def test_merges_are_undone_the_latest_first(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asked,
    two: Two,
    work: LeadWork,
    everyone: Scope,
) -> None:
    """A into B, B into C: what became part of A is found at C, and comes back step by step."""
    kept, other = two
    third = ask(desk, store, asked, "13700137000", NOON + DAY, name="小张")
    before = [clear(store, store_keys, each) for each in (kept, other, third)]
    merge(store, store_keys, everyone, kept, other)
    first = merges(store)[0].id
    merge(store, store_keys, everyone, third, kept, now=NOON + DAY)
    with store.reading() as session:
        assert [where_it_is_now(session, each) for each in two] == [third, third]
    deed = Deed(everyone, NOON + DAY, the_lead(store, third).version)
    with pytest.raises(MergeRefused, match="later_first"):
        undo_merge(store, store_keys, third, deed, first, work.handing)
    assert undo(store, store_keys, everyone, third, NOON + 2 * DAY) == kept
    with store.reading() as session:
        assert where_it_is_now(session, other) == kept
    assert undo(store, store_keys, everyone, kept, NOON + 2 * DAY) == other
    assert [clear(store, store_keys, each) for each in (kept, other, third)] == before


def test_rights_to_both_are_needed(
    store: Database, store_keys: Keys, two: Two, everyone: Scope, zhou: User
) -> None:
    kept, other = two
    wu = hire(store, "吴凯")
    mine = scope_of(zhou)
    with store.writing() as session:
        session.execute(update(Lead).where(Lead.id == other).values(owner_id=wu.id))
    for pair in (two, (other, kept)):
        with pytest.raises(NoSuchLead):
            merge(store, store_keys, mine, *pair)
    with store.writing() as session:
        session.execute(update(Lead).where(Lead.id == other).values(owner_id=None, restricted=True))
    for scope in (mine, everyone):
        with pytest.raises(NoSuchLead):
            merge(store, store_keys, scope, *two)
    with store.writing() as session:
        session.execute(update(Lead).where(Lead.id == other).values(owner_id=wu.id, restricted=False))
    merge(store, store_keys, everyone, *two)
    with pytest.raises(NoSuchLead):
        undo(store, store_keys, mine, kept)
    assert undo(store, store_keys, everyone, kept) == other


@pytest.mark.parametrize("stale", [0, 1])
def test_a_change_meanwhile_stops_it_and_loses_nothing(
    store: Database, store_keys: Keys, two: Two, work: LeadWork, everyone: Scope, stale: int
) -> None:
    versions = [the_lead(store, each).version for each in two]
    work.no_answer(two[stale], Deed(everyone, NOON + DAY))
    with pytest.raises(LeadChanged):
        merge_leads(store, store_keys, Deed(everyone, NOON + DAY), Pair(*two, *versions), ())
    assert set(leads(store)) == set(two)


def test_pressed_twice_it_is_done_once(
    store: Database, store_keys: Keys, two: Two, work: LeadWork, everyone: Scope
) -> None:
    pair = Pair(*two, *(the_lead(store, each).version for each in two))
    merge_leads(store, store_keys, Deed(everyone, NOON), pair, ())
    with pytest.raises(AlreadyDone):
        merge_leads(store, store_keys, Deed(everyone, NOON), pair, ())
    (row,), deed = merges(store), Deed(everyone, NOON, the_lead(store, two[0]).version)
    undo_merge(store, store_keys, two[0], deed, row.id, work.handing)
    with pytest.raises(AlreadyDone):
        undo_merge(store, store_keys, two[0], deed, row.id, work.handing)
    with pytest.raises(MergeRefused, match="itself"):
        merge_leads(store, store_keys, Deed(everyone, NOON), Pair(two[0], two[0], 1, 1), ())


def test_what_cannot_be_read_is_not_merged(
    store: Database, store_keys: Keys, two: Two, everyone: Scope
) -> None:
    with store.writing() as session:
        session.execute(update(Lead).where(Lead.id == two[1]).values(name=b"broken"))
    with pytest.raises(MergeRefused, match="unreadable"):
        merge(store, store_keys, everyone, *two)
    assert set(leads(store)) == set(two)


def test_the_audit_tells_of_both(store: Database, store_keys: Keys, two: Two, everyone: Scope) -> None:
    merge(store, store_keys, everyone, *two)
    undo(store, store_keys, everyone, two[0])
    with store.reading() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(4)).all()
    assert [(row.action, row.subject_id, row.detail) for row in reversed(rows)] == [
        ("merge", two[0], {"from": two[1]}),
        ("merge", two[1], {"to": two[0]}),
        ("unmerge", two[0], {"from": two[1]}),
        ("unmerge", two[1], {"from": two[0]}),
    ]


def test_drafts_are_not_lost(
    store: Database, store_keys: Keys, two: Two, everyone: Scope, zhou: User
) -> None:
    wu = hire(store, "吴凯")
    with store.writing() as session:
        save_draft(session, store_keys, two[0], zhou.id, "第一条在写", NOON)
        save_draft(session, store_keys, two[1], zhou.id, "第二条也在写", NOON + MINUTE)
        save_draft(session, store_keys, two[1], wu.id, "吴凯在写", NOON)
    merge(store, store_keys, everyone, *two)
    with store.reading() as session:
        texts = [read_draft(session, store_keys, two[0], each.id) for each in (zhou, wu)]
    assert [each.text for each in texts if each] == ["第一条在写\n\n第二条也在写", "吴凯在写"]


def test_who_is_not_the_other_person_is_not_the_merged_one_either(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, everyone: Scope
) -> None:
    one, two, three = (ask(desk, store, asked, "021-63958427", details=each) for each in "一二三")
    with store.writing() as session:
        set_apart(session, two, three, everyone.staff_id, NOON)
        set_apart(session, one, two, everyone.staff_id, NOON)
    merge(store, store_keys, everyone, one, two)
    assert marked_leads(store) == set()
    undo(store, store_keys, everyone, one)
    assert marked_leads(store) == {one, three}


def test_the_merged_lead_is_ranked_anew(store: Database, store_keys: Keys, two: Two, everyone: Scope) -> None:
    merge(store, store_keys, everyone, *two)
    assert the_lead(store, two[0]).priority is None, "which is found within a minute"


def counted(store: Database) -> dict[str, int]:
    """How many persons reports count, by how far they came."""
    with store.reading() as session:
        return dict(leads_by(session, Weeks.until(NOON, 1), "reached"))


def test_reports_count_one_person_and_two_again(
    store: Database, store_keys: Keys, two: Two, everyone: Scope
) -> None:
    before = counted(store)
    assert sum(before.values()) == 2
    merge(store, store_keys, everyone, *two)
    assert counted(store) == {"contacted": 1}
    undo(store, store_keys, everyone, two[0])
    assert counted(store) == before
    merge(store, store_keys, everyone, *two[::-1])
    assert counted(store) == {"contacted": 1}


def test_who_waits_for_a_first_response_still_does(
    store: Database, store_keys: Keys, two: Two, everyone: Scope
) -> None:
    kept, other = two
    before = [the_lead(store, each) for each in two]
    assert before[0].responded_at is not None
    assert before[1].responded_at is None
    merge(store, store_keys, everyone, kept, other)
    merged = the_lead(store, kept)
    assert (merged.first_response_due, merged.responded_at) == (before[1].first_response_due, None)
    assert merged.response_minutes == before[0].response_minutes is not None
    undo(store, store_keys, everyone, kept)
    assert the_lead(store, kept).responded_at == before[0].responded_at
    assert the_lead(store, other).first_response_due == before[1].first_response_due


def test_many_events_stand_once_each(store: Database, store_keys: Keys, two: Two, everyone: Scope) -> None:
    with store.reading() as session:
        before = session.scalar(select(func.count()).select_from(LeadEvent)) or 0
    merge(store, store_keys, everyone, *two)
    undo(store, store_keys, everyone, two[0])
    with store.reading() as session:
        after = session.scalar(select(func.count()).select_from(LeadEvent)) or 0
    assert after == before + 3
