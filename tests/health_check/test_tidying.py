"""Drafts that nobody goes on with: counted as left, once and no longer than it is true; deleted in time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from tests.health_check.conftest import NOON
from tests.health_check.test_drafts import answer, begun, counts_of

from xinheng.health_check import tidying
from xinheng.health_check.counting import Counted, counted
from xinheng.health_check.drafts import FINISHED_KEPT, KEPT, CheckDraft, Drafts, LastResult
from xinheng.health_check.tidying import EMPTY_KEPT, RESTED, Room, tidy

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def left(drafts: Drafts) -> dict[str, int]:
    """Where visitors stopped, as it was counted."""
    return {step: each.left_here for step, each in counts_of(drafts).items() if each.left_here}


def number(drafts: Drafts) -> int:
    with drafts.database.reading() as session:
        return session.scalar(select(func.count()).select_from(CheckDraft)) or 0


def test_a_draft_that_rests_for_a_day_counts_as_left_where_it_rests(drafts: Drafts) -> None:
    answer(drafts, begun(drafts), "industry", "dso")
    answer(drafts, begun(drafts), "industry", "dso")
    begun(drafts)
    tidy(drafts.database, NOON + RESTED - MINUTE)
    assert left(drafts) == {}
    for hours in range(3):
        tidy(drafts.database, NOON + RESTED + timedelta(hours=hours))
    assert left(drafts) == {"dso": 2, "industry": 1}


def test_a_draft_that_is_gone_on_with_at_the_moment_it_would_go_stays(drafts: Drafts) -> None:
    token = begun(drafts, counts=False)  # counting as left would lock it first
    later = NOON + EMPTY_KEPT
    with ThreadPoolExecutor(1) as housekeeping:
        with drafts.changing(token, later, counts=True) as draft:
            assert draft
            draft.answers["industry"] = "food"
            tidying = housekeeping.submit(tidy, drafts.database, later + MINUTE)
            time.sleep(0.5)  # by now it has found the row, and waits for it
        tidying.result()
    found = drafts.find(token, later + MINUTE)
    assert found
    assert found.answers == {"industry": "food"}


def test_it_counts_on_the_day_of_the_last_answer(drafts: Drafts) -> None:
    answer(drafts, begun(drafts), "industry", "dso")
    tidy(drafts.database, NOON + 5 * DAY)
    with drafts.database.reading() as session:
        assert counted(session, "v1", date(2026, 11, 22))["dso"] == Counted(1, 0, 1)
        assert counted(session, "v1", date(2026, 11, 23)) == {}


def test_who_comes_back_had_not_left(drafts: Drafts) -> None:
    token = begun(drafts)
    answer(drafts, token, "industry", "dso")
    tidy(drafts.database, NOON + 3 * DAY)
    answer(drafts, token, "dso", "top1", NOON + 4 * DAY)
    assert left(drafts) == {}
    with drafts.database.reading() as session:
        assert counted(session, "v1", date(2026, 11, 22))["dso"] == Counted(1, 1, 0)
    tidy(drafts.database, NOON + 6 * DAY)
    assert left(drafts) == {"top1": 1}


def test_who_finished_or_does_not_count_has_left_nowhere(drafts: Drafts) -> None:
    token = begun(drafts)
    with drafts.changing(token, NOON, counts=True) as draft:
        assert draft
        draft.finish(LastResult("1" * 32, "t" * 22, "v1", {}), "industry")
    answer(drafts, begun(drafts, counts=False), "industry", "dso")
    tidy(drafts.database, NOON + 3 * DAY)
    assert left(drafts) == {}


@pytest.mark.parametrize(
    ("answers", "after", "there"),
    [(0, EMPTY_KEPT - MINUTE, 1), (0, EMPTY_KEPT, 0), (1, KEPT - MINUTE, 1), (1, KEPT, 0)],
)
def test_a_draft_is_deleted_when_its_time_is_over(
    drafts: Drafts, answers: int, after: timedelta, there: int
) -> None:
    token = begun(drafts)
    for _ in range(answers):
        answer(drafts, token, "industry", "dso")
    tidy(drafts.database, NOON + after)
    assert number(drafts) == there
    assert sum(left(drafts).values()) == 1  # counted first


def test_a_finished_one_stays_as_long_as_its_result(drafts: Drafts) -> None:
    token = begun(drafts)
    answer(drafts, token, "industry", "dso")
    with drafts.changing(token, NOON, counts=True) as draft:
        assert draft
        draft.finish(LastResult("1" * 32, "t" * 22, "v1", {}), "dso")
    tidy(drafts.database, NOON + FINISHED_KEPT - MINUTE)
    assert number(drafts) == 1
    tidy(drafts.database, NOON + FINISHED_KEPT)
    assert number(drafts) == 0


def test_there_is_room_for_so_many_and_the_emptiest_go_first(drafts: Drafts) -> None:
    kept = begun(drafts)
    answer(drafts, kept, "industry", "dso", NOON - DAY)
    old = drafts.begin("v1", "industry", NOON - timedelta(hours=1), counts=True)
    new = [begun(drafts) for _ in range(3)]
    tidy(drafts.database, NOON, most=4)
    assert [bool(drafts.find(token, NOON)) for token in (kept, old, *new)] == [True, False, True, True, True]


def test_a_flood_of_beginnings_pushes_out_itself(drafts: Drafts) -> None:
    kept = begun(drafts)
    answer(drafts, kept, "industry", "dso", NOON - DAY)
    room = Room(drafts.database, most=3)
    for _ in range(5):
        begun(drafts)
    room.make(1000.0)
    assert number(drafts) == 3
    begun(drafts)
    room.make(1059.0)  # looked less than a minute ago
    assert number(drafts) == 4
    room.make(1060.0)
    assert number(drafts) == 3
    assert drafts.find(kept, NOON)


def test_much_is_done_in_small_steps_and_can_be_stopped(
    drafts: Drafts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "BATCH", 2)
    for _ in range(5):
        begun(drafts)
    tidy(drafts.database, NOON + KEPT, lambda: True)
    assert number(drafts) == 5
    tidy(drafts.database, NOON + KEPT)
    assert number(drafts) == 0
    assert left(drafts) == {"industry": 5}


def test_a_moment_of_another_day_changes_nothing_that_was_counted(drafts: Drafts) -> None:
    late = datetime.fromisoformat("2026-11-22T23:58+08:00")
    token = drafts.begin("v1", "industry", late, counts=True)
    tidy(drafts.database, late + RESTED)
    answer(drafts, token, "industry", "dso", late + RESTED + MINUTE)
    assert counts_of(drafts)["industry"] == Counted(1, 1, 0)
