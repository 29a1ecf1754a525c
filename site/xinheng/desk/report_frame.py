"""What all reports share: which weeks they are about, and figures that lead to the leads behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from flask import current_app, request, url_for

from xinheng.db import Database
from xinheng.desk.frame import utc_now
from xinheng.desk.list_address import list_address
from xinheng.desk.permission import may
from xinheng.desk.times import day
from xinheng.i18n import gettext as _
from xinheng.leads.wanted import Wanted
from xinheng.settings import SHANGHAI
from xinheng.staff.permissions import Permission
from xinheng.weeks import Weeks, sunday_of

RANGES: Final = (4, 12, 26, 52, 104)
USUAL_RANGE: Final = 12
QUALIFIED: Final = "interested"
"""From this stage on a lead is one that may become a customer."""
FEW: Final = 30
"""Of fewer than this a share says little: it is told, and marked."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of leads, and where they are listed for those who may see them."""

    number: int
    href: str = ""


@dataclass(frozen=True, slots=True)
class Leads:
    """Lists of leads that first came in some weeks, for whoever may see them."""

    since: date
    until: date
    shown: bool

    @classmethod
    def of(cls, weeks: Weeks) -> Leads:
        return cls(weeks.first, weeks.end, may(Permission.ALL_LEADS))

    def figure(self, number: int, **filters: str) -> Figure:
        """A number of them that have something in common, by the names of `Wanted`."""
        return self._listed(number, Wanted(came_since=self.since, came_until=self.until, **filters))  # type: ignore[arg-type]

    def now(self, number: int, **filters: str) -> Figure:
        """A number of leads whenever they came."""
        return self._listed(number, Wanted(**filters))  # type: ignore[arg-type]

    def _listed(self, number: int, wanted: Wanted) -> Figure:
        if not (self.shown and number):
            return Figure(number)
        return Figure(number, f"{url_for('desk.leads')}?{list_address(wanted)}")


def chosen_weeks(ranges: Sequence[int] = RANGES) -> Weeks:
    """Those that the address asks for: so many, this week the last of them."""
    number = next((each for each in ranges if str(each) == request.args.get("weeks")), USUAL_RANGE)
    return Weeks.until(utc_now(), number)


def share(part: int, whole: int) -> float | None:
    """Percent, None where there is no whole."""
    return part / whole * 100 if whole > 0 else None


def week_words(monday: date) -> str:
    """11月16日–11月22日."""
    return _("%(first)s–%(last)s", first=day_words(monday), last=day_words(sunday_of(monday)))


def day_words(found: date) -> str:
    return day(datetime.combine(found, time(), SHANGHAI), utc_now())


def counters() -> Database:
    held: Database = current_app.extensions["xinheng.databases"].counters
    return held
