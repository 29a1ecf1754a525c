"""The two databases: `leads` for what must never be lost, `counters` for what may lose a second.

Without a setting they are two SQLite files; with DATABASE_URL their tables lie in one PostgreSQL database. What differs
between the two stays in this package.
"""

from __future__ import annotations

from pathlib import Path

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
    "open_databases",
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
