"""One lead's way through the desk: steps at their moments, in office hours, none of them later than now."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from xinheng.demo import words
from xinheng.demo.acts import Act, Acts, Asked, Case
from xinheng.demo.staff import HANG, Colleague
from xinheng.leads.models import CLOSED
from xinheng.leads.moves import next_try
from xinheng.working_days import Calendar

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done at a moment."""

    at: datetime
    act: Act = field(repr=False)


class Road:
    """Each call goes on where the last one ended; what would lie in the future doesn't happen any more."""

    def __init__(self, acts: Acts, draw: random.Random, now: datetime, begins: datetime) -> None:
        self.case = Case()
        self.steps: list[Step] = []
        self.status = ""
        self.owner: Colleague | None = None
        self._acts = acts
        self._draw = draw
        self._now = now
        self._moment = begins
        self._tries = 0

    @property
    def open(self) -> bool:
        return self.status not in CLOSED

    def do(self, act: Act) -> bool:
        """Do it now; False where that is in the future already."""
        if self._moment > self._now:
            return False
        self.steps.append(Step(self._moment, act))
        self._moment += _MINUTE
        return True

    def wait(self, hours: float) -> None:
        """Let time pass; staff go on in office hours."""
        self._moment = at_work(self._moment + timedelta(hours=hours), self._draw, self._acts.calendar)

    def wait_until(self, moment: datetime) -> None:
        self._moment = max(self._moment, moment)

    def ask(self, asked: Asked) -> None:
        """The visitor sends the form, for the first time or again."""
        if self.do(lambda at: self._acts.ask(self.case, asked, at)) and (not self.status or not self.open):
            self.status, self._tries = "new", 0

    def look(self, who: Colleague, *, reveal: bool = False) -> None:
        self.do(lambda at: self._acts.look(self.case, who, at, reveal=reveal))

    def assign(self, owner: Colleague | None, by: Colleague = HANG) -> None:
        member = self._acts.members[owner] if owner else None
        if self.do(lambda at: self._acts.work.assign(self.case.lead_id, self._acts.deed(by, at), member)):
            self.owner = owner

    def call_in_vain(self, who: Colleague, times: int) -> None:
        """Nobody takes the call; the next try follows the product's proposal."""
        for _ in range(times):
            self.look(who, reveal=True)
            called = self._moment
            if not self.do(lambda at: self._acts.work.no_answer(self.case.lead_id, self._acts.deed(who, at))):
                return
            self._tries += 1
            self._moment = next_try(self._tries, called, self._acts.calendar) + timedelta(
                minutes=self._draw.randrange(3, 90)
            )

    def talk(self, who: Colleague, note: str) -> None:
        """Somebody takes the call."""
        self.look(who, reveal=True)
        if self._note(who, note, connected=True):
            self.status = "contacted" if self.status == "new" else self.status
            self._tries = 0

    def note(self, who: Colleague, text: str) -> None:
        self.look(who)
        self._note(who, text)

    def add_wechat(self, who: Colleague) -> None:
        if self.do(lambda at: self._acts.work.added_wechat(self.case.lead_id, self._acts.deed(who, at))):
            self.status = "contacted" if self.status == "new" else self.status

    def move(self, who: Colleague, status: str, reason: str = "", note: str = "") -> None:
        """Set the status, with a note that says why."""
        if note:
            self.note(who, note)
        if self.do(
            lambda at: self._acts.work.move(self.case.lead_id, self._acts.deed(who, at), status, reason)
        ):
            self.status = status

    def plan(self, who: Colleague, due: datetime | None, step: str = "") -> None:
        """Set the next step, if the lead is open; it may be in the past by now, but isn't when it is set."""
        if not self.open:
            return
        self._moment = min(self._moment, self._now - _MINUTE, *([due - _MINUTE] if due else []))
        self._moment = max(self._moment, self.steps[-1].at)
        self.do(lambda at: self._acts.work.plan(self.case.lead_id, self._acts.deed(who, at), due, step))

    def at_last(self, act: Callable[[], object]) -> None:
        """Something that is done to the lead without anybody at the desk, after all else."""
        self.steps.append(Step(self._now, lambda at: act()))

    def _note(self, who: Colleague, text: str, *, connected: bool = False) -> bool:
        return self.do(
            lambda at: self._acts.work.write_note(
                self.case.lead_id, self._acts.deed(who, at), text, connected=connected
            )
        )


def at_work(moment: datetime, draw: random.Random, calendar: Calendar) -> datetime:
    """This moment if it lies in working hours, else some minutes into the next morning at work."""
    if calendar.is_open(moment):
        return moment
    return calendar.add_working_minutes(moment, 0) + timedelta(minutes=draw.randrange(2, 80))


def talked(draw: random.Random, need: str) -> str:
    """What is written down after a call."""
    return draw.choice(words.CONNECTED.get(need, words.CONNECTED["other"]))
