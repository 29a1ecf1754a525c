"""The outbox: notices stored in the transaction of what they tell of, leased by a worker for each channel.

A notice is stored once, for nobody in particular. The worker then spreads it, in one transaction, to a row for each
channel that is on at that moment: a channel that fails neither stops nor repeats the others, and whoever stores a
notice needs to know of none. It holds no personal data: a reference, a need, a time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Index,
    Integer,
    Select,
    String,
    Text,
    and_,
    false,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.crypto import new_row_id
from xinheng.db import LeadsBase, Moment, insert_rows
from xinheng.notices.mail import MAIL

MOST_ATTEMPTS = 49  # at once, then 48 times
RETRY_AFTER = timedelta(minutes=5)
LEASE = timedelta(minutes=2)
TO_ALL_CHANNELS = ""
_SPREAD_AT_ONCE = 50

State = Literal["waiting", "sent", "logged", "failed", "seen", "void"]


class Notice(LeadsBase):
    """One notice to staff by one channel; `channel` is empty until it is spread.

    `logged` means that no channel was on: it stands in the log and at the desk. `recipient` is the address of one
    member of staff, who is told by mail, or empty for all. `seen` means that somebody opened the lead before it left,
    `void` that it stopped being true before that, or that its channel was switched off.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "state", "channel", "due_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    kind: Mapped[str] = mapped_column(String(16), nullable=False)
    reference: Mapped[str] = mapped_column(String(14), nullable=False, index=True)
    text: Mapped[str] = mapped_column(Text, nullable=False)
    channel: Mapped[str] = mapped_column(String(8), nullable=False, default=TO_ALL_CHANNELS)
    state: Mapped[str] = mapped_column(String(8), nullable=False, default="waiting")
    attempts: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    due_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
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
    row = {"kind": kind, "reference": reference, "text": text, "recipient": recipient}
    insert_rows(session, Notice, [row | {"due_at": now, "created_at": now}])


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


def withdraw(session: Session, references: Sequence[str], now: datetime, *only: ColumnElement[bool]) -> None:
    """What these notices tell isn't so any more, or must not be told: those that still wait don't leave."""
    session.execute(
        update(Notice)
        .where(Notice.reference.in_(references), Notice.state.in_(["waiting", "failed"]), *only)
        .values(state="void", settled_at=now, leased_until=None)
    )


def _to(references: Sequence[str], recipient: str) -> ColumnElement[bool]:
    return Notice.reference.in_(references) & Notice.recipient.in_(["", recipient])


# --- to channels ---


def unspread(session: Session) -> bool:
    """Whether there are notices that belong to no channel yet."""
    return session.execute(_unspread().limit(1)).first() is not None


def spread(session: Session, channels: Collection[str], now: datetime) -> Sequence[Notice]:
    """Give each new notice a row for each channel that is on, or `logged` where none is; returns the latter.

    One to a member of staff goes by mail only. In a writing transaction.
    """
    # what another worker is spreading at this moment is left to it
    waiting = _unspread().order_by(Notice.id).limit(_SPREAD_AT_ONCE).with_for_update(skip_locked=True)
    logged = []
    for notice in session.scalars(select(Notice).where(Notice.id.in_(session.scalars(waiting).all()))):
        first, *others = sorted({MAIL} & set(channels) if notice.recipient else channels) or [""]
        notice.channel = first
        if not first:
            notice.state, notice.settled_at = "logged", now
            logged.append(notice)
        session.add_all(_copy(notice, channel) for channel in others)
    return logged


def _unspread() -> Select[str]:
    return select(Notice.id).where(Notice.state == "waiting", Notice.channel == TO_ALL_CHANNELS)


def _copy(notice: Notice, channel: str) -> Notice:
    return Notice(
        kind=notice.kind,
        reference=notice.reference,
        text=notice.text,
        channel=channel,
        due_at=notice.due_at,
        created_at=notice.created_at,
    )


# --- sending ---


def due(session: Session, channel: str, now: datetime, most: int = 1) -> list[str]:
    """The ids of notices to send now, oldest first; a lease that ran out (its worker died) counts as none."""
    return list(session.scalars(_due(channel, now).limit(most)))


def claim(session: Session, channel: str, now: datetime) -> Sequence[Notice]:
    """Lease the notice that has been due longest, in a writing transaction: one, so that no lease runs out in a queue."""
    # a notice that another worker is claiming at this moment is left to it
    ids = list(session.scalars(_due(channel, now).limit(1).with_for_update(skip_locked=True)))
    leased = {"leased_until": now + LEASE, "attempts": Notice.attempts + 1}
    session.execute(update(Notice).where(Notice.id.in_(ids)).values(leased))
    return list(session.scalars(select(Notice).where(Notice.id.in_(ids)).order_by(Notice.created_at)))


def _due(channel: str, now: datetime) -> Select[str]:
    free = or_(Notice.leased_until.is_(None), Notice.leased_until < now)
    waiting = select(Notice.id).where(
        Notice.state == "waiting", Notice.channel == channel, Notice.due_at <= now, free
    )
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


def send_again(session: Session, channels: Collection[str], now: datetime, notice_id: str = "") -> int:
    """Let what failed leave again, one or all, with all its attempts before it; returns how many. What could leave by none
    of the channels that are on stays where it is seen: one to a member of staff goes by mail only."""
    which = and_(
        Notice.id == notice_id if notice_id else true(),
        true() if MAIL in channels else Notice.recipient == "",
        true() if channels else false(),
    )
    anew: dict[str, Any] = {"state": "waiting", "attempts": 0, "due_at": now, "settled_at": None}
    found = session.scalars(
        update(Notice).where(Notice.state == "failed", which).values(anew).returning(Notice.id)
    )
    return len(found.all())


def states(session: Session) -> dict[str, int]:
    """How many notices are in each state."""
    rows = session.execute(select(Notice.state, func.count()).group_by(Notice.state))
    return {row.state: row[1] for row in rows}


def utc_now() -> datetime:
    return datetime.now(UTC)
