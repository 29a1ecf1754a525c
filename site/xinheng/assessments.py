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
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.crypto import Keys, new_row_id
from xinheng.db import LeadsBase, Moment
from xinheng.form_versions import FormVersion
from xinheng.sealed import Sealed

KEPT = timedelta(days=180)
"""How long a result that nobody attached to an enquiry can be opened again."""

_TOKEN_BYTES = 16

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
    """A finished health check, opened. `result` is what the rules said on that day, as JSON has it."""

    id: str
    version: str
    answers: Answers
    result: Mapping[str, Any]
    previous_id: str | None
    created_at: datetime


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


def find(session: Session, keys: Keys, token: str) -> Kept | None:
    """The one a token is of, if it is kept still. Raises CannotDecrypt."""
    row = session.scalar(select(Assessment).where(Assessment.token_hash == _hash(keys, token)))
    return opened(keys, row) if row else None


def opened(keys: Keys, row: Assessment) -> Kept:
    """Raises CannotDecrypt."""
    answers, result = (json.loads(row.open(keys, column)) for column in ("answers", "result"))
    return Kept(row.id, row.version, answers, result, row.previous_id, row.created_at)


def attach(session: Session, assessment_id: str) -> None:
    """It belongs to an enquiry from now on, and is kept as long."""
    session.execute(update(Assessment).where(Assessment.id == assessment_id).values(retain_until=None))


def delete_assessments(session: Session, ids: Collection[str]) -> None:
    """Delete those of enquiries that are deleted."""
    session.execute(delete(Assessment).where(Assessment.id.in_(ids)))


def delete_due(session: Session, now: datetime) -> None:
    """Delete those that nobody attached in time."""
    session.execute(delete(Assessment).where(Assessment.retain_until < now))


def _hash(keys: Keys, token: str) -> bytes:
    """By the key that never changes: nobody could make it anew, for the token is kept nowhere."""
    return keys.keyed_hash("assessment", token)[:16]
