"""Leads by who works them: what is open now; and of those that came in some weeks how many were won, and how long people
waited for the first answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from xinheng.leads.handover import TO_DO
from xinheng.leads.models import Lead
from xinheng.settings import SHANGHAI
from xinheng.weeks import Weeks


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
    session: Session, people: Collection[str], weeks: Weeks
) -> Mapping[str | None, PersonsLeads]:
    """By staff id, None for nobody's: whose they are now."""
    waiting: dict[str | None, int] = {}
    for theirs in (Lead.owner_id.in_(people), Lead.owner_id.is_(None)):
        number = func.count().label("number")
        open_ones = select(Lead.owner_id, number).where(theirs, Lead.queue.in_(TO_DO))
        waiting |= {row.owner_id: row.number for row in session.execute(open_ones.group_by(Lead.owner_id))}
    won = func.sum(case((Lead.reached == "won", 1), else_=0)).label("won")
    took = (Lead.owner_id, Lead.response_minutes)
    groups: dict[str | None, list[Any]] = {}
    for row in session.execute(
        select(*took, func.count().label("came"), won).where(_came(weeks)).group_by(*took)
    ):
        groups.setdefault(row.owner_id, []).append(row)
    return {owner: _persons(waiting.get(owner, 0), groups.get(owner, ())) for owner in {*waiting, *groups}}


def _persons(waiting: int, groups: Sequence[Any]) -> PersonsLeads:
    """Of one member's leads, grouped by how long their first response took."""
    minutes = sorted(
        row.response_minutes for row in groups for _ in range(row.came) if row.response_minutes is not None
    )
    return PersonsLeads(
        open=waiting,
        came=sum(row.came for row in groups),
        answered=len(minutes),
        minutes=round(median(minutes)) if minutes else None,
        won=sum(int(row.won) for row in groups),
    )


def _came(weeks: Weeks) -> ColumnElement[bool]:
    """Leads that may be worked, by when they first came."""
    begins = datetime.combine(weeks.first, time(), SHANGHAI)
    ends = datetime.combine(weeks.end + timedelta(days=1), time(), SHANGHAI)
    return and_(Lead.created_at >= begins, Lead.created_at < ends, Lead.restricted.is_(False))
