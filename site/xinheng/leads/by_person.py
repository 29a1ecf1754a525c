"""Leads by who works them: what is open now; and of those that came in some weeks how many were won, and how long people
waited for the first try to reach them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xinheng.leads.handover import TO_DO
from xinheng.leads.models import Lead
from xinheng.weeks import Weeks

_ANSWERS = ("connected", "no_answer", "wechat", "status")
"""Events that say that somebody took a lead in hand."""


@dataclass(frozen=True, slots=True)
class PersonsLeads:
    """One member's leads. `first_response` is the median time from the first enquiry to the first answer, None where none
    of those that came was answered yet."""

    open: int = 0
    came: int = 0
    won: int = 0
    first_response: timedelta | None = None


def leads_by_person(session: Session, weeks: Weeks) -> Mapping[str | None, PersonsLeads]:
    """By staff id, None for nobody's: whose they are now."""
    waiting = {owner: number for owner, number in session.execute(_open()).tuples()}
    came = {row.owner_id: (row.came, row.won) for row in session.execute(_came(weeks))}
    waited = _waited(session, weeks)
    return {
        owner: PersonsLeads(
            waiting.get(owner, 0),
            *came.get(owner, (0, 0)),
            median(spans) if (spans := waited.get(owner)) else None,
        )
        for owner in {*waiting, *came}
    }


def _open():  # type: ignore[no-untyped-def]
    return select(Lead.owner_id, func.count()).where(Lead.queue.in_(TO_DO)).group_by(Lead.owner_id)
