"""Two people behind one number become two leads: each with its own enquiries and what was said after them."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from tests.leads.colleagues import events_of, hire, scope_of, the_lead
from tests.leads.conftest import NOON
from tests.leads.two_leads import (
    DAY,
    FIRST,
    MINUTE,
    SECOND,
    Asked,
    ask,
    duplicates,
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
from xinheng.leads.file import open_file
from xinheng.leads.merges import where_it_is_now
from xinheng.leads.merging import MergeRefused
from xinheng.leads.models import Enquiry
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import NoSuchLead, Scope
from xinheng.leads.splitting import SplitRefused, split_lead
from xinheng.leads.work import LeadWork
from xinheng.staff.models import User


@pytest.fixture
def zhou(store: Database) -> User:
    return hire(store)


@pytest.fixture
def everyone(zhou: User) -> Scope:
    return scope_of(zhou, everyone=True)


@pytest.fixture
def shared(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, everyone: Scope, zhou: User
) -> str:
    """张三 asks twice and 李四 once in between, from one mobile; something is said after each."""
    work, lead_id = LeadWork(store, store_keys, site="https://x"), ""
    for hour, name in enumerate(("张三", "李四", "张三")):
        at = NOON + 60 * hour * MINUTE
        lead_id = ask(desk, store, asked, FIRST, at, name=name, details=f"第{hour}次")
        work.write_note(lead_id, Deed(everyone, at + MINUTE), f"对{name}说的{hour}", connected=hour == 1)
    work.assign(lead_id, Deed(everyone, NOON + 200 * MINUTE), zhou)
    return lead_id


def ids_of(store: Database, lead_id: str, *places: int) -> list[str]:
    """The ids of a lead's enquiries at these places, in the order they came."""
    with store.reading() as session:
        mine = select(Enquiry.id).where(Enquiry.lead_id == lead_id).order_by(Enquiry.created_at)
        rows = session.scalars(mine).all()
    return [rows[place] for place in places]


def split(store: Database, keys: Keys, scope: Scope, lead_id: str, *places: int) -> str:
    deed = Deed(scope, NOON + DAY, the_lead(store, lead_id).version)
    return split_lead(store, keys, lead_id, deed, ids_of(store, lead_id, *places))


def notes(store: Database, keys: Keys, lead_id: str) -> list[str]:
    return [event.open(keys, "note") for event in events_of(store, lead_id) if event.note]


def test_the_chosen_enquiries_become_a_lead_and_what_was_said_after_them_follows(
    store: Database, store_keys: Keys, shared: str, everyone: Scope, zhou: User
) -> None:
    asked_before = enquiries(store, shared)
    other = split(store, store_keys, everyone, shared, 1)
    assert enquiries(store, other) == asked_before[1:2]
    assert enquiries(store, shared) == [asked_before[0], asked_before[2]]
    assert notes(store, store_keys, other) == ["对李四说的1"]
    assert notes(store, store_keys, shared) == ["对张三说的0", "对张三说的2"]
    new, old = the_lead(store, other), the_lead(store, shared)
    assert [each.open(store_keys, "name") for each in (new, old)] == ["李四", "张三"]
    assert [each.open(store_keys, "phone") for each in (new, old)] == ["+8613800138000"] * 2
    assert (new.owner_id, new.status, new.queue, new.enquiry_count) == (zhou.id, "contacted", "stuck", 1)
    assert (old.enquiry_count, old.last_enquiry_at) == (2, NOON + 120 * MINUTE)


def test_they_are_no_duplicates_and_show_each_other(
    store: Database, store_keys: Keys, shared: str, everyone: Scope
) -> None:
    other = split(store, store_keys, everyone, shared, 1)
    assert marked_leads(store) == set()
    for lead_id, seen in ((shared, other), (other, shared)):
        found = duplicates(store, everyone, lead_id)
        assert [(each.lead.id, each.why) for each in found.apart] == [(seen, ["mobile"])]


def test_what_the_number_asks_later_goes_to_the_one_of_that_name_else_to_who_asked_last(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, shared: str, everyone: Scope
) -> None:
    other = split(store, store_keys, everyone, shared, 1)
    for name, lead_id in (("李四", other), ("张三", shared), ("", shared), ("李四", other), ("王五", other)):
        at = NOON + DAY + len(enquiries(store, other)) * MINUTE + len(enquiries(store, shared)) * MINUTE
        assert ask(desk, store, asked, FIRST, at, name=name, details=f"{name}{at}") == lead_id
    assert len(leads(store)) == 2


def test_a_lead_named_after_the_other_person_gets_its_own_name(
    store: Database, store_keys: Keys, shared: str, everyone: Scope
) -> None:
    other = split(store, store_keys, everyone, shared, 0, 2)
    assert the_lead(store, shared).open(store_keys, "name") == "李四"
    assert the_lead(store, other).open(store_keys, "name") == "张三"


def test_merged_by_mistake_long_ago_each_gets_its_number_back(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, everyone: Scope
) -> None:
    kept = ask(desk, store, asked, FIRST, name="张三")
    gone = ask(desk, store, asked, SECOND, NOON + MINUTE, name="李四")
    merge(store, store_keys, everyone, kept, gone, "phone")
    other = split(store, store_keys, everyone, kept, 1)
    with store.reading() as session:
        files = [open_file(session, store_keys, everyone, each, revealed=True) for each in (kept, other)]
        assert where_it_is_now(session, gone) == other
    assert [file.phone for file in files] == ["+8613800138000", "+8613900139000"]
    assert not any(file.further for file in files)
    assert merges(store)[0].image is None
    with pytest.raises(MergeRefused, match="late"):
        undo(store, store_keys, everyone, other)


def test_merging_again_undoes_it(store: Database, store_keys: Keys, shared: str, everyone: Scope) -> None:
    before = enquiries(store, shared)
    other = split(store, store_keys, everyone, shared, 1)
    merge(store, store_keys, everyone, shared, other, now=NOON + DAY)
    assert leads(store) == [shared]
    assert enquiries(store, shared) == before
    assert sorted(notes(store, store_keys, shared)) == ["对张三说的0", "对张三说的2", "对李四说的1"]


@pytest.mark.parametrize(("places", "reason"), [((), "nothing"), ((0, 1, 2), "everything")])
def test_some_must_be_chosen_and_some_must_stay(
    store: Database, store_keys: Keys, shared: str, everyone: Scope, places: tuple[int, ...], reason: str
) -> None:
    with pytest.raises(SplitRefused, match=reason):
        split(store, store_keys, everyone, shared, *places)
    assert leads(store) == [shared]


def test_others_may_not_and_a_change_meanwhile_stops_it(
    store: Database, store_keys: Keys, shared: str, everyone: Scope
) -> None:
    chosen = ids_of(store, shared, 1)
    with pytest.raises(NoSuchLead):
        split_lead(store, store_keys, shared, Deed(scope_of(hire(store, "吴凯")), NOON, None), chosen)
    with pytest.raises(LeadChanged):
        split_lead(store, store_keys, shared, Deed(everyone, NOON, 1), chosen)
    assert leads(store) == [shared]


def test_pressed_twice_it_is_done_once(
    store: Database, store_keys: Keys, shared: str, everyone: Scope
) -> None:
    chosen, version = ids_of(store, shared, 1), the_lead(store, shared).version
    other = split_lead(store, store_keys, shared, Deed(everyone, NOON + DAY, version), chosen)
    with pytest.raises(AlreadyDone, match=other):
        split_lead(store, store_keys, shared, Deed(everyone, NOON + DAY, version), chosen)
    with store.reading() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action == "split")).all()
    assert {(row.subject_id, row.detail.get("to"), row.detail.get("from")) for row in rows} == {
        (shared, other, None),
        (other, None, shared),
    }
