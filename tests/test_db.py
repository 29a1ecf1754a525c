"""The databases keep what they acknowledge, and many writers wait for each other instead of failing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    event,
    insert,
    select,
    text,
    type_coerce,
)
from sqlalchemy.exc import DatabaseError, IntegrityError, InternalError, StatementError
from tests.databases import address
from tests.postgres import PostgresServer

from xinheng.app import create_app
from xinheng.db import (
    Database,
    DatabaseBusy,
    Databases,
    DatabaseUnsafe,
    Moment,
    insert_into,
    insert_row,
    insert_rows,
    open_databases,
    unindexed,
)
from xinheng.db.sqlite import BUSY, SqliteDatabase
from xinheng.db.writer_lock import WriterLock
from xinheng.form_versions import FormVersion
from xinheng.leads.models import NEVER, Lead, LeadEvent
from xinheng.migrations import upgrade
from xinheng.settings import Settings

SHARED = text("CREATE TABLE IF NOT EXISTS marks (place TEXT, number INTEGER, UNIQUE (place, number))")


ON_SQLITE = pytest.mark.databases("sqlite")
ON_POSTGRESQL = pytest.mark.databases("postgresql")


@pytest.fixture
def opened(bare: Databases) -> Databases:
    """With no schema but what a test makes itself."""
    return bare


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


@ON_SQLITE
@pytest.mark.parametrize(
    ("name", "found"),
    [("synchronous", 2), ("journal_mode", "wal"), ("foreign_keys", 1), ("secure_delete", 1)],
)
def test_every_pooled_connection_of_leads_is_durable(opened: Databases, name: str, found: object) -> None:
    assert [pragma(connection, name) for connection in pooled(opened.leads, 8)] == [found] * 8
    # and the same connections again, from the pool
    assert [pragma(connection, name) for connection in pooled(opened.leads, 8)] == [found] * 8


@ON_SQLITE
@pytest.mark.parametrize(
    ("name", "found"),
    [("synchronous", 1), ("journal_mode", "wal"), ("foreign_keys", 1), ("secure_delete", 1)],
)
def test_every_pooled_connection_of_counters_may_lose_a_second(
    opened: Databases, name: str, found: object
) -> None:
    assert [pragma(connection, name) for connection in pooled(opened.counters, 4)] == [found] * 4


@ON_SQLITE
def test_reading_and_writing_sessions_are_durable_too(opened: Databases) -> None:
    with opened.leads.reading() as reading:
        assert reading.execute(text("PRAGMA synchronous")).scalar() == 2
    with opened.leads.writing() as writing:
        assert writing.execute(text("PRAGMA synchronous")).scalar() == 2


@ON_SQLITE
def test_changes_without_a_session_are_durable_too(opened: Databases) -> None:
    with opened.leads.changing() as changing, opened.leads.looking() as looking:
        assert [pragma(each, "synchronous") for each in (changing, looking)] == [2, 2]


@ON_SQLITE
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


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("setting", "leads", "counters"),
    [
        ("synchronous_commit", "on", "off"),
        ("TimeZone", "UTC", "UTC"),
        ("statement_timeout", "30s", "30s"),
        ("lock_timeout", "5s", "5s"),
        ("idle_in_transaction_session_timeout", "1min", "1min"),
    ],
)
def test_every_pooled_connection_to_postgresql_is_settled(
    opened: Databases, setting: str, leads: str, counters: str
) -> None:
    for database, found in ((opened.leads, leads), (opened.counters, counters)):
        for _ in range(2):  # the second time from the pool
            told = [each.exec_driver_sql(f"SHOW {setting}").scalar() for each in pooled(database, 8)]
            assert told == [found] * 8


def test_a_server_that_may_forget_at_a_power_cut_is_told_of(opened: Databases, database_kind: str) -> None:
    """That of the tests does: what is stored there is gone in a minute."""
    told = {"sqlite": [], "postgresql": ["fsync", "full_page_writes"]}
    assert list(opened.leads.careless_settings()) == told[database_kind]


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize("environment", ["production", "development"])
def test_in_production_such_a_server_is_named_at_the_start(
    settings: Settings, data_root: Path, caplog: pytest.LogCaptureFixture, environment: str
) -> None:
    site = data_root / "content" / "site.toml"
    site.write_text(site.read_text("utf-8").replace("sample = true", "sample = false"), "utf-8")
    app = create_app(replace(settings, environment=environment))
    app.extensions["xinheng.reads"].stop()
    app.extensions["xinheng.databases"].dispose()
    assert ("PostgreSQL 的 fsync、full_page_writes 关着" in caplog.text) is (environment == "production")


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("servers", "leads"), [("off", "on"), ("local", "on"), ("remote_write", "on"), ("remote_apply", "remote_apply")]
)  # fmt: skip
def test_leads_are_durable_whatever_the_server_does_by_itself(
    opened: Databases, servers: str, leads: str
) -> None:
    with opened.leads.writing() as session:
        name = opened.leads.engine.url.database
        session.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = {servers}'))
    opened.dispose()
    for database, found in ((opened.leads, leads), (opened.counters, "off")):
        with database.reading() as reading:
            assert reading.execute(text("SHOW synchronous_commit")).scalar() == found
        with database.writing() as writing:
            assert writing.execute(text("SHOW synchronous_commit")).scalar() == found


@ON_POSTGRESQL
def test_a_reading_session_can_write_nothing(opened: Databases) -> None:
    with opened.leads.writing() as session:
        session.execute(SHARED)
    with pytest.raises(InternalError, match="read-only"), opened.leads.reading() as session:
        session.execute(text("INSERT INTO marks VALUES ('a', 1)"))


@ON_POSTGRESQL
def test_a_database_that_holds_no_chinese_is_refused(postgres: PostgresServer, tmp_path: Path) -> None:
    with postgres.database(encoding="LATIN1") as url:
        held = open_databases(tmp_path, url)
        with pytest.raises(DatabaseUnsafe, match="LATIN1，应为 UTF8"), held.leads.reading() as session:
            session.execute(text("SELECT 1"))
        held.dispose()


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


def test_a_change_without_a_session_is_kept_whole_or_not_at_all(opened: Databases) -> None:
    with opened.leads.changing() as connection:
        connection.execute(SHARED)
    with pytest.raises(RuntimeError), opened.leads.changing() as connection:  # noqa: PT012 (what fails is the whole)
        connection.execute(text("INSERT INTO marks VALUES ('a', 1)"))
        raise RuntimeError
    with opened.leads.changing() as connection:
        connection.execute(text("INSERT INTO marks VALUES ('a', 2)"))
    with opened.leads.looking() as connection:
        assert connection.execute(text("SELECT number FROM marks")).scalars().all() == [2]


def test_a_look_sees_what_was_kept_since_the_last_one(opened: Databases) -> None:
    with opened.leads.changing() as connection:
        connection.execute(SHARED)
    with opened.leads.looking() as looking:
        assert looking.execute(text("SELECT count(*) FROM marks")).scalar() == 0
        with opened.leads.changing() as connection:
            connection.execute(text("INSERT INTO marks VALUES ('a', 1)"))
        assert looking.execute(text("SELECT count(*) FROM marks")).scalar() == 1


def test_closed_connections_are_opened_again(opened: Databases) -> None:
    for _ in range(2):
        with opened.leads.changing() as connection:
            connection.execute(SHARED)
        with opened.leads.looking() as connection:
            assert connection.execute(text("SELECT count(*) FROM marks")).scalar() == 0
        opened.dispose()


def test_the_two_databases_do_not_wait_for_each_other(opened: Databases) -> None:
    with opened.leads.writing() as one, opened.counters.writing(within=0.0) as other:
        assert one.execute(text("SELECT 1")).scalar() == other.execute(text("SELECT 1")).scalar() == 1


def test_an_error_message_never_carries_values(opened: Databases) -> None:
    with pytest.raises(DatabaseError) as raised, opened.leads.writing() as session:
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
    import sys
    from pathlib import Path
    from xinheng.db import open_databases

    with open_databases(Path(sys.argv[1]), sys.argv[2]).leads.writing(over=(b"a",)):
        print("held", flush=True)
        sys.stdin.readline()
    print("released", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def elsewhere(opened: Databases, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that decides on `a` until it is told to let go."""
    process = run(HOLD, tmp_path / "var", address(opened))
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
    with pytest.raises(DatabaseBusy, match="leads"), opened.leads.writing(0.2, (b"b", b"a")):
        pytest.fail("two writers at once")
    with pytest.raises(DatabaseBusy, match="leads"), opened.leads.changing(0.2, (b"b", b"a")):
        pytest.fail("two writers at once")
    with opened.leads.reading() as session:
        assert session.execute(text("SELECT 1")).scalar() == 1
    with opened.leads.looking() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_a_writer_waits_for_another_process_and_then_writes(
    opened: Databases, elsewhere: subprocess.Popen[str]
) -> None:
    order: list[str] = []

    def write() -> None:
        with opened.leads.writing(within=30.0, over=(b"a",)) as session:
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
    with opened.leads.writing(within=5.0, over=(b"a",)) as session:
        session.execute(SHARED)


@ON_POSTGRESQL
@pytest.mark.parametrize("over", [(), (b"b",), (b"", b"c", b"aa")])
def test_writers_that_decide_on_different_things_do_not_wait_for_each_other(
    opened: Databases, elsewhere: subprocess.Popen[str], over: tuple[bytes, ...]
) -> None:
    with opened.leads.writing(within=0.0, over=over) as session:
        assert session.execute(text("SELECT 1")).scalar() == 1


def test_writers_that_name_the_same_things_crosswise_all_get_their_turn(opened: Databases) -> None:
    names = [bytes([number]) for number in range(6)]
    done: list[int] = []

    def write(first: int) -> None:
        for _ in range(10):
            turned = names[first:] + names[:first]
            with opened.leads.writing(within=60.0, over=turned if first % 2 else reversed(turned)):
                done.append(len(done) + 1)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == list(range(1, 61)), "one after the other: each saw what the one before had done"


@ON_POSTGRESQL
def test_a_row_that_another_writes_is_waited_for_and_then_it_is_busy(opened: Databases) -> None:
    upgrade(opened)
    add = text("INSERT INTO form_versions VALUES ('v', '{}', now())")
    with opened.leads.writing() as one:
        one.execute(add)
        with pytest.raises(DatabaseBusy, match="lock timeout"), opened.leads.writing(within=0.1) as other:
            other.execute(add)


@ON_POSTGRESQL
def test_a_statement_that_never_ends_is_ended(opened: Databases) -> None:
    with pytest.raises(DatabaseBusy, match="statement timeout"), opened.leads.reading() as session:  # noqa: PT012
        session.execute(text("SET LOCAL statement_timeout = '50ms'"))
        session.execute(text("SELECT pg_sleep(60)"))


# --- a server that is away ---


@ON_POSTGRESQL
def test_while_the_server_is_away_it_is_busy_and_afterwards_all_goes_on(
    opened: Databases, postgres: PostgresServer
) -> None:
    with opened.leads.writing() as session:
        session.execute(SHARED)
    with opened.leads.writing() as session:
        session.execute(text("INSERT INTO marks VALUES ('before', 1)"))
    postgres.cut_off(address(opened), away=True)
    for _ in range(2):
        with pytest.raises(DatabaseBusy), opened.leads.writing():
            pytest.fail("nobody is there")
        with pytest.raises(DatabaseBusy), opened.leads.reading() as session:
            session.execute(text("SELECT 1"))
    postgres.cut_off(address(opened), away=False)
    with opened.leads.writing() as session:
        session.execute(text("INSERT INTO marks VALUES ('after', 2)"))
    with opened.leads.reading() as session:
        assert session.execute(text("SELECT count(*) FROM marks")).scalar() == 2


@ON_POSTGRESQL
def test_a_transaction_whose_server_goes_away_is_not_kept_and_says_so(
    opened: Databases, postgres: PostgresServer
) -> None:
    with opened.leads.writing() as session:
        session.execute(SHARED)
    with pytest.raises(DatabaseBusy), opened.leads.writing() as session:  # noqa: PT012 (what fails is the whole)
        session.execute(text("INSERT INTO marks VALUES ('a', 1)"))
        postgres.cut_off(address(opened), away=True)
        session.execute(text("INSERT INTO marks VALUES ('a', 2)"))
    postgres.cut_off(address(opened), away=False)
    with opened.leads.reading() as session:
        assert session.execute(text("SELECT count(*) FROM marks")).scalar() == 0


def test_where_no_server_is_its_name_is_told_without_the_password(tmp_path: Path) -> None:
    held = open_databases(tmp_path, f"postgresql://me:S3cret@/site?host={tmp_path}")
    with pytest.raises(DatabaseBusy, match=f"PostgreSQL site @ {tmp_path}") as raised:
        held.leads.in_use()
    assert "S3cret" not in f"{raised.value} {raised.value.__cause__}"


@ON_POSTGRESQL
def test_more_threads_than_connections_wait_and_then_it_is_busy(opened: Databases) -> None:
    with ExitStack() as held:
        for _ in range(12):
            held.enter_context(opened.leads.engine.connect())
        with pytest.raises(DatabaseBusy, match="连接都在使用中"), opened.leads.writing():
            pytest.fail("one connection too many")


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


@ON_SQLITE
def test_threads_have_their_turn_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    lock, came = WriterLock(tmp_path / "a.lock"), []

    def write(number: int) -> None:
        with lock.held(30.0):
            came.append(number)

    with lock.held(1.0):
        threads = []
        for number in range(8):
            threads.append(threading.Thread(target=write, args=(number,)))
            threads[-1].start()
            until(lambda reached=number: len(lock._threads._waiting) > reached)
    for thread in threads:
        thread.join()
    assert came == list(range(8))


STAND_IN_LINE = """
    import sys, time
    from pathlib import Path
    from xinheng.db.writer_lock import WriterLock

    with WriterLock(Path(sys.argv[1])).held(60.0):
        with open(sys.argv[3], "a") as said:
            said.write(sys.argv[2] + "\\n")
        time.sleep(float(sys.argv[4]))
"""


def until(reached: Callable[[], bool]) -> None:
    """Wait for what must come; a hang ends the test, not the day."""
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def numbers_taken(file: Path) -> int:
    return int.from_bytes(file.with_suffix(".queue").read_bytes()[:8], "little")


@ON_SQLITE
def test_processes_have_their_turn_in_the_order_in_which_they_came_and_the_killed_hold_up_nobody(
    tmp_path: Path,
) -> None:
    file, said = tmp_path / "a.lock", tmp_path / "said"
    lock, started = WriterLock(file), []
    with lock.held(1.0):
        before = numbers_taken(file)
        for number in range(5):
            started.append(run(STAND_IN_LINE, file, number, said, "60" if number == 2 else "0"))
            until(lambda reached=before + number: numbers_taken(file) > reached)
        started[1].kill()  # while it waits
    until(lambda: said.exists() and said.read_text().split() == ["0", "2"])
    started[2].kill()  # while it writes
    with lock.held(60.0):
        assert said.read_text().split() == ["0", "2", "3", "4"], "those before us were first"
    for process in started:
        process.communicate()


@ON_SQLITE
def test_a_damaged_queue_still_lets_one_writer_in_at_a_time(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "a.lock")
    for damage in (b"", b"x", b"\xff" * 8, b"\xff" * 100):
        (tmp_path / "a.queue").write_bytes(damage)
        with lock.held(0.0), pytest.raises(DatabaseBusy), WriterLock(tmp_path / "a.lock").held(0.0):
            pytest.fail("two at once")


@ON_SQLITE
def test_a_program_that_locks_the_database_itself_is_waited_for_no_longer_than_was_said(
    opened: Databases,
) -> None:
    said: list[str] = []
    assert isinstance(opened.leads, SqliteDatabase)
    event.listen(opened.leads.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    upgrade(opened)
    stranger = sqlite3.connect(opened.leads.file, isolation_level=None)
    stranger.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseBusy), opened.leads.writing(within=0.2):
        pytest.fail("another program is writing")
    waits = [int(each.partition("=")[2]) for each in said if each.startswith("PRAGMA busy_timeout=")]
    assert 0 < waits[-2] <= 200, "not SQLite's own time besides"
    with pytest.raises(DatabaseBusy), opened.leads.changing(within=0.2):
        pytest.fail("another program is writing")
    stranger.execute("ROLLBACK")
    stranger.close()
    with opened.leads.writing(within=0.2) as session:
        assert session.execute(text("PRAGMA busy_timeout")).scalar() == BUSY * 1000
    with opened.leads.changing(within=0.2) as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == BUSY * 1000


WRITE = """
    import sys, threading
    from pathlib import Path
    from sqlalchemy import text
    from xinheng.db import open_databases

    place, threads, writes = sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    database, faults = open_databases(Path(sys.argv[1]), sys.argv[2]).leads, []

    def write(thread):
        try:
            for number in range(writes):
                with database.writing(within=60.0, over=(b"marks",)) as session:
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
    started = [run(WRITE, tmp_path / "var", address(opened), process, 4, 20) for process in range(4)]
    said = [process.communicate("go\n") for process in started]
    assert said == [("[]\n", "")] * 4
    with opened.leads.reading() as session:
        numbers = session.execute(text("SELECT number FROM marks ORDER BY number")).scalars().all()
    assert numbers == list(range(1, 4 * 4 * 20 + 1)), "each writer saw what the one before had written"


def test_an_insert_of_what_is_there_changes_it_or_leaves_it(opened: Databases) -> None:
    upgrade(opened)
    now = datetime.now(UTC)
    for form in ("{}", "[]"):
        with opened.leads.writing() as session:
            row = insert_into(session, FormVersion).values(version="v", form=form, published_at=now)
            session.execute(row.on_conflict_do_nothing())
    with opened.leads.writing() as session:
        row = insert_into(session, FormVersion).values(version="v", form="1", published_at=now)
        found = session.scalar(select(FormVersion.form))
        session.execute(row.on_conflict_do_update(index_elements=["version"], set_={"form": "1"}))
    with opened.leads.reading() as session:
        assert (found, session.scalar(select(FormVersion.form))) == ("{}", "1")


def test_rows_are_inserted_at_once_with_their_defaults(opened: Databases) -> None:
    """Where a column has none, None is stored as its type says: here as the end of time."""
    upgrade(opened)
    now = datetime.now(UTC)
    times = {"created_at": now, "last_enquiry_at": now, "retain_until": now}
    lead = Lead(id="1", name=b"", phone=b"", extension=b"", phone_kind="mobile", **times)
    with opened.leads.writing() as session:
        insert_row(session, lead)
        insert_rows(session, LeadEvent, [])
        told = {"lead_id": "1", "happened_at": now}
        insert_rows(session, LeadEvent, [told | {"kind": kind} for kind in ("enquiry", "reopened")])
        assert lead not in session
        found = session.scalars(select(Lead)).one()
        events = session.scalars(select(LeadEvent).order_by(LeadEvent.id)).all()
        ends = session.scalar(select(type_coerce(Lead.follow_up_at, Moment)))
    assert (found.status, found.version, found.closed, found.priority) == ("new", 1, False, None)
    assert (found.follow_up_at, found.owner_id) == (None, None)
    assert ends == NEVER
    assert [(event.kind, event.detail, event.note) for event in events] == [
        ("enquiry", {}, None),
        ("reopened", {}, None),
    ]


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


def test_only_postgresql_may_look_for_it_in_the_index_that_sqlite_leaves_alone(opened: Databases) -> None:
    pairs = Table("pairs", MetaData(), Column("one", Integer, index=True), Column("two", Integer))
    asked = select(pairs.c.two).where(unindexed(pairs.c.one) == 70)
    on_sqlite = isinstance(opened.leads, SqliteDatabase)
    with opened.leads.engine.begin() as connection:
        pairs.create(connection)
        connection.execute(insert(pairs), [{"one": one, "two": -one} for one in range(2_000)])
        connection.exec_driver_sql("ANALYZE")
        assert connection.execute(asked).all() == [(-70,)]
        words = "EXPLAIN QUERY PLAN" if on_sqlite else "EXPLAIN"
        shown = str(asked.compile(connection.engine, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{words} {shown}"))
    assert ("ix_pairs_one" in plan) is not on_sqlite, plan
