"""A database on PostgreSQL. Writers run side by side; those that decide on the same thing wait for each other.

Every wait has an end: for a connection, for a lock (`within`), for a statement, and, where the server says nothing at
all, for its answer. Past it the database is busy, as it is while the server is away.
"""

from __future__ import annotations

import hashlib
import math
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, cast

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from xinheng.db.base import Database, DatabaseBusy, DatabaseUnsafe
from xinheng.db.silence import BoundedConnection, ServerSilent, Silence

STATEMENT = 30  # seconds one statement may take
USUAL = 5.0  # seconds a writing transaction waits for its turn, where nothing else is said
HURRIED = 3  # seconds one statement may take where less than the usual is waited: a visitor waits there
GRACE = 1.0  # seconds after which a server that should have ended a statement itself is taken for silent
LOCK = 5  # seconds a statement outside `writing` waits for a lock
FORGOTTEN = 60  # seconds after which the server ends a transaction whose worker went silent
# `remote_apply` waits for a standby besides: an administrator's stronger choice
_DURABLE = {"on", "remote_apply"}
_CONNECTING = {
    "connect_timeout": 2,
    "application_name": "xinheng",
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,  # milliseconds after which a server that fell silent is given up
}
ALIVE = 2.0  # seconds in which a server that lives answers what costs it nothing
_FRESH = 1.0  # seconds after its last answer in which a connection is taken for alive
_KEPT = 8  # connections of a worker: one a thread
_SPARE = 4  # for the thread that flushes reads, and for a session inside another


class PostgresDatabase(Database):
    """One of the two databases; both have their tables in one PostgreSQL database."""

    def __init__(self, url: str, part: Literal["leads", "counters"]) -> None:
        place = make_url(url)
        host = place.host or place.query.get("host") or "localhost"
        self.name = f"PostgreSQL {place.database} @ {host} ({part})"
        self._silence = Silence()
        self.engine = _engine(url, self._silence, durable=part == "leads")
        self._part = part
        # one that is let go, as by an application that could not start, leaves no connection open; a process that ends
        # may be the fork of one that goes on: it leaves them alone
        weakref.finalize(self, self.engine.dispose).atexit = False
        self._reader = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._asker = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writer = self.engine.execution_options(isolation_level="READ COMMITTED")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self._told_as_busy(), Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def asking(self) -> Iterator[Session]:
        with self._told_as_busy(), Session(self._asker, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, within: float = USUAL, over: Iterable[bytes] = ()) -> Iterator[Session]:
        with (
            self._told_as_busy(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            _take_turn(session.connection(), within, over)
            yield session

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        with self._told_as_busy(), self._asker.connect() as connection:
            yield connection

    @contextmanager
    def changing(self, within: float = USUAL, over: Iterable[bytes] = ()) -> Iterator[Connection]:
        with self._told_as_busy(), self._writer.begin() as connection:
            _take_turn(connection, within, over)
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        with self._told_as_busy(), self._writer.begin() as connection:
            _bounded(connection).answer_within = math.inf
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_number(b'migrations')})")
            yield connection

    def empty_log(self) -> bool:
        return True

    def in_use(self) -> bool:
        with self.reading() as session:
            return session.scalar(select(func.to_regclass(f"alembic_version_{self._part}"))) is not None

    def careless_settings(self) -> Sequence[str]:
        with self.reading() as session:
            names = "fsync", "full_page_writes"
            return [name for name in names if session.scalar(func.current_setting(name)) != "on"]

    @contextmanager
    def _told_as_busy(self) -> Iterator[None]:
        """Whatever the server can't do now and can later: an operational error in its own words."""
        try:
            with self._silence.one_at_a_time():
                yield
        except PoolExhausted as fault:
            raise DatabaseBusy(f"{self.name}：连接都在使用中") from fault
        except OperationalError as fault:
            self._silence.judge(fault.orig)
            raise DatabaseBusy(f"{self.name}：{_reason(fault.orig)}") from fault


def _take_turn(connection: Connection, within: float, over: Iterable[bytes]) -> None:
    """Wait for what `over` names, `within` seconds at most, and bound all that this transaction waits for later."""
    statement = STATEMENT if within >= USUAL else HURRIED
    _bounded(connection).answer_within = within + GRACE
    connection.exec_driver_sql(_turn(within, over, statement))
    _bounded(connection).answer_within = statement + GRACE


def _turn(within: float, over: Iterable[bytes], statement: int) -> str:
    """The statements a writing transaction starts with, sent as one: waiting ends after `within` seconds for all locks
    together, and for each row lock later; a `statement` after so many. Numbers only, so that nothing has to be quoted."""
    wait = max(round(within * 1000), 1)  # zero would be for ever
    numbers = sorted({_number(name) for name in over})  # in one order everywhere: no two wait for each other
    limits = f"SET LOCAL lock_timeout = {wait}"
    afterwards = f"SET LOCAL statement_timeout = '{statement}s'"
    if not numbers:
        return f"{limits}; {afterwards}"
    locks = f"SELECT pg_advisory_xact_lock(n) FROM unnest(ARRAY{numbers}::bigint[]) AS n"  # noqa: S608
    together = f"SET LOCAL statement_timeout = {wait}"
    return f"{limits}; {together}; {locks}; {afterwards}"


def _reason(fault: BaseException | None) -> str:
    """The first line the server or the driver says, without the details, which may hold values."""
    told = fault.diag.message_primary if isinstance(fault, psycopg.Error) else None
    return told or str(fault).partition("\n")[0]


def _number(name: bytes) -> int:
    """A name as an advisory lock's number: signed, 64 bits."""
    return int.from_bytes(hashlib.blake2b(name, digest_size=8, person=b"xinheng").digest(), signed=True)


def _bounded(connection: Connection) -> BoundedConnection:
    return cast("BoundedConnection", connection.connection.driver_connection)


def _engine(url: str, silence: Silence, *, durable: bool) -> Engine:
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        connect_args=_CONNECTING,
        pool_size=_KEPT,
        max_overflow=_SPARE,
        pool_timeout=2,
        hide_parameters=True,  # an error's message must not carry what a visitor typed into the log
    )

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: object, _record: object, place: Any, options: Any) -> BoundedConnection:
        return BoundedConnection.connect(*place, **options)

    @event.listens_for(engine, "connect")
    def _begin(connection: BoundedConnection, _record: object) -> None:
        connection.answer_within = ALIVE
        _settle(connection, durable=durable)
        connection.answer_within = STATEMENT + GRACE
        silence.ended()

    @event.listens_for(engine, "checkin")
    def _left(connection: BoundedConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["left_at"] = time.monotonic()
        if connection is not None:
            connection.answer_within = STATEMENT + GRACE

    @event.listens_for(engine, "checkout")
    def _still_there(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        """A server that was restarted is met again without an error; one that answered just now isn't asked."""
        if time.monotonic() - record.info.get("left_at", -math.inf) < _FRESH:
            return
        connection.answer_within = ALIVE
        try:
            engine.dialect.do_ping(connection)
        except ServerSilent:
            raise  # a new connection would be waited for in vain as well
        except psycopg.Error as fault:
            raise DisconnectionError from fault
        connection.answer_within = STATEMENT + GRACE
        silence.ended()

    return engine


def _settle(connection: BoundedConnection, *, durable: bool) -> None:
    """What holds for all transactions of a new connection. Raises DatabaseUnsafe."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseUnsafe(f"数据库的编码是 {encoding}，应为 UTF8：请用 ENCODING 'UTF8' 重新建库")
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        (found,) = cursor.fetchone() or ("",)
        if not durable or found not in _DURABLE:
            found = "on" if durable else "off"
        cursor.execute(
            f"SET synchronous_commit = {found}; SET TIME ZONE 'UTC'; SET lock_timeout = '{LOCK}s';"
            f"SET statement_timeout = '{STATEMENT}s';"
            f"SET idle_in_transaction_session_timeout = '{FORGOTTEN}s'"
        )
        taken = cursor.execute("SHOW synchronous_commit").fetchone()
        if durable and taken != (found,):
            raise DatabaseUnsafe(f"synchronous_commit is {taken}, expected {found}")
    connection.commit()
