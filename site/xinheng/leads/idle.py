"""Leads that their owner doesn't work go back to the pool; the owner is told in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import CompoundSelect, func, select, union_all
from sqlalchemy.orm import Session

from xinheng.audit.log import SYSTEM
from xinheng.db import Database
from xinheng.forms.assignment import AssignmentRules, Pool
from xinheng.leads.handing import Handing, references_of
from xinheng.leads.models import Lead, LeadEvent
from xinheng.leads.trail import Trail
from xinheng.leads.work import lead_lock
from xinheng.notices.outbox import Notice, enqueue
from xinheng.staff.models import User
from xinheng.working_days import Calendar

RETURNING = "returning"
_AT_ONCE = 200
_HOUR = 60  # minutes


class IdleLeads:
    """A sweep. `site` is the public origin."""

    def __init__(
        self,
        trail: Trail,
        rules: Callable[[], AssignmentRules],
        calendar: Callable[[], Calendar],
        *,
        site: str,
    ) -> None:
        self._trail = trail
        self._handing = Handing(trail, site=site)
        self._rules = rules
        self._calendar = calendar

    def __call__(self, database: Database, now: datetime) -> int:
        """Warn and return what is due, at work only; returns how many notices were stored."""
        rules = self._rules()
        if rules.way != "pool" or not rules.pool.return_after_hours or not self._calendar().is_open(now):
            return 0
        quiet = (rules.pool.return_after_hours - rules.pool.warn_before_hours) * _HOUR
        since = _worked_ago(self._calendar(), now, quiet)
        with database.reading() as session:
            ids = session.scalars(_idle(since).limit(_AT_ONCE)).all()
            found = session.scalars(select(Lead).where(Lead.id.in_(ids))).all()
            due = [lead.id for lead in found if self._is_due(session, lead, rules.pool, now)]
        told = 0
        for lead_id in due:
            with database.writing(over=[lead_lock(lead_id)]) as session:
                lead = session.get(Lead, lead_id, with_for_update=True)
                still = session.scalar(_idle(since, lead_id)) is not None
                if lead is not None and still and self._is_due(session, lead, rules.pool, now):
                    told += self._warn_or_return(session, lead, rules.pool, now)
        return told

    def _is_due(self, session: Session, lead: Lead, pool: Pool, now: datetime) -> bool:
        """Whether the owner is to be warned, or was warned and had the time that was named."""
        since = _since(session, lead)
        idle = self._calendar().working_minutes(since, now)
        warned = _warned_at(session, lead, since)
        if warned is None:
            return idle >= (pool.return_after_hours - pool.warn_before_hours) * _HOUR
        waited = self._calendar().working_minutes(warned, now) >= pool.warn_before_hours * _HOUR
        return idle >= pool.return_after_hours * _HOUR and waited

    def _warn_or_return(self, session: Session, lead: Lead, pool: Pool, now: datetime) -> int:
        """Warn who wasn't warned yet; return what was, long enough ago."""
        owner = session.get_one(User, lead.owner_id)
        if _warned_at(session, lead, _since(session, lead)) is not None:
            self._handing.hand(session, lead, None, actor=SYSTEM, now=now, kind="returned")
            self._trail.finish(session)
            return 0
        reference = references_of(session, [lead.id])[0]
        text = (
            f"有一条线索很久没有动了，再过{pool.warn_before_hours}个工作小时退回未分配\n"
            f"受理编号：{reference}\n{self._handing.page_of(lead)}"
        )
        enqueue(session, kind=RETURNING, reference=reference, text=text, now=now, recipient=owner.email)
        return 1


def _idle(since: datetime, lead_id: str = "") -> CompoundSelect[str]:
    """Ids of leads with an owner that wait for something to be done, and of which nothing has been heard since; or only of
    this one. Each part walks an index of the owner's."""
    heard = select(LeadEvent.id).where(LeadEvent.lead_id == Lead.id, LeadEvent.happened_at > since)
    theirs = select(Lead.id).where(
        Lead.owner_id.in_(select(User.id)), Lead.restricted.is_(False), ~heard.exists()
    )
    if lead_id:
        theirs = theirs.where(Lead.id == lead_id)
    return union_all(
        theirs.where(Lead.queue.in_(("first", "stuck")), Lead.last_enquiry_at <= since),
        theirs.where(Lead.queue == "planned", Lead.follow_up_at <= since),
    )


def _worked_ago(calendar: Calendar, now: datetime, minutes: int) -> datetime:
    """The moment since which so many minutes have been worked."""
    early, late = now - timedelta(days=1), now
    while calendar.working_minutes(early, now) < minutes:
        early = now - 2 * (now - early)
    while late - early > timedelta(minutes=1):
        middle = early + (late - early) / 2
        if calendar.working_minutes(middle, now) < minutes:
            late = middle
        else:
            early = middle
    return early


def _since(session: Session, lead: Lead) -> datetime:
    """When something was last done, or due: from then on it lies idle."""
    last = session.scalar(select(func.max(LeadEvent.happened_at)).where(LeadEvent.lead_id == lead.id))
    moments = [each for each in (last, lead.last_enquiry_at, lead.follow_up_at) if each is not None]
    return max(moments)


def _warned_at(session: Session, lead: Lead, since: datetime) -> datetime | None:
    """When the owner was told that it goes back, since it lies idle."""
    told = select(func.max(Notice.created_at)).where(
        Notice.reference.in_(references_of(session, [lead.id])),
        Notice.kind == RETURNING,
        Notice.created_at >= since,
    )
    return session.scalar(told)
