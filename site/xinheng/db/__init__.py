"""The two databases: `leads` for what must never be lost, `counters` for what may lose a second.

Without a setting they are two SQLite files; with DATABASE_URL their tables lie in one PostgreSQL database. What differs
between the two stays in this package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Insert, insert
from sqlalchemy.dialects import postgresql as _postgresql
from sqlalchemy.dialects import sqlite as _sqlite
from sqlalchemy.orm import DeclarativeBase, Session

from xinheng.db.base import (
    CountersBase,
    Database,
    DatabaseBusy,
    Databases,
    DatabaseUnsafe,
    LeadsBase,
    Moment,
)
from xinheng.db.planning import unindexed
from xinheng.db.sqlite import SqliteDatabase

__all__ = [
    "CountersBase",
    "Database",
    "DatabaseBusy",
    "DatabaseUnsafe",
    "Databases",
    "LeadsBase",
    "Moment",
    "insert_into",
    "insert_row",
    "insert_rows",
    "open_databases",
    "unindexed",
]


def open_databases(folder: Path, url: str = "") -> Databases:
    """The databases at a PostgreSQL address, or else the two files below `folder`. Nothing is made or connected yet."""
    if url:
        from xinheng.db.postgres import PostgresDatabase  # its driver is slow to load

        return Databases(leads=PostgresDatabase(url, "leads"), counters=PostgresDatabase(url, "counters"))
    return Databases(
        leads=SqliteDatabase(folder / "leads.db", synchronous="FULL"),
        counters=SqliteDatabase(folder / "counters.db", synchronous="NORMAL"),
    )


def insert_into(session: Session, table: type[DeclarativeBase]) -> _sqlite.Insert | _postgresql.Insert:
    """An INSERT of the session's database that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    postgres = session.get_bind().dialect.name == "postgresql"
    return _postgresql.insert(table) if postgres else _sqlite.insert(table)


@lru_cache
def _insert(table: type[DeclarativeBase]) -> Insert:
    return insert(table.__table__)  # type: ignore[arg-type]


def insert_rows(session: Session, table: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> None:
    """Store new rows at once, past the session's unit of work, which costs several times as much. All name the same
    columns; the others take their defaults."""
    if rows:
        session.connection().execute(_insert(table), rows)


def insert_row(session: Session, row: DeclarativeBase) -> None:
    """The same for one row as an object. The session doesn't know it afterwards, and the defaults of columns that it
    leaves out are in the database only."""
    given = vars(row)
    columns = row.__table__.columns
    values = {each.key: given.get(each.key) for each in columns if each.key in given or each.default is None}
    insert_rows(session, type(row), [values])
