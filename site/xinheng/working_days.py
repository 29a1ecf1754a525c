"""When the company works: days and hours from content/working_days.toml, holidays and 调休 as they were announced.

Days are those of Shanghai. A year that the file doesn't have counts Monday to Friday, and is said to be missing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, pairwise
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from xinheng.documents import read_toml, validated
from xinheng.reloading import watched_content
from xinheng.settings import SHANGHAI, Settings

WORKING_DAYS = "working_days.toml"
SAID_FROM_MONTH = 12
"""From this month on the next year's days are announced: where they aren't in the file, that is said."""

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_MIDNIGHT = time()
_SATURDAY = 5


def _clock(value: Any) -> time:
    if isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        return time.fromisoformat(value)
    raise ValueError('应写成 "09:00" 这样，加上英文引号')


Clock = Annotated[time, BeforeValidator(_clock)]
"""A time of the day, written as "09:00"."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Source(_Entry):
    """Where a year's days were announced."""

    publisher: str = Field(min_length=1, max_length=40)
    title: str = Field(min_length=1, max_length=80)
    number: str = Field(min_length=1, max_length=40)
    date: date
    url: str = Field(pattern=r"^https?://\S+$")


class Holiday(_Entry):
    """Days off, the first and the last among them, with the weekends in between."""

    name: str = Field(min_length=1, max_length=20)
    first: date
    last: date

    @model_validator(mode="after")
    def _is_a_holiday(self) -> Self:
        if not self.first <= self.last <= self.first + 15 * _DAY:
            raise ValueError(f"last（{self.last}）应在 first（{self.first}）当天或以后，最多16天")
        return self

    @property
    def days(self) -> Iterator[date]:
        return (self.first + number * _DAY for number in range((self.last - self.first).days + 1))


class Year(_Entry):
    """What was announced for one year: `workdays` are the weekend days that are worked. Its days may begin in December
    before, where the New Year's holiday does."""

    year: int = Field(ge=2000, le=2100)
    source: Source
    holidays: tuple[Holiday, ...] = Field(min_length=1, max_length=20)
    workdays: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        off = [day for holiday in self.holidays for day in holiday.days]
        for day in chain(off, self.workdays):
            if not date(self.year - 1, 12, 1) <= day <= date(self.year, 12, 31):
                raise ValueError(f"{day} 不在 {self.year} 年")
            if off.count(day) + self.workdays.count(day) > 1:
                raise ValueError(f"{day} 写了两次：要么放假，要么上班，只写一次")
        for day in self.workdays:
            if day.weekday() < _SATURDAY:
                raise ValueError(f"{day} 不是周六、周日：workdays 只写调休上班的周末")
        return self


class Lunch(_Entry):
    begins: Clock
    ends: Clock


class WorkingDays(_Entry):
    """The file as it is written. Hours are those of each working day."""

    opens: Clock = time(9, 0)
    closes: Clock = time(18, 0)
    lunch: Lunch | None = None
    years: tuple[Year, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        pause = [self.lunch.begins, self.lunch.ends] if self.lunch else []
        hours = [self.opens, *pause, self.closes]
        if any(earlier >= later for earlier, later in pairwise(hours)):
            raise ValueError("opens、lunch.begins、lunch.ends、closes 应一个比一个晚")
        years = [each.year for each in self.years]
        if twice := next((year for year in years if years.count(year) > 1), None):
            raise ValueError(f"{twice} 年写了两次，请合成一段")
        return self


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days and hours, as arithmetic. `off` are weekdays nobody works, `worked` weekend days that are worked, both
    in order; `years` those that are known. `hours` are the spans of a working day, in order."""

    hours: Sequence[tuple[time, time]] = ((time(9, 0), time(18, 0)),)
    off: Sequence[date] = ()
    worked: Sequence[date] = ()
    years: frozenset[int] = frozenset()

    def is_working_day(self, day: date) -> bool:
        if day.weekday() < _SATURDAY:
            return not _holds(self.off, day)
        return _holds(self.worked, day)

    def is_open(self, now: datetime) -> bool:
        """Whether somebody is at work at this moment."""
        local = now.astimezone(SHANGHAI)
        at = local.time()
        return self.is_working_day(local.date()) and any(begins <= at < ends for begins, ends in self.hours)

    @property
    def minutes_a_day(self) -> int:
        """How long a working day is."""
        return self._worked_before(time.max) // _MINUTE

    def add_working_minutes(self, start: datetime, minutes: int) -> datetime:
        """The moment by which so many minutes have been worked since `start`, in Shanghai; the end of a day rather than
        the beginning of the next. With 0 the next moment at work, `start` itself if it is one."""
        left = minutes * _MINUTE
        spans = self._spans(start)
        begins, ends = next(spans)
        while left > ends - begins:
            left -= ends - begins
            begins, ends = next(spans)
        return begins + left

    def subtract_working_minutes(self, end: datetime, minutes: int) -> datetime:
        """The latest moment since which so many minutes have been worked until `end`, in Shanghai: the beginning of a day
        rather than the end of the one before."""
        left = minutes * _MINUTE
        spans = self._spans_back(end)
        begins, ends = next(spans)
        while left > ends - begins:
            left -= ends - begins
            begins, ends = next(spans)
        return ends - left

    def working_minutes(self, start: datetime, end: datetime) -> int:
        """How many whole minutes are worked between two moments; 0 where the end comes first."""
        first, last = start.astimezone(SHANGHAI), end.astimezone(SHANGHAI)
        if last <= first:
            return 0
        between = self.working_days(first.date(), last.date()) * self._worked_before(time.max)
        begun, ended = (
            self._worked_before(each.time()) if self.is_working_day(each.date()) else timedelta()
            for each in (first, last)
        )
        return (between - begun + ended) // _MINUTE

    def working_days(self, start: date, end: date) -> int:
        """How many working days there are from `start` on and before `end`, which comes no earlier."""
        weeks, rest = divmod((end - start).days, 7)
        weekdays = weeks * 5 + sum((start.weekday() + number) % 7 < _SATURDAY for number in range(rest))
        return weekdays - _between(self.off, start, end) + _between(self.worked, start, end)

    def add_working_days(self, day: date, number: int) -> date:
        """The working day that comes so many after `day`, which itself doesn't count; with 0 the first from it on."""
        while number > 0 or not self.is_working_day(day):
            day += _DAY
            number -= self.is_working_day(day)
        return day

    def previous_working_day(self, day: date) -> date:
        """The last working day before `day`."""
        day -= _DAY
        while not self.is_working_day(day):
            day -= _DAY
        return day

    def missing_years(self, now: datetime) -> Sequence[int]:
        """This year, and from December on the next, where the file doesn't have them."""
        today = now.astimezone(SHANGHAI).date()
        wanted = [today.year, *([today.year + 1] if today.month >= SAID_FROM_MONTH else [])]
        return [year for year in wanted if year not in self.years]

    def _spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The hours worked from a moment on, the first of them cut off where it has begun."""
        first = start.astimezone(SHANGHAI)
        day = first.date()
        while True:
            if self.is_working_day(day):
                for begins, ends in self.hours:
                    end = datetime.combine(day, ends, SHANGHAI)
                    if end > first:
                        yield max(first, datetime.combine(day, begins, SHANGHAI)), end
            day += _DAY

    def _spans_back(self, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The hours worked before a moment, the last first, and that one cut off where it hasn't ended."""
        last = end.astimezone(SHANGHAI)
        day = last.date()
        while True:
            if self.is_working_day(day):
                for begins, ends in reversed(self.hours):
                    begin = datetime.combine(day, begins, SHANGHAI)
                    if begin < last:
                        yield begin, min(last, datetime.combine(day, ends, SHANGHAI))
            day -= _DAY

    def _worked_before(self, at: time) -> timedelta:
        """How long is worked of a working day before a time of it."""
        passed = ((begins, min(ends, at)) for begins, ends in self.hours if begins < at)
        return sum(
            (_since_midnight(until) - _since_midnight(begins) for begins, until in passed), timedelta()
        )


def load_working_days(content: Path) -> Calendar:
    """Read content/working_days.toml; a folder without one knows no year. Raises BadDocument."""
    file = content / WORKING_DAYS
    if not file.exists():
        return Calendar()
    return _calendar(validated(WorkingDays, read_toml(file), file))


def watched_calendar(settings: Settings) -> Callable[[], Calendar]:
    """The calendar as it is saved now; read once at least. Raises BadDocument, in production only where no copy is good."""
    return watched_content(settings, WORKING_DAYS, load_working_days)


def _calendar(written: WorkingDays) -> Calendar:
    lunch = written.lunch
    hours = (
        [(written.opens, lunch.begins), (lunch.ends, written.closes)]
        if lunch
        else [(written.opens, written.closes)]
    )
    off = {day for year in written.years for holiday in year.holidays for day in holiday.days}
    return Calendar(
        hours=tuple(hours),
        off=tuple(sorted(day for day in off if day.weekday() < _SATURDAY)),
        worked=tuple(sorted({day for year in written.years for day in year.workdays})),
        years=frozenset(year.year for year in written.years),
    )


def _holds(days: Sequence[date], day: date) -> bool:
    place = bisect_left(days, day)
    return place < len(days) and days[place] == day


def _between(days: Sequence[date], start: date, end: date) -> int:
    return bisect_left(days, end) - bisect_left(days, start)


def _since_midnight(at: time) -> timedelta:
    return datetime.combine(date.min, at) - datetime.combine(date.min, _MIDNIGHT)
