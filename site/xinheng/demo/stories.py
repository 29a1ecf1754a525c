"""The usual stories of leads: how they were asked, called, won and lost, in the shares of a busy small company."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Final

from xinheng.demo import words
from xinheng.demo.acts import Acts
from xinheng.demo.road import Road, at_work, talked
from xinheng.demo.staff import HANG, MIN, YIFAN, Colleague
from xinheng.demo.visitors import Visitors, visiting_hour
from xinheng.leads.models import Status
from xinheng.leads.moves import REASONS, ROAD
from xinheng.settings import SHANGHAI

DAYS: Final = 120

_SHARES: Mapping[Status, tuple[int, tuple[float, float]]] = {
    "new": (12, (0.02, 5)),
    "contacted": (80, (1, 90)),
    "interested": (70, (4, 110)),
    "proposal": (50, (9, DAYS)),
    "won": (60, (18, DAYS)),
    "lost": (80, (8, DAYS)),
    "invalid": (48, (0.5, DAYS)),
}
"""How many of 400 leads end in a status, and how many days ago they were asked."""

_LEAST = 6
"""Of each status, so that every reason is there."""

_OWNERS, _OWNERS_SHARES = (MIN, YIFAN, HANG), (45, 40, 15)
_PLANS, _PLANS_SHARES = ("late", "today", "soon", "far", "none"), (24, 20, 34, 8, 14)


class Stories:
    """Tells one road after the other."""

    def __init__(self, acts: Acts, draw: random.Random, now: datetime, visitors: Visitors) -> None:
        self._acts = acts
        self._draw = draw
        self._now = now
        self._visitors = visitors
        self._reasons = {status: itertools.cycle(reasons) for status, reasons in REASONS.items()}

    def usual(self, leads: int) -> Iterator[Road]:
        """About so many leads, of every status and reason."""
        for status, (share, (least, most)) in _SHARES.items():
            number = max(_LEAST, share * leads // 400)
            for place in range(number):
                # the newer, the more: a little before the middle at the middle
                age = least + (most - least) * ((place + self._draw.random()) / number) ** 1.15
                yield self._road(status, age)

    def _road(self, target: Status, age: float) -> Road:
        draw = self._draw
        begins = self._now - timedelta(days=age)
        road = self.begun(visiting_hour(begins, draw) if age > 1 else begins)
        asked = self._visitors.asked()
        road.ask(asked)
        if target == "new" and draw.random() < 0.4:
            return road
        owner = draw.choices(_OWNERS, _OWNERS_SHARES)[0]
        longest = 6 if draw.random() < 0.2 else 1  # hours; most are quick
        road.wait(draw.uniform(0.1, min(age * 6, longest)))
        road.assign(owner)
        road.wait(draw.uniform(0.1, min(age * 4, longest)))
        if target == "new" and draw.random() < 0.5:
            return road
        road.call_in_vain(owner, draw.choices((0, 1, 2, 3), (50, 28, 14, 8))[0] or (target == "new"))
        self._go_on(road, target, asked.need, owner, hours=age * 24 * 0.5 / 4)
        if road.open and road.status != "new" and draw.random() < 0.08:
            road.wait_until(self._now - timedelta(days=draw.uniform(0.02, 2.5)))
            road.ask(self._visitors.again(asked))
        elif road.status not in {"", "new"}:
            self.plan(road, owner)
        if road.open and road.status != "new" and draw.random() < 0.03:
            road.assign(None)
        return road

    def _go_on(self, road: Road, target: Status, need: str, owner: Colleague, hours: float) -> None:
        """From the first contact to where the lead ends."""
        draw = self._draw
        if target == "new":
            return
        if target == "invalid":
            if draw.random() < 0.4:
                road.talk(owner, "接通，先听对方说。")
            self._leave(road, owner, "invalid", words.INVALID)
            return
        if draw.random() < 0.15:
            road.add_wechat(owner)
        road.talk(owner, talked(draw, need))
        last = draw.choice(("contacted", "interested", "proposal")) if target == "lost" else target
        for status in ROAD[2 : ROAD.index(last) + 1]:
            road.wait(draw.uniform(0.5, 1.5) * hours)
            if draw.random() < 0.5:
                road.note(owner, draw.choice(words.NOTES))
                road.wait(draw.uniform(0.1, 0.5) * hours)
            if road.status == ROAD[ROAD.index(status) - 1]:
                road.move(owner, status, note=draw.choice(_said_at(status)))
        if target == "lost" and road.status != "new":
            road.wait(draw.uniform(0.5, 1.5) * hours)
            self._leave(road, owner, "lost", words.LOST)

    def _leave(self, road: Road, owner: Colleague, status: Status, notes: Mapping[str, str]) -> None:
        reason = next(self._reasons[status])
        road.move(owner, status, reason, notes.get(reason, ""))

    def plan(self, road: Road, owner: Colleague, kind: str = "") -> None:
        """What comes next: overdue, today at some hour, later, or nothing."""
        kind = kind or self._draw.choices(_PLANS, _PLANS_SHARES)[0]
        road.plan(owner, self.due(kind), "" if kind == "none" else self._draw.choice(words.STEPS))

    def due(self, kind: str) -> datetime | None:
        """A moment of this kind, on a whole five minutes."""
        draw, now = self._draw, self._now
        match kind:
            case "late":
                return _five(now - timedelta(hours=draw.choice((0.5, 2, 5, 20, 28, 50, 75, 170, 300))))
            case "today":
                midnight = datetime.combine(now.astimezone(SHANGHAI).date(), time(23, 59), SHANGHAI)
                share = draw.choice((0.05, 0.1, 0.2, 0.3, 0.45, 0.6))
                return max(_five(now + (midnight - now) * share), now + timedelta(minutes=2))
            case "soon":
                return _five(
                    at_work(now + timedelta(days=draw.choice((1, 1, 2, 3, 5, 7))), draw, self._acts.calendar)
                )
            case "far":
                return _five(at_work(now + timedelta(days=draw.randrange(20, 60)), draw, self._acts.calendar))
        return None

    def begun(self, moment: datetime) -> Road:
        """A road that begins at a moment, or a little before now."""
        begins = min(moment, self._now - timedelta(minutes=self._draw.randrange(3, 50)))
        return Road(self._acts, self._draw, self._now, begins)


def _said_at(status: Status) -> tuple[str, ...]:
    return {"interested": words.INTERESTED, "proposal": words.PROPOSAL, "won": words.WON}[status]


def _five(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute - moment.minute % 5, second=0, microsecond=0)
