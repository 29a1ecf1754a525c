"""Walk the audit from its first row and name what was changed, taken away or put in.

Each row is checked against the chain that is stored before it, so that a changed row doesn't cast doubt on all that
follow. What can't be seen from inside is an end cut off together with a head rewritten to match: a head that was
noted elsewhere shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from xinheng.audit.log import chained
from xinheng.audit.models import HEAD, AuditHead, AuditRow
from xinheng.audit.report import Break, NotedHead, Report, What
from xinheng.crypto import Keys
from xinheng.db import Database

BATCH = 5_000  # rows read at once
MOST_BREAKS = 1_000  # ranges that a report lists; the rest is counted

_UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError, OperationalError)
"""What reading a row raises whose columns hold something else than they are for."""

_COLUMNS = (
    AuditRow.id,
    AuditRow.at,
    AuditRow.actor,
    AuditRow.action,
    AuditRow.subject_kind,
    AuditRow.subject_id,
    AuditRow.detail,
    AuditRow.chain,
)
_Found = tuple[int, Row[Any] | None]

Progress = Callable[[int, int], None]
"""Told how many rows are done, and of how many."""


@dataclass(frozen=True, slots=True)
class _Extent:
    """The ends of the record in one state of the database."""

    head: tuple[int, bytes] | None
    lowest: int
    highest: int
    first_beyond: int | None

    @property
    def end(self) -> int:
        return self.head[0] if self.head is not None else self.highest


@dataclass(slots=True)
class _Walk:
    """Where the walk is. `stored` is the chain of the row before, `rebuilt` what it would be from its words.

    A row is right if it follows either: so an altered chain is told from the innocent row after it. Both are None
    where the row before is missing.
    """

    keys: Keys
    next_id: int
    stored: bytes | None
    rebuilt: bytes | None
    rows: int = 0
    right: int = 0
    last_was_right: bool = True
    breaks: list[Break] = field(default_factory=list)
    unlisted: int = 0

    def step(self, row_id: int, row: Row[Any] | None) -> None:
        """Take the next row; None where its columns don't read as what they are for."""
        if row_id > self.next_id:
            self.add("missing", self.next_id, row_id - 1)
            self.stored = self.rebuilt = None
            self.last_was_right = False
        self.next_id = row_id + 1
        self.rows += 1
        if row is not None and isinstance(row.chain, bytes):
            self._compare(row)
        else:
            self._wrong(row_id, None, None)

    def add(self, what: What, first: int = 0, last: int = 0) -> None:
        """Note a break; neighbours of one kind become one."""
        latest = self.breaks[-1] if self.breaks else None
        if latest and first and latest.what == what and latest.last == first - 1:
            self.breaks[-1] = Break(what, latest.first, last)
        elif len(self.breaks) < MOST_BREAKS:
            self.breaks.append(Break(what, first, last))
        else:
            self.unlisted += 1

    def _compare(self, row: Row[Any]) -> None:
        follows = [chained(self.keys, each, row._mapping) for each in self._before()]
        if row.chain in follows:
            self.stored = self.rebuilt = row.chain
            self.right += 1
            self.last_was_right = True
        else:
            self._wrong(row.id, row.chain, follows[-1] if follows else None)

    def _before(self) -> list[bytes]:
        found = [each for each in (self.stored, self.rebuilt) if each is not None]
        return found[:1] if self.stored == self.rebuilt else found

    def _wrong(self, row_id: int, stored: bytes | None, rebuilt: bytes | None) -> None:
        self.add("changed" if self.last_was_right else "unproved", row_id, row_id)
        self.stored, self.rebuilt = stored, rebuilt
        self.last_was_right = False


def verify(
    database: Database,
    keys: Keys,
    progress: Progress = lambda done, total: None,
    *,
    newest: int | None = None,
    noted: NotedHead | None = None,
) -> Report:
    """Check all rows, or the `newest`, and compare with a noted head. Holds one batch of rows at a time."""
    with database.reading() as session:
        extent = _extent(session)
        since = 1 if newest is None else max(1, extent.end - newest + 1)
        before = b"" if since == 1 else _chain_of(session, since - 1)
        as_noted = noted is None or _is_as_noted(session, noted)
    walk, total = _Walk(keys, since, before, before), extent.end - since + 1
    if extent.lowest < 1:
        walk.add("inserted", extent.lowest, min(extent.highest, 0))
    for row_id, row in _rows(database, since, extent.end):
        walk.step(row_id, row)
        if walk.rows % BATCH == 0:
            progress(walk.rows, total)
    _judge_whole(walk)
    _judge_end(walk, extent)
    if noted is not None and not as_noted:
        walk.add("not_as_noted", noted.id, noted.id)
    progress(total, total)
    head = NotedHead.of(*extent.head) if extent.head is not None else None
    return Report(walk.rows, since, head, tuple(walk.breaks), walk.unlisted)


def _extent(session: Session) -> _Extent:
    head = _head(session)
    lowest, highest = session.execute(select(func.min(AuditRow.id), func.max(AuditRow.id))).one()
    beyond = None
    if head is not None:
        beyond = session.scalar(select(func.min(AuditRow.id)).where(AuditRow.id > max(head[0], 0)))
    return _Extent(head, 1 if lowest is None else lowest, highest or 0, beyond)


def present_head(session: Session) -> NotedHead:
    """Where the record ends now, to be noted elsewhere; without a head, as of an empty record."""
    head = _head(session)
    return NotedHead.of(*head) if head else NotedHead(0, "")


def _head(session: Session) -> tuple[int, bytes] | None:
    """The head row; None where it is gone or unreadable."""
    try:
        found = session.execute(
            select(AuditHead.last_id, AuditHead.chain).where(AuditHead.id == HEAD)
        ).first()
    except _UNREADABLE:
        _still_answers(session)
        return None
    readable = found and isinstance(found.last_id, int) and isinstance(found.chain, bytes)
    return (found.last_id, found.chain) if found and readable else None


def _chain_of(session: Session, row_id: int) -> bytes | None:
    try:
        chain = session.scalar(select(AuditRow.chain).where(AuditRow.id == row_id))
    except _UNREADABLE:
        _still_answers(session)
        return None
    return chain if isinstance(chain, bytes) else None


def _still_answers(session: Session) -> None:
    """Raises again where it is the database that fails, and not what is in a row."""
    session.scalar(select(func.count()).select_from(AuditHead))


def _is_as_noted(session: Session, noted: NotedHead) -> bool:
    if noted.id == 0:
        return True
    chain = _chain_of(session, noted.id)
    return chain is not None and chain.hex().startswith(noted.chain)


def _rows(database: Database, since: int, end: int) -> Iterator[_Found]:
    """Rows in order, each batch in a short session of its own: rows behind the head never change, unless by hand."""
    while since <= end:
        query = select(*_COLUMNS).where(AuditRow.id >= since, AuditRow.id <= end).order_by(AuditRow.id)
        with database.reading() as session:
            try:
                batch: list[_Found] = [(row.id, row) for row in session.execute(query.limit(BATCH))]
            except _UNREADABLE:
                batch = _one_by_one(session, since, end)
        if not batch:
            return
        yield from batch
        since = batch[-1][0] + 1


def _one_by_one(session: Session, since: int, end: int) -> list[_Found]:
    """A batch with a row that doesn't read as what its columns are for: None stands for such a row."""
    ids = select(AuditRow.id).where(AuditRow.id >= since, AuditRow.id <= end).order_by(AuditRow.id)
    found: list[_Found] = []
    for row_id in session.scalars(ids.limit(BATCH)).all():
        try:
            found.append((row_id, session.execute(select(*_COLUMNS).where(AuditRow.id == row_id)).one()))
        except _UNREADABLE:
            _still_answers(session)
            found.append((row_id, None))
    return found


def _judge_whole(walk: _Walk) -> None:
    """Where not one of several rows fits, the likely cause is the key: say that instead of naming every row."""
    if walk.rows > 1 and walk.right == 0:
        walk.breaks = [each for each in walk.breaks if each.what not in ("changed", "unproved")]
        walk.unlisted = 0
        walk.add("no_row_fits")


def _judge_end(walk: _Walk, extent: _Extent) -> None:
    if extent.head is None:
        walk.add("head_missing")
        return
    if walk.next_id <= extent.end:
        walk.add("cut", walk.next_id, extent.end)
    elif extent.head[1] not in (walk.stored, walk.rebuilt):
        walk.add("head_changed")
    if extent.first_beyond is not None:
        walk.add("inserted", extent.first_beyond, extent.highest)
