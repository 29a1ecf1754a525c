"""The schema in the databases is the one in the models, up and down, for one process and for many."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

import xinheng.articles.favourites
import xinheng.articles.reads
import xinheng.leads.models
import xinheng.notices.outbox  # noqa: F401 (the models must be known to be compared)
from xinheng.db import CountersBase, Database, Databases, LeadsBase, open_databases
from xinheng.migrations import SchemaNewer, configuration, upgrade

BOTH = pytest.mark.parametrize("name", ["leads", "counters"])


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Databases]:
    held = open_databases(tmp_path)
    yield held
    held.dispose()


def database(opened: Databases, name: str) -> Database:
    return opened.leads if name == "leads" else opened.counters


def models(name: str) -> MetaData:
    return LeadsBase.metadata if name == "leads" else CountersBase.metadata


def differences(opened: Databases, name: str) -> list[object]:
    """What alembic would change to make the database equal to the models."""
    options = {
        "version_table": f"alembic_version_{name}",
        "compare_type": True,
        "compare_server_default": True,
    }
    with database(opened, name).engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), models(name)))


def schema(file: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(file)) as connection:
        return sorted(connection.execute("SELECT name, coalesce(sql, '') FROM sqlite_master").fetchall())


def run_alembic(opened: Databases, name: str, revision: str) -> None:
    config = configuration(name)
    with database(opened, name).engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if revision == "base" else command.upgrade)(config, revision)


@BOTH
def test_an_empty_database_becomes_what_the_models_say(opened: Databases, name: str) -> None:
    upgrade(opened)
    assert models(name).tables
    assert differences(opened, name) == []


def test_the_comparison_would_see_a_difference(opened: Databases) -> None:
    upgrade(opened)
    with opened.leads.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_leads_newest")
        connection.exec_driver_sql("ALTER TABLE leads ADD COLUMN extra TEXT")
    assert len(differences(opened, "leads")) == 2


@BOTH
def test_down_to_nothing_and_up_again_is_the_same(opened: Databases, name: str) -> None:
    upgrade(opened)
    before = schema(database(opened, name).file)
    run_alembic(opened, name, "base")
    left = {table for table, _ in schema(database(opened, name).file)}
    assert left <= {f"alembic_version_{name}", f"sqlite_autoindex_alembic_version_{name}_1"}
    run_alembic(opened, name, "head")
    assert schema(database(opened, name).file) == before
    assert differences(opened, name) == []


def test_an_upgrade_that_is_done_changes_nothing(opened: Databases) -> None:
    upgrade(opened)
    before = schema(opened.leads.file), schema(opened.counters.file)
    upgrade(opened)
    assert (schema(opened.leads.file), schema(opened.counters.file)) == before


def test_what_was_stored_is_there_after_the_next_start(opened: Databases, tmp_path: Path) -> None:
    upgrade(opened)
    with opened.counters.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO read_counts VALUES ('a', '2026-03-02', 'own', 7)")
    opened.dispose()
    again = open_databases(tmp_path)
    upgrade(again)
    with again.counters.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT reads FROM read_counts").scalar() == 7
    again.dispose()


@BOTH
def test_a_database_of_a_later_version_is_refused_by_name_and_left_alone(
    opened: Databases, name: str
) -> None:
    upgrade(opened)
    with database(opened, name).engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version_{name} SET version_num = '9999'")  # noqa: S608
    before = schema(database(opened, name).file)
    with pytest.raises(SchemaNewer, match=rf"{name}\.db 是由更新的版本写成的.*备份"):
        upgrade(opened)
    assert schema(database(opened, name).file) == before


@BOTH
def test_a_migration_that_fails_leaves_nothing_half_done(opened: Databases, name: str) -> None:
    """SQLite's schema changes are part of the transaction, because the driver starts none of its own."""
    last = "outbox" if name == "leads" else "favourites"
    with database(opened, name).engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {last} (id TEXT)")
    with pytest.raises(Exception, match="already exists"):
        upgrade(opened)
    assert [table for table, _ in schema(database(opened, name).file)] == [last]


def test_processes_that_start_at_once_upgrade_once(opened: Databases, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from xinheng.db import open_databases;"
        "from xinheng.migrations import upgrade;"
        "sys.stdin.readline(); held = open_databases(Path(sys.argv[1])); upgrade(held); held.dispose()"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate("go\n")[1] for process in started]
    assert [process.returncode for process in started] == [0] * 3, said
    assert differences(opened, "leads") == differences(opened, "counters") == []
