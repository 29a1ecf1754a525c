"""The databases keep what they acknowledge, and many writers wait for each other instead of failing."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from xinheng.db import Database, DatabaseBusy, Databases, Moment, WriterLock, open_databases
from xinheng.leads.models import FormVersion
from xinheng.migrations import upgrade

SHARED = text("CREATE TABLE IF NOT EXISTS marks (place TEXT, number INTEGER, UNIQUE (place, number))")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Databases]:
    held = open_databases(tmp_path)
    yield held
    held.dispose()


def pragma(connection: Connection, name: str) -> Any:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def pooled(database: Database, number: int) -> Iterator[Connection]:
    """Several connections of the pool, open at once."""
    connections = [database.engine.connect() for _ in range(number)]
    try:
        yield from connections
    finally:
        for connection in connections:
            connection.close()


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# --- what every connection holds ---


@pytest.mark.parametrize(
    ("name", "found"),
    [("synchronous", 2), ("journal_mode", "wal"), ("foreign_keys", 1), ("secure_delete", 1)],
)
def test_every_pooled_connection_of_leads_is_durable(opened: Databases, name: str, found: object) -> None:
    assert [pragma(connection, name) for connection in pooled(opened.leads, 8)] == [found] * 8
    # and the same connections again, from the pool
    assert [pragma(connection, name) for connection in pooled(opened.leads, 8)] == [found] * 8


@pytest.mark.parametrize(
    ("name", "found"),
    [("synchronous", 1), ("journal_mode", "wal"), ("foreign_keys", 1), ("secure_delete", 1)],
)
def test_every_pooled_connection_of_counters_may_lose_a_second(
    opened: Databases, name: str, found: object
) -> None:
    assert [pragma(connection, name) for connection in pooled(opened.counters, 4)] == [found] * 4


def test_reading_and_writing_sessions_are_durable_too(opened: Databases) -> None:
    with opened.leads.reading() as reading:
        assert reading.execute(text("PRAGMA synchronous")).scalar() == 2
    with opened.leads.writing() as writing:
        assert writing.execute(text("PRAGMA synchronous")).scalar() == 2


def test_connections_of_other_threads_are_durable_too(opened: Databases) -> None:
    found: list[Any] = []

    def look() -> None:
        with opened.leads.writing() as session:
            found.append(session.execute(text("PRAGMA synchronous")).scalar())

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 6


def test_a_foreign_key_that_leads_nowhere_is_refused(opened: Databases) -> None:
    upgrade(opened)
    with pytest.raises(IntegrityError), opened.leads.writing() as session:
        session.execute(
            text(
                "INSERT INTO lead_events (id, lead_id, kind, happened_at) "
                "VALUES ('1', 'nobody', 'enquiry', '2026-01-01')"
            )
        )


# --- transactions ---


def test_a_writing_session_is_kept_whole_or_not_at_all(opened: Databases) -> None:
    with opened.leads.writing() as session:
        session.execute(SHARED)
    with pytest.raises(RuntimeError), opened.leads.writing() as session:  # noqa: PT012 (what fails is the whole)
        session.execute(text("INSERT INTO marks VALUES ('a', 1)"))
        raise RuntimeError
    with opened.leads.writing() as session:
        session.execute(text("INSERT INTO marks VALUES ('a', 2)"))
    with opened.leads.reading() as session:
        assert session.execute(text("SELECT number FROM marks")).scalars().all() == [2]


def test_a_reading_session_sees_one_state(opened: Databases) -> None:
    with opened.leads.writing() as session:
        session.execute(SHARED)
    with opened.leads.reading() as reading:
        assert reading.execute(text("SELECT count(*) FROM marks")).scalar() == 0
        with opened.leads.writing() as session:
            session.execute(text("INSERT INTO marks VALUES ('a', 1)"))
        assert reading.execute(text("SELECT count(*) FROM marks")).scalar() == 0
    with opened.leads.reading() as reading:
        assert reading.execute(text("SELECT count(*) FROM marks")).scalar() == 1


def test_the_two_databases_do_not_wait_for_each_other(opened: Databases) -> None:
    with opened.leads.writing() as one, opened.counters.writing(within=0.0) as other:
        assert one.execute(text("SELECT 1")).scalar() == other.execute(text("SELECT 1")).scalar() == 1


def test_an_error_message_never_carries_values(opened: Databases) -> None:
    with pytest.raises(OperationalError) as raised, opened.leads.writing() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:phone)"), {"phone": "13800138000"})
    assert "13800138000" not in str(raised.value)


# --- moments ---


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 2, 10, 5, tzinfo=UTC),
        datetime(2026, 3, 2, 10, 5, 7, 123456, tzinfo=timezone(timedelta(hours=8))),
        datetime(2026, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-11))),
    ],
)
def test_an_instant_comes_back_as_the_same_instant(opened: Databases, moment: datetime) -> None:
    upgrade(opened)
    with opened.leads.writing() as session:
        session.add(FormVersion(version="v", form="{}", published_at=moment))
    with opened.leads.reading() as session:
        found = session.get(FormVersion, "v")
    assert found is not None
    assert found.published_at == moment
    assert found.published_at.utcoffset() == timedelta(0)


def test_an_instant_without_a_zone_is_refused(opened: Databases) -> None:
    upgrade(opened)
    with pytest.raises(StatementError, match="zone"), opened.leads.writing() as session:
        session.add(FormVersion(version="v", form="{}", published_at=datetime(2026, 3, 2)))  # noqa: DTZ001
    assert Moment().process_bind_param(None, opened.leads.engine.dialect) is None


# --- the writer's turn ---

HOLD = """
    import fcntl, sys
    with open(sys.argv[1], "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        print("held", flush=True)
        sys.stdin.readline()
    print("released", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of leads until it is told to let go."""
    process = run(HOLD, tmp_path / "leads.lock")
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "released\n"


def test_where_another_process_writes_the_time_given_is_waited_and_then_it_is_busy(
    opened: Databases, elsewhere: subprocess.Popen[str]
) -> None:
    with pytest.raises(DatabaseBusy, match=r"leads\.lock"), opened.leads.writing(within=0.2):
        pytest.fail("two writers at once")
    with opened.leads.reading() as session:
        assert session.execute(text("SELECT 1")).scalar() == 1


def test_a_writer_waits_for_another_process_and_then_writes(
    opened: Databases, elsewhere: subprocess.Popen[str]
) -> None:
    order: list[str] = []

    def write() -> None:
        with opened.leads.writing(within=30.0) as session:
            session.execute(SHARED)
            order.append("written")

    waiting = threading.Thread(target=write)
    waiting.start()
    waiting.join(timeout=0.2)
    assert waiting.is_alive()
    order.append("released")
    let_go(elsewhere)
    waiting.join()
    assert order == ["released", "written"]


def test_a_killed_writer_leaves_the_turn_free(opened: Databases, elsewhere: subprocess.Popen[str]) -> None:
    elsewhere.kill()
    elsewhere.wait()
    with opened.leads.writing(within=5.0) as session:
        session.execute(SHARED)


def test_threads_wait_for_each_other_too(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "a.lock")
    refused: list[bool] = []

    def second(within: float) -> None:
        try:
            with lock.held(within):
                refused.append(False)
        except DatabaseBusy:
            refused.append(True)

    with lock.held(1.0):
        for within in (0.0, 0.05, -1.0):
            thread = threading.Thread(target=second, args=(within,))
            thread.start()
            thread.join()
    second(0.0)
    assert refused == [True, True, True, False]


def test_the_lock_is_let_go_when_its_block_fails(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "a.lock")
    for _ in range(2):
        with pytest.raises(RuntimeError), lock.held(0.0):
            raise RuntimeError
    with lock.held(0.0):
        pass


WRITE = """
    import sys, threading
    from pathlib import Path
    from sqlalchemy import text
    from xinheng.db import open_databases

    folder, place, threads, writes = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    database, faults = open_databases(folder).leads, []

    def write(thread):
        try:
            for number in range(writes):
                with database.writing(within=60.0) as session:
                    high = session.execute(text("SELECT coalesce(max(number), 0) FROM marks")).scalar()
                    row = {"place": f"{place}-{thread}-{number}", "number": high + 1}
                    session.execute(text("INSERT INTO marks VALUES (:place, :number)"), row)
        except Exception as fault:
            faults.append(repr(fault))

    sys.stdin.readline()
    started = [threading.Thread(target=write, args=(thread,)) for thread in range(threads)]
    for thread in started: thread.start()
    for thread in started: thread.join()
    print(faults)
    database.dispose()
"""


def test_four_processes_of_four_threads_write_without_one_database_is_locked(
    opened: Databases, tmp_path: Path
) -> None:
    with opened.leads.writing() as session:
        session.execute(SHARED)
    started = [run(WRITE, tmp_path, process, 4, 20) for process in range(4)]
    said = [process.communicate("go\n") for process in started]
    assert said == [("[]\n", "")] * 4
    with opened.leads.reading() as session:
        numbers = session.execute(text("SELECT number FROM marks ORDER BY number")).scalars().all()
    assert numbers == list(range(1, 4 * 4 * 20 + 1)), "each writer saw what the one before had written"


def test_databases_are_made_in_a_folder_that_was_not_there(tmp_path: Path) -> None:
    made = open_databases(tmp_path / "a" / "b")
    upgrade(made)
    assert (tmp_path / "a" / "b" / "leads.db").exists()
    made.dispose()


def test_what_was_read_stays_usable_after_its_session(opened: Databases) -> None:
    upgrade(opened)
    with opened.leads.writing() as session:
        session.add(FormVersion(version="v", form="{}", published_at=datetime.now(UTC)))
    with opened.leads.reading() as session:
        found = session.get(FormVersion, "v")
    assert found is not None
    assert found.form == "{}"
