"""The first response: by when somebody must try to reach a person who asked, and whether they did.

A try counts, taken or not: a call, a message, a lead moved to contacted. A note or a plan doesn't: nobody has called.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from xinheng.leads.models import NEVER, Lead
from xinheng.working_days import Calendar

Standing = Literal["none", "open", "soon", "late", "met", "missed"]
"""`none`: nothing is expected, or nothing is known of it. `missed`: there was a response, after its time."""


@dataclass(frozen=True, slots=True)
class Response:
    """How a lead's first response stands. `minutes` of work: left until it is due, or since it was."""

    standing: Standing
    minutes: int = 0

    @property
    def pressing(self) -> bool:
        """Whether somebody should call before all else."""
        return self.standing in {"soon", "late"}


def expect_response(lead: Lead, due: datetime) -> None:
    """Somebody asked, for the first time or again: a time that still runs isn't put off by asking again."""
    if lead.responded_at is None and lead.first_response_due is not None:
        lead.first_response_due = min(lead.first_response_due, due)
        return
    lead.first_response_due, lead.responded_at, lead.escalation = due, None, 0


def note_response(lead: Lead, calendar: Calendar, now: datetime) -> bool:
    """Somebody tried to reach the person; True if that is the first try since they asked."""
    if lead.response_minutes is None:
        lead.response_minutes = calendar.working_minutes(lead.created_at, now)
    if lead.responded_at is not None or lead.first_response_due is None:
        return False
    lead.responded_at = now
    return True


def wait_for_one(kept: Lead, other: Lead) -> None:
    """Two leads become one: who waits longest for a response isn't put off, and steps that were taken aren't again."""
    waiting = [lead for lead in (kept, other) if lead.first_response_due and lead.responded_at is None]
    answered = [lead for lead in (kept, other) if lead.responded_at is not None]
    if not waiting and not answered:
        return
    held = min(waiting, key=_due) if waiting else max(answered, key=_due)
    kept.first_response_due, kept.responded_at = held.first_response_due, held.responded_at
    kept.escalation = held.escalation
    took = [lead.response_minutes for lead in (kept, other) if lead.response_minutes is not None]
    kept.response_minutes = min(took, default=None)


def _due(lead: Lead) -> datetime:
    return lead.first_response_due or NEVER


def response_of(lead: Lead, calendar: Calendar, remind: int, now: datetime) -> Response:
    """How it stands at this moment; it is due soon from `remind` working minutes before its end on, while
    people work: twenty minutes that are left at night are tomorrow's."""
    due, done = lead.first_response_due, lead.responded_at
    if due is None:
        return Response("none")
    if done is not None:
        return Response("missed", calendar.working_minutes(due, done)) if done > due else Response("met")
    if lead.restricted:
        return Response("none")
    if now > due:
        return Response("late", calendar.working_minutes(due, now))
    left = calendar.working_minutes(now, due)
    return Response("soon" if left <= remind and calendar.is_open(now) else "open", left)
