"""Instants at the desk in English: short, the day before the month, no plurals to get wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import force_locale

from xinheng.desk.times import day, headline, month, short, span, weekday

pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture(autouse=True)
def in_english(app: Flask) -> Iterator[None]:
    with app.test_request_context("/desk/"), force_locale("en"):
        yield


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


NOW = at("2026-03-12T09:50")


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(0), "1 min"),
        (timedelta(minutes=38), "38 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=23, minutes=59), "23 h"),
        (timedelta(days=3, hours=5), "3 d"),
    ],
)
def test_a_span_has_one_short_unit(length: timedelta, said: str) -> None:
    assert span(length) == said


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-03-12T00:00", "Today 00:00"),
        ("2026-03-12T23:59", "Today 23:59"),
        ("2026-03-13T10:00", "Tomorrow 10:00"),
        ("2026-03-11T16:42", "Yesterday 16:42"),
        ("2026-03-10T16:42", "10 Mar 16:42"),
        ("2026-12-31T08:05", "31 Dec 08:05"),
        ("2025-12-31T08:05", "31 Dec 2025 08:05"),
        ("2027-01-01T00:00", "1 Jan 2027 00:00"),
    ],
)
def test_a_moment_is_told_from_now(moment: str, said: str) -> None:
    assert short(at(moment), NOW) == said


def test_a_day_has_its_year_where_it_is_another() -> None:
    assert day(at("2026-05-01T12:00"), NOW) == "1 May"
    assert day(at("2024-02-29T12:00"), NOW) == "29 Feb 2024"


def test_the_headline_says_the_day_of_the_week_first() -> None:
    assert headline(NOW) == "Thu 12 Mar, 09:50"


def test_months_and_days_of_the_week_are_in_order() -> None:
    months = [month(number) for number in range(1, 13)]
    assert months == [f"{datetime(2026, number, 1, tzinfo=UTC):%b}" for number in range(1, 13)]
    days = [weekday(number) for number in range(7)]
    assert days == [f"{datetime(2026, 3, 2 + number, tzinfo=UTC):%a}" for number in range(7)]
