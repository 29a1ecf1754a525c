"""Instants in the desk's words: by Shanghai's calendar, one unit, never more exact than anybody needs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from xinheng.desk.times import day, headline, short, span, weekday

pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture(autouse=True)
def in_chinese(app: Flask) -> Iterator[None]:
    with app.test_request_context("/desk/"):
        yield


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=-5), "1分钟"),
        (timedelta(0), "1分钟"),
        (timedelta(seconds=59), "1分钟"),
        (timedelta(minutes=38, seconds=59), "38分钟"),
        (timedelta(minutes=59, seconds=59), "59分钟"),
        (timedelta(hours=1), "1小时"),
        (timedelta(hours=23, minutes=59), "23小时"),
        (timedelta(hours=24), "1天"),
        (timedelta(hours=47), "1天"),
        (timedelta(days=400), "400天"),
    ],
)
def test_a_span_is_one_unit_rounded_down(length: timedelta, said: str) -> None:
    assert span(length) == said


@pytest.mark.parametrize(
    ("moment", "now", "said"),
    [
        ("2026-03-12 09:12", "2026-03-12 09:50", "今天 09:12"),
        ("2026-03-12 00:00", "2026-03-12 23:59", "今天 00:00"),
        ("2026-03-11 16:42", "2026-03-12 00:01", "昨天 16:42"),
        ("2026-03-13 10:00", "2026-03-12 23:59", "明天 10:00"),
        ("2026-03-10 16:42", "2026-03-12 09:50", "3月10日 16:42"),
        ("2026-03-14 10:00", "2026-03-12 09:50", "3月14日 10:00"),
        ("2025-12-31 10:00", "2026-01-01 09:00", "昨天 10:00"),
        ("2025-12-30 10:00", "2026-01-01 09:00", "2025年12月30日 10:00"),
        ("2027-01-04 15:00", "2026-12-30 09:00", "2027年1月4日 15:00"),
    ],
)
def test_a_moment_is_said_as_seen_from_now(moment: str, now: str, said: str) -> None:
    assert short(at(moment), at(now)) == short(at(moment).astimezone(UTC), at(now).astimezone(UTC)) == said


def test_the_day_is_shanghais_not_the_servers() -> None:
    late = datetime(2026, 3, 11, 16, 30, tzinfo=UTC)
    assert day(late, late) == "3月12日"
    assert headline(late) == "3月12日 周四 00:30"


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "周一"), (1, "周二"), (2, "周三"), (3, "周四"), (4, "周五"), (5, "周六"), (6, "周日")],
)
def test_weekdays_have_names(number: int, said: str) -> None:
    assert weekday(number) == said
