"""What both kinds of database share: the tables' bases, instants, faults, and the two ways to a session."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Session

_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class LeadsBase(DeclarativeBase):
    """Tables of the leads database."""

    metadata = MetaData(naming_convention=_NAMES)


class CountersBase(DeclarativeBase):
    """Tables of the counters database."""

    metadata = MetaData(naming_convention=_NAMES)


class DatabaseBusy(Exception):
    """The database can't be used at this moment: a turn did not come in time, or the server is away."""


class DatabaseUnsafe(RuntimeError):
    """The database would not keep what it acknowledges: a setting did not take. Stops the start."""


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


class Database(ABC):
    """Short reading sessions, and writing sessions that come one after the other where they must.

    `name` tells people which database it is, without a password.
    """

    name: str
    engine: Engine

    @abstractmethod
    def reading(self) -> AbstractContextManager[Session]:
        """A session that sees one state of the database and writes nothing."""

    @abstractmethod
    def asking(self) -> AbstractContextManager[Session]:
        """A session for one question: it costs no transaction where that takes a way to a server."""

    @abstractmethod
    def writing(self, within: float = 5.0, over: Iterable[bytes] = ()) -> AbstractContextManager[Session]:
        """A transaction, committed at the end. Raises DatabaseBusy where its turn takes over `within` seconds.

        `over` names what no other transaction may decide on meanwhile, though its row may not exist yet: the id of a
        submission, the index of a phone. Of two transactions that share a name the later sees what the earlier did.
        """

    @abstractmethod
    def looking(self) -> AbstractContextManager[Connection]:
        """A connection for one statement that reads: without a transaction and without a session, which both cost more
        than a row that is found by its key."""

    @abstractmethod
    def changing(self, within: float = 5.0, over: Iterable[bytes] = ()) -> AbstractContextManager[Connection]:
        """A transaction like `writing`, for statements only: without objects there is no need of a session."""

    @abstractmethod
    def migrating(self) -> AbstractContextManager[Connection]:
        """A transaction for schema changes; of several processes one has it, the others wait."""

    @abstractmethod
    def in_use(self) -> bool:
        """Whether a start has ever made this database's schema. Raises DatabaseBusy."""

    @abstractmethod
    def empty_log(self) -> bool:
        """Leave no bytes of deleted rows in the write-ahead log; False where somebody still reads from it.

        On PostgreSQL there is nothing to do: the server recycles its log, and vacuums what was deleted.
        """

    def careless_settings(self) -> Sequence[str]:
        """Settings of a server that let it lose what it said was stored, at a power cut. Raises DatabaseBusy."""
        return ()

    def dispose(self) -> None:
        """Close all connections; the next session opens new ones."""
        self.engine.dispose()


@dataclass(frozen=True, slots=True)
class Databases:
    """`leads` for what must never be lost, `counters` for what may lose a second."""

    leads: Database
    counters: Database

    def dispose(self) -> None:
        self.leads.dispose()
        self.counters.dispose()
