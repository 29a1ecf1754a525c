"""The outbox: notices stored in the transaction of what they tell of, claimed by a worker with a lease.

A notice holds no personal data: a reference, a need, a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Integer, String, Text, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.crypto import new_row_id
from xinheng.db import LeadsBase, Moment

MOST_ATTEMPTS = 49  # at once, then 48 times
RETRY_AFTER = timedelta(minutes=5)
LEASE = timedelta(minutes=2)

State = Literal["waiting", "sent", "logged", "failed"]


class Notice(LeadsBase):
    """One notice to staff. `logged` means that no channel was set up: it stands in the log and in `xinheng leads`."""

    __tablename__ = "outbox"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    kind: Mapped[str] = mapped_column(String(16), nullable=False)
    reference: Mapped[str] = mapped_column(String(14), nullable=False, index=True)
    text: Mapped[str] = mapped_column(Text, nullable=False)
    state: Mapped[str] = mapped_column(String(8), nullable=False, default="waiting")
    attempts: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    due_at: Mapped[datetime] = mapped_column(Moment, nullable=False, index=True)
    leased_until: Mapped[datetime | None] = mapped_column(Moment)
    fault: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    created_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)


def enqueue(session: Session, *, kind: str, reference: str, text: str, now: datetime) -> None:
    """Store a notice in the caller's transaction."""
    session.add(Notice(kind=kind, reference=reference, text=text, due_at=now, created_at=now))


def due(session: Session, now: datetime, most: int = 1) -> list[str]:
    """The ids of notices to send now, oldest first; a lease that ran out (its worker died) counts as none."""
    free = or_(Notice.leased_until.is_(None), Notice.leased_until < now)
    found = select(Notice.id).where(Notice.state == "waiting", Notice.due_at <= now, free)
    return list(session.scalars(found.order_by(Notice.due_at).limit(most)))


def claim(session: Session, now: datetime) -> Sequence[Notice]:
    """Lease the notice that has been due longest, in a writing transaction: one, so that no lease runs out in a queue."""
    ids = due(session, now)
    leased = {"leased_until": now + LEASE, "attempts": Notice.attempts + 1}
    session.execute(update(Notice).where(Notice.id.in_(ids)).values(leased))
    return list(session.scalars(select(Notice).where(Notice.id.in_(ids)).order_by(Notice.created_at)))


def settle(session: Session, notice_id: str, state: State, now: datetime) -> None:
    """A notice has left, or stands in the log."""
    values = {"state": state, "settled_at": now, "leased_until": None, "fault": ""}
    session.execute(update(Notice).where(Notice.id == notice_id).values(**values))


def postpone(session: Session, notice: Notice, fault: str, now: datetime) -> None:
    """A sending failed: try again in five minutes, 48 times; then it is `failed`, and stays to be seen."""
    over = notice.attempts >= MOST_ATTEMPTS
    session.execute(
        update(Notice)
        .where(Notice.id == notice.id)
        .values(
            state="failed" if over else "waiting",
            due_at=now + RETRY_AFTER,
            leased_until=None,
            settled_at=now if over else None,
            fault=fault[:200],
        )
    )


def states(session: Session) -> dict[str, int]:
    """How many notices are in each state."""
    rows = session.execute(select(Notice.state, func.count()).group_by(Notice.state))
    return {row.state: row[1] for row in rows}


def utc_now() -> datetime:
    return datetime.now(UTC)
