"""The filling as one transaction: quick, for nothing waits for the disk in between, and wholly there or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from xinheng.db import Database


class InOneGo(Database):
    """A database whose sessions are all the same one, which its owner commits."""

    def __init__(self, database: Database, session: Session) -> None:
        self.name = database.name
        self.engine = database.engine
        self._database = database
        self._session = session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        yield self._session

    def asking(self) -> AbstractContextManager[Session]:
        return self.reading()

    @contextmanager
    def writing(self, within: float = 5.0, over: Iterable[bytes] = ()) -> Iterator[Session]:
        yield self._session
        self._session.flush()

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        yield self._session.connection()

    @contextmanager
    def changing(self, within: float = 5.0, over: Iterable[bytes] = ()) -> Iterator[Connection]:
        yield self._session.connection()

    def migrating(self) -> AbstractContextManager[Connection]:
        return self._database.migrating()

    def in_use(self) -> bool:
        return self._database.in_use()

    def empty_log(self) -> bool:
        return self._database.empty_log()
