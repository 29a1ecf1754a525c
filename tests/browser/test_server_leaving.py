"""Two machines behind a load balancer, restarted one after the other: no visitor notices."""

from __future__ import annotations

import secrets
import select
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sized
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import create_engine, text
from tests.browser.desk import eventually
from tests.browser.running import FORM, RunningSite, copy_of_site
from tests.postgres import PostgresServer

pytestmark = pytest.mark.browser

VISITORS = 6
HEADERS = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}


class Balancer:
    """Asks each machine five times a second whether it is ready, and sends visitors to those that are.

    As nginx does, it keeps connections, looks whether one was closed before it uses it again, and turns to the next
    machine only where nobody listened: what was sent is never sent twice.
    """

    def __init__(self, sites: list[RunningSite]) -> None:
        self._sites = sites
        self._ready: list[RunningSite] = list(sites)
        self._kept = threading.local()
        self._stopping = threading.Event()
        self._asking = threading.Thread(target=self._ask)
        self._asking.start()

    def stop(self) -> None:
        self._stopping.set()
        self._asking.join()

    def sends_to(self, site: RunningSite) -> bool:
        return site in self._ready

    def post(self, fields: dict[str, str]) -> tuple[int, str]:
        """Status, and the address one is sent on to."""
        ready = list(self._ready)
        secrets.SystemRandom().shuffle(ready)
        for site in ready:
            connection = self._connection(site)
            if connection.sock is None:
                try:
                    connection.connect()
                except ConnectionRefusedError:
                    continue
            host = HEADERS | {"Host": "127.0.0.1", "Origin": self._sites[0].origin}
            connection.request("POST", "/consultation", urlencode(fields), host)
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers["Location"] or ""
        return 502, ""

    def hang_up(self) -> None:
        """Close what this visitor's thread has kept."""
        for connection in self._kept.__dict__.pop("by_port", {}).values():
            connection.close()

    def _connection(self, site: RunningSite) -> HTTPConnection:
        kept: dict[int, HTTPConnection] = self._kept.__dict__.setdefault("by_port", {})
        connection = kept.setdefault(site.port, HTTPConnection("127.0.0.1", site.port, timeout=30))
        if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
            connection.close()
        return connection

    def _ask(self) -> None:
        while not self._stopping.wait(0.2):
            self._ready = [site for site in self._sites if self._is_ready(site)]

    def _is_ready(self, site: RunningSite) -> bool:
        with suppress(OSError):
            return site.get("/readyz").status == 200
        return False


@pytest.fixture
def two(tmp_path: Path, postgres: PostgresServer) -> Iterator[tuple[list[RunningSite], str]]:
    """Two machines with one PostgreSQL, and the address of that."""
    with postgres.database() as url:
        root = copy_of_site(tmp_path)
        first = RunningSite(root, DATABASE_URL=url)
        first.start()
        second = RunningSite(
            root, DATABASE_URL=url, XINHENG_DATA=str(root / "second"), XINHENG_ORIGIN=first.origin
        )
        second.log_file = root / "second.log"
        shutil.copytree(first.data / "keys", root / "second" / "keys")
        try:
            second.start()
            yield [first, second], url
        finally:
            second.kill()
            first.kill()


def test_a_rolling_restart_loses_no_enquiry_and_shows_nobody_an_error(
    two: tuple[list[RunningSite], str],
) -> None:
    sites, url = two
    version = sites[0].consent_version()
    answers: list[tuple[int, str]] = []
    balancer, stopped = Balancer(sites), threading.Event()

    def visit() -> None:
        while not stopped.is_set():
            phone = f"139{secrets.randbelow(10**8):08}"
            fields = FORM | {
                "phone": phone,
                "consent_version": version,
                "submission_id": secrets.token_hex(16),
            }
            answers.append(balancer.post(fields))
            time.sleep(0.05)
        balancer.hang_up()

    visitors = [threading.Thread(target=visit) for _ in range(VISITORS)]
    for visitor in visitors:
        visitor.start()
    try:
        for site in sites:
            assert eventually(lambda: all(map(balancer.sends_to, sites)))
            site.terminate()
            assert site.ended() == 0
            site.check_log()
            enough = len(answers) + 2 * VISITORS
            assert eventually(partial(reached, answers, enough)), "the other one serves"
            site.start()
    finally:
        stopped.set()
        for visitor in visitors:
            visitor.join()
        balancer.stop()
    assert Counter(status for status, _ in answers) == {303: len(answers)}
    told = [address.rpartition("/")[2] for _, address in answers]
    assert stored(url) == sorted(told)


def test_it_says_that_it_leaves_at_once_and_takes_who_still_comes(tmp_path: Path) -> None:
    site = RunningSite(copy_of_site(tmp_path))
    try:
        site.start()
        version = site.consent_version()
        assert site.get("/readyz").status == 200
        site.terminate()
        assert eventually(lambda: site.get("/readyz").status == 503)
        fields = FORM | {"consent_version": version}
        answer = site.request("POST", "/consultation", fields, {"Sec-Fetch-Site": "same-origin"})
        assert (answer.status, answer.headers["Connection"]) == (303, "close")
        assert site.get("/healthz").status == 200
        assert {site.get("/readyz").text for _ in range(6)} == {'{"status":"leaving"}\n'}  # of every worker
        assert site.ended() == 0
        site.check_log()
        assert site.enquiries() == 1
    finally:
        site.kill()


def reached(answers: Sized, number: int) -> bool:
    return len(answers) >= number


def stored(url: str) -> list[str]:
    """The references in the database, in order."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = sorted(connection.scalars(text("SELECT reference FROM enquiries")))
    engine.dispose()
    return found
