"""How many enquiries a second are stored durably, over real HTTP, beside what the database does by itself.

    PYTHONPATH=site:. python bench/enquiries.py --seconds 10
    PYTHONPATH=site:. python bench/enquiries.py --rate 100 --seconds 60 --workers 4

First bare transactions of about an enquiry's size (`synchronous=FULL`; on PostgreSQL as many connections as workers,
on a server that waits for its disk), then the site with each number of workers, then the bare ones again, for a disk is
not always the same. With --rate so many are sent a second and no more. Ends with 1 where an answer was no reference, a
reference was told twice, or one is not in the database.

An enquiry takes about 5 ms of a processor, 2.5 ms of them in its turn to write, a third of which are SQLite's own: a lead
stands in some thirty indexes. So a small machine is limited by its processors and not by its disk, and reaches half of
the bare rate only where a sync takes some milliseconds.
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import secrets
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from sqlalchemy import text
from tests.browser.running import FORM, RunningSite, copy_of_site
from tests.postgres import own_server

from xinheng.crypto import load_keys
from xinheng.db import open_databases
from xinheng.leads.spool import Spool

CLIENTS = 2  # processes that send, so that one interpreter is not what is measured
THREADS = 8  # connections of each
ROW = "一份咨询的五行" * 40  # as much as one of the five or six rows of an enquiry
ROWS = 6
TABLE = "CREATE TABLE bare (id {key}, words TEXT)"
AIM = 0.5  # of the bare rate
HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


@dataclass
class Found:
    """Times in seconds, references told, and what went wrong."""

    times: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, other: Found) -> None:
        self.times += other.times
        self.told += other.told
        self.faults += other.faults

    def line(self, seconds: float) -> str:
        times = sorted(self.times) or [0.0]
        p50, p99 = (times[min(int(len(times) * share), len(times) - 1)] * 1000 for share in (0.5, 0.99))
        return f"{len(self.times) / seconds:6.0f}/s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   longest {times[-1] * 1000:5.0f} ms"


# --- the database by itself ---


def bare_sqlite(folder: Path, seconds: float) -> Found:
    found = Found()
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(TABLE.format(key="INTEGER PRIMARY KEY").replace("TABLE", "TABLE IF NOT EXISTS"))

        def commit() -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO bare (words) VALUES (?)", [(ROW,)] * ROWS)
            connection.execute("COMMIT")

        _again(commit, seconds, found)
    return found


def bare_postgres(url: str, seconds: float, connections: int) -> Found:
    plain, whole = url.replace("+psycopg", ""), Found()
    with psycopg.connect(plain, autocommit=True) as connection:
        key = "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        connection.execute(TABLE.format(key=key).replace("TABLE", "TABLE IF NOT EXISTS"))

    def run(_: int) -> Found:
        found = Found()
        with psycopg.connect(plain) as connection:

            def commit() -> None:
                connection.cursor().executemany("INSERT INTO bare (words) VALUES (%s)", [(ROW,)] * ROWS)
                connection.commit()

            _again(commit, seconds, found)
        return found

    with ThreadPoolExecutor(connections) as pool:
        for each in pool.map(run, range(connections)):
            whole.add(each)
    return whole


def _again(act: Callable[[], None], seconds: float, found: Found) -> None:
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        act()
        found.times.append(time.monotonic() - began)


# --- the site ---


def client(port: int, version: str, seconds: float, rate: float, told: Any) -> None:
    """One process of visitors; `rate` is that of all, or 0 for as many as are answered."""
    found, guard = Found(), threading.Lock()
    began, pause = time.monotonic(), CLIENTS * THREADS / rate if rate else 0.0

    def visit(number: int) -> None:
        own, due = Found(), began + pause * number / THREADS
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            while time.monotonic() < began + seconds:
                time.sleep(max(due - time.monotonic(), 0))
                due += pause
                _ask(connection, version, own)
        with guard:
            found.add(own)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    told.put(found)


def _ask(connection: http.client.HTTPConnection, version: str, found: Found) -> None:
    fields = FORM | {
        "consent_version": version,
        "submission_id": secrets.token_hex(16),
        "phone": f"138{secrets.randbelow(10**8):08}",
        "touch": "",
    }
    asked = time.monotonic()
    try:
        connection.request("POST", "/consultation", urlencode(fields), HEADERS)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as fault:
        found.faults[type(fault).__name__] += 1
        connection.close()
        return
    if answer.status != 303:
        found.faults[f"HTTP {answer.status}"] += 1
        return
    found.times.append(time.monotonic() - asked)
    found.told.append((answer.getheader("Location") or "").rpartition("/")[2])


def served(folder: Path, url: str, workers: int, seconds: float, rate: float) -> Found:
    folder.mkdir()
    site = RunningSite(copy_of_site(folder), workers=workers, DATABASE_URL=url)
    site.start()
    try:
        version, told = site.consent_version(), multiprocessing.Queue()
        for _ in range(8 * workers):  # each worker has its connection
            site.post_form(submission_id=secrets.token_hex(16))
        clients = [
            multiprocessing.Process(target=client, args=(site.port, version, seconds, rate, told))
            for _ in range(CLIENTS)
        ]
        for each in clients:
            each.start()
        found = Found()
        for _ in clients:
            found.add(told.get())
        for each in clients:
            each.join()
        found.faults["by the spool"] = site.log.count("先存进了备用文件夹")
        _drained(site)
        site.terminate()
        site.ended()
        found.faults["not stored once"] = _not_once(site, url, found.told)
    finally:
        site.kill()
    return found


def _drained(site: RunningSite) -> None:
    spool = Spool(site.data / "spool", load_keys(site.data / "keys", make=False))
    end = time.monotonic() + 60
    while spool.ids() and time.monotonic() < end:
        time.sleep(0.1)


def _not_once(site: RunningSite, url: str, told: Sequence[str]) -> int:
    databases = open_databases(site.data, url)
    with databases.leads.reading() as session:
        stored = Counter(session.scalars(text("SELECT reference FROM enquiries")))
    databases.dispose()
    return sum(stored[each] != 1 for each in told) + len(told) - len(set(told))


# --- all of it ---


def measure(name: str, folder: Path, url: str, chosen: argparse.Namespace) -> bool:
    """Print what one database does; whether nothing went wrong."""

    def bare() -> Found:
        seconds = min(chosen.seconds, 5.0)
        found = bare_postgres(url, seconds, max(chosen.workers)) if url else bare_sqlite(folder, seconds)
        print(f"{name} bare        {found.line(seconds)}", flush=True)
        return found

    seconds, well = min(chosen.seconds, 5.0), True
    rates, first = {}, bare()
    for workers in chosen.workers:
        found = served(folder / f"{name}-{workers}", url, workers, chosen.seconds, chosen.rate)
        spooled, faults = found.faults.pop("by the spool"), +found.faults
        rates[workers] = len(found.times) / chosen.seconds
        print(
            f"{name} {workers} worker{'s' if workers > 1 else ' '}   {found.line(chosen.seconds)}   "
            f"by the spool {spooled}   errors {dict(faults) or 0}",
            flush=True,
        )
        well = well and not faults
    rate = (len(first.times) + len(bare().times)) / seconds / 2
    for workers, reached in rates.items():
        print(f"{name}: with {workers}, {reached / rate:.2f} of the bare rate (the aim is {AIM})", flush=True)
    return well


def main() -> None:
    wanted = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    wanted.add_argument("--seconds", type=float, default=10.0)
    wanted.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    wanted.add_argument(
        "--rate", type=float, default=0.0, help="enquiries a second; 0 for as many as are answered"
    )
    wanted.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    chosen = wanted.parse_args()
    well = True
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(dir="."))).resolve()
        if chosen.database != "postgresql":
            well = measure("SQLite", folder, "", chosen)
        if chosen.database != "sqlite":
            server = held.enter_context(own_server(durable=True))
            well = measure("PostgreSQL", folder, held.enter_context(server.database()), chosen) and well
    raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
