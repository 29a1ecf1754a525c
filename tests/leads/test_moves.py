"""The road of a lead as tables: which status may follow which, and when to call again."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import ROOT
from tests.leads.colleagues import shanghai
from tests.leads.conftest import NOON

from xinheng.leads.models import CLOSED, Status
from xinheng.leads.moves import MOVES, REASONS, ROAD, MoveRefused, check_move, next_try
from xinheng.settings import SHANGHAI
from xinheng.working_days import load_working_days

CALENDAR = load_working_days(ROOT / "content")
STATUSES: tuple[str, ...] = get_args(Status)
ALLOWED = {
    "new": {"contacted", "invalid"},
    "contacted": {"interested", "lost", "invalid"},
    "interested": {"contacted", "proposal", "lost", "invalid"},
    "proposal": {"interested", "won", "lost"},
    "won": {"proposal"},
    "lost": {"contacted"},
    "invalid": {"new"},
}
A_REASON = {"lost": "price", "invalid": "test"}


@pytest.mark.parametrize("present", STATUSES)
@pytest.mark.parametrize("wanted", [*STATUSES, "", "held", "WON"])
def test_a_status_follows_only_what_the_road_allows(present: str, wanted: str) -> None:
    reason = A_REASON.get(wanted, "")
    if wanted in ALLOWED[present]:
        check_move(present, wanted, reason)
    else:
        with pytest.raises(MoveRefused):
            check_move(present, wanted, reason)


def test_every_status_has_moves_and_the_road_is_walked_step_by_step() -> None:
    assert set(MOVES) == set(STATUSES)
    assert set(ROAD) | CLOSED == set(STATUSES)
    for one, following in itertools.pairwise(ROAD):
        assert following in MOVES[one]


@pytest.mark.parametrize(
    ("present", "wanted", "reason", "allowed"),
    [
        ("contacted", "lost", "no_need", True),
        ("contacted", "lost", "price", True),
        ("contacted", "lost", "competitor", True),
        ("contacted", "lost", "solved", True),
        ("contacted", "lost", "unreachable", True),
        ("contacted", "lost", "other", True),
        ("contacted", "lost", "", False),
        ("contacted", "lost", "wrong_number", False),
        ("contacted", "lost", "PRICE", False),
        ("new", "invalid", "wrong_number", True),
        ("new", "invalid", "no_business", True),
        ("new", "invalid", "advertising", True),
        ("new", "invalid", "test", True),
        ("new", "invalid", "other", True),
        ("new", "invalid", "", False),
        ("new", "invalid", "price", False),
        ("new", "contacted", "", True),
        ("new", "contacted", "other", False),
        ("proposal", "won", "price", False),
    ],
)
def test_leaving_the_road_takes_one_of_its_own_reasons(
    present: str, wanted: str, reason: str, allowed: bool
) -> None:
    if allowed:
        check_move(present, wanted, reason)
    else:
        with pytest.raises(MoveRefused, match="reason"):
            check_move(present, wanted, reason)


def test_what_is_lost_or_invalid_has_reasons_and_nothing_else_has() -> None:
    assert set(REASONS) == {"lost", "invalid"}
    assert all(len(set(keys)) == len(keys) > 1 for keys in REASONS.values())


@pytest.mark.parametrize(
    ("attempts", "now", "then"),
    [
        # the first try: in three hours, to the next quarter
        (1, "2026-11-23 09:00", "2026-11-23 12:00"),
        (1, "2026-11-23 09:01", "2026-11-23 12:15"),
        (1, "2026-11-23 09:14:59", "2026-11-23 12:15"),
        (1, "2026-11-23 07:00", "2026-11-23 10:00"),
        (1, "2026-11-23 14:30", "2026-11-23 17:30"),
        # too late for it: the next working day's morning
        (1, "2026-11-23 14:31", "2026-11-24 10:00"),
        (1, "2026-11-23 18:00", "2026-11-24 10:00"),
        (1, "2026-11-23 23:59", "2026-11-24 10:00"),
        # at night, before the office opens: the same morning
        (1, "2026-11-23 00:00", "2026-11-23 10:00"),
        (1, "2026-11-23 03:00", "2026-11-23 10:00"),
        (1, "2026-11-23 06:59", "2026-11-23 10:00"),
        # weekends
        (1, "2026-11-27 14:31", "2026-11-30 10:00"),
        (1, "2026-11-27 23:30", "2026-11-30 10:00"),
        (1, "2026-11-28 03:00", "2026-11-30 10:00"),
        (1, "2026-11-28 11:00", "2026-11-30 10:00"),
        (1, "2026-11-29 23:59", "2026-11-30 10:00"),
        # the second: the other half of the next working day
        (2, "2026-11-23 09:00", "2026-11-24 15:00"),
        (2, "2026-11-23 11:59", "2026-11-24 15:00"),
        (2, "2026-11-23 12:00", "2026-11-24 10:00"),
        (2, "2026-11-23 16:00", "2026-11-24 10:00"),
        (2, "2026-11-27 16:00", "2026-11-30 10:00"),
        (2, "2026-11-28 10:00", "2026-11-30 15:00"),
        (2, "2026-11-29 20:00", "2026-11-30 10:00"),
        # from the third on: three working days later
        (3, "2026-11-23 09:00", "2026-11-26 15:00"),
        (3, "2026-11-23 16:00", "2026-11-26 10:00"),
        (3, "2026-11-25 16:00", "2026-11-30 10:00"),
        (3, "2026-11-27 09:00", "2026-12-02 15:00"),
        (3, "2026-11-28 16:00", "2026-12-02 10:00"),
        (9, "2026-12-30 09:00", "2027-01-04 15:00"),
        # holidays, and weekends that are worked
        (1, "2026-09-30 16:00", "2026-10-08 10:00"),
        (1, "2026-10-01 09:00", "2026-10-08 10:00"),
        (1, "2026-10-10 09:00", "2026-10-10 12:00"),
        (2, "2026-10-09 09:00", "2026-10-10 15:00"),
        (3, "2026-02-13 16:00", "2026-02-25 10:00"),
        # nobody has tried yet: as the first
        (0, "2026-11-23 09:00", "2026-11-23 12:00"),
    ],
)
def test_the_next_try_after_a_call_nobody_took(attempts: int, now: str, then: str) -> None:
    assert next_try(attempts, shanghai(now), CALENDAR) == shanghai(then)


def test_the_next_try_does_not_depend_on_the_zone_of_the_clock() -> None:
    here = shanghai("2026-11-23 16:00")
    assert next_try(1, here.astimezone(UTC), CALENDAR) == shanghai("2026-11-24 10:00")
    assert next_try(1, here, CALENDAR) == shanghai("2026-11-24 10:00")


@given(
    attempts=st.integers(0, 60),
    now=st.integers(0, 20 * 365 * 24 * 3600).map(lambda second: NOON + timedelta(seconds=second)),
)
def test_a_next_try_lies_ahead_on_a_working_day_in_office_hours(attempts: int, now: datetime) -> None:
    then = next_try(attempts, now, CALENDAR)
    local = then.astimezone(SHANGHAI)
    assert now < then <= now + timedelta(days=15)
    assert CALENDAR.is_working_day(local.date())
    assert time(10, 0) <= local.time() <= time(17, 30)
    assert (local.minute % 15, local.second, local.microsecond) == (0, 0, 0)
