"""Notices that nobody would ever take up are put right, and none leaves twice for it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from tests.notices.conftest import NOON, put

from xinheng.db import Database
from xinheng.notices.left_behind import put_right, to_put_right
from xinheng.notices.outbox import LEASE, MOST_ATTEMPTS, Notice, claim, postpone, settle, spread

LATER = NOON + timedelta(minutes=3)


def give(store: Database, *channels: str) -> None:
    with store.writing() as session:
        spread(session, channels, NOON)


def right(store: Database, *channels: str, now: datetime = LATER) -> int:
    """What the sweeper does, which looks before it writes."""
    with store.reading() as session:
        expected = to_put_right(session, channels, now)
    with store.writing() as session:
        count = put_right(session, channels, now)
    assert bool(count) is expected
    return count


def rows(store: Database) -> list[tuple[str, str, int]]:
    with store.reading() as session:
        found = session.scalars(select(Notice).order_by(Notice.channel))
        return [(each.channel, each.state, each.attempts) for each in found]


def test_what_is_on_its_way_is_left_alone(store: Database) -> None:
    put(store)
    give(store, "mail")
    with store.writing() as session:
        (mine,) = claim(session, "mail", NOON)
    assert right(store, "mail", now=NOON) == 0
    with store.writing() as session:
        postpone(session, mine, "down", NOON)
    assert right(store, "mail", now=NOON) == right(store, "mail") == 0
    assert rows(store) == [("mail", "waiting", 1)]


@pytest.mark.parametrize("back", [timedelta(minutes=6), timedelta(days=400)])
def test_a_clock_that_was_set_back_delays_nothing(store: Database, back: timedelta) -> None:
    put(store)
    give(store, "mail")
    assert right(store, "mail", now=NOON - back) == 1
    with store.writing() as session:
        (mine,) = claim(session, "mail", NOON - back)
    assert mine.attempts == 1


def test_a_lease_from_a_clock_that_ran_ahead_is_none(store: Database) -> None:
    put(store)
    give(store, "mail")
    with store.writing() as session:
        claim(session, "mail", NOON + timedelta(hours=9))  # and the worker died
    assert right(store, "mail", now=NOON + LEASE) == 1
    with store.writing() as session:
        assert len(claim(session, "mail", NOON + LEASE)) == 1


def test_what_waits_for_a_channel_that_was_switched_off_goes_to_those_that_are_on(store: Database) -> None:
    put(store)
    give(store, "wecom")
    assert right(store, "mail", "feishu", now=NOON) == 0, "another machine may be about to send it"
    assert right(store, "mail", "feishu") == 1
    give(store, "mail", "feishu")
    assert rows(store) == [("feishu", "waiting", 0), ("mail", "waiting", 0)]
    assert right(store, "mail", "feishu") == 0


def test_two_channels_that_were_switched_off_leave_one_notice_behind(store: Database) -> None:
    put(store)
    give(store, "wecom", "dingtalk")
    assert right(store, "mail") == 2
    give(store, "mail")
    assert sorted(state for _, state, _ in rows(store)) == ["void", "waiting"]


@pytest.mark.parametrize("state", ["sent", "waiting"])
def test_what_another_channel_sent_or_will_send_is_not_sent_again(store: Database, state: str) -> None:
    put(store)
    give(store, "mail", "wecom")
    if state == "sent":
        with store.writing() as session:
            (mine,) = claim(session, "mail", NOON)
            settle(session, mine.id, "sent", NOON)
    assert right(store, "mail") == 1
    assert [row[:2] for row in rows(store)] == [("mail", state), ("wecom", "void")]


def test_what_failed_stays_to_be_seen_though_its_channel_is_off(store: Database) -> None:
    put(store)
    give(store, "wecom")
    with store.writing() as session:
        notice = session.scalars(select(Notice)).one()
        notice.state, notice.attempts = "failed", MOST_ATTEMPTS
    assert right(store, "mail") == 0
