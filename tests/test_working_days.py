"""The calendar: holidays and 调休 as announced, working hours as arithmetic, and what is said of a file that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import ROOT

from xinheng.documents import BadDocument
from xinheng.settings import SHANGHAI
from xinheng.working_days import (
    WORKING_DAYS,
    Calendar,
    Holiday,
    Lunch,
    Source,
    WorkingDays,
    Year,
    load_working_days,
)

SHIPPED = load_working_days(ROOT / "content")
WITH_LUNCH = Calendar(
    hours=((time(9, 0), time(12, 0)), (time(13, 30), time(18, 0))), off=SHIPPED.off, worked=SHIPPED.worked
)
SOURCE = '{ publisher = "a", title = "b", number = "c", date = 2026-01-01, url = "https://x.example/1" }'
NEW_YEAR = '{ name = "元旦", first = 2027-01-01, last = 2027-01-03 }'
YEAR = f"[[years]]\nyear = 2027\nworkdays = [2027-01-09]\nholidays = [{NEW_YEAR}]\nsource = {SOURCE}\n"

moments = st.integers(0, 940 * 24 * 3600).map(
    lambda second: datetime(2024, 12, 1, tzinfo=SHANGHAI) + timedelta(seconds=second)
)
calendars = st.sampled_from([SHIPPED, WITH_LUNCH])
minutes = st.integers(0, 6000)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


def day(text: str) -> date:
    return date.fromisoformat(text)


def faults_of(folder: Path, text: str) -> Sequence[str]:
    file = folder / WORKING_DAYS
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadDocument) as raised:
        load_working_days(folder)
    return [str(fault).removeprefix(f"{file}: ") for fault in raised.value.faults]


# --- the years that ship ---


@pytest.mark.parametrize(("year", "worked"), [(2025, 248), (2026, 248)])
def test_a_year_has_as_many_working_days_as_the_law_leaves(year: int, worked: int) -> None:
    """Since 2025 the year has 13 days off by law; a 调休 moves others, and takes none away."""
    days = (date(year, 1, 1) + timedelta(number) for number in range(365))
    assert sum(map(SHIPPED.is_working_day, days)) == worked
    weekdays = SHIPPED.working_days(date(year, 1, 1), date(year + 1, 1, 1))
    assert weekdays == worked


@pytest.mark.parametrize(
    ("text", "worked"),
    [
        ("2026-01-01", False),
        ("2026-01-02", False),  # a Friday taken for the Sunday
        ("2026-01-04", True),  # that Sunday
        ("2026-02-14", True),  # a Saturday
        ("2026-02-13", True),
        ("2026-02-16", False),
        ("2026-02-23", False),
        ("2026-02-24", True),
        ("2026-02-28", True),
        ("2026-09-20", True),
        ("2026-10-08", True),
        ("2026-10-10", True),
        ("2026-10-11", False),
        ("2025-10-08", False),
        ("2025-10-11", True),
        ("2027-01-01", True),  # nobody has said yet: a Friday
        ("2027-01-02", False),
    ],
)
def test_holidays_and_their_working_weekends_are_known(text: str, worked: bool) -> None:
    assert SHIPPED.is_working_day(day(text)) is worked


# --- arithmetic ---


@pytest.mark.parametrize(
    ("start", "worked", "then"),
    [
        ("2026-11-23 10:00", 120, "2026-11-23 12:00"),
        ("2026-11-23 10:00", 0, "2026-11-23 10:00"),
        ("2026-11-23 10:00:30", 1, "2026-11-23 10:01:30"),
        ("2026-11-23 07:00", 60, "2026-11-23 10:00"),
        ("2026-11-23 17:00", 60, "2026-11-23 18:00"),  # the end of a day, not the next morning
        ("2026-11-23 17:00", 61, "2026-11-24 09:01"),
        ("2026-11-23 18:00", 0, "2026-11-24 09:00"),
        ("2026-11-27 17:30", 60, "2026-11-30 09:30"),  # over a weekend
        ("2026-09-30 17:00", 120, "2026-10-08 10:00"),  # over National Day
        ("2026-10-09 17:00", 120, "2026-10-10 10:00"),  # to a Saturday that is worked
        ("2026-02-14 17:59", 2, "2026-02-24 09:01"),  # over the Spring Festival
        ("2025-12-31 17:00", 120, "2026-01-04 10:00"),  # over the New Year, to a Sunday
    ],
)
def test_working_minutes_are_added(start: str, worked: int, then: str) -> None:
    assert SHIPPED.add_working_minutes(at(start), worked) == at(then)
    assert SHIPPED.working_minutes(at(start), at(then)) == worked


def test_nobody_works_over_lunch() -> None:
    assert WITH_LUNCH.add_working_minutes(at("2026-11-23 11:30"), 60) == at("2026-11-23 14:00")
    assert WITH_LUNCH.working_minutes(at("2026-11-23 12:10"), at("2026-11-23 13:40")) == 10
    assert [
        WITH_LUNCH.is_open(at(f"2026-11-23 {clock}")) for clock in ("11:59", "12:00", "13:29", "13:30")
    ] == [
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("2026-11-23 08:59:59", False),
        ("2026-11-23 09:00", True),
        ("2026-11-23 17:59:59", True),
        ("2026-11-23 18:00", False),
        ("2026-11-22 12:00", False),
        ("2026-10-10 12:00", True),
        ("2026-10-07 12:00", False),
    ],
)
def test_it_is_open_in_the_hours_of_working_days(text: str, opened: bool) -> None:
    assert SHIPPED.is_open(at(text)) is opened


@pytest.mark.parametrize(
    ("text", "number", "then"),
    [
        ("2026-11-23", 1, "2026-11-24"),
        ("2026-11-27", 1, "2026-11-30"),
        ("2026-11-28", 0, "2026-11-30"),
        ("2026-11-23", 0, "2026-11-23"),
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-10-09", 1, "2026-10-10"),
        ("2026-09-25", 15, "2026-10-22"),
    ],
)
def test_working_days_are_added(text: str, number: int, then: str) -> None:
    assert SHIPPED.add_working_days(day(text), number) == day(then)


@pytest.mark.parametrize(
    ("text", "before"),
    [("2026-11-23", "2026-11-20"), ("2026-10-08", "2026-09-30"), ("2026-10-12", "2026-10-10")],
)
def test_the_working_day_before_is_found(text: str, before: str) -> None:
    assert SHIPPED.previous_working_day(day(text)) == day(before)


@given(calendars, moments, minutes)
def test_what_was_added_is_measured_again(calendar: Calendar, start: datetime, worked: int) -> None:
    then = calendar.add_working_minutes(start, worked)
    assert then >= start
    assert calendar.working_minutes(start, then) == worked


@given(calendars, moments, minutes)
def test_what_was_taken_off_is_measured_again(calendar: Calendar, end: datetime, worked: int) -> None:
    begin = calendar.subtract_working_minutes(end, worked)
    assert begin <= end
    assert calendar.working_minutes(begin, end) == worked
    assert calendar.working_minutes(begin + timedelta(seconds=1), end) < worked or worked == 0


@given(calendars, moments, minutes, minutes)
def test_more_time_never_ends_earlier(calendar: Calendar, start: datetime, one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert calendar.add_working_minutes(start, less) <= calendar.add_working_minutes(start, more)


@given(calendars, st.lists(moments, min_size=3, max_size=3))
def test_a_longer_time_never_holds_less_work(calendar: Calendar, three: list[datetime]) -> None:
    first, second, third = sorted(three)
    one, other = calendar.working_minutes(first, second), calendar.working_minutes(second, third)
    whole = calendar.working_minutes(first, third)
    assert one + other <= whole <= one + other + 1
    assert calendar.working_minutes(third, first) == 0 or first == third


@given(moments.map(datetime.date), st.integers(0, 60))
def test_days_added_are_days_counted(start: date, number: int) -> None:
    then = SHIPPED.add_working_days(start, number)
    assert SHIPPED.is_working_day(then)
    assert SHIPPED.working_days(start + timedelta(days=1), then + timedelta(days=1)) == number or number == 0
    assert SHIPPED.previous_working_day(then) < then


# --- years that are missing ---


@pytest.mark.parametrize(
    ("now", "missing"),
    [
        ("2026-11-30 23:59", []),
        ("2026-12-01 00:00", [2027]),
        ("2027-01-01 00:00", [2027]),
        ("2027-12-01 00:00", [2027, 2028]),
    ],
)
def test_a_year_that_is_missing_is_said(now: str, missing: list[int]) -> None:
    assert Calendar(years=frozenset({2025, 2026})).missing_years(at(now)) == missing


def test_a_folder_without_the_file_knows_weekdays_only(tmp_path: Path) -> None:
    calendar = load_working_days(tmp_path)
    assert calendar == Calendar()
    assert calendar.is_working_day(day("2026-10-01"))
    assert calendar.missing_years(at("2026-05-01 12:00")) == [2026]


# --- the file ---


def test_a_year_is_read(tmp_path: Path) -> None:
    (tmp_path / WORKING_DAYS).write_text(YEAR, encoding="utf-8")
    calendar = load_working_days(tmp_path)
    assert (calendar.years, calendar.off) == ({2027}, (date(2027, 1, 1),))
    assert calendar.worked == (date(2027, 1, 9),)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("year = 2027", "year = 1927", "years.0.year：不能小于 2000"),
        ("workdays = [2027-01-09]", "workday = [2027-01-09]", "years.0.workday：没有这个键"),
        ("[2027-01-09]", "[2027-01-11]", "years.0：2027-01-11 不是周六、周日"),
        ("[2027-01-09]", "[2027-01-02]", "years.0：2027-01-02 写了两次"),
        ("[2027-01-09]", "[2026-11-28]", "years.0：2026-11-28 不在 2027 年"),
        ("[2027-01-09]", '["x"]', "years.0.workdays.0：应写成 2026-03-02"),
        ("last = 2027-01-03", "last = 2026-12-31", "years.0.holidays.0：last（2026-12-31）应在 first"),
        ("https://x.example/1", "x.example", "years.0.source.url：格式不对"),
        (YEAR, YEAR * 2, "2027 年写了两次"),
        ("[[years]]", 'opens = "9:00"\n[[years]]', 'opens：应写成 "09:00" 这样'),
        ("[[years]]", "opens = 9\n[[years]]", 'opens：应写成 "09:00" 这样'),
        ("[[years]]", 'opens = "18:30"\n[[years]]', "应一个比一个晚"),
        ("[[years]]", 'lunch = { begins = "13:00", ends = "12:00" }\n[[years]]', "应一个比一个晚"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert any(said in fault for fault in faults_of(tmp_path, YEAR.replace(old, new)))


def test_a_saved_file_is_live_and_a_wrong_one_changes_nothing(
    app: Flask, data_root: Path, saved_files_are_seen: None
) -> None:
    calendar: Callable[[], Calendar] = app.extensions["xinheng.calendar"]
    file = data_root / "content" / WORKING_DAYS
    file.write_text('opens = "08:30"\n', encoding="utf-8")
    assert calendar().is_open(at("2026-11-23 08:45"))
    file.write_text('opens = "8:30"\n', encoding="utf-8")
    assert calendar().is_open(at("2026-11-23 08:45"))


def test_every_key_is_in_the_readme() -> None:
    text = (ROOT / "content" / "README.md").read_text(encoding="utf-8")
    section = text.split("`working_days.toml`\n")[1].split("\n## ")[0]
    for model in (WorkingDays, Year, Source, Holiday, Lunch):
        assert all(f"`{key}`" in section or f"{key} = " in section for key in model.model_fields), model
