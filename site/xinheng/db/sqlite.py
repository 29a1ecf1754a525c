"""A database in one SQLite file.

SQLite has one writer at a time and its own waiting starves threads, so every writing transaction takes one lock of
the machine, in the order of arrival, and starts with BEGIN IMMEDIATE.
"""

from __future__ import annotations

import fcntl
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from xinheng.db.base import Database, DatabaseBusy, DatabaseUnsafe
from xinheng.db.writer_lock import WriterLock

BUSY = 2  # seconds SQLite itself waits for programs that don't take our lock
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
        # the same connections, without the event that begins: listening for one costs more than a small statement
        self._plain = create_engine(self.engine.url, pool=self.engine.pool, hide_parameters=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self._told_as_busy(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    def asking(self) -> AbstractContextManager[Session]:
        return self.reading()

    @contextmanager
    def writing(self, within: float = 5.0, over: Iterable[bytes] = ()) -> Iterator[Session]:
        """The lock of the machine covers whatever `over` names; programs that don't know it are waited for too."""
        deadline = time.monotonic() + within
        with (
            self._told_as_busy(),
            self.lock.held(within),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            session.connection(execution_options={"wait": deadline - time.monotonic()})
            yield session

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        with self._told_as_busy(), self._plain.connect() as connection:
            yield connection

    @contextmanager
    def changing(self, within: float = 5.0, over: Iterable[bytes] = ()) -> Iterator[Connection]:
        deadline = time.monotonic() + within
        with self._told_as_busy(), self.lock.held(within), self._plain.begin() as connection:
            _begin_writing(connection, deadline - time.monotonic())
            yield connection

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

    def dispose(self) -> None:
        super().dispose()
        self._plain.pool = self.engine.pool  # a new one


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


def _engine(file: Path, synchronous: str) -> Engine:
    engine = create_engine(
        f"sqlite:///{file}",
        connect_args={"timeout": float(BUSY), "check_same_thread": False},
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
        options = connection.get_execution_options()
        if "begin" in options:
            _begin_writing(connection, options.get("wait", BUSY))
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_writing(connection: Connection, within: float) -> None:
    """Begin with the lock on the file; a program that holds it is waited for so many seconds."""
    wait = max(round(within * 1000), 1)
    connection.exec_driver_sql(f"PRAGMA busy_timeout={wait}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY * 1000}")
