"""The schema in the databases is the one in the models, up and down, for one process and for many."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, select, text
from tests.databases import address

import xinheng.articles.favourites
import xinheng.articles.reads
import xinheng.assessments
import xinheng.leads.arrivals
import xinheng.leads.models
import xinheng.leads.ranking
import xinheng.notices.outbox  # noqa: F401 (the models must be known to be compared)
from xinheng.app import create_app
from xinheng.crypto import MissingKey
from xinheng.db import CountersBase, Database, Databases, LeadsBase, open_databases
from xinheng.db.sqlite import SqliteDatabase
from xinheng.form_versions import FormVersion
from xinheng.leads import models as leads
from xinheng.leads.lead_counts import LeadCount, LeadCountChange
from xinheng.leads.spam_counts import SpamCount
from xinheng.leads.tombstones import Restraint
from xinheng.migrations import SchemaNewer, configuration, upgrade
from xinheng.privacy.models import PrivacyRequest
from xinheng.settings import Settings

BOTH = pytest.mark.parametrize("name", ["leads", "counters"])


@pytest.fixture
def opened(bare: Databases) -> Databases:
    """Before the first start."""
    return bare


def database(opened: Databases, name: str) -> Database:
    return opened.leads if name == "leads" else opened.counters


def models(name: str) -> MetaData:
    return LeadsBase.metadata if name == "leads" else CountersBase.metadata


def belongs(table: str | None, name: str) -> bool:
    """Whether a table is none of the other database's, with which it shares one on PostgreSQL."""
    other = "counters" if name == "leads" else "leads"
    return table not in {f"alembic_version_{other}", *models(other).tables}


def differences(opened: Databases, name: str) -> list[object]:
    """What alembic would change to make the database equal to the models."""
    options = {
        "version_table": f"alembic_version_{name}",
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda found, kind, _parents: kind != "table" or belongs(found, name),
    }
    with database(opened, name).engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), models(name)))


ON_SQLITE = "SELECT tbl_name, name, coalesce(sql, '') FROM sqlite_master"
ON_POSTGRESQL = """
    SELECT table_name, column_name, concat_ws(' ', data_type, character_maximum_length, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
"""


def schema(opened: Databases, name: str) -> list[tuple[str, ...]]:
    """Table, what of it, and how it is defined, as the database itself tells."""
    held = database(opened, name)
    with held.engine.connect() as connection:
        told = connection.exec_driver_sql(ON_SQLITE if isinstance(held, SqliteDatabase) else ON_POSTGRESQL)
        return sorted(
            (
                table,
                part,
                *sorted(line.strip(" \t,") for line in how.splitlines()),
            )  # in whatever order it was made
            for table, part, how in told
            if belongs(table, name)
        )


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
        connection.exec_driver_sql("DROP INDEX ix_leads_phone_index")
        connection.exec_driver_sql("ALTER TABLE leads ADD COLUMN extra TEXT")
    assert len(differences(opened, "leads")) == 2


@BOTH
def test_down_to_nothing_and_up_again_is_the_same(opened: Databases, name: str) -> None:
    upgrade(opened)
    before = schema(opened, name)
    run_alembic(opened, name, "base")
    assert {table for table, *_ in schema(opened, name)} <= {f"alembic_version_{name}"}
    run_alembic(opened, name, "head")
    assert schema(opened, name) == before
    assert differences(opened, name) == []


def test_an_upgrade_that_is_done_changes_nothing(opened: Databases) -> None:
    upgrade(opened)
    before = schema(opened, "leads"), schema(opened, "counters")
    upgrade(opened)
    assert (schema(opened, "leads"), schema(opened, "counters")) == before


def test_what_was_stored_is_there_after_the_next_start(opened: Databases, tmp_path: Path) -> None:
    upgrade(opened)
    with opened.counters.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO read_counts VALUES ('a', '2026-03-02', 'own', 7)")
    opened.dispose()
    again = open_databases(tmp_path / "var", address(opened))
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
    before = schema(opened, name)
    with pytest.raises(SchemaNewer, match=rf"{name}(\.db|\)) 是由更新的版本写成的.*备份"):
        upgrade(opened)
    assert schema(opened, name) == before


@BOTH
def test_a_migration_that_fails_leaves_nothing_half_done(opened: Databases, name: str) -> None:
    """Schema changes are part of the transaction: on SQLite because the driver starts none of its own."""
    last = "outbox" if name == "leads" else "favourites"
    with database(opened, name).engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {last} (id TEXT)")
    with pytest.raises(Exception, match="already exists"):
        upgrade(opened)
    assert {table for table, *_ in schema(opened, name)} == {last}


def test_processes_that_start_at_once_upgrade_once(opened: Databases, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from xinheng.db import open_databases;"
        "from xinheng.migrations import upgrade;"
        "sys.stdin.readline(); held = open_databases(Path(sys.argv[1]), sys.argv[2]); upgrade(held); held.dispose()"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path / "var", address(opened)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate("go\n")[1] for process in started]
    assert [process.returncode for process in started] == [0] * 3, said
    assert differences(opened, "leads") == differences(opened, "counters") == []


def test_a_database_is_in_use_from_the_first_upgrade_on(opened: Databases) -> None:
    assert (opened.leads.in_use(), opened.counters.in_use()) == (False, False)
    upgrade(opened)
    assert (opened.leads.in_use(), opened.counters.in_use()) == (True, True)


def test_a_start_whose_database_is_there_but_whose_keys_are_not_is_refused(settings: Settings) -> None:
    databases = open_databases(settings.data, settings.database_url)
    upgrade(databases)
    databases.dispose()
    shutil.rmtree(settings.data / "keys", ignore_errors=True)
    with pytest.raises(MissingKey, match="密钥不见了，而数据库还在"):
        create_app(settings)
    assert list((settings.data / "keys").iterdir()) == []


def test_a_database_with_rows_of_the_first_version_is_brought_up_to_date(opened: Databases) -> None:
    """On SQLite a table is changed by making it anew, while enquiries point at the old one."""
    sqlite = opened.leads.engine.dialect.name == "sqlite"
    own = {
        "NOW": "2026-11-21 04:00:00.000000",
        "LEAD": "a" * 32,
        "BYTES": "x'00'" if sqlite else r"'\x00'::bytea",
        "FALSE": "0" if sqlite else "false",
    }
    config = configuration("leads")
    with opened.leads.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in ROWS_OF_THE_FIRST_VERSION:
            connection.exec_driver_sql(re.sub("|".join(own), lambda word: own[word.group()], statement))
    upgrade(opened)
    with opened.leads.reading() as session:
        lead = session.execute(text("SELECT queue, closed, need, source, version FROM leads")).one()
        assert tuple(lead) == ("first", False, "overdue", "search", 1)
        assert session.execute(text("SELECT lead_id FROM enquiries")).scalar_one() == "a" * 32
        if sqlite:
            assert session.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []


NOTICES = (
    ("a", "sent", ""),
    ("b", "failed", ""),
    ("c", "waiting", ""),
    ("d", "waiting", "zhou@x.example"),
    ("e", "logged", ""),
)


def test_notices_get_a_channel_and_lose_it_again(opened: Databases) -> None:
    """What left, left by mail; what waits is for all channels. An older program then sends nothing twice."""
    run_alembic(opened, "leads", "0004")
    row = (
        "INSERT INTO outbox (id, kind, reference, text, state, attempts, due_at, fault, created_at, recipient{more})"
        " VALUES ('{id}', 'enquiry', '{reference}', 'x', '{state}', 0, '{now}', '', '{now}', '{recipient}'{value})"
    )
    now = "2026-11-22 04:00:00.000000"
    with opened.leads.engine.begin() as connection:
        for key, state, recipient in NOTICES:
            connection.exec_driver_sql(
                row.format(
                    id=key, reference=key, state=state, recipient=recipient, now=now, more="", value=""
                )
            )
    run_alembic(opened, "leads", "head")
    with opened.leads.engine.begin() as connection:
        found = {row.id: row.channel for row in connection.exec_driver_sql("SELECT id, channel FROM outbox")}
        assert found == {"a": "mail", "b": "mail", "c": "", "d": "", "e": ""}
        for key, reference, channel in (
            ("f", "a", "wecom"),
            ("g", "g", "wecom"),
            ("h", "g", "feishu"),
        ):
            made = {"id": key, "reference": reference, "state": "waiting", "recipient": "", "now": now}
            connection.exec_driver_sql(row.format(**made, more=", channel", value=f", '{channel}'"))
    config = configuration("leads")
    with opened.leads.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
    with opened.leads.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT id FROM outbox ORDER BY id").scalars().all()
    assert kept == ["a", "b", "c", "d", "e", "g"]
    run_alembic(opened, "leads", "head")
    assert differences(opened, "leads") == []


ROWS_OF_THE_FIRST_VERSION = (
    "INSERT INTO form_versions VALUES ('v1', '{}', 'NOW')",
    "INSERT INTO leads (id, status, name, phone, extension, phone_kind, possible_duplicate, restricted, enquiry_count,"
    " created_at, last_enquiry_at, retain_until) VALUES"
    " ('LEAD', 'new', BYTES, BYTES, BYTES, 'mobile', FALSE, FALSE, 1, 'NOW', 'NOW', 'NOW')",
    "INSERT INTO enquiries (id, lead_id, reference, submission_id, payload_hash, form_version, need, call_time, name,"
    " phone, details, extra, page, article, first_touch, last_touch, articles_read, created_at) VALUES"
    " ('b', 'LEAD', 'XH-00000-00000', 's', BYTES, 'v1', 'overdue', '', BYTES, BYTES, BYTES, BYTES, '', '',"
    """ '{"host": "www.baidu.com"}', '{}', '[]', 'NOW')""",
    "INSERT INTO lead_events (id, lead_id, kind, happened_at) VALUES ('c', 'LEAD', 'enquiry', 'NOW')",
)


def test_a_step_back_takes_what_is_in_quarantine_and_leaves_all_else(bare: Databases) -> None:
    """The schema before has no place for an enquiry without a lead."""
    upgrade(bare)
    now = datetime(2026, 11, 21, 4, tzinfo=UTC)
    sealed = {"name": b"x", "phone": b"x"}
    with bare.leads.writing() as session:
        session.add(FormVersion(version="v1", form="{}", published_at=now))
        session.add(
            leads.Lead(
                id="a" * 32, **sealed, extension=b"x", phone_kind="mobile",
                created_at=now, last_enquiry_at=now, retain_until=now,
            )
        )  # fmt: skip
        for sign, lead_id, state in (
            ("b", "a" * 32, "accepted"),
            ("c", None, "quarantined"),
            ("d", None, "spam"),
        ):
            session.add(
                leads.Enquiry(
                    id=sign * 32, lead_id=lead_id, state=state, reference=sign, submission_id=sign,
                    payload_hash=b"x", form_version="v1", need="other", **sealed, details=b"x", extra=b"x",
                    created_at=now,
                )
            )  # fmt: skip
            session.flush()
            session.add(
                leads.Consent(
                    enquiry_id=sign * 32, purpose="callback", form_version="v1", text_sha256="", given_at=now
                )
            )
    config = configuration("leads")
    with bare.leads.migrating() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
    upgrade(bare)
    with bare.leads.reading() as session:
        rows = session.execute(select(leads.Enquiry.id, leads.Enquiry.state, leads.Enquiry.suspicion)).all()
        assert [tuple(row) for row in rows] == [("b" * 32, "accepted", [])]
        assert session.scalars(select(leads.Consent.enquiry_id)).all() == ["b" * 32]


def test_requests_and_held_enquiries_outlast_a_step_back(bare: Databases) -> None:
    """What tells how far a request reaches is made anew; what was held back is still there."""
    upgrade(bare)
    now = datetime(2026, 11, 21, 4, tzinfo=UTC)
    with bare.leads.writing() as session:
        session.add(leads.FormVersion(version="v1", form="{}", published_at=now))
        session.flush()
        session.add(
            leads.Enquiry(
                id="c" * 32, state="withdrawn", reference="c", submission_id="c", payload_hash=b"x",
                form_version="v1", need="other", name=b"x", phone=b"x", details=b"x", extra=b"x",
                phone_index=b"i", created_at=now,
            )
        )  # fmt: skip
        session.add(
            PrivacyRequest(
                id="d" * 32, receipt="SQ-1", kind="withdraw", phone=b"x", phone_index=b"i", enquiry_id="c" * 32,
                proof="pair", received_at=now, due_at=now,
            )
        )  # fmt: skip
        session.add(Restraint(id="c" * 32, kind="enquiry", what="withdraw", since=now))
    config = configuration("leads")
    with bare.leads.migrating() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0007")
    upgrade(bare)
    with bare.leads.reading() as session:
        held = session.scalars(select(leads.Enquiry)).one()
        assert (held.state, held.phone_index) == ("withdrawn", None)
        asked = session.scalars(select(PrivacyRequest)).one()
        assert (asked.receipt, asked.proof, asked.enquiry_id, asked.corrected) == ("SQ-1", "pair", "", [])
        assert session.scalars(select(Restraint)).all() == []


def test_what_reports_count_is_counted_from_what_is_there(bare: Databases) -> None:
    """How far leads came is read from their timelines; a deal that was taken back is none."""
    config = configuration("leads")
    with bare.leads.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0009")
        sqlite = connection.dialect.name == "sqlite"
        own = {"BYTES": "x'00'" if sqlite else r"'\\x00'::bytea", "FALSE": "0" if sqlite else "false"}
        for statement in _rows_to_count():
            connection.exec_driver_sql(re.sub("|".join(own), lambda word: own[word.group()], statement))
    upgrade(bare)
    with bare.leads.reading() as session:
        rows = session.execute(select(LeadCount).order_by(LeadCount.reached)).scalars().all()
        counts = [
            (str(row.week), row.source, row.need, row.level, row.article, row.reached, row.leads)
            for row in rows
        ]
        spam = {row.reason: (row.held, row.spam, row.released) for row in session.scalars(select(SpamCount))}
        assert session.scalars(select(LeadCountChange)).all() == []
    assert counts == [
        ("2026-11-16", "search", "overdue", "low", "dso", "interested", 1),
        ("2026-11-16", "search", "overdue", "low", "dso", "new", 1),
        ("2026-11-23", "search", "overdue", "low", "", "proposal", 1),
    ]
    assert spam == {"": (3, 1, 1), "trap": (3, 1, 1), "link": (1, 0, 1)}


def _rows_to_count() -> Iterator[str]:
    yield "INSERT INTO form_versions VALUES ('v1', '{}', '2026-11-01 00:00:00.000000')"
    leads_there = (
        ("a", "lost", "2026-11-22 15:59:59.000000", "dso", ("contacted", "interested", "contacted", "lost")),
        ("b", "new", "2026-11-22 15:00:00.000000", "dso", ()),
        (
            "c",
            "proposal",
            "2026-11-22 16:00:00.000000",
            "",
            ("contacted", "interested", "proposal", "won", "proposal"),
        ),
    )
    for sign, status, came, article, road in leads_there:
        lead = sign * 32
        yield (
            "INSERT INTO leads (id, status, closed, reason, queue, follow_up_at, attempts, priority, version, need, source,"  # noqa: S608
            " level, name, phone, extension, phone_kind, possible_duplicate, restricted, enquiry_count, created_at,"
            f" last_enquiry_at, retain_until) VALUES ('{lead}', '{status}', FALSE, '', 'first', '9999-12-31 00:00:00.000000',"
            f" 0, -1, 1, 'overdue', 'search', 'low', BYTES, BYTES, BYTES, 'mobile', FALSE, FALSE, 1, '{came}', '{came}', '{came}')"
        )
        yield _enquiry(sign, f"'{lead}'", article, came, "accepted", "[]")
        for place, (present, to) in enumerate(pairwise(("new", *road))):
            yield (
                "INSERT INTO lead_events (id, lead_id, kind, detail, version, happened_at) VALUES"  # noqa: S608
                f" ('{sign}{place}', '{lead}', 'status', '{{\"from\": \"{present}\", \"to\": \"{to}\"}}', 1,"
                f" '2026-11-23 0{place}:00:00.000000')"
            )
    yield _enquiry("d", "NULL", "", "2026-11-23 00:00:00.000000", "spam", '["trap"]')
    yield _enquiry("e", "NULL", "", "2026-11-23 00:00:00.000000", "quarantined", '["trap"]')
    yield _enquiry("f", f"'{'b' * 32}'", "", "2026-11-23 00:00:00.000000", "accepted", '["trap", "link"]')


def _enquiry(sign: str, lead: str, article: str, came: str, state: str, suspicion: str) -> str:
    return (
        "INSERT INTO enquiries (id, lead_id, reference, submission_id, payload_hash, form_version, need, call_time, name, phone,"  # noqa: S608
        " details, extra, page, article, first_touch, last_touch, articles_read, created_at, state, suspicion) VALUES"
        f" ('{sign * 32}', {lead}, '{sign}', '{sign}', BYTES, 'v1', 'overdue', '', BYTES, BYTES, BYTES, BYTES, '', '{article}',"
        f" '{{}}', '{{}}', '[]', '{came}', '{state}', '{suspicion}')"
    )


def test_reads_that_were_counted_are_added_up_by_week(bare: Databases) -> None:
    config = configuration("counters")
    with bare.counters.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for row in (
            "'a', '2026-11-16', 'own', 7",
            "'a', '2026-11-22', 'own', 1",
            "'b', '2026-11-23', 'own', 5",
        ):
            connection.exec_driver_sql(f"INSERT INTO read_counts VALUES ({row})")  # noqa: S608
    upgrade(bare)
    with bare.counters.reading() as session:
        sources = session.execute(
            text("SELECT week, source, reads, begun FROM source_weeks ORDER BY week")
        ).all()
        articles = session.execute(text("SELECT week, article, reads FROM article_weeks ORDER BY week")).all()
    assert [(str(row.week), *row[1:]) for row in sources] == [
        ("2026-11-16", "own", 8, 0),
        ("2026-11-23", "own", 5, 0),
    ]
    assert [(str(row.week), *row[1:]) for row in articles] == [("2026-11-16", "a", 8), ("2026-11-23", "b", 5)]
