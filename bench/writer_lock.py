"""How long writers wait for each other on SQLite: 4 processes x 4 threads of enquiries, with all that runs beside them.

    PYTHONPATH=site:. python bench/writer_lock.py --seconds 10

Beside the enquiries one process writes like housekeeping (batches of rows), one stores read counts, and one reads the
whole database in long transactions, as an export does. First with the present lock, then with the former one (a thread
lock, and polling at random moments), on the same machine in the same run. Ends with 1 where something was refused.
"""

from __future__ import annotations

import argparse
import fcntl
import multiprocessing
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from xinheng.db import DatabaseBusy
from xinheng.db.sqlite import SqliteDatabase
from xinheng.db.writer_lock import WriterLock

PROCESSES, THREADS = 4, 4
LIMIT = 2.0  # seconds an enquiry waits
ENQUIRY = "一份咨询的五行" * 40


class PollingLock:
    """As it was: whoever looks at the right moment is next."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._threads = threading.Lock()

    @contextmanager
    def held(self, within: float) -> Iterator[None]:
        deadline = time.monotonic() + within
        if not self._threads.acquire(timeout=within):
            raise DatabaseBusy
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise DatabaseBusy from None
                    time.sleep(random.uniform(0.001, 0.004))
            yield
        finally:
            os.close(descriptor)
            self._threads.release()


LOCKS: dict[str, Callable[[Path], Any]] = {"in order": WriterLock, "polling": PollingLock}


@dataclass
class Found:
    """Waits of one process in seconds, from asking to the first statement's end, and what was refused."""

    waits: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def opened(folder: Path, lock: str, name: str = "leads") -> SqliteDatabase:
    database = SqliteDatabase(folder / f"{name}.db", synchronous="FULL" if name == "leads" else "NORMAL")
    database.lock = LOCKS[lock](folder / f"{name}.lock")
    return database


def enquire(database: SqliteDatabase, until: float, found: Found) -> None:
    while time.monotonic() < until:
        asked = time.monotonic()
        try:
            with database.writing(within=LIMIT) as session:
                found.waits.append(time.monotonic() - asked)
                session.execute(text("SELECT count(*) FROM rows WHERE id = 1"))
                for _ in range(5):
                    session.execute(text("INSERT INTO rows (text) VALUES (:text)"), {"text": ENQUIRY})
        except Exception as fault:
            found.refused.append(f"{type(fault).__name__}: {fault}"[:80])


def housekeep(database: SqliteDatabase, until: float, found: Found) -> None:
    """Batches under 100 ms, one after the other with a breath between."""
    while time.monotonic() < until:
        asked = time.monotonic()
        with database.writing(within=60.0) as session:
            found.waits.append(time.monotonic() - asked)
            batch = [{"text": ENQUIRY}] * 200
            session.execute(text("INSERT INTO rows (text) VALUES (:text)"), batch)
            session.execute(text("DELETE FROM rows WHERE id IN (SELECT id FROM rows ORDER BY id LIMIT 200)"))
        time.sleep(0.02)


def export(database: SqliteDatabase, until: float, found: Found) -> None:
    """One state of the database, read slowly: the log of changes can't be folded in meanwhile."""
    while time.monotonic() < until:
        with database.reading() as session:
            for _ in session.execute(text("SELECT * FROM rows")).yield_per(500):
                time.sleep(0.0001)


def process(folder: Path, lock: str, act: str, threads: int, seconds: float, told: Any) -> None:
    database = opened(folder, lock, "counters" if act == "count_reads" else "leads")
    acts = {"enquire": enquire, "housekeep": housekeep, "export": export, "count_reads": enquire}
    found, until = Found(), time.monotonic() + seconds
    running = [threading.Thread(target=acts[act], args=(database, until, found)) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    database.dispose()
    told.put((act, found))


def measure(lock: str, seconds: float) -> bool:
    """Print what was found with one lock; whether nothing was refused."""
    with tempfile.TemporaryDirectory(dir=".") as place:
        folder = Path(place)
        for name in ("leads", "counters"):
            made = opened(folder, lock, name)
            with made.writing() as session:
                session.execute(text("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)"))
                rows = [{"text": ENQUIRY}] * 5000
                session.execute(text("INSERT INTO rows (text) VALUES (:text)"), rows)
            made.dispose()
        told: Any = multiprocessing.Queue()
        jobs = [("enquire", THREADS)] * PROCESSES + [("housekeep", 1), ("export", 1), ("count_reads", 1)]
        started = [
            multiprocessing.Process(target=process, args=(folder, lock, act, threads, seconds, told))
            for act, threads in jobs
        ]
        for each in started:
            each.start()
        answers = [told.get() for _ in started]
        for each in started:
            each.join()
    waits = sorted(wait for act, found in answers if act == "enquire" for wait in found.waits)
    refused = [fault for _, found in answers for fault in found.refused]
    batches = max(wait for act, found in answers if act == "housekeep" for wait in found.waits)
    print(
        f"{lock:9} {len(waits) / seconds:6.0f} enquiries/s   wait p50 {at(waits, 0.5)}  p99 {at(waits, 0.99)}  "
        f"longest {at(waits, 1)} (limit {LIMIT * 1000:.0f} ms)   housekeeping's longest {batches * 1000:.0f} ms   "
        f"refused {len(refused)} {sorted(set(refused))[:2] or ''}",
        flush=True,
    )
    return not refused


def at(waits: list[float], share: float) -> str:
    return f"{waits[min(int(len(waits) * share), len(waits) - 1)] * 1000:.0f} ms"


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--seconds", type=float, default=10.0)
    seconds = wanted.parse_args().seconds
    well = [measure(lock, seconds) for lock in LOCKS]
    raise SystemExit(0 if well[0] else 1)


if __name__ == "__main__":
    main()
