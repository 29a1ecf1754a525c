"""The first response to who asked: by when, whether it came, and what counts as one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.conftest import ORIGIN, ROOT
from tests.leads.colleagues import desk_of, hire, scope_of, shanghai, the_lead
from tests.leads.conftest import BROWSER_ID

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.forms.definition import PublishedForm
from xinheng.forms.priority import load_priority
from xinheng.forms.response import ResponseRules, load_response
from xinheng.leads.deeds import BulkChange, Deed
from xinheng.leads.models import Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.response import Response, response_of
from xinheng.leads.submission import Submission
from xinheng.leads.work import LeadWork
from xinheng.notices.outbox import Notice, enqueue
from xinheng.privacy.restricting import restrict_lead
from xinheng.staff.models import User
from xinheng.working_days import load_working_days

Asked = Callable[..., Submission]
CALENDAR = load_working_days(ROOT / "content")
RULES = load_response(ROOT / "forms")
OTHER_ID = "f" * 32
TEN = shanghai("2026-11-23 10:00")
DUE = shanghai("2026-11-23 12:00")
"""Overdue accounts are called within two hours of work."""


@pytest.fixture
def desk(store: Database, store_keys: Keys, form: PublishedForm) -> EnquiryDesk:
    return desk_of(store, store_keys, form, RULES, CALENDAR)


@pytest.fixture
def work(store: Database, store_keys: Keys) -> LeadWork:
    return LeadWork(store, store_keys, site=ORIGIN, calendar=lambda: CALENDAR, response=lambda: RULES)


@pytest.fixture
def zhou(store: Database) -> User:
    return hire(store, "周敏")


@pytest.fixture
def lead_id(desk: EnquiryDesk, store: Database, asked: Asked) -> str:
    """A lead that came at ten on a Monday."""
    desk.record(asked(), TEN)
    return the_lead(store).id


def at(moment: str, member: User) -> Deed:
    return Deed(scope_of(member), shanghai(moment))


def standing(store: Database, now: datetime) -> Response:
    return response_of(the_lead(store), CALENDAR, RULES.remind, now)


# --- by when ---


@pytest.mark.parametrize(
    ("came", "need", "due"),
    [
        ("2026-11-23 10:00", "overdue", "2026-11-23 12:00"),
        ("2026-11-23 10:00", "receivables", "2026-11-23 14:00"),
        ("2026-11-23 17:00", "overdue", "2026-11-24 10:00"),
        ("2026-11-21 03:00", "overdue", "2026-11-23 11:00"),  # at night, before a weekend
        ("2026-09-30 17:30", "overdue", "2026-10-08 10:30"),  # before National Day
        ("2026-10-09 17:30", "overdue", "2026-10-10 10:30"),  # before a Saturday that is worked
    ],
)
def test_it_is_due_in_working_time_by_what_is_known(
    desk: EnquiryDesk, store: Database, asked: Asked, came: str, need: str, due: str
) -> None:
    desk.record(asked(need=need), shanghai(came))
    lead = the_lead(store)
    assert (lead.first_response_due, lead.responded_at, lead.escalation) == (shanghai(due), None, 0)


def test_who_asks_again_meanwhile_does_not_put_it_off(
    desk: EnquiryDesk, store: Database, asked: Asked, lead_id: str
) -> None:
    desk.record(asked(typed_id=OTHER_ID), TEN + timedelta(hours=1))
    assert the_lead(store).first_response_due == DUE


def test_who_asks_again_later_is_to_be_called_again(
    desk: EnquiryDesk, work: LeadWork, store: Database, asked: Asked, lead_id: str, zhou: User
) -> None:
    work.write_note(lead_id, at("2026-11-23 10:30", zhou), "接了。", connected=True)
    desk.record(asked(typed_id=OTHER_ID), shanghai("2026-11-24 10:00"))
    lead = the_lead(store)
    assert (lead.first_response_due, lead.responded_at) == (shanghai("2026-11-24 12:00"), None)
    assert lead.status == "contacted"


# --- what counts ---

TRIES: dict[str, Callable[[LeadWork, str, Deed], object]] = {
    "nobody took the call": lambda work, lead, deed: work.no_answer(lead, deed),
    "somebody did": lambda work, lead, deed: work.write_note(lead, deed, "接了。", connected=True),
    "WeChat": lambda work, lead, deed: work.added_wechat(lead, deed),
    "contacted": lambda work, lead, deed: work.move(lead, deed, "contacted"),
    "contacted, several": lambda work, lead, deed: work.many([lead], deed, BulkChange(status="contacted")),
}


@pytest.mark.parametrize("name", TRIES)
def test_a_try_to_reach_the_person_is_a_response(
    work: LeadWork, store: Database, lead_id: str, zhou: User, name: str
) -> None:
    TRIES[name](work, lead_id, at("2026-11-23 11:30", zhou))
    assert the_lead(store).responded_at == shanghai("2026-11-23 11:30")
    assert standing(store, DUE + timedelta(days=3)) == Response("met")
    work.no_answer(lead_id, at("2026-11-24 11:00", zhou))
    assert the_lead(store).responded_at == shanghai("2026-11-23 11:30"), "the first one counts"


NO_TRIES: dict[str, Callable[[LeadWork, str, Deed], object]] = {
    "a note": lambda work, lead, deed: work.write_note(lead, deed, "明天再打。"),
    "a plan": lambda work, lead, deed: work.plan(lead, deed, deed.now + timedelta(days=1), "打"),
    "an owner": lambda work, lead, deed: work.assign(lead, deed, None),
}


@pytest.mark.parametrize("name", NO_TRIES)
def test_what_reaches_nobody_is_none(
    work: LeadWork, store: Database, lead_id: str, zhou: User, name: str
) -> None:
    NO_TRIES[name](work, lead_id, at("2026-11-23 11:00", zhou))
    assert the_lead(store).responded_at is None
    assert standing(store, DUE + timedelta(hours=1)) == Response("late", 60)


def test_what_waits_to_be_told_is_not_told_after_a_response(
    work: LeadWork, store: Database, lead_id: str, zhou: User
) -> None:
    with store.writing() as session:
        reference = session.get_one(Lead, lead_id).enquiries[0].reference
        for kind in ("due_soon", "late", "enquiry"):
            enqueue(session, kind=kind, reference=reference, text="x", now=TEN, recipient=zhou.email)
    work.no_answer(lead_id, at("2026-11-23 11:00", zhou))
    with store.reading() as session:
        found = {each.kind: each.state for each in session.query(Notice).filter_by(recipient=zhou.email)}
    assert found == {"due_soon": "void", "late": "void", "enquiry": "waiting"}


# --- how it stands ---


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-23 10:00", Response("open", 120)),
        ("2026-11-23 11:29", Response("open", 31)),
        ("2026-11-23 11:30", Response("soon", 30)),
        ("2026-11-23 12:00", Response("soon", 0)),
        ("2026-11-23 12:01", Response("late", 1)),
        ("2026-11-23 20:00", Response("late", 360)),
        ("2026-11-24 09:30", Response("late", 390)),
    ],
)
def test_time_that_nobody_works_does_not_count(
    store: Database, lead_id: str, now: str, expected: Response
) -> None:
    assert standing(store, shanghai(now)) == expected


def test_a_late_response_says_by_how_much(work: LeadWork, store: Database, lead_id: str, zhou: User) -> None:
    work.no_answer(lead_id, at("2026-11-24 09:10", zhou))
    assert standing(store, shanghai("2026-11-26 10:00")) == Response("missed", 370)


# --- closed, opened, held back ---


def test_nobody_needs_to_call_who_is_closed_and_opened_by_staff_it_runs_anew(
    work: LeadWork, store: Database, lead_id: str, zhou: User
) -> None:
    work.move(lead_id, at("2026-11-23 11:00", zhou), "invalid", "test")
    assert standing(store, shanghai("2026-11-25 10:00")) == Response("none")
    work.move(lead_id, at("2026-11-25 10:00", zhou), "new")
    lead = the_lead(store)
    assert (lead.first_response_due, lead.escalation) == (shanghai("2026-11-25 12:00"), 0)


def test_a_closed_lead_keeps_how_it_was_answered(
    work: LeadWork, store: Database, lead_id: str, zhou: User
) -> None:
    work.no_answer(lead_id, at("2026-11-23 11:00", zhou))
    work.move(lead_id, at("2026-11-23 11:30", zhou), "invalid", "wrong_number")
    assert standing(store, shanghai("2026-11-25 10:00")) == Response("met")


def test_who_asks_again_after_the_end_is_to_be_called_anew(
    desk: EnquiryDesk, work: LeadWork, store: Database, asked: Asked, lead_id: str, zhou: User
) -> None:
    work.move(lead_id, at("2026-11-23 11:00", zhou), "invalid", "test")
    desk.record(asked(typed_id=OTHER_ID), shanghai("2026-11-25 10:00"))
    assert the_lead(store).first_response_due == shanghai("2026-11-25 12:00")


def test_a_restricted_lead_is_due_to_nobody_and_again_when_it_is_given_back(
    store: Database, lead_id: str, zhou: User
) -> None:
    def restrict(*, restricted: bool) -> Any:
        with store.writing() as session:
            restrict_lead(session, session.get_one(Lead, lead_id), zhou.id, TEN, restricted=restricted)
        return standing(store, DUE + timedelta(hours=1))

    assert restrict(restricted=True) == Response("none")
    assert restrict(restricted=False) == Response("late", 60)


def test_without_rules_it_is_four_hours_from_monday_to_friday(
    store: Database, store_keys: Keys, form: PublishedForm, asked: Asked
) -> None:
    rules = load_priority(ROOT / "forms")
    plain = EnquiryDesk(store, store_keys, site=ORIGIN, priority=lambda: rules)
    plain.publish(form)
    plain.record(asked(typed_id=BROWSER_ID), shanghai("2026-10-01 10:00"))
    assert ResponseRules().within == 240
    assert the_lead(store).first_response_due == shanghai("2026-10-01 14:00")
