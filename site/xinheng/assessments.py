"""Finished health checks: the answers, what they came to, and the version they were given under. No contact data.

One is found by the token in its address alone, of which only a keyed hash is kept. While nobody knows whose it is, it
goes at its `retain_until`; attached to an enquiry, it stays and goes with that.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    ForeignKey,
    LargeBinary,
    String,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.crypto import Keys, new_row_id
from xinheng.db import LeadsBase, Moment
from xinheng.form_versions import FormVersion
from xinheng.sealed import Sealed

KEPT = timedelta(days=180)
"""How long a result that nobody attached to an enquiry can be opened again."""

INSUFFICIENT = "insufficient"
"""`confidence` of a result that has a range of levels instead of one."""

_TOKEN_BYTES = 16
MOST = 100_000
"""How many results that nobody attached there is room for, some 400 MB: anybody may make one, and enquiries need the disk."""

_AT_ONCE = 500  # rows deleted in one transaction

Answers = Mapping[str, str | float]
"""The key of the option chosen for each question on the path; a sum in 万元 where one was typed."""


class Assessment(Sealed, LeadsBase):
    """One finished health check. `previous_id` is the one the same device did before."""

    __tablename__ = "assessments"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(16), nullable=False, unique=True)
    version: Mapped[str] = mapped_column(ForeignKey(FormVersion.version), nullable=False)
    answers: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    result: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    previous_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    retain_until: Mapped[datetime | None] = mapped_column(Moment, index=True)


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished health check, opened. `result` is what the rules said on that day, as JSON has it. `retain_until` is
    None where an enquiry keeps it."""

    id: str
    version: str
    answers: Answers
    result: Mapping[str, Any]
    previous_id: str | None
    created_at: datetime
    retain_until: datetime | None

    @property
    def level(self) -> str:
        """The level that its visitor was shown; empty where too much is unsure for one, unless both ends agree."""
        if self.result["confidence"] != INSUFFICIENT:
            return str(self.result["level"])
        low, high = self.result["level_low"], self.result["level_high"]
        return str(low) if low == high else ""


def keep(
    session: Session,
    keys: Keys,
    *,
    version: str,
    answers: Answers,
    result: Mapping[str, Any],
    previous_id: str | None,
    now: datetime,
) -> tuple[str, str]:
    """Store one; returns its id, and the token that its address is made of. The token stands nowhere else."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = Assessment(id=new_row_id(), version=version, previous_id=previous_id, created_at=now)
    row.token_hash = _hash(keys, token)
    row.seal(keys, "answers", json.dumps(dict(answers), ensure_ascii=False))
    row.seal(keys, "result", json.dumps(dict(result), ensure_ascii=False))
    row.retain_until = now + KEPT
    session.add(row)
    session.flush()
    return row.id, token


def find(session: Session, keys: Keys, token: str, now: datetime) -> Kept | None:
    """The one a token is of, if its time isn't over. Raises CannotDecrypt."""
    row = session.scalar(select(Assessment).where(_of_token(keys, token), _in_time(now)))
    return opened(keys, row) if row else None


def is_kept(session: Session, keys: Keys, token: str, now: datetime) -> bool:
    """Whether the address of this token still opens."""
    wanted = select(Assessment.id).where(_of_token(keys, token), _in_time(now))
    return session.scalar(wanted) is not None


def find_by_id(session: Session, keys: Keys, assessment_id: str, now: datetime) -> Kept | None:
    """The one an enquiry or a later check points at, if its time isn't over. Raises CannotDecrypt."""
    row = session.scalar(select(Assessment).where(Assessment.id == assessment_id, _in_time(now)))
    return opened(keys, row) if row else None


def opened(keys: Keys, row: Assessment) -> Kept:
    """Raises CannotDecrypt."""
    answers, result = (json.loads(row.open(keys, column)) for column in ("answers", "result"))
    return Kept(row.id, row.version, answers, result, row.previous_id, row.created_at, row.retain_until)


def attach(session: Session, keys: Keys, token: str, now: datetime) -> str | None:
    """It belongs to an enquiry from now on, and is kept as long. Its id, or None where no token is kept like this."""
    found = session.scalar(select(Assessment.id).where(_of_token(keys, token), _in_time(now)))
    mine = update(Assessment).where(Assessment.id == found).values(retain_until=None)
    stays = cast("CursorResult[Any]", session.execute(mine)).rowcount  # it may be deleted at this moment
    return found if stays else None


def delete_assessments(session: Session, ids: Collection[str]) -> None:
    """Delete those of enquiries that are deleted."""
    session.execute(delete(Assessment).where(Assessment.id.in_(ids)))


def delete_due(session: Session, now: datetime, most: int = MOST) -> bool:
    """Delete those that nobody attached in time, and of more than there is room for the oldest: as many as a short
    transaction can; False where none was left."""
    alone = Assessment.retain_until.is_not(None)
    number = session.scalar(select(func.count()).select_from(Assessment).where(alone)) or 0
    too_many = max(number - most, 0)
    over = alone if too_many else Assessment.retain_until < now
    oldest = select(Assessment.id).where(over).order_by(Assessment.retain_until)
    due = delete(Assessment).where(Assessment.id.in_(oldest.limit(min(too_many or _AT_ONCE, _AT_ONCE))))
    gone = cast("CursorResult[Any]", session.execute(due.where(over)))  # it may be attached at this moment
    return gone.rowcount > 0


def _of_token(keys: Keys, token: str) -> ColumnElement[bool]:
    return Assessment.token_hash == _hash(keys, token)


def _in_time(now: datetime) -> ColumnElement[bool]:
    return or_(Assessment.retain_until.is_(None), Assessment.retain_until >= now)


def _hash(keys: Keys, token: str) -> bytes:
    """By the key that never changes: nobody could make it anew, for the token is kept nowhere."""
    return keys.keyed_hash("assessment", token)[:16]
