"""Staff are told of an enquiry until somebody opens it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from tests.conftest import OWN_PAGE

from xinheng.db import Database, Databases
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.unopened import MOST_REMINDERS, REMIND_AFTER, in_working_hours, remind
from xinheng.notices.outbox import Notice, acknowledge

TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Ten o'clock on a Monday in Shanghai."""
LATER = TEN + REMIND_AFTER + timedelta(minutes=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(databases: Databases) -> Database:
    return databases.leads


@pytest.fixture
def asked(client: FlaskClient, consultation: Callable[..., dict[str, str]], store: Database) -> Database:
    """One enquiry was stored at ten, and its notice left by two channels."""
    assert client.post("/consultation", data=consultation(), headers=OWN_PAGE).status_code == 303
    with store.writing() as session:
        session.execute(update(Enquiry).values(created_at=TEN))
        notice = session.scalars(select(Notice)).one()
        notice.channel, notice.created_at = "mail", TEN
        other = {"kind": notice.kind, "reference": notice.reference, "text": notice.text, "channel": "wecom"}
        session.add(Notice(**other, due_at=TEN, created_at=TEN))
    leave(store, TEN)
    return store


def leave(store: Database, now: datetime) -> None:
    with store.writing() as session:
        session.execute(update(Notice).where(Notice.state == "waiting").values(state="sent", settled_at=now))


def reminders(store: Database) -> list[str]:
    with store.reading() as session:
        query = select(Notice.text).where(Notice.kind == "reminder").order_by(Notice.id)
        return [text.partition("\n")[0] for text in session.scalars(query)]


def test_the_two_hours_begin_when_the_notice_left(asked: Database) -> None:
    leave(asked, TEN)
    with asked.writing() as session:
        session.execute(update(Notice).values(settled_at=LATER))  # its channel was away until now
    assert remind(asked, LATER + MINUTE) == 0, "they have only just been told"
    assert remind(asked, LATER + REMIND_AFTER + MINUTE) == 1


def test_what_nobody_opened_in_two_hours_is_told_of_again(asked: Database) -> None:
    assert remind(asked, TEN + REMIND_AFTER - MINUTE) == 0
    assert remind(asked, LATER) == 1
    assert remind(asked, LATER) == 0, "it is on its way"
    leave(asked, LATER)
    assert remind(asked, LATER + REMIND_AFTER - MINUTE) == 0
    assert remind(asked, LATER + REMIND_AFTER + MINUTE) == 1
    assert reminders(asked) == ["还没有人打开的咨询，第1次提醒", "还没有人打开的咨询，第2次提醒"]


def test_a_reminder_tells_what_the_notice_told(asked: Database) -> None:
    remind(asked, LATER)
    with asked.reading() as session:
        first, second = (
            session.scalars(select(Notice.text).where(Notice.kind == "reminder")).one().split("\n", 1)
        )
        told = session.scalars(select(Notice.text).where(Notice.channel == "mail")).one()
    assert (first, second) == ("还没有人打开的咨询，第1次提醒", told)


def test_what_somebody_opened_is_not_told_of_again(asked: Database) -> None:
    with asked.writing() as session:
        acknowledge(session, list(session.scalars(select(Notice.reference))), "zhou@x.example", TEN)
    assert remind(asked, LATER) == 0


def test_a_reminder_is_seen_with_its_enquiry(asked: Database) -> None:
    remind(asked, LATER)
    with asked.writing() as session:
        acknowledge(session, list(session.scalars(select(Notice.reference))), "zhou@x.example", LATER)
    with asked.reading() as session:
        assert set(session.scalars(select(Notice.state))) == {"sent", "seen"}


@pytest.mark.parametrize("state", ["waiting", "failed", "logged"])
def test_what_never_left_is_no_matter_of_reminders(asked: Database, state: str) -> None:
    with asked.writing() as session:
        session.execute(update(Notice).values(state=state))
    assert remind(asked, LATER) == 0


@pytest.mark.parametrize("changed", [{"restricted": True}, {"closed": True}])
def test_a_lead_that_is_not_to_be_worked_is_not_told_of(asked: Database, changed: dict[str, bool]) -> None:
    with asked.writing() as session:
        session.execute(update(Lead).values(changed))
    assert remind(asked, LATER) == 0


def test_nobody_is_reminded_for_ever(asked: Database) -> None:
    now, count = TEN, 0
    for _ in range(24 * 6):
        now += timedelta(hours=1)
        count += remind(asked, now)
        leave(asked, now)
    assert count == MOST_REMINDERS


def test_several_that_look_at_once_remind_once(asked: Database) -> None:
    works = [threading.Thread(target=remind, args=(asked, LATER)) for _ in range(4)]
    for each in works:
        each.start()
    for each in works:
        each.join()
    assert len(reminders(asked)) == 1


@pytest.mark.parametrize(
    ("moment", "working"),
    [
        ("2026-11-23T08:59:59+08:00", False),
        ("2026-11-23T09:00:00+08:00", True),
        ("2026-11-27T17:59:59+08:00", True),
        ("2026-11-27T18:00:00+08:00", False),
        ("2026-11-28T12:00:00+08:00", False),
        ("2026-11-29T12:00:00+08:00", False),
    ],
)
def test_nobody_is_reminded_at_night_or_at_the_weekend(asked: Database, moment: str, working: bool) -> None:
    now = datetime.fromisoformat(moment)
    assert in_working_hours(now) is working
    with asked.writing() as session:
        session.execute(update(Enquiry).values(created_at=now - REMIND_AFTER - MINUTE))
        told = now - REMIND_AFTER - MINUTE
        session.execute(update(Notice).values(created_at=told, settled_at=told))
    assert remind(asked, now) == working
