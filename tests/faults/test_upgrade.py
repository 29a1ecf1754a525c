"""A newer program starts on what an older one left: its schema, its spool, its outbox. Half a minute."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from tests.browser.running import RunningSite, copy_of_site
from tests.databases import a_writer_elsewhere
from tests.faults.kill_rounds import ORPHANS
from tests.faults.test_beside import ENTRY
from tests.faults.visitors import ask, until, waiting
from tests.notices.conftest import MailBox, Post
from tests.postgres import PostgresServer

from xinheng.crypto import Keys, load_keys
from xinheng.db import Databases, open_databases
from xinheng.leads.reserve import SLOT
from xinheng.migrations import configuration

pytestmark = pytest.mark.faults
OLDER = "0004"  # neither channels nor quarantine nor privacy requests


@pytest.fixture
def box() -> MailBox:
    return MailBox()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with ExitStack() as held:
        if request.param == "sqlite":
            yield ""
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            yield held.enter_context(server.database())


@pytest.fixture
def site(tmp_path: Path, url: str, box: MailBox) -> Iterator[RunningSite]:
    root = copy_of_site(tmp_path)
    (root / "content" / "processors.toml").write_text(ENTRY.format(channel="mail"), "utf-8")
    post = Post(box)
    post.start()
    running = RunningSite(
        root,
        DATABASE_URL=url,
        XINHENG_SMTP=f"smtp://127.0.0.1:{post.port}",
        XINHENG_MAIL_FROM="site@xinheng.example",
        XINHENG_MAIL_TO="sales@xinheng.example",
    )
    try:
        running.start()
        yield running
    finally:
        running.kill()
        post.stop()


@pytest.fixture
def databases(site: RunningSite, url: str) -> Iterator[Databases]:
    opened = open_databases(site.data, url)
    yield opened
    opened.dispose()


def as_the_older_left_it(site: RunningSite, databases: Databases) -> None:
    """Its schema; and the records of its spool, which knew no verdict."""
    config = configuration("leads")
    with databases.leads.migrating() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, OLDER)
    keys = load_keys(site.data / "keys", make=False)
    records = list((site.data / "spool").glob("*.kept"))
    assert records
    for file in records:
        without_verdict(file, keys)


def without_verdict(file: Path, keys: Keys) -> None:
    place, data = f"spool:record:{file.stem}", file.read_bytes()
    length = int.from_bytes(data[4:8])
    record = json.loads(keys.open(data[8 : 8 + length], place))
    del record["submission"]["verdict"]
    sealed = keys.seal(json.dumps(record, ensure_ascii=False), place)
    file.write_bytes((data[:4] + len(sealed).to_bytes(4) + sealed).ljust(SLOT, b"\0"))


def postponed(databases: Databases) -> int:
    """How many notices wait for their second attempt."""
    query = "SELECT count(*) FROM outbox WHERE state = 'waiting' AND attempts = 1 AND leased_until IS NULL"
    with databases.leads.asking() as session:
        return session.scalar(text(query)) or 0


def test_an_upgrade_with_a_live_spool_and_outbox_loses_nothing(
    site: RunningSite, databases: Databases, box: MailBox
) -> None:
    box.refuse = "451 not now"
    told = ask(site, 2)
    until(lambda: postponed(databases) == 2, site)
    with a_writer_elsewhere(databases.leads, "leads", "enquiries"):
        told += ask(site, 3)
        site.terminate()
        assert site.ended() == 0
    assert len(waiting(site)) == 3
    as_the_older_left_it(site, databases)
    with databases.leads.writing() as session:
        session.execute(text("UPDATE outbox SET due_at = created_at"))  # the five minutes are over
    box.refuse = ""
    site.start()
    until(lambda: not waiting(site), site)
    with databases.leads.reading() as session:
        assert sorted(session.scalars(text("SELECT reference FROM enquiries"))) == sorted(told)
        for orphans in ORPHANS:
            assert session.scalar(text(orphans)) == 0, orphans
    until(lambda: {subject[1:15] for subject in box.subjects} == set(told), site)
    assert {site.get(f"/consultation/{each}").status for each in told} == {200}
    site.terminate()
    assert site.ended() == 0
    assert "Traceback" not in site.log
