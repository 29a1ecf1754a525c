"""Seal everything with the newest key, in batches, each its own transaction: broken off anywhere, it goes on.

Which rows are done stands in the rows themselves: a sealed field tells the number of its key. The blind indexes of a row
change in the same statement as its sealed phone and name, so that a row is never half changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, func, select, tuple_, update

from xinheng.assessments import Assessment
from xinheng.crypto import CannotDecrypt, Keys
from xinheng.db import Database, LeadsBase
from xinheng.leads.exports import Export
from xinheng.leads.images import indexes_of, number_indexes_of
from xinheng.leads.merges import LeadPhone, Merge
from xinheng.leads.models import Draft, Enquiry, Lead, LeadEvent
from xinheng.leads.phone_index import typed_phone_index
from xinheng.privacy.models import PrivacyRequest

BATCH = 200  # rows of a transaction: some tens of milliseconds
Progress = Callable[[int, int], None]
"""Told how many rows are done, and of how many."""

Opened = Mapping[str, str]
"""The columns of a row that could be opened, in clear."""


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table with sealed columns. `indexes` gives the blind indexes of a row whose columns are opened."""

    table: Table
    columns: Sequence[str]
    indexes: Callable[[Keys, Opened], Mapping[str, bytes | None]] = lambda keys, opened: {}

    @property
    def key(self) -> Sequence[Any]:
        return list(self.table.primary_key.columns)

    def place(self, row: Row[Any], column: str) -> str:
        """What a sealed column is bound to."""
        return ":".join([self.table.name, column, *(str(row._mapping[each]) for each in self.key)])


def _phone_index(keys: Keys, opened: Opened) -> Mapping[str, bytes | None]:
    return {"phone_index": keys.blind_index("phone", opened["phone"])} if "phone" in opened else {}


def _typed_index(keys: Keys, opened: Opened) -> Mapping[str, bytes | None]:
    return {"phone_index": typed_phone_index(keys, opened["phone"])} if "phone" in opened else {}


def _sealed(model: type[LeadsBase], columns: Sequence[str], **more: Any) -> SealedTable:
    return SealedTable(LeadsBase.metadata.tables[model.__tablename__], columns, **more)


SEALED: Sequence[SealedTable] = (
    _sealed(Lead, ["name", "phone", "extension", "company", "next_step"], indexes=indexes_of),
    _sealed(LeadPhone, ["phone", "extension"], indexes=number_indexes_of),
    _sealed(Merge, ["image"]),
    _sealed(Enquiry, ["name", "phone", "details", "extra"], indexes=_typed_index),
    _sealed(LeadEvent, ["note"]),
    _sealed(Draft, ["text"]),
    _sealed(Assessment, ["answers", "result"]),
    _sealed(Export, ["reason"]),
    _sealed(PrivacyRequest, ["phone", "reference", "words", "answer"], indexes=_phone_index),
)
"""Every sealed column of the database. A new one is added here: a test compares this list with the tables."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """`unreadable` rows open with no key that is here: they stay as they are."""

    rows: int
    unreadable: int


def reseal(database: Database, keys: Keys, progress: Progress = lambda done, total: None) -> Resealed:
    """Seal anew what an older key sealed. Raises DatabaseBusy."""
    total, done, changed, unreadable = _total(database), 0, 0, 0
    for sealed in SEALED:
        last: Sequence[Any] | None = None
        while rows := _batch(database, sealed, last):
            last = [rows[-1]._mapping[each] for each in sealed.key]
            values = [(row, *_renewed(sealed, keys, row)) for row in rows]
            _write(database, sealed, [(row, new) for row, new, _ in values if new])
            changed += sum(bool(new) for _, new, _ in values)
            unreadable += sum(broken for _, _, broken in values)
            done += len(rows)
            progress(done, total)
    return Resealed(changed, unreadable)


def outdated(database: Database, keys: Keys) -> int:
    """How many rows an older key that is here still opens."""
    number = 0
    for sealed in SEALED:
        last: Sequence[Any] | None = None
        while rows := _batch(database, sealed, last):
            last = [rows[-1]._mapping[each] for each in sealed.key]
            number += sum(bool(_renewed(sealed, keys, row)[0]) for row in rows)
    return number


def _batch(database: Database, sealed: SealedTable, after: Sequence[Any] | None) -> Sequence[Row[Any]]:
    query = select(*sealed.key, *(sealed.table.c[each] for each in sealed.columns))
    if after is not None:
        query = query.where(tuple_(*sealed.key) > tuple_(*after))
    with database.reading() as session:
        return session.execute(query.order_by(*sealed.key).limit(BATCH)).all()


def _renewed(sealed: SealedTable, keys: Keys, row: Row[Any]) -> tuple[Mapping[str, Any], bool]:
    """The columns of a row as the newest key seals them, if it needs that; and whether something in it won't open."""
    held = {each: row._mapping[sealed.table.c[each]] for each in sealed.columns}
    if not any(each and keys.is_outdated(each) for each in held.values()):
        return {}, False
    opened: dict[str, str] = {}
    for name, value in held.items():
        if not value:
            continue
        try:
            opened[name] = keys.open(value, sealed.place(row, name))
        except CannotDecrypt:
            continue
    new = {name: keys.seal(text, sealed.place(row, name)) for name, text in opened.items()}
    broken = len(opened) < sum(bool(value) for value in held.values())
    return (new | dict(sealed.indexes(keys, opened)) if new else {}), broken


def _write(
    database: Database, sealed: SealedTable, rows: Sequence[tuple[Row[Any], Mapping[str, Any]]]
) -> None:
    if not rows:
        return
    with database.writing() as session:
        for row, new in rows:
            mine = [each == row._mapping[each] for each in sealed.key]
            session.execute(update(sealed.table).where(*mine).values(**new))


def _total(database: Database) -> int:
    with database.reading() as session:
        return sum(session.scalar(select(func.count()).select_from(each.table)) or 0 for each in SEALED)
