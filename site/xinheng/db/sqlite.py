"""A database in one SQLite file.

SQLite has one writer at a time and its own waiting starves threads, so every writing transaction takes one lock of
the machine (a thread lock and an advisory file lock) and starts with BEGIN IMMEDIATE.
"""

from __future__ import annotations

import fcntl
import os
import random
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

from xinheng.db.base import Database, DatabaseBusy, DatabaseUnsafe

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
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, within: float = 5.0, over: Iterable[bytes] = ()) -> Iterator[Session]:
        """The lock of the machine covers whatever `over` names."""
        with (
            self.lock.held(within),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        folder = self.file.parent
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # whatever the umask: databases are for their owner only
        with self.file.with_name("migrate.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with self.engine.begin() as connection:
                yield connection

    def in_use(self) -> bool:
        return self.file.exists()


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
