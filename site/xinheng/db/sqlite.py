"""A database in one SQLite file.

SQLite has one writer at a time and its own waiting starves threads, so every writing transaction takes one lock of
the machine (a thread lock and an advisory file lock) and starts with BEGIN IMMEDIATE.
"""

from __future__ import annotations

import fcntl
import os
import random
import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from xinheng.db.base import Database, DatabaseBusy, DatabaseUnsafe

_PASSING = re.compile(r"locked|readonly|read-only|disk is full|disk I/O|unable to open")
_SYNCHRONOUS = {"NORMAL": 1, "FULL": 2}


class SqliteDatabase(Database):
    """The file and its folder appear with the first migration."""

    def __init__(self, file: Path, *, synchronous: Literal["FULL", "NORMAL"]) -> None:
        self.file = file
        self.name = str(file)
        self.lock = WriterLock(file.with_suffix(".lock"))
        self.engine = _engine(file, synchronous)
        self._writer = self.engine.execution_options(begin="IMMEDIATE")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self._told_as_busy(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    def asking(self) -> AbstractContextManager[Session]:
        return self.reading()

    @contextmanager
    def writing(self, within: float = 5.0, over: Iterable[bytes] = ()) -> Iterator[Session]:
        """The lock of the machine covers whatever `over` names."""
        with (
            self._told_as_busy(),
            self.lock.held(within),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def _told_as_busy(self) -> Iterator[None]:
        """Locked by another program, read-only, a full disk: what the file can't do now and can later."""
        try:
            yield
        except OperationalError as fault:
            reason = str(fault.orig).partition("\n")[0]
            if not _PASSING.search(reason):
                raise
            raise DatabaseBusy(f"{self.name}：{reason}") from fault

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        folder = self.file.parent
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # whatever the umask: databases are for their owner only
        with self.file.with_name("migrate.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with (
                self.engine.connect() as connection,
                _without_foreign_keys(connection),
                connection.begin(),
            ):
                yield connection
                _check_foreign_keys(connection)

    def empty_log(self) -> bool:
        with self._told_as_busy(), self.lock.held(5.0), closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()  # a checkpoint can't be part of a transaction
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            found = cursor.fetchone()
        return found is not None and not found[0]

    def in_use(self) -> bool:
        return self.file.exists()


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """A table is changed by making it anew and dropping the old one, to which others still point for that moment.
    The pragma does nothing inside a transaction."""
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _check_foreign_keys(connection: Connection) -> None:
    """What points to nothing after a migration must not be committed. Raises DatabaseUnsafe."""
    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise DatabaseUnsafe(f"{broken[0]}: a row points to nothing in {broken[2]}")


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
        if cursor.execute("PRAGMA secure_delete").fetchone()[0] != 1:
            raise DatabaseUnsafe(f"{file.name}: secure_delete is off, so that deleted rows stay readable")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', '')}")

    return engine
