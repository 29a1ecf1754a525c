"""A PostgreSQL server that is there and says nothing keeps nobody waiting for ever."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from xinheng.db import Database, DatabaseBusy, Databases
from xinheng.db.silence import ServerSilent, Silence

pytestmark = pytest.mark.databases("postgresql")
LONG = 20.0  # seconds; who waits longer than that waits for ever


def write(database: Database) -> None:
    with database.writing(within=0.2) as session:
        session.execute(text("SELECT 1"))


def read(database: Database) -> None:
    with database.reading() as session:
        session.execute(text("SELECT 1"))


def server_of(session: Session) -> int:
    """The process that answers this session."""
    return int(session.execute(text("SELECT pg_backend_pid()")).scalar_one())


@contextmanager
def frozen(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def busy(act: Callable[[], None]) -> bool:
    """Whether it ends, as where the database is busy."""
    found: list[bool] = []

    def run() -> None:
        try:
            act()
        except DatabaseBusy:
            found.append(True)
        else:
            found.append(False)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LONG)
    return found == [True]


def test_a_turn_that_is_never_given_ends_as_busy_and_the_next_writer_gets_one(bare: Databases) -> None:
    with bare.leads.reading() as session:
        process = server_of(session)
    with frozen(process):
        assert busy(lambda: write(bare.leads))
    write(bare.leads)
    read(bare.leads)


def test_a_statement_that_is_never_answered_ends_for_whom_a_visitor_waits(bare: Databases) -> None:
    def write_on() -> None:
        with bare.leads.writing(within=2.0) as session, frozen(server_of(session)):
            session.execute(text("SELECT 1"))

    assert busy(write_on)
    write(bare.leads)


def test_a_statement_for_whom_a_visitor_waits_is_ended_by_the_server_first(bare: Databases) -> None:
    with pytest.raises(DatabaseBusy, match="statement timeout"), bare.leads.writing(within=2.0) as session:
        session.execute(text("SELECT pg_sleep(60)"))


def test_while_the_server_is_silent_one_asks_and_nobody_else_is_kept() -> None:
    silence = Silence()
    with silence.one_at_a_time(), silence.one_at_a_time():
        silence.judge(ServerSilent())
    with silence.one_at_a_time():
        with pytest.raises(DatabaseBusy), silence.one_at_a_time():
            pytest.fail("two ask")
        silence.ended()
        with silence.one_at_a_time():
            pass


def test_an_error_that_the_server_told_is_no_silence() -> None:
    silence = Silence()
    silence.judge(ValueError())
    with silence.one_at_a_time(), silence.one_at_a_time():
        pass
