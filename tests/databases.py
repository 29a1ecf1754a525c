"""What tests do to a database from outside, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sqlalchemy import MetaData, text
from sqlalchemy.orm import Session

from xinheng.articles.reads import ReadCount
from xinheng.db import Database, Databases
from xinheng.db.sqlite import SqliteDatabase
from xinheng.week_counts import Origin, WeekTally
from xinheng.weeks import week_of


def address(databases: Databases) -> str:
    """As in DATABASE_URL, for another process; empty for SQLite."""
    if isinstance(databases.leads, SqliteDatabase):
        return ""
    return databases.leads.engine.url.render_as_string(hide_password=False)


def refuse_inserts(database: Database, table: str) -> None:
    """From now on a row for this table is an error, in the middle of whatever transaction it belongs to."""
    with database.writing() as session:
        if isinstance(database, SqliteDatabase):
            statements = [
                f"CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END"
            ]
        else:
            statements = [
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
                f"CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()",
            ]
        for statement in statements:
            session.execute(text(statement))


def put_reads(session: Session, article: str, day: date, reads: int) -> None:
    """As if an article had been read, by people who came from a search."""
    session.add(ReadCount(article=article, day=day, source="search", reads=reads))
    week = WeekTally()
    week.add("reads", week_of(day), Origin("search", article), reads)
    week.add_to(session.connection())


def allow_inserts(database: Database, table: str) -> None:
    with database.writing() as session:
        session.execute(
            text(
                "DROP TRIGGER broken"
                if isinstance(database, SqliteDatabase)
                else f"DROP TRIGGER broken ON {table}; DROP FUNCTION refuse()"
            )
        )


@contextmanager
def a_writer_elsewhere(database: Database, *tables: str) -> Iterator[None]:
    """Another program holds the writer's turn; on PostgreSQL it is writing to these tables. Readers pass."""
    if isinstance(database, SqliteDatabase):
        descriptor = os.open(database.file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(descriptor)
        return
    with database.engine.connect() as connection:
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE")
        yield
        connection.rollback()


def raw_bytes(databases: Databases, folder: Path) -> bytes:
    """All that the databases hold: the files of SQLite, or every table as PostgreSQL keeps it."""
    if isinstance(databases.leads, SqliteDatabase):
        return b"".join(file.read_bytes() for file in sorted(folder.glob("*.db*")))
    found = b""
    with databases.leads.engine.connect() as connection:
        held = MetaData()
        held.reflect(connection)
        driver = connection.connection.driver_connection
        assert held.tables
        assert driver
        for table in held.tables:
            with driver.cursor().copy(f'COPY "{table}" TO STDOUT (FORMAT binary)') as rows:
                found += b"".join(bytes(row) for row in rows)
    return found
