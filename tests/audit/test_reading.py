"""The audit read: newest first, narrowed, a page at a time; and who was at a lead a moment ago."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.audit.conftest import LEAD, NOON, OTHER_LEAD, WU, ZHOU, Write

from xinheng.audit.reading import Page, Wanted, read_page, recent, revealed_since
from xinheng.db import Database


def page(store: Database, wanted: Wanted | None = None, **place: int) -> Page:
    with store.reading() as session:
        return read_page(session, wanted or Wanted(), **place)


def ids(found: Page) -> list[int]:
    return [each.id for each in found.entries]


@pytest.fixture
def mixed(write: Write) -> None:
    """Six rows of two people about two leads, a sign-in of nobody, around midnight in Shanghai (16:00 UTC)."""
    evening = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    write(now=evening)
    write(now=evening + timedelta(seconds=1), actor=WU)
    write(now=evening + timedelta(seconds=2), action="reveal", detail={"reason": "call"})
    write(now=evening + timedelta(seconds=3), subject_id=OTHER_LEAD)
    write(now=evening + timedelta(days=1), actor="", action="sign_in_failed", subject_kind="", subject_id="")
    write(now=evening + timedelta(days=1, seconds=1), actor=WU, action="reveal", subject_id=OTHER_LEAD)


def test_an_empty_record_is_an_empty_page(store: Database) -> None:
    assert page(store) == Page([], None, None)


def test_the_newest_stands_first(store: Database, mixed: None) -> None:
    found = page(store)
    assert ids(found) == [6, 5, 4, 3, 2, 1]
    assert (found.older, found.newer) == (None, None)
    third = found.entries[3]
    assert (third.actor, third.action, third.subject_kind, third.subject_id) == (ZHOU, "reveal", "lead", LEAD)
    assert third.detail == {"reason": "call"}


FIRST, SECOND, THIRD = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        (Wanted(actor=ZHOU), [4, 3, 1]),
        (Wanted(actor=""), [5]),
        (Wanted(actor="system"), []),
        (Wanted(action="reveal"), [6, 3]),
        (Wanted(subject_id=LEAD), [3, 2, 1]),
        (Wanted(actor=WU, action="reveal", subject_id=OTHER_LEAD), [6]),
        (Wanted(actor=ZHOU, action="sign_in"), []),
        (Wanted(first_day=FIRST, last_day=FIRST), [1]),
        (Wanted(first_day=SECOND, last_day=SECOND), [5, 4, 3, 2]),
        (Wanted(first_day=SECOND), [6, 5, 4, 3, 2]),
        (Wanted(last_day=SECOND), [5, 4, 3, 2, 1]),
        (Wanted(first_day=THIRD), [6]),
        (Wanted(first_day=date(2026, 11, 26)), []),
        (Wanted(last_day=date(2026, 11, 22)), []),
        (Wanted(first_day=THIRD, last_day=FIRST), []),
        (Wanted(actor=ZHOU, first_day=SECOND, last_day=SECOND), [4, 3]),
    ],
)
def test_filters_narrow_and_days_are_those_of_shanghai(
    store: Database, mixed: None, wanted: Wanted, rows: list[int]
) -> None:
    assert ids(page(store, wanted)) == rows


def test_a_row_that_came_late_is_found_on_its_day(store: Database, write: Write) -> None:
    """A request that began before midnight may be written after one that began behind it."""
    midnight = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    write(now=midnight + timedelta(seconds=2))
    write(now=midnight - timedelta(seconds=3))
    write(now=midnight + timedelta(seconds=1))
    assert ids(page(store, Wanted(last_day=FIRST))) == [2]
    assert ids(page(store, Wanted(first_day=SECOND))) == [3, 1]


def test_pages_join_in_both_directions(store: Database, ten_rows: None) -> None:
    newest = page(store, most=4)
    assert (ids(newest), newest.older, newest.newer) == ([10, 9, 8, 7], 7, None)
    middle = page(store, before=7, most=4)
    assert (ids(middle), middle.older, middle.newer) == ([6, 5, 4, 3], 3, 6)
    oldest = page(store, before=3, most=4)
    assert (ids(oldest), oldest.older, oldest.newer) == ([2, 1], None, 2)
    back = page(store, after=2, most=4)
    assert (ids(back), back.older, back.newer) == ([6, 5, 4, 3], 3, 6)
    first = page(store, after=6, most=4)
    assert (ids(first), first.older, first.newer) == ([10, 9, 8, 7], 7, None)


def test_a_page_that_just_fits_has_no_next(store: Database, ten_rows: None) -> None:
    assert page(store, most=10).older is None
    assert page(store, after=10) == page(store, before=1) == Page([], None, None)


def test_rows_that_arrive_meanwhile_move_no_page(store: Database, ten_rows: None, write: Write) -> None:
    before = ids(page(store, before=7, most=4))
    write()
    assert ids(page(store, before=7, most=4)) == before


# --- at one lead ---


def test_who_was_at_a_lead_a_moment_ago(store: Database, write: Write) -> None:
    write(now=NOON - timedelta(minutes=11))
    write(now=NOON - timedelta(minutes=9))
    write(now=NOON - timedelta(minutes=5), actor=WU, action="reveal")
    write(now=NOON - timedelta(minutes=4), actor=WU, action="assign")
    write(now=NOON - timedelta(minutes=3), actor=WU, subject_id=OTHER_LEAD)
    with store.reading() as session:
        found = recent(session, LEAD, ("view", "reveal"), NOON - timedelta(minutes=10))
    assert [(each.actor, each.action) for each in found] == [(WU, "reveal"), (ZHOU, "view")]


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({}, True),
        ({"now": NOON}, True),
        ({"now": NOON - timedelta(microseconds=1)}, False),
        ({"actor": WU}, False),
        ({"subject_id": OTHER_LEAD}, False),
        ({"action": "view"}, False),
    ],
)
def test_a_number_counts_as_seen_by_who_saw_it_of_that_lead_and_since_then(
    store: Database, write: Write, changed: dict[str, object], shown: bool
) -> None:
    write(**({"action": "reveal", "now": NOON + timedelta(hours=1)} | changed))
    with store.reading() as session:
        assert revealed_since(session, ZHOU, LEAD, NOON) is shown
