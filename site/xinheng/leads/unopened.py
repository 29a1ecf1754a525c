"""Enquiries that staff were told of and nobody opened: they are told again, in working hours, a few times."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from xinheng.db import Database
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.telling import ENQUIRY
from xinheng.notices.outbox import Notice, enqueue
from xinheng.settings import SHANGHAI

REMIND_AFTER = timedelta(hours=2)
MOST_REMINDERS = 5
LOOKED_BACK = timedelta(days=7)
REMINDER = "reminder"

_AT_ONCE = 50
_SATURDAY = 5
_OPENS, _CLOSES = 9, 18  # hours of a working day


def in_working_hours(now: datetime) -> bool:
    """Monday to Friday from nine to six in Shanghai; public holidays aren't known."""
    local = now.astimezone(SHANGHAI)
    return local.weekday() < _SATURDAY and _OPENS <= local.hour < _CLOSES


def remind(database: Database, now: datetime) -> int:
    """Store reminders of what nobody has opened; returns of how many enquiries."""
    if not in_working_hours(now):
        return 0
    with database.reading() as session:
        found = session.scalars(_unopened(now).limit(_AT_ONCE)).all()
    if not found:
        return 0
    # two machines that look at one moment must not both remind
    with database.writing(over=[b"unopened"]) as session:
        still = session.scalars(_unopened(now).where(Enquiry.reference.in_(found))).all()
        for reference in still:
            _remind(session, reference, now)
    return len(still)


def _remind(session: Session, reference: str, now: datetime) -> None:
    mine = (Notice.reference == reference, Notice.recipient == "")
    told = session.scalars(select(Notice.text).where(*mine, Notice.kind == ENQUIRY).limit(1)).one()
    number = session.scalar(_reminders().where(*mine)) or 0
    text = f"还没有人打开的咨询，第{number + 1}次提醒\n{told}"
    enqueue(session, kind=REMINDER, reference=reference, text=text, now=now)


def _reminders() -> Select[int]:
    """How often something was reminded of: each time is one moment, however many channels there are."""
    return select(func.count(Notice.created_at.distinct())).where(Notice.kind == REMINDER)


def _unopened(now: datetime) -> Select[str]:
    """References of enquiries whose notices left two hours ago or more, and which nobody has opened since."""
    notices = select(Notice.id).where(Notice.reference == Enquiry.reference)
    to_all = notices.where(Notice.recipient == "")
    # one that waited, in the spool or for a channel, leaves long after it was written
    left_at = func.coalesce(Notice.settled_at, Notice.created_at)
    on_the_way = to_all.where(or_(Notice.state == "waiting", left_at > now - REMIND_AFTER))
    reminders = _reminders().where(Notice.reference == Enquiry.reference).scalar_subquery()
    return (
        select(Enquiry.reference)
        .join(Lead, Enquiry.lead_id == Lead.id)
        .where(
            Enquiry.created_at.between(now - LOOKED_BACK, now - REMIND_AFTER),
            Lead.restricted.is_(False),
            Lead.closed.is_(False),
            to_all.where(Notice.kind == ENQUIRY, Notice.state == "sent").exists(),
            ~notices.where(Notice.acknowledged_at.is_not(None)).exists(),
            ~on_the_way.exists(),
            reminders < MOST_REMINDERS,
        )
        .order_by(Enquiry.created_at)
    )
