"""The PostgreSQL server is really stopped, or crashes, under the running site. A minute."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.browser.running import RunningSite, copy_of_site
from tests.faults.kill_rounds import ORPHANS
from tests.faults.visitors import ask, until, waiting
from tests.postgres import PostgresServer, own_server

from xinheng.db import open_databases

pytestmark = pytest.mark.faults
CRASHES = 5
VISITORS = 6


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with own_server() as own:
        yield own


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    with server.database() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path, url: str) -> Iterator[RunningSite]:
    running = RunningSite(copy_of_site(tmp_path), workers=2, DATABASE_URL=url)
    try:
        running.start()
        yield running
    finally:
        running.kill()


def stored(site: RunningSite, url: str) -> list[str]:
    """The references in the database, which is whole."""
    databases = open_databases(site.data, url)
    try:
        with databases.leads.reading() as session:
            for orphans in ORPHANS:
                assert session.scalar(text(orphans)) == 0, orphans
            return sorted(session.scalars(text("SELECT reference FROM enquiries")))
    finally:
        databases.dispose()


def test_while_the_server_is_stopped_everybody_gets_a_reference_and_afterwards_each_is_stored_once(
    site: RunningSite, url: str, server: PostgresServer
) -> None:
    told = ask(site, VISITORS)
    server.stop()
    try:
        spooled = ask(site, VISITORS)
        again = site.post_form(submission_id="5f" * 16).reference
        assert site.post_form(submission_id="5f" * 16).reference == again
        assert waiting(site) == {*spooled, again}
        assert {site.get(f"/consultation/{each}").status for each in waiting(site)} == {200}
        assert site.get("/readyz").status == 200
        assert site.get("/").status == 200
    finally:
        server.start()
    until(lambda: not waiting(site), site)
    assert site.post_form(submission_id="5f" * 16).reference == again
    told += [*spooled, again, *ask(site)]
    assert stored(site, url) == sorted(told)
    assert {site.get(f"/consultation/{each}").status for each in told} == {200}
    site.stop()


def test_while_the_server_is_frozen_everybody_gets_a_reference_and_the_site_can_be_stopped(
    site: RunningSite, url: str, server: PostgresServer
) -> None:
    """More visitors than the workers have threads, twice."""
    told = ask(site, VISITORS)
    with server.frozen():
        spooled = [*ask(site, 20), *ask(site, 20)]
        assert waiting(site) == set(spooled)
        assert site.get("/").status == 200
        assert site.get("/readyz").status == 200
        site.terminate()
        assert site.ended() == 0
        assert waiting(site) == set(spooled)
    site.start()
    until(lambda: not waiting(site), site)
    told += [*spooled, *ask(site)]
    assert stored(site, url) == sorted(told)
    site.stop()


def test_a_site_that_stops_while_the_server_is_away_leaves_the_spool_to_the_next_start(
    site: RunningSite, url: str, server: PostgresServer
) -> None:
    server.stop()
    try:
        told = ask(site, VISITORS)
        site.terminate()
        assert site.ended() == 0
        assert waiting(site) == set(told)
    finally:
        server.start()
    site.start()
    until(lambda: not waiting(site), site)
    assert stored(site, url) == told
    site.stop()


def test_a_server_that_crashes_while_enquiries_are_written_loses_and_doubles_none(
    site: RunningSite, url: str, server: PostgresServer
) -> None:
    """Where it crashed between a commit and its answer, the enquiry is in the database and in the spool for a while."""
    told: list[str] = []
    stopped = threading.Event()

    def visit(_: int) -> None:
        while not stopped.is_set():
            told.append(site.post_form(submission_id=secrets.token_hex(16)).reference)

    with ExitStack() as ends, ThreadPoolExecutor(VISITORS) as pool:
        ends.callback(stopped.set)
        visits = [pool.submit(visit, number) for number in range(VISITORS)]
        for _ in range(CRASHES):
            before = len(told)
            until(lambda: len(told) >= before + 2 * VISITORS, site)  # noqa: B023 (called at once)
            server.stop(crash=True)
            time.sleep(secrets.randbelow(1000) / 1000)
            server.start()
        stopped.set()
        for each in visits:
            each.result()
    until(lambda: not waiting(site), site)
    assert Counter(stored(site, url)) == Counter(told)
    site.terminate()
    assert site.ended() == 0
    assert "Traceback" not in site.log
