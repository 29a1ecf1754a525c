"""New leads are dealt out to whose turn it is; nobody who asks again waits for somebody who is away."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update
from tests.conftest import ORIGIN
from tests.leads.colleagues import events_of, plain_lead, put_leads, scope_of, the_lead
from tests.leads.conftest import NOON
from tests.leads.duty import WEEKDAYS, assigner_of, on_duty, rules_of, set_member
from tests.leads.test_record import Asked

from xinheng.audit.models import AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.forms.assignment import AssignmentRules
from xinheng.leads.dealing import Dealing
from xinheng.leads.deeds import Deed
from xinheng.leads.drainer import drain
from xinheng.leads.models import Enquiry, Lead, LeadEvent
from xinheng.leads.quarantine import Quarantine
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.spool import Spool, Spooled
from xinheng.leads.submission import Submission
from xinheng.leads.trail import Trail
from xinheng.leads.verdict import Verdict
from xinheng.leads.work import LeadWork
from xinheng.notices.outbox import Notice, utc_now
from xinheng.staff.models import User

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Ask = Callable[..., list[str]]


def dealing_of(store: Database, keys: Keys, rules: AssignmentRules) -> Dealing:
    return Dealing(store, Trail(keys), assigner_of(rules), lambda: rules, lambda: WEEKDAYS, site=ORIGIN)


def owners(store: Database, ids: list[str]) -> list[str | None]:
    return [the_lead(store, each).owner_id for each in ids]


def told(store: Database, kind: str) -> list[tuple[str, str]]:
    """Who was told of what, by mail."""
    with store.reading() as session:
        rows = session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id))
        return [(row.recipient, row.text) for row in rows]


@pytest.fixture
def three(store: Database) -> list[User]:
    return [on_duty(store, name) for name in ("周敏", "吴凯", "陈一凡")]


# --- turns ---


def test_new_leads_go_round(
    store: Database, store_keys: Keys, three: list[User], leads_that_ask: Ask
) -> None:
    ids = leads_that_ask(7)
    assert dealing_of(store, store_keys, rules_of()).deal(NOON) == 7
    assert sorted(Counter(owners(store, ids)).values()) == [2, 2, 3]
    assert dealing_of(store, store_keys, rules_of()).deal(NOON) == 0


@pytest.mark.parametrize("way", ["hand", "pool"])
def test_by_hand_and_in_a_pool_a_new_lead_stays_with_nobody(
    store: Database, store_keys: Keys, three: list[User], leads_that_ask: Ask, way: str
) -> None:
    ids = leads_that_ask(2)
    assert dealing_of(store, store_keys, rules_of(way)).deal(NOON) == 0
    assert owners(store, ids) == [None, None]


def test_the_owner_is_told_and_timeline_and_audit_say_that_it_was_a_turn(
    store: Database, store_keys: Keys, leads_that_ask: Ask
) -> None:
    zhou = on_duty(store, "周敏")
    (lead_id,) = leads_that_ask(1)
    dealing_of(store, store_keys, rules_of()).deal(NOON)
    event = events_of(store, lead_id)[-1]
    assert (event.kind, event.staff_id, event.detail) == (
        "assigned",
        None,
        {"from": "", "to": zhou.id, "by": "turns"},
    )
    with store.reading() as session:
        row = session.scalars(select(AuditRow)).one()
        assert (row.actor, row.action, row.subject_id) == ("system", "assign", lead_id)
    ((recipient, text),) = told(store, "assigned")
    assert recipient == zhou.email
    assert f"/desk/leads/{lead_id}" in text


def test_the_oldest_is_dealt_first_and_the_rest_stays_and_is_told_once(
    store: Database, store_keys: Keys, leads_that_ask: Ask
) -> None:
    zhou, hang = on_duty(store, "周敏"), on_duty(store, "李航", "sales_lead")
    on_duty(store, "吴凯", on_duty=False)
    ids = leads_that_ask(5)
    dealing = dealing_of(store, store_keys, rules_of(round_robin={"most_a_day": 2}))
    for _ in range(3):
        dealing.deal(NOON)
    assert owners(store, ids) == [zhou.id, zhou.id, None, None, None]
    ((recipient, text),) = told(store, "unassigned")
    assert (recipient, text.splitlines()[0][:10]) == (hang.email, "3条新线索没有人接：")
    dealing.deal(NOON + 5 * HOUR)
    assert len(told(store, "unassigned")) == 2
    dealing.deal(NOON + DAY)
    assert owners(store, ids).count(zhou.id) == 4


def test_where_nobody_looks_after_everybodys_leads_all_are_told_that_nobody_takes_them(
    store: Database, store_keys: Keys, leads_that_ask: Ask
) -> None:
    leads_that_ask(1)
    dealing = dealing_of(store, store_keys, rules_of())
    for _ in range(2):
        dealing.deal(NOON)
    assert [recipient for recipient, _ in told(store, "unassigned")] == [""]


def test_at_night_nobody_is_told_that_nobody_is_there(
    store: Database, store_keys: Keys, leads_that_ask: Ask
) -> None:
    on_duty(store, "李航", "sales_lead")
    leads_that_ask(1)
    dealing_of(store, store_keys, rules_of()).deal(NOON + 12 * HOUR)
    assert told(store, "unassigned") == []


def test_who_comes_back_gets_what_waited(store: Database, store_keys: Keys, leads_that_ask: Ask) -> None:
    zhou = on_duty(store, "周敏", absent_until=NOON + HOUR)
    ids = leads_that_ask(2)
    dealing = dealing_of(store, store_keys, rules_of())
    assert dealing.deal(NOON) == 0
    assert dealing.deal(NOON + HOUR) == 2
    assert owners(store, ids) == [zhou.id] * 2


def test_what_somebody_put_back_is_not_dealt_again_until_its_person_asks_again(
    store: Database, store_keys: Keys, desk: EnquiryDesk, asked: Asked, three: list[User], leads_that_ask: Ask
) -> None:
    (lead_id,) = leads_that_ask(1)
    dealing = dealing_of(store, store_keys, rules_of())
    dealing.deal(NOON)
    LeadWork(store, store_keys, site=ORIGIN).assign(
        lead_id, Deed(scope_of(three[0], everyone=True), NOON + MINUTE), None
    )
    assert dealing.deal(NOON + HOUR) == 0
    desk.record(asked("13800000000", typed_id="f" * 32), NOON + 2 * HOUR)
    assert dealing.deal(NOON + 2 * HOUR) == 1


def test_who_may_not_be_worked_is_dealt_to_nobody(
    store: Database, store_keys: Keys, three: list[User], leads_that_ask: Ask
) -> None:
    ids = leads_that_ask(1)
    with store.writing() as session:
        lead = session.get_one(Lead, ids[0])
        lead.restricted = True
        lead.requeue()
    assert dealing_of(store, store_keys, rules_of()).deal(NOON) == 0


def test_what_has_lain_for_a_month_is_left_to_people(
    store: Database, store_keys: Keys, three: list[User], leads_that_ask: Ask
) -> None:
    leads_that_ask(1, NOON - 31 * DAY)
    assert dealing_of(store, store_keys, rules_of()).deal(NOON) == 0


def test_two_machines_that_deal_at_once_give_each_lead_once_and_keep_the_limit(
    store: Database, store_keys: Keys, leads_that_ask: Ask
) -> None:
    for name in ("周敏", "吴凯"):
        on_duty(store, name)
    ids = leads_that_ask(8)
    dealing = dealing_of(store, store_keys, rules_of(round_robin={"most_a_day": 3}))
    threads = [threading.Thread(target=dealing.deal, args=[NOON]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Counter(filter(None, owners(store, ids))).values()) == [3, 3]
    kinds = [event.kind for each in ids for event in events_of(store, each)]
    assert kinds.count("assigned") == 6


def test_a_lead_that_nobody_there_may_have_does_not_keep_the_others_from_being_dealt(
    store: Database, store_keys: Keys, leads_that_ask: Ask
) -> None:
    """It went back to the pool, and its person asked again."""
    zhou, _ = on_duty(store, "周敏"), on_duty(store, "李航", "sales_lead")
    ids = leads_that_ask(3)
    with store.writing() as session:
        values = {"lead_id": ids[0], "detail": {"from": zhou.id, "to": ""}, "version": 1}
        session.add(LeadEvent(kind="returned", happened_at=NOON - HOUR, **values))
    dealing = dealing_of(store, store_keys, rules_of())
    assert dealing.deal(NOON) == 2
    assert owners(store, ids) == [None, zhou.id, zhou.id]


def let_go(store: Database, member: User, ids: list[str], now: datetime = NOON) -> None:
    """They went back to the pool from this member an hour ago, who may not have them again today."""
    with store.writing() as session:
        for each in ids:
            values = {"lead_id": each, "detail": {"from": member.id, "to": ""}, "version": 1}
            session.add(LeadEvent(kind="returned", happened_at=now - HOUR, **values))


def test_however_many_nobody_there_may_have_those_behind_them_are_dealt(
    store: Database, store_keys: Keys, leads_that_ask: Ask
) -> None:
    zhou, _ = on_duty(store, "周敏"), on_duty(store, "李航", "sales_lead")
    ids = leads_that_ask(43)
    let_go(store, zhou, ids[:41])
    dealing = dealing_of(store, store_keys, rules_of())
    assert dealing.deal(NOON) == 2
    assert owners(store, ids) == [*[None] * 41, zhou.id, zhou.id]
    assert told(store, "unassigned") == [], "somebody takes leads"


def test_however_many_wait_each_is_no_question_of_its_own(store: Database, store_keys: Keys) -> None:
    """They are looked through every few seconds."""
    zhou = on_duty(store, "周敏")
    leads = [plain_lead(last_enquiry_at=NOON - MINUTE, first_response_due=NOON) for _ in range(300)]
    put_leads(store, leads)
    let_go(store, zhou, [lead["id"] for lead in leads])
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    assert dealing_of(store, store_keys, rules_of()).deal(NOON) == 0
    event.remove(store.engine, "before_cursor_execute", note)
    assert 15 < len(asked) < 60


# --- what was held back ---


@pytest.fixture
def odd(asked: Asked) -> Submission:
    return asked("13800000000", typed_id="e" * 32, verdict=Verdict(("trap", "link")))


def release(store: Database, keys: Keys, desk: EnquiryDesk, member: User, at: datetime) -> str:
    """Somebody says that what waits in quarantine is no spam; the lead's id."""
    with store.reading() as session:
        held = session.scalars(select(Enquiry.id).where(Enquiry.state == "quarantined")).one()
    return str(Quarantine(store, keys, desk).release(held, member.id, at))


def test_what_lay_in_quarantine_for_long_is_dealt_from_when_it_was_released(
    store: Database, store_keys: Keys, desk: EnquiryDesk, odd: Submission
) -> None:
    zhou, hang = on_duty(store, "周敏"), on_duty(store, "李航", "sales_lead")
    desk.record(odd, NOON - 60 * DAY)
    lead_id = release(store, store_keys, desk, hang, NOON)
    dealing = dealing_of(store, store_keys, rules_of())
    assert [dealing.deal(NOON + MINUTE) for _ in range(2)] == [1, 0]
    assert the_lead(store, lead_id).owner_id == zhou.id


def test_what_lay_in_the_spool_for_long_is_dealt_from_when_it_was_stored(
    store: Database, store_keys: Keys, desk: EnquiryDesk, spool: Spool, asked: Asked
) -> None:
    zhou, now = on_duty(store, "周敏"), utc_now()
    submission = asked()
    spool.put(submission.own_ids(store_keys, NOON)[0], Spooled(submission, now - 60 * DAY))
    assert drain(desk, spool)
    assert dealing_of(store, store_keys, rules_of()).deal(now + MINUTE) == 1
    lead = the_lead(store)
    assert (lead.owner_id, lead.last_enquiry_at) == (zhou.id, now - 60 * DAY)
    assert lead.first_response_due is not None
    assert lead.first_response_due > now, "nobody could have called before"


def test_what_was_put_back_before_a_release_is_dealt_after_it(
    store: Database, store_keys: Keys, desk: EnquiryDesk, odd: Submission, leads_that_ask: Ask
) -> None:
    """Its enquiry was sent before, and nobody had seen it."""
    zhou, hang = on_duty(store, "周敏"), on_duty(store, "李航", "sales_lead")
    (lead_id,) = leads_that_ask(1, NOON - 3 * DAY)
    desk.record(odd, NOON - 2 * DAY)
    work = LeadWork(store, store_keys, site=ORIGIN)
    for owner, hours in ((zhou, 3), (None, 2)):
        work.assign(lead_id, Deed(scope_of(hang, everyone=True), NOON - hours * HOUR), owner)
    dealing = dealing_of(store, store_keys, rules_of())
    assert dealing.deal(NOON - HOUR) == 0
    release(store, store_keys, desk, hang, NOON)
    assert dealing.deal(NOON) == 1


def test_what_was_done_before_a_release_does_not_answer_it(
    store: Database, store_keys: Keys, desk: EnquiryDesk, odd: Submission, leads_that_ask: Ask
) -> None:
    zhou, hang = on_duty(store, "周敏"), on_duty(store, "李航", "sales_lead")
    (lead_id,) = leads_that_ask(1, NOON - 3 * DAY)
    desk.record(odd, NOON - 2 * DAY)
    work = LeadWork(store, store_keys, site=ORIGIN)
    work.assign(lead_id, Deed(scope_of(zhou), NOON - 3 * HOUR), zhou)
    work.write_note(lead_id, Deed(scope_of(zhou), NOON - 2 * HOUR), "接通了", connected=True)
    set_member(store, zhou, on_duty=False)
    dealing = dealing_of(store, store_keys, rules_of())
    dealing.deal(NOON - HOUR)
    assert told(store, "absent") == []
    release(store, store_keys, desk, hang, NOON)
    dealing.deal(NOON)
    assert [each for each, _ in told(store, "absent")] == [hang.email]


@pytest.mark.parametrize("way", ["hand", "round_robin"])
def test_leads_of_long_ago_are_not_looked_through(store: Database, store_keys: Keys, way: str) -> None:
    zhou = on_duty(store, "周敏", on_duty=False)
    on_duty(store, "吴凯")
    for owner in (None, zhou.id):
        old = [
            {"last_enquiry_at": NOON - days * DAY, "first_response_due": due}
            for days in range(40, 2040)
            for due in (NOON - days * DAY, None)
        ]
        leads = [plain_lead(owner_id=owner, **each) for each in old]
        put_leads(store, leads)
        with store.writing() as session:
            session.add_all(
                LeadEvent(lead_id=lead["id"], kind="enquiry", happened_at=lead["last_enquiry_at"])
                for lead in leads
            )
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        asked.extend([(statement, values)] if "UNION" in statement else [])

    event.listen(store.engine, "before_cursor_execute", note)
    assert dealing_of(store, store_keys, rules_of(way, absent_owner="give")).deal(NOON) == 0
    event.remove(store.engine, "before_cursor_execute", note)
    assert asked
    words = "EXPLAIN QUERY PLAN" if store.engine.dialect.name == "sqlite" else "EXPLAIN"
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        for statement, values in asked:
            plan = "\n".join(
                str(row[-1]) for row in connection.exec_driver_sql(f"{words} {statement}", values)
            )
            assert re.search(r"ix_leads_owner_id_last_enquiry_at .*last_enquiry_at ?>", plan, re.DOTALL), plan
            assert re.search(r"ix_leads_(owner_)?waiting .*first_response_due ?>", plan, re.DOTALL), plan
            assert not re.search(r"(Seq Scan on|SCAN) lead", plan), plan
        connection.rollback()


def test_who_comes_on_duty_late_is_not_given_all_that_waits(
    store: Database, store_keys: Keys, three: list[User], leads_that_ask: Ask
) -> None:
    set_member(store, three[2], on_duty=False)
    leads_that_ask(8, NOON - HOUR)
    dealing = dealing_of(store, store_keys, rules_of(round_robin={"most_a_day": 50}))
    dealing.deal(NOON - HOUR)
    set_member(store, three[2], on_duty=True)
    ids = leads_that_ask(9, NOON, first=20)
    dealing.deal(NOON)
    assert sorted(Counter(owners(store, ids)).values()) == [3, 3, 3]


# --- owners who are away ---


def test_however_many_were_told_of_and_nobody_may_have_those_behind_them_are_given(
    store: Database, store_keys: Keys, leads_that_ask: Ask
) -> None:
    zhou, wu = on_duty(store, "周敏", on_duty=False), on_duty(store, "吴凯", on_duty=False)
    ids = leads_that_ask(23)
    with store.writing() as session:
        session.execute(update(Lead).values(owner_id=zhou.id))
    let_go(store, wu, ids[:21], NOON - DAY)
    dealing = dealing_of(store, store_keys, rules_of(absent_owner="give"))
    for _ in range(2):
        assert dealing.deal(NOON) == 0
    assert len(told(store, "absent")) == len(ids)
    set_member(store, wu, on_duty=True)
    assert dealing.deal(NOON) == 2
    assert owners(store, ids) == [*[zhou.id] * 21, wu.id, wu.id]


def test_however_many_were_told_of_before_the_next_one_is_told_of(
    store: Database, store_keys: Keys, leads_that_ask: Ask
) -> None:
    zhou, _ = on_duty(store, "周敏", on_duty=False), on_duty(store, "李航", "sales_lead")
    ids = leads_that_ask(23)
    with store.writing() as session:
        session.execute(update(Lead).values(owner_id=zhou.id))
    dealing = dealing_of(store, store_keys, rules_of())
    for _ in range(3):
        dealing.deal(NOON)
    assert len(told(store, "absent")) == len(ids)


@pytest.fixture
def of_an_absentee(
    store: Database, store_keys: Keys, desk: EnquiryDesk, asked: Asked, leads_that_ask: Ask
) -> tuple[str, User]:
    """A lead whose owner worked it, went away, and whose person asks again."""
    zhou = on_duty(store, "周敏")
    (lead_id,) = leads_that_ask(1, NOON - 2 * DAY)
    work = LeadWork(store, store_keys, site=ORIGIN)
    work.assign(lead_id, Deed(scope_of(zhou), NOON - 2 * DAY + MINUTE), zhou)
    work.write_note(lead_id, Deed(scope_of(zhou), NOON - DAY), "接通了", connected=True)
    set_member(store, zhou, on_duty=False)
    desk.record(asked("13800000000", typed_id="f" * 32), NOON)
    return lead_id, zhou


@pytest.mark.parametrize("way", ["hand", "round_robin", "pool"])
def test_a_known_persons_lead_is_given_to_somebody_who_is_there(
    store: Database, store_keys: Keys, of_an_absentee: tuple[str, User], way: str
) -> None:
    lead_id, zhou = of_an_absentee
    wu = on_duty(store, "吴凯")
    dealing = dealing_of(store, store_keys, rules_of(way, absent_owner="give"))
    assert [dealing.deal(NOON + MINUTE) for _ in range(2)] == [1, 0]
    assert the_lead(store, lead_id).owner_id == wu.id
    assert events_of(store, lead_id)[-1].detail == {"from": zhou.id, "to": wu.id, "by": "absent"}
    assert [each for each, _ in told(store, "absent")] == [zhou.email]
    assert [each for each, _ in told(store, "assigned")] == [wu.email]


@pytest.mark.parametrize("rules", [{"absent_owner": "tell"}, {"absent_owner": "give"}])
def test_where_it_is_not_given_the_sales_leads_are_told_once(
    store: Database, store_keys: Keys, of_an_absentee: tuple[str, User], rules: dict[str, Any]
) -> None:
    """By the rules, or because nobody is there to take it."""
    lead_id, zhou = of_an_absentee
    hang = on_duty(store, "李航", "sales_lead")
    dealing = dealing_of(store, store_keys, rules_of(**rules))
    assert [dealing.deal(NOON + number * MINUTE) for number in range(1, 4)] == [0, 0, 0]
    assert the_lead(store, lead_id).owner_id == zhou.id
    ((recipient, text),) = told(store, "absent")
    assert recipient == hang.email
    assert "负责人周敏不在岗" in text
    assert "138" not in text


def test_an_owner_who_is_there_keeps_a_known_person(
    store: Database, store_keys: Keys, of_an_absentee: tuple[str, User]
) -> None:
    lead_id, zhou = of_an_absentee
    set_member(store, zhou, on_duty=True)
    on_duty(store, "吴凯")
    assert dealing_of(store, store_keys, rules_of(absent_owner="give")).deal(NOON + MINUTE) == 0
    assert the_lead(store, lead_id).owner_id == zhou.id


def test_what_somebody_has_dealt_with_since_is_left_alone(
    store: Database, store_keys: Keys, of_an_absentee: tuple[str, User]
) -> None:
    lead_id, _ = of_an_absentee
    hang, wu = on_duty(store, "李航", "sales_lead"), on_duty(store, "吴凯")
    work = LeadWork(store, store_keys, site=ORIGIN)
    work.no_answer(lead_id, Deed(scope_of(hang, everyone=True), NOON + MINUTE))
    assert dealing_of(store, store_keys, rules_of(absent_owner="give")).deal(NOON + HOUR) == 0
    assert the_lead(store, lead_id).owner_id != wu.id
