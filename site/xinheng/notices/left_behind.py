"""Notices that nobody would ever take up: found once a minute, and put right."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from xinheng.notices.outbox import LEASE, RETRY_AFTER, TO_ALL_CHANNELS, Notice

NOTICED_WITHIN = timedelta(minutes=2)
"""What waits longer without anybody at work on it is left behind."""


def put_right(session: Session, channels: Collection[str], now: datetime) -> int:
    """Free what nobody would ever take up; returns how many. In a writing transaction.

    A clock that was set back leaves notices due in a far future. A channel that was switched off leaves its own behind:
    they are spread again where no other channel took the same notice.
    """
    early = or_(Notice.due_at > now + RETRY_AFTER, Notice.leased_until > now + LEASE)
    freed = update(Notice).where(Notice.state == "waiting", early).values(due_at=now, leased_until=None)
    count = len(session.scalars(freed.returning(Notice.id)).all())
    for notice in session.scalars(_left_behind(channels, now).with_for_update(skip_locked=True)).all():
        if _told_otherwise(session, notice, channels):
            notice.state, notice.settled_at = "void", now
        else:
            notice.channel, notice.attempts = TO_ALL_CHANNELS, 0
        session.flush()  # so that of two channels that are off one is spread again
        count += 1
    return count


def to_put_right(session: Session, channels: Collection[str], now: datetime) -> bool:
    """Whether `put_right` would find something."""
    early = or_(Notice.due_at > now + RETRY_AFTER, Notice.leased_until > now + LEASE)
    wrong = select(Notice.id).where(Notice.state == "waiting", early)
    queries = (wrong, _left_behind(channels, now).with_only_columns(Notice.id))
    return any(session.execute(query.limit(1)).first() for query in queries)


def _left_behind(channels: Collection[str], now: datetime) -> Select[Notice]:
    """Notices of channels that are off, that nobody has worked at for two minutes."""
    idle = or_(Notice.leased_until.is_(None), Notice.leased_until < now)
    return select(Notice).where(
        Notice.state == "waiting",
        Notice.channel.not_in([TO_ALL_CHANNELS, *channels]),
        Notice.due_at < now - NOTICED_WITHIN,
        idle,
    )


def _told_otherwise(session: Session, notice: Notice, channels: Collection[str]) -> bool:
    same = select(Notice.id).where(
        Notice.id != notice.id,
        Notice.reference == notice.reference,
        Notice.kind == notice.kind,
        Notice.recipient == notice.recipient,
        Notice.created_at == notice.created_at,
        or_(Notice.state == "sent", Notice.channel.in_([TO_ALL_CHANNELS, *channels])),
    )
    return session.execute(same.limit(1)).first() is not None
