"""The restore drill: a backup made during writes holds every reference given before it; what was deleted stays so."""

from __future__ import annotations

import gc
import json
import os
import secrets
import shutil
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from tests.conftest import OWN_PAGE
from tests.leads.deleting import delete_lead

from xinheng.app import create_app
from xinheng.audit.verify import verify
from xinheng.backup.archive import MANIFEST, BadBackup
from xinheng.backup.making import make_backup
from xinheng.backup.postgres import NoProgram
from xinheng.backup.restoring import AuditDiffers, Restore, WouldReplace
from xinheng.crypto import Keys, load_keys
from xinheng.db import Databases, open_databases
from xinheng.housekeeping import ClockJumped, Housekeeping
from xinheng.leads.deletion import Deletion
from xinheng.leads.models import Consent, Enquiry, Lead
from xinheng.migrations import SchemaNewer
from xinheng.phones import parse_phone
from xinheng.privacy.receiving import Asked
from xinheng.privacy.replaying import Again
from xinheng.rotation.changing import change_keys
from xinheng.running import InUse
from xinheng.settings import Settings

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
BOTH = pytest.mark.databases("sqlite", "postgresql")
Enquire = Callable[[], str]


@pytest.fixture
def enquire(app: Flask, consultation: Callable[..., dict[str, str]]) -> Enquire:
    """Submit a form as a visitor; returns the reference."""

    def submit() -> str:
        phone = f"139{secrets.randbelow(10**8):08}"
        fields = consultation(phone=phone, submission_id=secrets.token_hex(16))
        with app.test_client() as client:
            answer = client.post(
                "/consultation", data=fields, headers=OWN_PAGE, base_url=app.config["ORIGIN"]
            )
        assert answer.status_code == 303
        return str(answer.headers["Location"].rpartition("/")[2])

    return submit


@pytest.fixture
def backed_up(databases: Databases, settings: Settings, keys: Keys, tmp_path: Path) -> Callable[[], Path]:
    def make() -> Path:
        file = tmp_path / "backups" / f"{secrets.token_hex(4)}.zip"
        make_backup(databases, settings.database_url, keys, file, NOW)
        return file

    return make


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Another machine: no database yet, and the keys as they were put by."""
    data = tmp_path / "elsewhere"
    shutil.copytree(settings.data / "keys", data / "keys")
    with ExitStack() as server:
        url = ""
        if settings.database_url:
            url = server.enter_context(request.getfixturevalue("postgres").database())
        yield replace(settings, data=data, database_url=url)


def restore(to: Settings, keys: Keys, file: Path, **how: bool) -> int:
    return Restore(to.data, to.database_url, keys, **how).run(file, NOW).again.deleted


def references(settings: Settings) -> set[str]:
    opened = open_databases(settings.data, settings.database_url)
    try:
        with opened.leads.reading() as session:
            return set(session.scalars(select(Enquiry.reference)))
    finally:
        opened.dispose()


@BOTH
def test_a_backup_made_during_writes_holds_every_reference_given_before(
    app: Flask, enquire: Enquire, backed_up: Callable[[], Path], elsewhere: Settings, keys: Keys
) -> None:
    given: list[str] = []
    stopping = threading.Event()

    def visitors() -> None:
        while not stopping.is_set():
            given.append(enquire())

    writers = [threading.Thread(target=visitors) for _ in range(3)]
    for writer in writers:
        writer.start()
    while len(given) < 20:
        stopping.wait(0.01)
    before = set(given)
    file = backed_up()
    stopping.set()
    for writer in writers:
        writer.join()
    restore(elsewhere, keys, file)
    found = references(elsewhere)
    assert before <= found <= set(given)
    site = create_app(elsewhere)
    try:
        place = f"/consultation/{next(iter(before))}"
        assert site.test_client().get(place, base_url=elsewhere.origin).status_code == 200
        assert verify(site.extensions["xinheng.databases"].leads, keys).whole
        with site.extensions["xinheng.databases"].leads.reading() as session:
            for enquiry in session.scalars(select(Enquiry)):
                assert enquiry.open(keys, "phone").startswith("139")
    finally:
        site.extensions["xinheng.reads"].stop()
        site.extensions["xinheng.databases"].dispose()


@BOTH
@pytest.mark.parametrize("age", [timedelta(days=2), timedelta(days=-2)], ids=["old", "ahead"])
def test_an_old_backup_is_no_clock_that_jumped(
    databases: Databases,
    backed_up: Callable[[], Path],
    elsewhere: Settings,
    keys: Keys,
    age: timedelta,
) -> None:
    """Deletion goes on after a restore, without a word from anybody."""

    def housekeeping(of: Databases, data: Path) -> Housekeeping:
        return Housekeeping(of.leads, of.counters, keys, Deletion.of_site(of.leads, keys, data))

    housekeeping(databases, elsewhere.data).run_once(NOW - age)
    restore(elsewhere, keys, backed_up())
    restored = open_databases(elsewhere.data, elsewhere.database_url)
    try:
        housekeeping(restored, elsewhere.data).run_once(NOW + timedelta(hours=1))
        with pytest.raises(ClockJumped):
            housekeeping(restored, elsewhere.data).run_once(NOW + timedelta(days=365))
    finally:
        restored.dispose()


@BOTH
def test_who_was_deleted_after_the_backup_is_gone_before_the_first_request(
    app: Flask,
    enquire: Enquire,
    backed_up: Callable[[], Path],
    elsewhere: Settings,
    keys: Keys,
    settings: Settings,
) -> None:
    gone, left = enquire(), enquire()
    file = backed_up()
    store = app.extensions["xinheng.databases"].leads
    with store.reading() as session:
        lead_id = session.scalars(select(Enquiry.lead_id).where(Enquiry.reference == gone)).one()
    delete_lead(store, app.extensions["xinheng.deletion"], lead_id, now=NOW)
    shutil.copy(settings.data / "keys" / "tombstones", elsewhere.data / "keys" / "tombstones")
    assert restore(elsewhere, keys, file) == 1
    assert references(elsewhere) == {left}


@BOTH
def test_consent_taken_back_after_the_backup_stays_so(
    app: Flask,
    enquire: Enquire,
    backed_up: Callable[[], Path],
    elsewhere: Settings,
    keys: Keys,
    settings: Settings,
) -> None:
    reference = enquire()
    file = backed_up()
    with app.extensions["xinheng.databases"].leads.reading() as session:
        phone = session.scalars(select(Lead)).one().open(keys, "phone")
    app.extensions["xinheng.privacy"].receive(Asked("withdraw", parse_phone(phone), reference), NOW)
    shutil.copy(settings.data / "keys" / "tombstones", elsewhere.data / "keys" / "tombstones")
    done = Restore(elsewhere.data, elsewhere.database_url, keys).run(file, NOW)
    assert done.again == Again(restrained=1)
    opened = open_databases(elsewhere.data, elsewhere.database_url)
    try:
        with opened.leads.reading() as session:
            assert session.scalars(select(Lead.restricted)).all() == [True]
            assert session.scalars(select(Consent.withdrawn_at)).all() == [NOW]
    finally:
        opened.dispose()


@BOTH
def test_the_archive_is_for_its_owner_and_holds_no_key_and_nothing_in_clear(
    app: Flask, enquire: Enquire, backed_up: Callable[[], Path], settings: Settings
) -> None:
    enquire()
    file = backed_up()
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        told = json.loads(archive.read(MANIFEST))
        held = b"".join(archive.read(name) for name in names)
    assert names == {MANIFEST, *told["files"]}
    for key in (settings.data / "keys").glob("*.key"):
        assert key.read_text().strip().encode() not in held
        assert bytes.fromhex(key.read_text().strip()) not in held
    assert "张三丰".encode() not in held


def test_a_backup_is_never_written_over(
    app: Flask, backed_up: Callable[[], Path], settings: Settings, keys: Keys
) -> None:
    file = backed_up()
    before = file.read_bytes()
    with pytest.raises(FileExistsError, match="换一个文件名"):
        make_backup(app.extensions["xinheng.databases"], "", keys, file, NOW)
    assert file.read_bytes() == before


def test_a_running_site_is_not_restored_over(
    app: Flask, settings: Settings, keys: Keys, backed_up: Callable[[], Path]
) -> None:
    with pytest.raises(InUse, match="先停下"):
        restore(settings, keys, backed_up(), replace=True)


def test_a_database_that_is_there_is_put_aside_only_when_told_and_its_log_with_it(
    enquire: Enquire, elsewhere: Settings, keys: Keys, backed_up: Callable[[], Path]
) -> None:
    enquire()
    first = backed_up()
    restore(elsewhere, keys, first)
    enquire()
    second = backed_up()
    for name in ("leads.db-wal", "leads.db-shm", "counters.db-wal"):
        (elsewhere.data / name).write_bytes(b"old")
    with pytest.raises(WouldReplace):
        restore(elsewhere, keys, second)
    for name in ("leads.db-wal", "leads.db-shm", "counters.db-wal"):
        (elsewhere.data / name).unlink()
    opened = open_databases(elsewhere.data)
    with opened.leads.writing() as session:
        session.execute(text("UPDATE leads SET attempts = 7"))
    log = (elsewhere.data / "leads.db-wal").read_bytes()  # as a crash leaves it
    opened.dispose()
    (elsewhere.data / "leads.db-wal").write_bytes(log)
    restore(elsewhere, keys, second, replace=True)
    assert len(references(elsewhere)) == 2
    (kept,) = elsewhere.data.glob("replaced-*")
    assert (kept / "leads.db").exists()
    assert kept.stat().st_mode & 0o777 == 0o700
    assert not (elsewhere.data / "restoring").exists()


def test_who_the_replaced_database_knew_as_deleted_stays_deleted(
    app: Flask, enquire: Enquire, elsewhere: Settings, keys: Keys, backed_up: Callable[[], Path]
) -> None:
    """Though the file of tombstones was lost."""
    enquire()
    file = backed_up()
    restore(elsewhere, keys, file)
    site = create_app(elsewhere)
    store = site.extensions["xinheng.databases"].leads
    with store.reading() as session:
        lead_id = session.scalars(select(Lead.id)).one()
    delete_lead(store, site.extensions["xinheng.deletion"], lead_id, now=NOW)
    site.extensions["xinheng.reads"].stop()
    site.extensions["xinheng.databases"].dispose()
    (elsewhere.data / "keys" / "tombstones").unlink()
    del site
    gc.collect()  # the application holds the folder as running
    assert restore(elsewhere, keys, file, replace=True) == 1
    assert references(elsewhere) == set()


def test_a_backup_from_before_a_change_of_keys_is_sealed_and_found_by_the_new_ones(
    enquire: Enquire, elsewhere: Settings, keys: Keys, backed_up: Callable[[], Path]
) -> None:
    enquire()
    file = backed_up()
    restore(elsewhere, keys, file)
    opened = open_databases(elsewhere.data)
    change_keys(elsewhere.data, opened.leads)
    opened.dispose()
    new = load_keys(elsewhere.data / "keys", make=False)
    assert Restore(elsewhere.data, "", new, replace=True).run(file, NOW).unreadable == 0
    again = open_databases(elsewhere.data)
    with again.leads.reading() as session:
        lead = session.scalars(select(Lead)).one()
        assert not new.is_outdated(lead.phone)
        assert lead.phone_index == new.blind_index("phone", lead.open(new, "phone"))
    again.dispose()


def changed(file: Path, **entries: bytes) -> Path:
    """A copy of the archive with other contents under some names."""
    other = file.with_name(f"changed-{file.name}")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            target.writestr(name, entries.get(name.partition(".")[0], source.read(name)))
    return other


def test_a_backup_that_was_changed_is_refused_and_nothing_is_there_afterwards(
    app: Flask, elsewhere: Settings, keys: Keys, backed_up: Callable[[], Path], settings: Settings
) -> None:
    file = backed_up()
    told = json.loads(zipfile.ZipFile(file).read(MANIFEST))
    with zipfile.ZipFile(file) as archive:
        database = bytearray(archive.read("leads.db"))
    database[5000] ^= 1
    wrong = {
        "leads": bytes(database),
        "manifest": json.dumps(told | {"audit_head": "0:"} | {"program": "9"}).encode(),
    }
    for name, contents in wrong.items():
        with pytest.raises(BadBackup):
            restore(elsewhere, keys, changed(file, **{name: contents}))
        os.unlink(changed(file))
    cut = file.with_name("cut.zip")
    cut.write_bytes(file.read_bytes()[:-500])
    (file.with_name("text.zip")).write_text("not a backup")
    for bad in (cut, file.with_name("text.zip")):
        with pytest.raises(BadBackup):
            restore(elsewhere, keys, bad)
    assert list(elsewhere.data.glob("*.db*")) == []


def test_another_sites_keys_are_refused(
    app: Flask, elsewhere: Settings, keys: Keys, backed_up: Callable[[], Path]
) -> None:
    with pytest.raises(BadBackup, match="密钥对不上"):
        restore(elsewhere, replace(keys, index=secrets.token_bytes(32)), backed_up())


def test_a_backup_of_a_later_version_is_refused(
    app: Flask, databases: Databases, elsewhere: Settings, keys: Keys, backed_up: Callable[[], Path]
) -> None:
    with databases.leads.writing() as session:
        session.execute(text("UPDATE alembic_version_leads SET version_num = '9999'"))
    with pytest.raises(SchemaNewer, match="更新的版本"):
        restore(elsewhere, keys, backed_up())


def test_an_audit_that_was_cut_before_the_backup_is_told(
    app: Flask,
    databases: Databases,
    elsewhere: Settings,
    keys: Keys,
    backed_up: Callable[[], Path],
    enquire: Enquire,
) -> None:
    with databases.leads.writing() as session:
        session.execute(text("UPDATE audit_head SET last_id = 3, chain = x'00'"))
    file = backed_up()
    with pytest.raises(AuditDiffers):
        restore(elsewhere, keys, file)
    assert [each.name for each in elsewhere.data.iterdir() if each.is_dir()] == ["keys"]
    restore(elsewhere, keys, file, any_audit=True)
    assert (elsewhere.data / "leads.db").exists()


def test_a_backup_of_the_other_kind_of_database_is_refused(
    app: Flask, elsewhere: Settings, keys: Keys, backed_up: Callable[[], Path]
) -> None:
    with pytest.raises(BadBackup, match="sqlite 的备份"):
        Restore(elsewhere.data, "postgresql+psycopg://x@127.0.0.1:1/x", keys).run(backed_up(), NOW)


@pytest.mark.databases("postgresql")
def test_without_pg_dump_the_command_says_what_to_install(
    backed_up: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NoProgram, match="postgresql-client"):
        backed_up()


@pytest.mark.databases("postgresql")
def test_a_postgresql_database_with_our_tables_is_not_restored_over(
    app: Flask, elsewhere: Settings, settings: Settings, keys: Keys, backed_up: Callable[[], Path]
) -> None:
    with pytest.raises(WouldReplace, match="空库"):
        restore(replace(elsewhere, database_url=settings.database_url), keys, backed_up())


def test_the_copy_is_a_single_whole_file(
    app: Flask, enquire: Enquire, backed_up: Callable[[], Path], tmp_path: Path
) -> None:
    enquire()
    with zipfile.ZipFile(backed_up()) as archive:
        archive.extract("leads.db", tmp_path / "looked")
    with closing(sqlite3.connect(tmp_path / "looked" / "leads.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM enquiries").fetchone() == (1,)
