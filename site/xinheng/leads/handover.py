"""Leads of members who left or take none any more: somebody must take them over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xinheng.leads.models import Lead
from xinheng.staff.colleagues import Colleague

TO_DO = ("first", "planned", "stuck")
"""What an open lead may wait for."""


def left_with_leads(session: Session, people: Iterable[Colleague]) -> list[Colleague]:
    """Those of these people who take no leads any more and still have open ones."""
    gone = [member for member in people if not member.takes_leads]
    return [
        member
        for member in gone
        if session.execute(
            select(Lead.id).where(Lead.owner_id == member.id, Lead.queue.in_(TO_DO)).limit(1)
        ).first()
    ]


def open_leads_by_owner(session: Session) -> Mapping[str, int]:
    """How many open leads each member has who has any."""
    mine = Lead.queue.in_(TO_DO), Lead.owner_id.is_not(None)
    counted = select(Lead.owner_id, func.count()).where(*mine).group_by(Lead.owner_id)
    return {owner: count for owner, count in session.execute(counted) if owner}


def ids_of_open_leads(session: Session, staff_id: str) -> Sequence[str]:
    """A member's open leads, the most urgent first: so that dealing them out in turn is fair."""
    mine = select(Lead.id).where(Lead.owner_id == staff_id, Lead.queue.in_(TO_DO))
    return session.scalars(mine.order_by(Lead.priority.desc(), Lead.id)).all()


def open_leads_of(session: Session, staff_id: str) -> int:
    """How many open leads are a member's."""
    mine = select(func.count()).where(Lead.owner_id == staff_id, Lead.queue.in_(TO_DO))
    return session.scalar(mine.select_from(Lead)) or 0
