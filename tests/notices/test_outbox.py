"""Notices wait in the database, are leased to one worker, tried again, and at last seen to have failed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from tests.notices.conftest import NOON, put

from xinheng.db import Database
from xinheng.notices.outbox import (
    LEASE,
    MOST_ATTEMPTS,
    RETRY_AFTER,
    Notice,
    claim,
    due,
    enqueue,
    postpone,
    settle,
    states,
)

SECOND = timedelta(seconds=1)


def take(store: Database, now: datetime) -> list[Notice]:
    with store.writing() as session:
        return list(claim(session, now))


def only(store: Database) -> Notice:
    with store.reading() as session:
        return session.scalars(select(Notice)).one()


def counted(store: Database) -> dict[str, int]:
    with store.reading() as session:
        return states(session)


def test_a_notice_is_stored_with_what_it_tells_of_or_not_at_all(store: Database) -> None:
    with pytest.raises(RuntimeError), store.writing() as session:  # noqa: PT012 (what fails is the whole)
        enqueue(session, kind="enquiry", reference="XH-00000-00000", text="x", now=NOON)
        raise RuntimeError
    assert counted(store) == {}


def test_a_claimed_notice_is_nobody_elses_until_its_lease_runs_out(store: Database) -> None:
    put(store)
    (mine,) = take(store, NOON)
    assert (mine.attempts, mine.leased_until) == (1, NOON + LEASE)
    assert take(store, NOON) == take(store, NOON + LEASE) == []
    (taken_over,) = take(store, NOON + LEASE + SECOND)
    assert (taken_over.id, taken_over.attempts) == (mine.id, 2)


def test_the_oldest_is_claimed_first_and_none_before_its_time(store: Database) -> None:
    put(store, 2, NOON + SECOND)
    with store.writing() as session:
        enqueue(session, kind="enquiry", reference="XH-OLDER-00000", text="x", now=NOON)
    assert [notice.reference for notice in take(store, NOON)] == ["XH-OLDER-00000"]
    assert len(take(store, NOON + SECOND)) <= 2


def test_every_notice_is_claimed_in_the_end(store: Database) -> None:
    references = put(store, 25)
    found: list[str] = []
    while claimed := take(store, NOON):
        found += [notice.reference for notice in claimed]
    assert sorted(found) == references


def test_a_settled_notice_is_done_with(store: Database) -> None:
    put(store)
    (mine,) = take(store, NOON)
    with store.writing() as session:
        settle(session, mine.id, "sent", NOON + SECOND)
    found = only(store)
    assert (found.state, found.settled_at, found.leased_until, found.fault) == (
        "sent",
        NOON + SECOND,
        None,
        "",
    )
    assert take(store, NOON + timedelta(days=9)) == []


def test_a_postponed_notice_is_due_again_after_five_minutes(store: Database) -> None:
    put(store)
    (mine,) = take(store, NOON)
    with store.writing() as session:
        postpone(session, mine, "refused " + "x" * 500, NOON)
    found = only(store)
    assert (found.state, found.due_at, found.leased_until) == ("waiting", NOON + RETRY_AFTER, None)
    assert found.fault.startswith("refused")
    assert len(found.fault) == 200
    assert take(store, NOON + RETRY_AFTER - SECOND) == []
    assert take(store, NOON + RETRY_AFTER)[0].attempts == 2
    assert timedelta(minutes=5) == RETRY_AFTER


def test_after_the_first_attempt_and_48_more_a_notice_has_failed_and_stays_to_be_seen(
    store: Database,
) -> None:
    put(store)
    now, attempts = NOON, 0
    while claimed := take(store, now):
        attempts += 1
        with store.writing() as session:
            postpone(session, claimed[0], "down", now)
        now += RETRY_AFTER
    assert attempts == MOST_ATTEMPTS == 1 + 48
    found = only(store)
    assert (found.state, found.fault, found.attempts) == ("failed", "down", 49)
    assert found.settled_at == NOON + 48 * RETRY_AFTER
    assert counted(store) == {"failed": 1}


def test_states_are_counted(store: Database) -> None:
    put(store, 3)
    (first, second, _) = take(store, NOON) + take(store, NOON) + take(store, NOON)
    with store.writing() as session:
        settle(session, first.id, "sent", NOON)
        settle(session, second.id, "logged", NOON)
    assert counted(store) == {"sent": 1, "logged": 1, "waiting": 1}


def test_looking_what_is_due_changes_nothing(store: Database) -> None:
    put(store)
    with store.reading() as session:
        assert len(due(session, NOON)) == len(due(session, NOON)) == 1
    assert only(store).attempts == 0
