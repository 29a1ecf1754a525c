"""A PostgreSQL server that says nothing: stopped by a signal, paused with its machine, or behind a network that lost it.

Its connections stay open, so no error comes, and the times it was told to keep are kept by nobody. A worker has a few
threads; each would wait on it for ever. So every answer is waited for with an end here too.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout
from psycopg.pq import TransactionStatus

from xinheng.db.base import DatabaseBusy

Answer = TypeVar("Answer")
_LOOK_EVERY = 0.1  # seconds; in between a signal would not be noticed


class ServerSilent(psycopg.OperationalError):
    """The server didn't answer in time. The connection is closed: what it was asked last may have been done or not."""


class BoundedConnection(psycopg.Connection[Any]):
    """`answer_within`: seconds to wait for each answer."""

    answer_within: float = 2.0

    def wait(self, gen: PQGen[Answer], interval: float = _LOOK_EVERY, timeout: float | None = None) -> Answer:
        """Raises ServerSilent."""
        try:
            return super().wait(gen, interval, self.answer_within if timeout is None else timeout)
        except psycopg.OperationalError as fault:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise  # the server said so, or is gone
            self.pgconn.finish()
            raise ServerSilent("数据库服务器没有回答") from fault


class Silence:
    """Whether the server of one database fell silent. Then one at a time finds out if it answers again, and nobody else
    is kept waiting."""

    def __init__(self) -> None:
        self._fell = False
        self._asks = threading.Lock()

    def judge(self, fault: BaseException | None) -> None:
        """An error came from the server, or from waiting for it."""
        if isinstance(fault, ServerSilent | ConnectionTimeout):
            self._fell = True

    def ended(self) -> None:
        """It answered."""
        self._fell = False

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Raises DatabaseBusy while the server is silent and somebody else asks it."""
        if not self._fell:
            yield
            return
        if not self._asks.acquire(blocking=False):
            raise DatabaseBusy("数据库服务器没有回答")
        try:
            yield
        finally:
            self._asks.release()
