"""Leads by who works them: what is open now; and of those that came in some weeks how many were won, and how long people
waited for the first answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import median

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from xinheng.leads.handover import TO_DO
from xinheng.leads.models import Lead, LeadEvent
from xinheng.settings import SHANGHAI
from xinheng.weeks import Weeks

_ANSWERS = ("connected", "no_answer", "wechat", "status")
"""Events that say that somebody took a lead in hand."""

Working = Callable[[datetime, datetime], int]
"""How many minutes are worked between two moments."""


@dataclass(frozen=True, slots=True)
class PersonsLeads:
    """One member's leads. `answered` of those that `came` had a first answer, after a median of `minutes` at work, which is
    None where there was none."""

    open: int = 0
    came: int = 0
    answered: int = 0
    minutes: int | None = None
    won: int = 0


def leads_by_person(
    session: Session, people: Collection[str], weeks: Weeks, working: Working
) -> Mapping[str | None, PersonsLeads]:
    """By staff id, None for nobody's: whose they are now."""
    waiting: dict[str | None, int] = {}
    for theirs in (Lead.owner_id.in_(people), Lead.owner_id.is_(None)):
        number = func.count().label("number")
        open_ones = select(Lead.owner_id, number).where(theirs, Lead.queue.in_(TO_DO))
        waiting |= {row.owner_id: row.number for row in session.execute(open_ones.group_by(Lead.owner_id))}
    won = func.sum(case((Lead.reached == "won", 1), else_=0)).label("won")
    came = {
        row.owner_id: (row.came, int(row.won))
        for row in session.execute(
            select(Lead.owner_id, func.count().label("came"), won).where(_came(weeks)).group_by(Lead.owner_id)
        )
    }
    spans = _answered(session, weeks, working)
    return {owner: _persons(waiting, came, spans, owner) for owner in {*waiting, *came}}


def _persons(
    waiting: Mapping[str | None, int],
    came: Mapping[str | None, tuple[int, int]],
    spans: Mapping[str | None, Sequence[int]],
    owner: str | None,
) -> PersonsLeads:
    number, won = came.get(owner, (0, 0))
    minutes = spans.get(owner, ())
    return PersonsLeads(
        open=waiting.get(owner, 0),
        came=number,
        answered=len(minutes),
        minutes=round(median(minutes)) if minutes else None,
        won=won,
    )


def _answered(session: Session, weeks: Weeks, working: Working) -> Mapping[str | None, Sequence[int]]:
    """For each owner the minutes at work from the first enquiry of each lead to its first answer."""
    answered_at = (
        select(func.min(LeadEvent.happened_at))
        .where(LeadEvent.lead_id == Lead.id, LeadEvent.kind.in_(_ANSWERS))
        .correlate(Lead)
        .scalar_subquery()
        .label("answered_at")
    )
    found: dict[str | None, list[int]] = {}
    for row in session.execute(select(Lead.owner_id, Lead.created_at, answered_at).where(_came(weeks))):
        if row.answered_at is not None:
            found.setdefault(row.owner_id, []).append(working(row.created_at, row.answered_at))
    return found


def _came(weeks: Weeks) -> ColumnElement[bool]:
    """Leads that may be worked, by when they first came."""
    begins = datetime.combine(weeks.first, time(), SHANGHAI)
    ends = datetime.combine(weeks.end + timedelta(days=1), time(), SHANGHAI)
    return and_(Lead.created_at >= begins, Lead.created_at < ends, Lead.restricted.is_(False))
