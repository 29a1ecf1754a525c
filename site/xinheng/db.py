"""The two databases: `leads` for what must never be lost, `counters` for what may lose a second.

SQLite has one writer at a time and its own waiting starves threads, so every writing transaction takes one lock of
the machine (a thread lock and an advisory file lock) and starts with BEGIN IMMEDIATE.
"""

from __future__ import annotations

import fcntl
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, TypeDecorator, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session

_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
_SYNCHRONOUS = {"NORMAL": 1, "FULL": 2}


class LeadsBase(DeclarativeBase):
    """Tables of the leads database."""

    metadata = MetaData(naming_convention=_NAMES)


class CountersBase(DeclarativeBase):
    """Tables of the counters database."""

    metadata = MetaData(naming_convention=_NAMES)


class DatabaseBusy(Exception):
    """The writer's turn did not come in time."""


class DatabaseUnsafe(RuntimeError):
    """The database would not keep what it acknowledges: a pragma did not take. Stops the start."""


class Moment(TypeDecorator[datetime]):
    """An instant with its zone; stored as UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Database:
    """One SQLite file: short reading sessions, and writing sessions under the machine's lock."""

    def __init__(self, file: Path, *, synchronous: Literal["FULL", "NORMAL"]) -> None:
        self.file = file
        self.synchronous = synchronous
        self.lock = WriterLock(file.with_suffix(".lock"))
        self.engine = _engine(file, synchronous)
        self._writer = self.engine.execution_options(begin="IMMEDIATE")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and writes nothing."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, within: float = 5.0) -> Iterator[Session]:
        """A transaction, committed at the end. Raises DatabaseBusy where its turn takes over `within` seconds."""
        with (
            self.lock.held(within),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def dispose(self) -> None:
        self.engine.dispose()


@dataclass(frozen=True, slots=True)
class Databases:
    leads: Database
    counters: Database

    def dispose(self) -> None:
        self.leads.dispose()
        self.counters.dispose()


def open_databases(folder: Path) -> Databases:
    """The databases below `folder`; files appear with the first migration."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # whatever the umask: databases are for their owner only
    return Databases(
        leads=Database(folder / "leads.db", synchronous="FULL"),
        counters=Database(folder / "counters.db", synchronous="NORMAL"),
    )


class WriterLock:
    """One writer on this machine: threads wait for a thread lock, processes for an advisory lock on a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._threads = threading.Lock()

    @contextmanager
    def held(self, within: float) -> Iterator[None]:
        """Hold the lock for the block. Raises DatabaseBusy after `within` seconds of waiting."""
        deadline = time.monotonic() + within
        if not self._threads.acquire(timeout=max(within, 0)):
            raise DatabaseBusy(self._file.name)
        try:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _take(descriptor, deadline, self._file.name)
                yield
            finally:
                os.close(descriptor)  # closing releases the lock, as does the end of the process
        finally:
            self._threads.release()


def _take(descriptor: int, deadline: float, name: str) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise DatabaseBusy(name) from None
            time.sleep(random.uniform(0.001, 0.004))  # noqa: S311 (spreads the waiters, guards nothing)


def _engine(file: Path, synchronous: str) -> Engine:
    engine = create_engine(
        f"sqlite:///{file}",
        connect_args={"timeout": 2.0, "check_same_thread": False},
        hide_parameters=True,  # an error's message must not carry what a visitor typed into the log
    )

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver starts no transaction of its own
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        for pragma, value in (("synchronous", synchronous), ("foreign_keys", "ON"), ("secure_delete", "ON")):
            cursor.execute(f"PRAGMA {pragma}={value}")
        found = cursor.execute("PRAGMA synchronous").fetchone()[0]
        if found != _SYNCHRONOUS[synchronous]:
            raise DatabaseUnsafe(f"{file.name}: synchronous is {found}, expected {synchronous}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', '')}")

    return engine
