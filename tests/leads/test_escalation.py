"""Who is told that a first response is due or late, when, and that nobody else is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update
from tests.conftest import ORIGIN, ROOT
from tests.leads.colleagues import (
    desk_of,
    events_of,
    hire,
    plain_lead,
    put_leads,
    scope_of,
    shanghai,
    the_lead,
)
from tests.leads.duty import assigner_of, rules_of

from xinheng.audit.models import AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.forms.definition import PublishedForm
from xinheng.forms.response import LateStep, ResponseRules
from xinheng.leads.deeds import Deed
from xinheng.leads.escalation import Escalation
from xinheng.leads.models import Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.submission import Submission
from xinheng.leads.trail import Trail
from xinheng.leads.work import LeadWork
from xinheng.notices.outbox import Notice
from xinheng.privacy.restricting import restrict_lead
from xinheng.staff.models import User
from xinheng.working_days import load_working_days

Asked = Callable[..., Submission]
Told = list[tuple[str, str]]
CALENDAR = load_working_days(ROOT / "content")
RULES = ResponseRules(
    within=120,
    remind=30,
    late=(
        LateStep(after=0, tell=("owner", "sales_lead")),
        LateStep(after=60, tell=("owner",), reassign=True),
        LateStep(after=540, tell=("sales_lead", "all")),
    ),
)
TEN = shanghai("2026-11-23 10:00")
"""Due at noon."""


@pytest.fixture
def desk(store: Database, store_keys: Keys, form: PublishedForm) -> EnquiryDesk:
    return desk_of(store, store_keys, form, RULES, CALENDAR)


@pytest.fixture
def zhou(store: Database) -> User:
    return hire(store, "周敏")


@pytest.fixture
def chief(store: Database) -> User:
    return hire(store, "郑岚", "sales_lead")


@pytest.fixture
def others(store: Database) -> list[User]:
    """Members who are none of a lead's business."""
    return [hire(store, "吴凯"), hire(store, "编辑", "editor"), hire(store, "管理员", "admin")]


@pytest.fixture
def lead_id(
    desk: EnquiryDesk, store: Database, asked: Asked, zhou: User, chief: User, others: list[User]
) -> str:
    """Zhou Min's lead, that came at ten on a Monday."""
    desk.record(asked(), TEN)
    lead_id = the_lead(store).id
    change(store, lead_id, owner_id=zhou.id)
    return lead_id


@pytest.fixture
def sweep(store_keys: Keys) -> Escalation:
    """Where nobody can be given another's lead: nobody has a second factor."""
    return sweep_of(store_keys, second_factor=True)


def sweep_of(keys: Keys, rules: ResponseRules = RULES, *, second_factor: bool = False) -> Escalation:
    assigner = assigner_of(rules_of(), second_factor=second_factor)
    return Escalation(Trail(keys), assigner, lambda: CALENDAR, lambda: rules, site=ORIGIN)


def change(store: Database, lead_id: str, **values: object) -> None:
    with store.writing() as session:
        session.execute(update(Lead).where(Lead.id == lead_id).values(**values))


def told(store: Database, *kinds: str) -> Told:
    """Kind and recipient of each notice, in the order of their making."""
    with store.reading() as session:
        wanted = kinds or ("due_soon", "late", "assigned")
        rows = session.scalars(select(Notice).where(Notice.kind.in_(wanted)).order_by(Notice.id))
        return [(each.kind, each.recipient) for each in rows]


def texts(store: Database) -> list[str]:
    with store.reading() as session:
        rows = session.scalars(select(Notice).where(Notice.kind != "enquiry").order_by(Notice.id))
        return [each.text for each in rows]


# --- step by step ---


def test_a_whole_day_without_a_call(
    store: Database, sweep: Escalation, lead_id: str, zhou: User, chief: User
) -> None:
    seen: list[tuple[str, Told]] = []
    now, before = TEN, 0
    while now < shanghai("2026-11-25 10:00"):
        if sweep(store, now):
            found = told(store)
            seen.append((f"{now:%d %H:%M}", sorted(found[before:])))
            before = len(found)
        now += timedelta(minutes=1)
    owner, leader = zhou.email, chief.email
    assert seen == [
        ("23 11:30", [("due_soon", owner)]),
        ("23 12:00", sorted([("late", owner), ("late", leader)])),
        ("23 13:00", [("late", owner)]),
        ("24 12:00", sorted([("late", ""), ("late", leader)])),
    ]
    assert [event.kind for event in events_of(store, lead_id)] == ["enquiry", "late", "late", "late"]


def test_what_is_told_says_how_late_and_nothing_of_the_person(
    store: Database, sweep: Escalation, lead_id: str
) -> None:
    for moment in ("2026-11-23 11:45", "2026-11-23 12:10", "2026-11-23 14:30"):
        sweep(store, shanghai(moment))
    said = texts(store)
    assert [text.splitlines()[0] for text in said] == [
        "快到首次响应的期限：逾期账款跟进",
        "到了期限，还没有人联系：逾期账款跟进",
        "到了期限，还没有人联系：逾期账款跟进",
        "超时2个工作小时，还没有人联系：逾期账款跟进",
    ]
    with store.reading() as session:
        reference = session.get_one(Lead, lead_id).enquiries[0].reference
    for text in said:
        assert f"受理编号：{reference}" in text
        assert "期限：2026-11-23 12:00+08:00" in text
        assert text.endswith(f"查看：{ORIGIN}/desk/leads/{lead_id}")
        assert not any(secret in text for secret in ("张三", "138", "0013", "逾期四个"))


def test_after_an_outage_only_the_last_step_is_told(
    store: Database, sweep: Escalation, lead_id: str, zhou: User
) -> None:
    assert sweep(store, shanghai("2026-11-23 15:00")) == 1
    assert told(store) == [("late", zhou.email)]
    assert sweep(store, shanghai("2026-11-23 15:01")) == 0
    assert the_lead(store).escalation == 3


@pytest.mark.parametrize(
    ("came", "quiet", "speaks"),
    [
        ("2026-11-27 16:00", "2026-11-29 12:00", "2026-11-30 09:00"),  # a weekend
        ("2026-11-23 16:00", "2026-11-23 22:00", "2026-11-24 09:00"),  # a night
        ("2026-09-30 16:00", "2026-10-05 12:00", "2026-10-08 09:00"),  # National Day
        ("2026-10-09 16:00", "2026-10-09 19:00", "2026-10-10 09:00"),  # to a Saturday that is worked
    ],
)
def test_nobody_is_told_while_nobody_works(
    desk: EnquiryDesk, store: Database, sweep: Escalation, asked: Asked, came: str, quiet: str, speaks: str
) -> None:
    desk.record(asked(), shanghai(came))
    assert sweep(store, shanghai(quiet)) == 0
    assert sweep(store, shanghai(speaks)) == 1
    assert told(store) == [("late", "")], "nobody has it: it is everybody's"


# --- who ---


def test_a_lead_that_nobody_has_is_told_to_all(
    store: Database, sweep: Escalation, lead_id: str, chief: User
) -> None:
    change(store, lead_id, owner_id=None)
    sweep(store, shanghai("2026-11-23 11:40"))
    assert told(store) == [("due_soon", "")]
    sweep(store, shanghai("2026-11-23 12:00"))
    assert sorted(told(store, "late")) == [("late", ""), ("late", chief.email)]


def test_what_belongs_to_somebody_who_left_is_the_leaders(
    store: Database, sweep: Escalation, lead_id: str, zhou: User, chief: User
) -> None:
    with store.writing() as session:
        session.get_one(User, zhou.id).active = False
    sweep(store, shanghai("2026-11-23 11:40"))
    assert told(store) == [("due_soon", chief.email)]
    sweep(store, shanghai("2026-11-23 12:00"))
    assert told(store, "late") == [("late", chief.email)]


def test_where_nobody_looks_after_everybodys_leads_all_are_told_of_one_of_who_left(
    store: Database, sweep: Escalation, lead_id: str, zhou: User, chief: User
) -> None:
    with store.writing() as session:
        for member in (zhou, chief):
            session.get_one(User, member.id).active = False
    sweep(store, shanghai("2026-11-23 11:40"))
    sweep(store, shanghai("2026-11-23 12:00"))
    assert told(store) == [("due_soon", ""), ("late", "")]


def test_a_leader_whose_own_lead_is_late_is_told_once(
    store: Database, sweep: Escalation, lead_id: str, chief: User
) -> None:
    change(store, lead_id, owner_id=chief.id)
    sweep(store, shanghai("2026-11-23 12:00"))
    assert told(store) == [("late", chief.email)]


# --- when it ends ---


def test_nobody_is_told_after_a_try(
    store: Database, store_keys: Keys, sweep: Escalation, lead_id: str, zhou: User
) -> None:
    sweep(store, shanghai("2026-11-23 12:00"))
    work = LeadWork(store, store_keys, site=ORIGIN, calendar=lambda: CALENDAR, response=lambda: RULES)
    work.no_answer(lead_id, Deed(scope_of(zhou), shanghai("2026-11-23 12:05")))
    with store.reading() as session:
        assert set(session.scalars(select(Notice.state).where(Notice.kind == "late"))) == {"void"}
    assert sweep(store, shanghai("2026-11-25 12:00")) == 0


@pytest.mark.parametrize("how", ["restricted", "closed"])
def test_what_is_held_back_or_closed_is_never_told_of(
    store: Database, sweep: Escalation, lead_id: str, zhou: User, how: str
) -> None:
    with store.writing() as session:
        lead = session.get_one(Lead, lead_id)
        if how == "restricted":
            restrict_lead(session, lead, zhou.id, TEN, restricted=True)
        else:
            lead.status, lead.reason = "invalid", "test"
            lead.requeue()
    assert sweep(store, shanghai("2026-11-25 12:00")) == 0
    assert told(store) == []


def test_the_time_to_call_stands_still_while_nobody_may(
    store: Database, sweep: Escalation, lead_id: str, zhou: User
) -> None:
    """Held back an hour before it was due, for a week."""
    with store.writing() as session:
        lead = session.get_one(Lead, lead_id)
        for days, restricted in ((0, True), (1, True), (7, False)):
            now = shanghai("2026-11-23 11:00") + timedelta(days=days)
            restrict_lead(session, lead, zhou.id, now, restricted=restricted)
            session.flush()
    assert sweep(store, shanghai("2026-11-30 11:05")) == 0
    assert the_lead(store).first_response_due == shanghai("2026-11-30 12:00")
    sweep(store, shanghai("2026-11-30 12:00"))
    assert told(store, "late")


def test_who_asks_again_after_a_call_is_watched_anew(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    sweep: Escalation,
    asked: Asked,
    lead_id: str,
    zhou: User,
) -> None:
    sweep(store, shanghai("2026-11-23 12:00"))
    work = LeadWork(store, store_keys, site=ORIGIN, calendar=lambda: CALENDAR, response=lambda: RULES)
    work.no_answer(lead_id, Deed(scope_of(zhou), shanghai("2026-11-23 12:05")))
    desk.record(asked(typed_id="f" * 32), shanghai("2026-11-24 10:00"))
    assert sweep(store, shanghai("2026-11-24 11:40")) == 1
    assert told(store)[-1] == ("due_soon", zhou.email)


def test_a_lead_of_before_that_all_was_told_of_stays_quiet(
    store: Database, sweep: Escalation, lead_id: str
) -> None:
    change(store, lead_id, escalation=99)
    assert sweep(store, shanghai("2026-11-25 12:00")) == 0


def test_without_steps_nothing_is_told(store: Database, store_keys: Keys, lead_id: str) -> None:
    quiet = sweep_of(store_keys, ResponseRules(remind=0, late=()))
    assert quiet(store, shanghai("2026-11-25 12:00")) == 0


# --- several at once ---


def test_several_that_look_at_once_tell_once(
    store: Database, sweep: Escalation, lead_id: str, zhou: User, chief: User
) -> None:
    works = [threading.Thread(target=sweep, args=(store, shanghai("2026-11-23 12:00"))) for _ in range(4)]
    for each in works:
        each.start()
    for each in works:
        each.join()
    assert sorted(told(store)) == sorted([("late", zhou.email), ("late", chief.email)])


def test_one_that_waits_for_its_next_step_keeps_none_behind_it_waiting(
    desk: EnquiryDesk, store: Database, sweep: Escalation, asked: Asked, others: list[User]
) -> None:
    """Sixty that are late, of which fifty are looked at in one go, and one that comes later."""
    for number in range(60):
        desk.record(asked(f"139{number:08d}", typed_id=f"{number:032x}"), TEN)
    now = shanghai("2026-11-23 12:05")
    assert [sweep(store, now) for _ in range(3)] == [50, 10, 0]


def test_a_lead_whose_enquiries_are_elsewhere_keeps_no_other_from_being_told_of(
    store: Database, sweep: Escalation, lead_id: str
) -> None:
    put_leads(store, [plain_lead(first_response_due=TEN, responded_at=None, escalation=0)])
    assert sweep(store, shanghai("2026-11-23 12:00")) == 2
    assert len(told(store, "late")) == 2


def test_leads_that_somebody_has_called_are_not_looked_through(store: Database, sweep: Escalation) -> None:
    called = [
        plain_lead(queue="planned", first_response_due=TEN - timedelta(minutes=number), responded_at=TEN)
        for number in range(4000)
    ]
    put_leads(store, called)
    asked: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        asked.append((statement, values))

    event.listen(store.engine, "before_cursor_execute", note)
    assert sweep(store, TEN) == 0
    event.remove(store.engine, "before_cursor_execute", note)
    ((statement, values),) = (each for each in asked if each[0].startswith("SELECT"))
    words = "EXPLAIN QUERY PLAN" if store.engine.dialect.name == "sqlite" else "EXPLAIN"
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        plan = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{words} {statement}", values))  # type: ignore[call-overload]
        connection.rollback()
    assert "ix_leads_unanswered" in plan, plan


# --- another owner ---


def test_a_step_gives_the_lead_to_somebody_else(
    store: Database, store_keys: Keys, lead_id: str, zhou: User, others: list[User]
) -> None:
    wu = others[0]
    sweep = sweep_of(store_keys)
    sweep(store, shanghai("2026-11-23 12:00"))
    assert the_lead(store).owner_id == zhou.id, "that step reassigns nothing"
    sweep(store, shanghai("2026-11-23 13:00"))
    lead = the_lead(store)
    assert (lead.owner_id, lead.version) == (wu.id, 2)
    event = events_of(store, lead_id)[-1]
    assert (event.kind, event.staff_id, event.detail) == (
        "assigned",
        None,
        {"from": zhou.id, "to": wu.id, "by": "late"},
    )
    assert told(store, "assigned") == [("assigned", wu.email)]
    assert "原来的负责人没有按时联系" in texts(store)[-1]
    with store.reading() as session:
        row = session.scalars(select(AuditRow).where(AuditRow.action == "assign")).one()
        assert (row.actor, row.subject_id) == ("system", lead_id)


def test_a_step_that_an_outage_went_over_still_gives_it_away(
    store: Database, store_keys: Keys, lead_id: str, others: list[User]
) -> None:
    sweep = sweep_of(store_keys)
    sweep(store, shanghai("2026-11-24 15:00"))
    assert the_lead(store).owner_id == others[0].id


def test_where_there_is_nobody_else_it_stays(
    store: Database, store_keys: Keys, lead_id: str, zhou: User
) -> None:
    sweep = sweep_of(store_keys, second_factor=True)
    sweep(store, shanghai("2026-11-23 13:00"))
    assert the_lead(store).owner_id == zhou.id
    assert told(store) == [("late", zhou.email)]
