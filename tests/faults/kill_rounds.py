"""Kill the site again and again under visitors, and count what they were told against what is kept.

In the tests with a few rounds; more by command, which prints its seed:

    python -m tests.faults.kill_rounds --rounds 100 --database postgresql
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

from sqlalchemy import text
from tests.browser.running import FORM, RunningSite, copy_of_site
from tests.databases import a_writer_elsewhere
from tests.postgres import running_server

from xinheng.crypto import load_keys
from xinheng.db import Databases, open_databases
from xinheng.db.sqlite import SqliteDatabase
from xinheng.leads.spool import Spool

CLIENTS = 8
WORKERS = 4
REFUSED_EVERY = 6  # in each sixth round another program keeps the database until enquiries go to the spool
OWN = {"Sec-Fetch-Site": "same-origin"}
ORPHANS = (
    "SELECT count(*) FROM consents WHERE enquiry_id NOT IN (SELECT id FROM enquiries)",
    "SELECT count(*) FROM outbox WHERE reference NOT IN (SELECT reference FROM enquiries)",
    "SELECT count(*) FROM enquiries WHERE lead_id NOT IN (SELECT id FROM leads)",
    "SELECT count(*) FROM enquiries WHERE id NOT IN (SELECT enquiry_id FROM consents)",
    "SELECT count(*) FROM enquiries WHERE reference NOT IN (SELECT reference FROM outbox)",
)


class Told:
    """The references that visitors received, each on the disk before the next request is sent."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._writing = threading.Lock()
        file.touch()

    def add(self, reference: str) -> None:
        with self._writing, self._file.open("a") as stream:
            stream.write(reference + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def all(self) -> set[str]:
        return set(self._file.read_text().split())


class Rounds:
    """A site, its visitors, and what kills it. `kept` counts references in the database and in the spool."""

    def __init__(self, folder: Path, url: str, seed: int) -> None:
        self.site = RunningSite(copy_of_site(folder), workers=WORKERS, DATABASE_URL=url)
        self.told = Told(folder / "told")
        self.draw = random.Random(seed)  # noqa: S311 (repeats a run, guards nothing)
        self.url = url
        self.spooled = 0

    def run(self, rounds: int) -> None:
        """As many rounds; then a last start that must bring everything into the database."""
        for number in range(rounds):
            self.site.start()
            self._under_visitors(refused=number % REFUSED_EVERY == REFUSED_EVERY - 1)
            self._check()
        self.site.start()
        self._drained()
        self.site.terminate()
        assert self.site.ended() == 0
        assert "Traceback" not in self.site.log
        self._check(spool_is_empty=True)

    def _under_visitors(self, *, refused: bool) -> None:
        stopped, version = threading.Event(), self.site.consent_version()
        visitors = [threading.Thread(target=self._visit, args=(stopped, version)) for _ in range(CLIENTS)]
        with ExitStack() as elsewhere:
            databases = elsewhere.enter_context(self._opened())
            if refused:
                elsewhere.enter_context(a_writer_elsewhere(databases.leads, "leads", "enquiries"))
            for visitor in visitors:
                visitor.start()
            time.sleep(self.draw.uniform(2.1, 2.6) if refused else self.draw.uniform(0.05, 0.8))
            if self.draw.random() < 0.5:  # one process alone first: a worker, or what drains and notifies
                with suppress(ProcessLookupError):
                    os.kill(self.draw.choice(self.site._processes()), signal.SIGKILL)
                time.sleep(self.draw.uniform(0, 0.3))
            self._kill_all()
        stopped.set()
        for visitor in visitors:
            visitor.join()

    def _kill_all(self) -> None:
        for process in self.site._processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.site.kill()

    def _visit(self, stopped: threading.Event, version: str) -> None:
        """One visitor after another; some press twice."""
        while not stopped.is_set():
            fields = FORM | {
                "consent_version": version,
                "submission_id": secrets.token_hex(16),
                "phone": f"1380013{secrets.randbelow(20):04}",
            }
            received = set()
            for _ in range(1 + secrets.randbelow(2)):
                with suppress(OSError, HTTPException):
                    answer = self.site.request("POST", "/consultation", fields, OWN)
                    assert answer.status in {303, 503}, answer.status
                    if answer.status == 303:
                        received.add(answer.reference)
                        self.told.add(answer.reference)
            assert len(received) <= 1, "two references of one enquiry"

    def _drained(self) -> None:
        deadline = time.monotonic() + 60
        while self._waiting():
            assert time.monotonic() < deadline, f"not drained:\n{self.site.log}"
            time.sleep(0.1)

    def _waiting(self) -> list[str]:
        keys = load_keys(self.site.data / "keys", make=False)
        return [keys.reference(each) for each in Spool(self.site.data / "spool", keys).ids()]

    def _check(self, *, spool_is_empty: bool = False) -> None:
        """Every reference that was told exists exactly once; the database is whole."""
        with self._opened() as databases, databases.leads.engine.connect() as connection:
            stored = Counter(connection.scalars(text("SELECT reference FROM enquiries")))
            waiting = self._waiting()
            self.spooled += len(waiting)
            assert set(stored.values()) <= {1}
            assert not self.told.all() - set(stored) - set(waiting), "an acknowledged enquiry is lost"
            assert not (spool_is_empty and (waiting or self.told.all() - set(stored)))
            for orphans in ORPHANS:
                assert connection.scalar(text(orphans)) == 0, orphans
            if isinstance(databases.leads, SqliteDatabase):
                assert connection.scalar(text("PRAGMA integrity_check")) == "ok"

    @contextmanager
    def _opened(self) -> Iterator[Databases]:
        databases = open_databases(self.site.data, self.url)
        try:
            yield databases
        finally:
            databases.dispose()


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--rounds", type=int, default=100)
    wanted.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    wanted.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    chosen = wanted.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        url = ""
        if chosen.database == "postgresql":
            url = held.enter_context(held.enter_context(running_server()).database())
        began, rounds = time.monotonic(), Rounds(folder, url, chosen.seed)
        held.callback(rounds.site.kill)
        rounds.run(chosen.rounds)
        print(
            f"{chosen.rounds} rounds in {time.monotonic() - began:.0f} s: {len(rounds.told.all())} references told, "
            f"each kept once; {rounds.spooled} seen in the spool after a kill"
        )


if __name__ == "__main__":
    main()
