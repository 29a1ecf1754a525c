"""The outbox as staff look at it: what was given up, and what left when, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xinheng.notices.outbox import Notice

A_PAGE = 50


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some notices, newest first. `older` is the id to read on before, empty at the end."""

    notices: Sequence[Notice]
    older: str


def read_log(session: Session, before: str = "") -> LogPage:
    """One page of all notices; ids lie in the order in which they were made."""
    query = select(Notice).order_by(Notice.id.desc()).limit(A_PAGE + 1)
    if before:
        query = query.where(Notice.id < before)
    found = session.scalars(query).all()
    return LogPage(found[:A_PAGE], found[A_PAGE - 1].id if len(found) > A_PAGE else "")


def failed(session: Session) -> Sequence[Notice]:
    """The newest of those that were given up."""
    query = select(Notice).where(Notice.state == "failed").order_by(Notice.id.desc())
    return session.scalars(query.limit(A_PAGE)).all()


def failed_count(session: Session, notice_id: str = "") -> int:
    """How many notices were given up, or whether this one was."""
    query = select(func.count()).where(Notice.state == "failed")
    return session.scalar(query.where(Notice.id == notice_id) if notice_id else query) or 0
