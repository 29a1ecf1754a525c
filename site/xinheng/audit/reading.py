"""Read the audit: by who, what, about whom and when, newest first; and who was at a lead a moment ago."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from xinheng.audit.models import Action, AuditRow
from xinheng.settings import SHANGHAI

PAGE = 50
MOST_RECENT = 200
_SLACK = timedelta(minutes=10)
"""How far rows may lie out of the order of time: each carries the time its request began."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: empty means any. Days are Shanghai's, the last one included."""

    actor: str | None = None
    action: Action | None = None
    subject_id: str = ""
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row, to be shown."""

    id: int
    at: datetime
    actor: str
    action: Action
    subject_kind: str
    subject_id: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows newest first; `older` and `newer` are the ids to go on from, None at either end."""

    entries: Sequence[Entry]
    older: int | None
    newer: int | None


_COLUMNS = (
    AuditRow.id,
    AuditRow.at,
    AuditRow.actor,
    AuditRow.action,
    AuditRow.subject_kind,
    AuditRow.subject_id,
    AuditRow.detail,
)


def read_page(
    session: Session,
    wanted: Wanted,
    *,
    before: int | None = None,
    after: int | None = None,
    most: int = PAGE,
) -> Page:
    """The newest rows, those older than row `before`, or those next newer than row `after`."""
    query = select(*_COLUMNS).where(*_conditions(session, wanted)).limit(most + 1)
    if after is not None:
        rows = session.execute(query.where(AuditRow.id > after).order_by(AuditRow.id)).all()
        shown = [_entry(row) for row in reversed(rows[:most])]
        return Page(shown, *_ends(shown, has_older=True, has_newer=len(rows) > most))
    if before is not None:
        query = query.where(AuditRow.id < before)
    rows = session.execute(query.order_by(AuditRow.id.desc())).all()
    shown = [_entry(row) for row in rows[:most]]
    return Page(shown, *_ends(shown, has_older=len(rows) > most, has_newer=before is not None))


def recent(session: Session, subject_id: str, actions: Iterable[Action], since: datetime) -> list[Entry]:
    """What was done to one subject since a moment, newest first: who looks at the same lead now."""
    query = (
        select(*_COLUMNS)
        .where(AuditRow.subject_id == subject_id, AuditRow.action.in_(tuple(actions)), AuditRow.at >= since)
        .order_by(AuditRow.id.desc())
        .limit(MOST_RECENT)
    )
    return [_entry(row) for row in session.execute(query)]


def revealed_since(session: Session, actor: str, lead_id: str, since: datetime) -> bool:
    """Whether this member of staff was shown the lead's number since a moment."""
    query = select(AuditRow.id).where(
        AuditRow.subject_id == lead_id,
        AuditRow.actor == actor,
        AuditRow.action == "reveal",
        AuditRow.at >= since,
    )
    return session.execute(query.limit(1)).first() is not None


def _conditions(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.actor is not None:
        found.append(AuditRow.actor == wanted.actor)
    if wanted.action is not None:
        found.append(AuditRow.action == wanted.action)
    if wanted.subject_id:
        found.append(AuditRow.subject_id == wanted.subject_id)
    if wanted.first_day is not None:
        found += _since(session, _midnight(wanted.first_day))
    if wanted.last_day is not None:
        found += _until(session, _midnight(wanted.last_day + timedelta(days=1)))
    return found


def _since(session: Session, moment: datetime) -> list[ColumnElement[bool]]:
    """The time exactly, and a bound on ids, so that a page found by id doesn't walk through other years."""
    too_early = AuditRow.at < moment - _SLACK
    newest_first = (AuditRow.at.desc(), AuditRow.id.desc())
    below = session.scalar(select(AuditRow.id).where(too_early).order_by(*newest_first).limit(1))
    return [AuditRow.at >= moment] + ([AuditRow.id > below] if below is not None else [])


def _until(session: Session, moment: datetime) -> list[ColumnElement[bool]]:
    too_late = AuditRow.at >= moment + _SLACK
    above = session.scalar(select(AuditRow.id).where(too_late).order_by(AuditRow.at, AuditRow.id).limit(1))
    return [AuditRow.at < moment] + ([AuditRow.id < above] if above is not None else [])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _ends(shown: Sequence[Entry], *, has_older: bool, has_newer: bool) -> tuple[int | None, int | None]:
    if not shown:
        return None, None
    return (shown[-1].id if has_older else None), (shown[0].id if has_newer else None)


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.id, row.at, row.actor, row.action, row.subject_kind, row.subject_id, row.detail)
