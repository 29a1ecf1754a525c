"""The outbox: notices stored in the transaction of what they tell of, claimed by a worker with a lease.

A notice holds no personal data: a reference, a need, a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Integer, Select, String, Text, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.crypto import new_row_id
from xinheng.db import LeadsBase, Moment

MOST_ATTEMPTS = 49  # at once, then 48 times
RETRY_AFTER = timedelta(minutes=5)
LEASE = timedelta(minutes=2)

State = Literal["waiting", "sent", "logged", "failed", "seen", "void"]


class Notice(LeadsBase):
    """One notice to staff. `logged` means that no channel was set up: it stands in the log and in `xinheng leads`.

    `recipient` is the address of one member of staff, or empty for those whom the settings name. `seen` means that
    somebody opened the lead before it left, `void` that it stopped being true before that.
    """

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
    recipient: Mapped[str] = mapped_column(String(254), nullable=False, default="")
    acknowledged_at: Mapped[datetime | None] = mapped_column(Moment)


def enqueue(
    session: Session, *, kind: str, reference: str, text: str, now: datetime, recipient: str = ""
) -> None:
    """Store a notice in the caller's transaction."""
    session.add(
        Notice(kind=kind, reference=reference, text=text, recipient=recipient, due_at=now, created_at=now)
    )


def unseen(session: Session, references: Sequence[str], recipient: str) -> bool:
    """Whether there are notices of these references, to all or to this recipient, that nobody has seen."""
    query = select(Notice.id).where(_to(references, recipient), Notice.acknowledged_at.is_(None))
    return session.execute(query.limit(1)).first() is not None


def acknowledge(session: Session, references: Sequence[str], recipient: str, now: datetime) -> None:
    """Somebody opened what these notices tell of: those to all and those to this recipient are seen, and what still
    waits needs not leave any more."""
    mine = _to(references, recipient)
    session.execute(update(Notice).where(mine, Notice.acknowledged_at.is_(None)).values(acknowledged_at=now))
    session.execute(
        update(Notice)
        .where(mine, Notice.state.in_(["waiting", "failed"]))
        .values(state="seen", settled_at=now, leased_until=None)
    )


def withdraw(session: Session, kind: str, references: Sequence[str], now: datetime) -> None:
    """What these notices tell isn't so any more: those that still wait don't leave."""
    session.execute(
        update(Notice)
        .where(Notice.kind == kind, Notice.reference.in_(references), Notice.state.in_(["waiting", "failed"]))
        .values(state="void", settled_at=now, leased_until=None)
    )


def _to(references: Sequence[str], recipient: str) -> ColumnElement[bool]:
    return Notice.reference.in_(references) & Notice.recipient.in_(["", recipient])


def due(session: Session, now: datetime, most: int = 1) -> list[str]:
    """The ids of notices to send now, oldest first; a lease that ran out (its worker died) counts as none."""
    return list(session.scalars(_due(now).limit(most)))


def claim(session: Session, now: datetime) -> Sequence[Notice]:
    """Lease the notice that has been due longest, in a writing transaction: one, so that no lease runs out in a queue."""
    # a notice that another worker is claiming at this moment is left to it
    ids = list(session.scalars(_due(now).limit(1).with_for_update(skip_locked=True)))
    leased = {"leased_until": now + LEASE, "attempts": Notice.attempts + 1}
    session.execute(update(Notice).where(Notice.id.in_(ids)).values(leased))
    return list(session.scalars(select(Notice).where(Notice.id.in_(ids)).order_by(Notice.created_at)))


def _due(now: datetime) -> Select[str]:
    free = or_(Notice.leased_until.is_(None), Notice.leased_until < now)
    waiting = select(Notice.id).where(Notice.state == "waiting", Notice.due_at <= now, free)
    return waiting.order_by(Notice.due_at)


def settle(session: Session, notice_id: str, state: State, now: datetime) -> None:
    """A notice has left, or stands in the log."""
    values = {"state": state, "settled_at": now, "leased_until": None, "fault": ""}
    session.execute(update(Notice).where(Notice.id == notice_id).values(**values))


def postpone(session: Session, notice: Notice, fault: str, now: datetime) -> None:
    """A sending failed: try again in five minutes, 48 times; then it is `failed`, and stays to be seen.

    One that was seen meanwhile is left as it is."""
    over = notice.attempts >= MOST_ATTEMPTS
    session.execute(
        update(Notice)
        .where(Notice.id == notice.id, Notice.state == "waiting")
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
