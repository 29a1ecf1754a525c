"""Weeks as reports count them: from Monday to Sunday in Shanghai, named by their Monday or as ISO has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from xinheng.settings import SHANGHAI

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Weeks:
    """`number` weeks that follow one another, `last` being the Monday of the last one."""

    last: date
    number: int

    @classmethod
    def until(cls, now: datetime, number: int) -> Weeks:
        """The week of this moment, and those before it."""
        return cls(week_of(now), number)

    @property
    def first(self) -> date:
        """The Monday of the first one."""
        return self.last - (self.number - 1) * _WEEK

    @property
    def end(self) -> date:
        """The last Sunday."""
        return sunday_of(self.last)

    @property
    def mondays(self) -> Sequence[date]:
        return [self.first + place * _WEEK for place in range(self.number)]


def week_of(moment: datetime | date) -> date:
    """The Monday of the week that a moment, or a day, lies in."""
    day = moment.astimezone(SHANGHAI).date() if isinstance(moment, datetime) else moment
    return day - timedelta(days=day.weekday())


def sunday_of(monday: date) -> date:
    return monday + timedelta(days=6)
