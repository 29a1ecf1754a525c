"""The road of a lead: which status may follow which, the reasons to leave it, and when to call again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from xinheng.leads.models import Status
from xinheng.settings import SHANGHAI
from xinheng.working_days import Calendar

ROAD: tuple[Status, ...] = ("new", "contacted", "interested", "proposal", "won")
"""The statuses of a lead that goes well, in order. `lost` and `invalid` leave the road."""

MOVES: Mapping[str, tuple[Status, ...]] = {
    "new": ("contacted", "invalid"),
    "contacted": ("interested", "lost", "invalid"),
    "interested": ("contacted", "proposal", "lost", "invalid"),
    "proposal": ("interested", "won", "lost"),
    "won": ("proposal",),
    "lost": ("contacted",),
    "invalid": ("new",),
}
REASONS: Mapping[str, tuple[str, ...]] = {
    "lost": ("no_need", "price", "competitor", "solved", "unreachable", "other"),
    "invalid": ("wrong_number", "no_business", "advertising", "test", "other"),
}

_MORNING, _AFTERNOON = time(10, 0), time(15, 0)
_LAST_TRY = time(17, 30)
_SOON = timedelta(hours=3)


class MoveRefused(ValueError):
    """A status that may not follow the present one, or a reason that is missing or not one of its own."""


def check_move(present: str, wanted: str, reason: str) -> None:
    """Raises MoveRefused unless `wanted` may follow `present`, with a reason where one is asked for."""
    if wanted not in MOVES.get(present, ()):
        raise MoveRefused(wanted)
    if reason not in REASONS.get(wanted, ("",)):
        raise MoveRefused("reason")


def farthest(reached: str, present: str, wanted: str) -> str:
    """How far a lead has come once its status changes: never back, but for a deal that was marked by mistake."""
    if present == "won":
        return wanted
    return max(reached, wanted, key=ROAD.index) if wanted in ROAD else reached


def came_to(reached: str, stage: str) -> bool:
    """Whether a lead that reached so far came to a stage of the road."""
    return stage in ROAD[: ROAD.index(reached) + 1]


def next_try(attempts: int, now: datetime, calendar: Calendar) -> datetime:
    """When to call again after `attempts` calls that nobody took: first in three hours, then at the other half of the
    next working day, from the third on three working days later. Always on a working day between 10:00 and 17:30.
    """
    local = now.astimezone(SHANGHAI)
    today = local.date()
    other_half = _AFTERNOON if local.time() < time(12, 0) else _MORNING
    if attempts <= 1:
        soon = whole_quarter(local + _SOON)
        if soon.date() == today and _MORNING <= soon.time() <= _LAST_TRY and calendar.is_working_day(today):
            return soon
        days = 0 if local.time() < time(7, 0) else 1
        return _at(calendar.add_working_days(today, days), _MORNING)
    return _at(calendar.add_working_days(today, 1 if attempts == 2 else 3), other_half)


def whole_quarter(moment: datetime) -> datetime:
    """The next full quarter of an hour, or the moment itself if it is one."""
    past = timedelta(minutes=moment.minute % 15, seconds=moment.second, microseconds=moment.microsecond)
    return moment - past + timedelta(minutes=15 if past else 0)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, SHANGHAI)
