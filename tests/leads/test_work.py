"""What staff do with a lead: whole or not at all, on its timeline, never over what somebody else did meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.conftest import ORIGIN
from tests.databases import refuse_inserts
from tests.leads.colleagues import (
    events_of,
    hire,
    plain_lead,
    put_leads,
    row_of,
    scope_of,
    shanghai,
    the_lead,
)
from tests.leads.conftest import NOON

from xinheng.audit.models import AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deeds import BulkChange, Deed, LeadChanged
from xinheng.leads.models import CLOSED, Lead
from xinheng.leads.moves import MoveRefused, next_try
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import NoSuchLead, Scope
from xinheng.leads.submission import Submission
from xinheng.leads.work import LeadWork
from xinheng.notices.outbox import Notice
from xinheng.staff.models import User
from xinheng.working_days import Calendar

Asked = Callable[..., Submission]
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TOMORROW = shanghai("2026-11-24 10:00")
PHONE = "13800138000"


@pytest.fixture
def work(store: Database, store_keys: Keys) -> LeadWork:
    return LeadWork(store, store_keys, site=ORIGIN)


@pytest.fixture
def zhou(store: Database) -> User:
    return hire(store, "周敏")


@pytest.fixture
def wu(store: Database) -> User:
    return hire(store, "吴凯")


@pytest.fixture
def lead_id(desk: EnquiryDesk, store: Database, asked: Asked) -> str:
    """A lead that came at noon and is nobody's."""
    desk.record(asked(), NOON)
    return the_lead(store).id


def deed(member: User, now: datetime = NOON + MINUTE, version: int | None = None, **scope: bool) -> Deed:
    return Deed(scope_of(member, **scope), now, version)


def give(store: Database, lead_id: str, owner: User | None, **values: Any) -> None:
    """Set what a lead has, without a deed."""
    with store.writing() as session:
        lead = session.get_one(Lead, lead_id)
        lead.owner_id = owner.id if owner else None
        for name, value in values.items():
            setattr(lead, name, value)
        lead.requeue()


def kinds(store: Database, lead_id: str) -> list[str]:
    return [event.kind for event in events_of(store, lead_id)]


def noted(store: Database, keys: Keys, lead_id: str) -> list[str]:
    return [event.open(keys, "note") for event in events_of(store, lead_id) if event.note]


def mails(store: Database) -> list[Notice]:
    with store.reading() as session:
        return list(session.scalars(select(Notice).where(Notice.kind == "assigned")))


def everything(store: Database) -> list[list[Any]]:
    """All rows that a deed may touch, to see that a refused one left none changed."""
    with store.reading() as session:
        return [
            [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
            for table in Lead.metadata.sorted_tables
        ]


# --- each deed ---


def test_a_note_stands_sealed_on_the_timeline(
    work: LeadWork, store: Database, store_keys: Keys, zhou: User, lead_id: str
) -> None:
    work.write_note(lead_id, deed(zhou), "王会计说周五前付一半。")
    event = events_of(store, lead_id)[-1]
    assert (event.kind, event.staff_id, event.detail, event.happened_at) == (
        "note",
        zhou.id,
        {},
        NOON + MINUTE,
    )
    assert event.note is not None
    assert "王会计".encode() not in event.note
    assert event.open(store_keys, "note") == "王会计说周五前付一半。"
    lead = the_lead(store)
    assert (lead.status, lead.queue, lead.version, event.version) == ("new", "first", 1, 1)


def test_a_call_that_was_taken_makes_a_new_lead_a_contacted_one(
    work: LeadWork, store: Database, zhou: User, lead_id: str
) -> None:
    work.no_answer(lead_id, deed(zhou))
    work.write_note(lead_id, deed(zhou, NOON + 2 * MINUTE), "接了，要报价。", connected=True)
    lead = the_lead(store)
    assert (lead.status, lead.attempts) == ("contacted", 0)
    events = events_of(store, lead_id)
    assert {event.kind for event in events[-2:]} == {"connected", "status"}
    (moved,) = [event for event in events if event.kind == "status"]
    assert moved.detail == {"from": "new", "to": "contacted"}


@pytest.mark.parametrize("status", ["contacted", "interested", "proposal", "won", "lost", "invalid"])
def test_a_call_that_was_taken_leaves_any_other_status(
    work: LeadWork, store: Database, zhou: User, lead_id: str, status: str
) -> None:
    give(store, lead_id, zhou, status=status, reason="other" if status in {"lost", "invalid"} else "")
    work.write_note(lead_id, deed(zhou), "又聊了几句。", connected=True)
    work.added_wechat(lead_id, deed(zhou))
    assert the_lead(store).status == status
    assert "status" not in kinds(store, lead_id)


def test_being_on_wechat_is_a_contact(work: LeadWork, store: Database, zhou: User, lead_id: str) -> None:
    work.no_answer(lead_id, deed(zhou))
    work.added_wechat(lead_id, deed(zhou, NOON + 2 * MINUTE))
    lead = the_lead(store)
    assert (lead.status, lead.attempts) == ("contacted", 0)
    assert {"wechat", "status"} <= set(kinds(store, lead_id))


def test_each_call_that_nobody_took_plans_the_next_later(
    work: LeadWork, store: Database, zhou: User, lead_id: str
) -> None:
    now = NOON
    for attempt in (1, 2, 3, 4):
        then = work.no_answer(lead_id, deed(zhou, now))
        lead = the_lead(store)
        assert then == next_try(attempt, now, Calendar()) == lead.follow_up_at
        assert (lead.attempts, lead.queue, lead.status) == (attempt, "planned", "new")
        event = events_of(store, lead_id)[-1]
        assert (event.kind, datetime.fromisoformat(event.detail["next"])) == ("no_answer", then)
        now = then


def test_a_plan_is_kept_sealed_and_taken_away_again(
    work: LeadWork, store: Database, store_keys: Keys, zhou: User, lead_id: str
) -> None:
    work.plan(lead_id, deed(zhou), TOMORROW, "回电，对凭证")
    lead = the_lead(store)
    assert (lead.follow_up_at, lead.queue) == (TOMORROW, "planned")
    assert lead.open(store_keys, "next_step") == "回电，对凭证"
    assert events_of(store, lead_id)[-1].detail == {"next": "2026-11-24T10:00+08:00"}
    work.plan(lead_id, deed(zhou, NOON + 2 * MINUTE), None, "")
    lead = the_lead(store)
    assert (lead.follow_up_at, lead.next_step, lead.queue) == (None, None, "first")
    assert events_of(store, lead_id)[-1].detail == {}
    assert noted(store, store_keys, lead_id) == ["回电，对凭证"]


def test_a_plan_without_a_step_leaves_none_of_an_earlier_one(
    work: LeadWork, store: Database, zhou: User, lead_id: str
) -> None:
    work.plan(lead_id, deed(zhou), TOMORROW, "回电")
    work.plan(lead_id, deed(zhou), TOMORROW + DAY, "")
    assert (the_lead(store).follow_up_at, the_lead(store).next_step) == (TOMORROW + DAY, None)


def test_a_lead_walks_the_whole_road(work: LeadWork, store: Database, zhou: User, lead_id: str) -> None:
    for number, status in enumerate(("contacted", "interested", "proposal", "won")):
        work.move(lead_id, deed(zhou, NOON + number * MINUTE), status)
        lead = the_lead(store)
        assert (lead.status, lead.closed) == (status, status == "won")
        assert lead.queue == ("closed" if status == "won" else "stuck")
    steps = [event.detail for event in events_of(store, lead_id) if event.kind == "status"]
    assert steps[-1] == {"from": "proposal", "to": "won"}


def test_what_is_closed_has_no_plan_any_more_and_keeps_its_reason(
    work: LeadWork, store: Database, zhou: User, lead_id: str
) -> None:
    work.move(lead_id, deed(zhou), "contacted")
    work.plan(lead_id, deed(zhou), TOMORROW, "回电")
    work.move(lead_id, deed(zhou, NOON + 2 * MINUTE), "lost", "price")
    lead = the_lead(store)
    assert (lead.queue, lead.follow_up_at, lead.next_step, lead.reason) == ("closed", None, None, "price")
    assert events_of(store, lead_id)[-1].detail == {"from": "contacted", "to": "lost", "reason": "price"}
    work.move(lead_id, deed(zhou, NOON + 3 * MINUTE), "contacted")
    lead = the_lead(store)
    assert (lead.queue, lead.reason, lead.closed) == ("stuck", "", False)


@pytest.mark.parametrize("status", sorted(CLOSED))
def test_a_closed_lead_takes_no_call_and_no_plan(
    work: LeadWork, store: Database, zhou: User, lead_id: str, status: str
) -> None:
    give(store, lead_id, zhou, status=status)
    before = everything(store)
    with pytest.raises(MoveRefused):
        work.no_answer(lead_id, deed(zhou))
    with pytest.raises(MoveRefused):
        work.plan(lead_id, deed(zhou), TOMORROW, "回电")
    assert everything(store) == before


@pytest.mark.parametrize(("status", "reason"), [("won", ""), ("invalid", ""), ("invalid", "price"), ("", "")])
def test_a_move_that_is_refused_leaves_nothing(
    work: LeadWork, store: Database, zhou: User, lead_id: str, status: str, reason: str
) -> None:
    before = everything(store)
    with pytest.raises(MoveRefused):
        work.move(lead_id, deed(zhou), status, reason)
    assert everything(store) == before


@pytest.mark.parametrize("status", ["new", "contacted", "won"])
@pytest.mark.parametrize("planned", [None, TOMORROW])
@pytest.mark.parametrize("restricted", [False, True])
def test_what_a_lead_waits_for(status: str, planned: datetime | None, restricted: bool) -> None:
    lead = Lead(status=status, follow_up_at=planned, restricted=restricted)
    lead.requeue()
    if restricted:
        expected = "held"
    elif status == "won":
        expected = "closed"
    elif planned:
        expected = "planned"
    else:
        expected = "first" if status == "new" else "stuck"
    assert (lead.queue, lead.closed) == (expected, status == "won")
    assert lead.follow_up_at == (None if status == "won" else planned)


# --- handing over ---


def test_being_given_a_lead_is_told_by_mail_to_that_one(
    work: LeadWork, store: Database, zhou: User, wu: User, lead_id: str
) -> None:
    work.assign(lead_id, deed(zhou), wu)
    assert the_lead(store).owner_id == wu.id
    (mail,) = mails(store)
    assert (mail.recipient, mail.state, mail.due_at) == (wu.email, "waiting", NOON + MINUTE)
    assert mail.reference in mail.text
    assert f"{ORIGIN}/desk/leads/{lead_id}" in mail.text
    for secret in ("张三", PHONE, "138 0013", "逾期"):
        assert secret not in mail.text


def test_the_mail_names_the_latest_enquiry(
    work: LeadWork, desk: EnquiryDesk, store: Database, asked: Asked, zhou: User, wu: User, lead_id: str
) -> None:
    latest = desk.record(asked(typed_id="f" * 32), NOON + MINUTE)
    work.assign(lead_id, deed(zhou, NOON + 2 * MINUTE), wu)
    assert mails(store)[0].reference == latest.reference


def test_who_has_to_give_it_away_again_before_the_mail_left_is_not_mailed(
    work: LeadWork, store: Database, zhou: User, wu: User, lead_id: str
) -> None:
    chief = hire(store, "郑敏", "sales_lead")
    work.assign(lead_id, deed(chief, everyone=True), wu)
    work.assign(lead_id, deed(chief, NOON + 2 * MINUTE, everyone=True), zhou)
    assert {mail.recipient: mail.state for mail in mails(store)} == {wu.email: "void", zhou.email: "waiting"}


def test_a_call_that_nobody_took_is_a_plan_in_the_audit(
    work: LeadWork, store: Database, zhou: User, lead_id: str
) -> None:
    work.no_answer(lead_id, deed(zhou))
    with store.reading() as session:
        (row,) = session.scalars(select(AuditRow))
    assert (row.actor, row.action, row.subject_id, row.detail) == (zhou.id, "edit", lead_id, {"what": "plan"})


def test_taking_a_lead_oneself_or_giving_it_back_sends_no_mail(
    work: LeadWork, store: Database, zhou: User, lead_id: str
) -> None:
    work.assign(lead_id, deed(zhou), zhou)
    assert the_lead(store).owner_id == zhou.id
    work.assign(lead_id, deed(zhou, NOON + 2 * MINUTE), None)
    assert the_lead(store).owner_id is None
    assert mails(store) == []
    assert [event.detail for event in events_of(store, lead_id) if event.kind == "assigned"] == [
        {"from": "", "to": zhou.id},
        {"from": zhou.id, "to": ""},
    ]


def test_every_hand_over_is_in_the_audit(
    work: LeadWork, store: Database, zhou: User, wu: User, lead_id: str
) -> None:
    work.assign(lead_id, deed(zhou), zhou)
    work.assign(lead_id, deed(zhou), wu)
    with store.reading() as session:
        rows = list(session.scalars(select(AuditRow).order_by(AuditRow.id)))
    assert [(row.actor, row.action, row.subject_id, row.detail) for row in rows] == [
        (zhou.id, "assign", lead_id, {"from": "", "to": zhou.id}),
        (zhou.id, "assign", lead_id, {"from": zhou.id, "to": wu.id}),
    ]


def test_giving_a_lead_to_whom_it_belongs_tells_nobody_anything(
    work: LeadWork, store: Database, zhou: User, wu: User, lead_id: str
) -> None:
    give(store, lead_id, wu)
    before = kinds(store, lead_id)
    work.assign(lead_id, deed(zhou, everyone=True), wu)
    assert kinds(store, lead_id) == before
    assert mails(store) == []


def test_where_the_audit_cannot_be_written_nothing_changes_hands(
    work: LeadWork, store: Database, zhou: User, lead_id: str
) -> None:
    before = everything(store)
    refuse_inserts(store, "audit")
    with pytest.raises(Exception, match="no"):
        work.assign(lead_id, deed(zhou), zhou)
    assert everything(store) == before


# --- whose lead it is ---

Doing = Callable[[LeadWork, str, Deed, User], object]
DEEDS: dict[str, Doing] = {
    "note": lambda work, lead, deed, _: work.write_note(lead, deed, "记一笔"),
    "connected": lambda work, lead, deed, _: work.write_note(lead, deed, "接通", connected=True),
    "no_answer": lambda work, lead, deed, _: work.no_answer(lead, deed),
    "wechat": lambda work, lead, deed, _: work.added_wechat(lead, deed),
    "plan": lambda work, lead, deed, _: work.plan(lead, deed, TOMORROW, "回电"),
    "move": lambda work, lead, deed, _: work.move(lead, deed, "contacted"),
    "assign": lambda work, lead, deed, member: work.assign(lead, deed, member),
}


@pytest.mark.parametrize("name", DEEDS)
def test_nobody_works_on_somebody_elses_lead(
    work: LeadWork, store: Database, zhou: User, wu: User, lead_id: str, name: str
) -> None:
    give(store, lead_id, wu)
    before = everything(store)
    with pytest.raises(NoSuchLead):
        DEEDS[name](work, lead_id, deed(zhou), zhou)
    assert everything(store) == before
    DEEDS[name](work, lead_id, deed(zhou, everyone=True), zhou)
    assert everything(store) != before


@pytest.mark.parametrize("name", DEEDS)
def test_a_restricted_lead_and_one_that_is_not_there_are_the_same(
    work: LeadWork, store: Database, zhou: User, lead_id: str, name: str
) -> None:
    give(store, lead_id, zhou, restricted=True)
    before = everything(store)
    for missing in (lead_id, "f" * 32, "", "' OR 1=1"):
        with pytest.raises(NoSuchLead):
            DEEDS[name](work, missing, deed(zhou, everyone=True), zhou)
    assert everything(store) == before


@pytest.mark.parametrize(
    ("owner", "everyone", "restricted", "seen"),
    [
        ("", False, False, True),
        ("me", False, False, True),
        ("other", False, False, False),
        ("other", True, False, True),
        ("", True, False, True),
        ("me", True, True, False),
        ("me", False, True, False),
        ("", False, True, False),
    ],
)
def test_whose_leads_one_sees(owner: str, everyone: bool, restricted: bool, seen: bool) -> None:
    lead = Lead(owner_id=owner or None, restricted=restricted)
    assert Scope("me", everyone=everyone).sees(lead) is seen


# --- two at once ---


@pytest.mark.parametrize("name", DEEDS)
def test_the_second_who_looked_at_an_older_version_changes_nothing(
    work: LeadWork, store: Database, zhou: User, wu: User, lead_id: str, name: str
) -> None:
    work.plan(lead_id, deed(wu, version=1), TOMORROW, "我先来的")
    before = everything(store)
    for stale in (0, 1, 3, -1):
        with pytest.raises(LeadChanged):
            DEEDS[name](work, lead_id, deed(zhou, version=stale), zhou)
    assert everything(store) == before
    DEEDS[name](work, lead_id, deed(zhou, version=2), zhou)
    assert the_lead(store).version == (2 if name == "note" else 3)


def test_a_note_is_no_change_for_who_else_looks(
    work: LeadWork, store: Database, store_keys: Keys, zhou: User, wu: User, lead_id: str
) -> None:
    work.write_note(lead_id, deed(wu, version=1), "吴的")
    work.move(lead_id, deed(zhou, version=1), "contacted")
    assert noted(store, store_keys, lead_id) == ["吴的"]
    assert the_lead(store).status == "contacted"


def test_a_new_enquiry_is_a_change_too(
    work: LeadWork, desk: EnquiryDesk, store: Database, asked: Asked, zhou: User, lead_id: str
) -> None:
    desk.record(asked(typed_id="f" * 32), NOON + MINUTE)
    with pytest.raises(LeadChanged):
        work.move(lead_id, deed(zhou, version=1), "contacted")


def test_every_event_carries_the_version_it_made(
    work: LeadWork, desk: EnquiryDesk, store: Database, asked: Asked, zhou: User, lead_id: str
) -> None:
    """By it the page says what somebody else did since: an event that carries none is never told."""
    desk.record(asked(typed_id="f" * 32), NOON + MINUTE)
    work.move(lead_id, deed(zhou, NOON + 2 * MINUTE), "contacted")
    work.move(lead_id, deed(zhou, NOON + 3 * MINUTE), "lost", "price")
    desk.record(asked(typed_id="e" * 32), NOON + 4 * MINUTE)
    versions = [(event.kind, event.version) for event in events_of(store, lead_id)]
    assert sorted(versions[:4], key=lambda each: each[1]) == [
        ("enquiry", 1),
        ("enquiry", 2),
        ("status", 3),
        ("status", 4),
    ]
    assert set(versions[4:]) == {("enquiry", 5), ("reopened", 5)}


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """Run jobs in threads that start together; returns what each gave or raised."""
    barrier = threading.Barrier(len(jobs))
    found: list[object] = [None] * len(jobs)

    def run(place: int, job: Callable[[], object]) -> None:
        barrier.wait()
        try:
            found[place] = job()
        except Exception as fault:
            found[place] = fault

    threads = [threading.Thread(target=run, args=each) for each in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_of_two_threads_on_one_version_exactly_one_wins(
    work: LeadWork, store: Database, zhou: User, wu: User, lead_id: str
) -> None:
    for version in range(1, 9):
        step = TOMORROW + version * DAY
        found = at_once(
            lambda: work.plan(lead_id, deed(zhou, version=version), step, "周"),  # noqa: B023
            lambda: work.plan(lead_id, deed(wu, version=version), step + DAY, "吴"),  # noqa: B023
        )
        assert sorted(type(each).__name__ for each in found) == ["LeadChanged", "NoneType"]
        winner, at = (zhou, step) if found[0] is None else (wu, step + DAY)
        lead, event = the_lead(store), events_of(store, lead_id)[-1]
        assert (lead.version, lead.follow_up_at, event.staff_id) == (version + 1, at, winner.id)


def test_of_two_who_claim_one_lead_at_once_one_has_it(
    work: LeadWork, store: Database, zhou: User, wu: User, lead_id: str
) -> None:
    found = at_once(
        lambda: work.assign(lead_id, deed(zhou, version=1), zhou),
        lambda: work.assign(lead_id, deed(wu, version=1), wu),
    )
    assert sorted(type(each).__name__ for each in found) == ["NoSuchLead", "NoneType"]
    assert the_lead(store).owner_id == (zhou.id if found[0] is None else wu.id)
    assert kinds(store, lead_id).count("assigned") == 1


def test_notes_written_at_once_all_stand(
    work: LeadWork, store: Database, store_keys: Keys, zhou: User, lead_id: str
) -> None:
    texts = [f"第{number}笔" for number in range(8)]
    found = at_once(*(lambda text=text: work.write_note(lead_id, deed(zhou), text) for text in texts))
    assert found == [None] * 8
    assert sorted(noted(store, store_keys, lead_id)) == texts
    assert the_lead(store).version == 1


def test_changing_the_same_leads_in_other_orders_at_once_ends(
    work: LeadWork, store: Database, zhou: User
) -> None:
    ids = [f"{number:032x}" for number in range(12)]
    put_leads(store, [plain_lead(id=each) for each in ids])
    chief = [Deed(scope_of(zhou, everyone=True), NOON + number * MINUTE) for number in range(4)]
    found = at_once(
        lambda: work.many(ids, chief[0], BulkChange(follow_up_at=TOMORROW)),
        lambda: work.many(ids[::-1], chief[1], BulkChange(assigned=True, owner=zhou)),
        lambda: work.many(ids[6:] + ids[:6], chief[2], BulkChange(status="contacted")),
        lambda: [work.write_note(each, chief[3], "记") for each in ids],
    )
    assert found == [12, 12, 12, [None] * 12]
    with store.reading() as session:
        rows = list(session.execute(select(Lead.status, Lead.owner_id, Lead.follow_up_at, Lead.version)))
    assert [tuple(row) for row in rows] == [("contacted", zhou.id, TOMORROW, 4)] * 12


# --- several at once ---


def test_several_are_changed_and_others_leads_are_not(
    work: LeadWork, store: Database, zhou: User, wu: User
) -> None:
    owners = {"mine": zhou.id, "nobodys": None, "others": wu.id, "held": zhou.id}
    ids = {name: f"{number:032x}" for number, name in enumerate(owners)}
    put_leads(
        store,
        [
            plain_lead(id=ids[name], owner_id=owner, restricted=name == "held")
            for name, owner in owners.items()
        ],
    )
    untouched = [ids["others"], ids["held"]]
    with store.reading() as session:
        before = [row_of(session, each) for each in untouched]
    changed = work.many([*ids.values(), "f" * 32], deed(zhou), BulkChange(follow_up_at=TOMORROW))
    assert changed == 2
    with store.reading() as session:
        assert [row_of(session, each) for each in untouched] == before
    for each in untouched:
        assert kinds(store, each) == []
    for name in ("mine", "nobodys"):
        lead = the_lead(store, ids[name])
        assert (lead.follow_up_at, lead.queue, lead.version) == (TOMORROW, "planned", 2)
        assert kinds(store, ids[name]) == ["planned"]


def test_of_several_only_those_move_that_may(work: LeadWork, store: Database, zhou: User) -> None:
    statuses = ["new", "contacted", "interested", "proposal", "won", "lost", "invalid"]
    ids = {status: f"{number:032x}" for number, status in enumerate(statuses)}
    rows = [plain_lead(id=ids[each], status=each, closed=each in CLOSED) for each in statuses]
    put_leads(store, rows)
    changed = work.many(list(ids.values()), deed(zhou), BulkChange(status="contacted"))
    assert changed == 3
    after = {status: the_lead(store, lead).status for status, lead in ids.items()}
    assert after == {each: each for each in statuses} | dict.fromkeys(
        ("new", "interested", "lost"), "contacted"
    )


def test_several_are_closed_with_one_reason_or_not_at_all(
    work: LeadWork, store: Database, zhou: User
) -> None:
    ids = [f"{number:032x}" for number in range(3)]
    put_leads(store, [plain_lead(id=each) for each in ids])
    before = everything(store)
    with pytest.raises(MoveRefused):
        work.many(ids, deed(zhou), BulkChange(status="invalid"))
    assert everything(store) == before
    assert work.many(ids, deed(zhou), BulkChange(status="invalid", reason="test")) == 3
    assert {the_lead(store, each).queue for each in ids} == {"closed"}


def test_a_date_for_several_leaves_out_the_closed_ones_and_keeps_their_steps(
    work: LeadWork, desk: EnquiryDesk, store: Database, store_keys: Keys, zhou: User, lead_id: str
) -> None:
    closed = "f" * 32
    put_leads(store, [plain_lead(id=closed, status="won", closed=True, queue="closed")])
    work.plan(lead_id, deed(zhou), TOMORROW, "对凭证")
    assert work.many([lead_id, closed], deed(zhou), BulkChange(follow_up_at=TOMORROW + DAY)) == 1
    lead = the_lead(store, lead_id)
    assert (lead.follow_up_at, lead.open(store_keys, "next_step")) == (TOMORROW + DAY, "对凭证")
    assert the_lead(store, closed).version == 1


def test_several_given_to_one_are_told_and_several_given_back_are_not(
    work: LeadWork, desk: EnquiryDesk, store: Database, asked: Asked, zhou: User, wu: User
) -> None:
    for number in range(3):
        desk.record(asked(phone=f"1380013800{number}", typed_id=f"{number:032x}"), NOON)
    with store.reading() as session:
        ids = list(session.scalars(select(Lead.id)))
    chief = deed(zhou, everyone=True)
    assert work.many(ids, chief, BulkChange(assigned=True, owner=wu)) == 3
    (mail,) = mails(store)
    assert (mail.recipient, mail.state) == (wu.email, "waiting")
    assert "有3条线索交给您了" in mail.text
    assert f"{ORIGIN}/desk/leads?owner={wu.id}" in mail.text
    assert work.many(ids, chief, BulkChange(assigned=True)) == 3
    assert {the_lead(store, each).owner_id for each in ids} == {None}
    assert len(mails(store)) == 1


def test_a_step_that_cannot_be_read_does_not_stop_a_date_for_several(
    work: LeadWork, store: Database, zhou: User, lead_id: str
) -> None:
    give(store, lead_id, zhou, follow_up_at=TOMORROW, next_step=b"broken")
    assert work.many([lead_id], deed(zhou), BulkChange(follow_up_at=TOMORROW + DAY)) == 1
    assert (the_lead(store).follow_up_at, the_lead(store).next_step) == (TOMORROW + DAY, b"broken")


# --- how long it is kept ---


@pytest.mark.parametrize("name", ["connected", "wechat", "move"])
def test_the_promised_time_runs_from_the_last_contact(
    work: LeadWork, store: Database, zhou: User, lead_id: str, name: str
) -> None:
    later = NOON + 30 * DAY
    DEEDS[name](work, lead_id, deed(zhou, later), zhou)
    assert the_lead(store).retain_until == later + 180 * DAY


@pytest.mark.parametrize("name", ["note", "no_answer", "plan", "assign"])
def test_what_is_no_contact_does_not_prolong_it(
    work: LeadWork, store: Database, zhou: User, lead_id: str, name: str
) -> None:
    DEEDS[name](work, lead_id, deed(zhou, NOON + 30 * DAY), zhou)
    assert the_lead(store).retain_until == NOON + 180 * DAY


def test_calling_a_lead_invalid_is_no_contact_either(
    work: LeadWork, store: Database, zhou: User, lead_id: str
) -> None:
    work.move(lead_id, deed(zhou, NOON + 30 * DAY), "invalid", "wrong_number")
    assert the_lead(store).retain_until == NOON + 180 * DAY


def test_a_contact_never_shortens_it(work: LeadWork, store: Database, zhou: User, lead_id: str) -> None:
    far = NOON + 900 * DAY
    with store.writing() as session:
        session.execute(update(Lead).values(retain_until=far))
    work.added_wechat(lead_id, deed(zhou, NOON + DAY))
    assert the_lead(store).retain_until == far


def test_neither_timeline_nor_audit_nor_outbox_holds_anything_personal(
    work: LeadWork, store: Database, zhou: User, wu: User, lead_id: str
) -> None:
    work.write_note(lead_id, deed(zhou), f"打 {PHONE}，张三丰接的", connected=True)
    work.plan(lead_id, deed(zhou), TOMORROW, f"再打 {PHONE}")
    work.assign(lead_id, deed(zhou), wu)
    held = repr(everything(store))
    for secret in (PHONE, "138 0013", "张三丰"):
        assert secret not in held
