"""Read counts: what people read, counted once a reader in 30 minutes, decided when counts are flushed.

A worker gathers reads in memory and flushes once a second. Whether a read counts is decided in the database by one
statement on a unique key (article, reader), so the number is exact over any count of workers. The reader is a keyed
hash of address prefix and browser under a salt of the day, which is deleted afterwards: no cookie, no address stored.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import current_app
from sqlalchemy import BigInteger, Date, Integer, LargeBinary, String, delete, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.addresses import address_prefix
from xinheng.daily_salt import make_salt
from xinheng.db import CountersBase, Database, DatabaseBusy, insert_into
from xinheng.disk import ANY_DISK, Disk
from xinheng.referrers import ReferrerKind, referrer_kind
from xinheng.settings import SHANGHAI
from xinheng.week_counts import Origin, WeekTally, reads_by_article
from xinheng.weeks import week_of

AGAIN_AFTER = 30 * 60  # seconds after which the same reader counts again
FLUSH_EVERY = 1.0  # seconds
_LOOK_EVERY = 0.2
_AWAY = (DatabaseBusy, OperationalError)
_DECIDED_ON = (
    b"reads",
)  # one worker stores at a time: two with the same readers would wait for each other's marks
log = logging.getLogger(__name__)


class ReadCount(CountersBase):
    """How often an article was read on one day (Shanghai), by where the readers came from."""

    __tablename__ = "read_counts"

    article: Mapped[str] = mapped_column(String(80), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    source: Mapped[str] = mapped_column(String(8), primary_key=True)
    reads: Mapped[int] = mapped_column(Integer, nullable=False, default=0)


class ReadMark(CountersBase):
    """When a reader's read of an article counted last (seconds since 1970)."""

    __tablename__ = "read_marks"

    article: Mapped[str] = mapped_column(String(80), primary_key=True)
    reader: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    counted_at: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), nullable=False, index=True
    )


@dataclass(frozen=True, slots=True)
class Read:
    """One read as it came in; `at` in seconds since 1970."""

    article: str
    reader: bytes
    source: ReferrerKind
    at: int


class ReadCounter:
    """One worker's share: pending reads in memory, and the stored totals as of the last flush."""

    def __init__(self, database: Database, disk: Disk = ANY_DISK) -> None:
        self._database = database
        self._disk = disk
        self._lock = threading.Lock()
        self._pending: list[Read] = []
        self._totals: Counter[str] = Counter()
        self._totals_at = float("-inf")
        self._salts: dict[date, bytes] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def record(self, article: str, *, address: str, agent: str, referrer_host: str, own_host: str) -> int:
        """Hold a read for the next flush; returns the count to show: what is stored and what this worker holds."""
        if self._disk.short:
            return self.total(article)  # what room is left is for enquiries
        now = datetime.now(SHANGHAI)
        try:
            reader = self._reader(now.date(), address, agent)
        except _AWAY:
            return self.total(article)  # the day's salt can't be had: this read isn't counted
        read = Read(article, reader, referrer_kind(referrer_host, own_host), int(now.timestamp()))
        with self._lock:
            self._pending.append(read)
            held = len({each.reader for each in self._pending if each.article == article})
        self._start()
        return self.total(article) + held

    def total(self, article: str) -> int:
        return self.totals()[article]

    def totals(self) -> Counter[str]:
        """All counts as stored, at most a second old; while the database is away, as they were: articles are read on."""
        if time.monotonic() - self._totals_at > FLUSH_EVERY:
            with suppress(*_AWAY), self._database.reading() as session:
                self._totals = reads_by_article(session)
            self._totals_at = time.monotonic()
        return self._totals

    def since(self, day: date) -> Mapping[str, int]:
        """Reads by article from a day on; none while the database is away."""
        query = (
            select(ReadCount.article, func.sum(ReadCount.reads))
            .where(ReadCount.day >= day)
            .group_by(ReadCount.article)
        )
        with suppress(*_AWAY), self._database.reading() as session:
            return {article: int(reads) for article, reads in session.execute(query)}
        return {}

    def flush(self) -> None:
        """Decide and store what is pending; what could not be stored stays pending."""
        with self._lock:
            reads, self._pending = self._pending, []
        if not reads:
            return
        try:
            with self._database.writing(over=_DECIDED_ON) as session:
                _store(session, reads)
                self._totals = reads_by_article(session)
            self._totals_at = time.monotonic()
        except Exception as fault:  # whatever it was, the counts must not be lost nor the flushing end
            log.warning("浏览量暂时写不进数据库，稍后再试（%d 条）：%s", len(reads), type(fault).__name__)
            with self._lock:
                self._pending[:0] = reads

    def stop(self) -> None:
        """Flush what is held and end the thread."""
        self._stopping.set()
        if self._thread:
            self._thread.join()

    def _start(self) -> None:
        """The flushing thread starts with the first read, in the worker that got it."""
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="flush-reads", daemon=False)
                    self._thread.start()

    def _run(self) -> None:
        """Flush once a second, and once more when the worker ends: a thread that isn't a daemon is waited for."""
        flushed = time.monotonic()
        while threading.main_thread().is_alive() and not self._stopping.wait(_LOOK_EVERY):
            if time.monotonic() - flushed >= FLUSH_EVERY:
                self.flush()
                flushed = time.monotonic()
        self.flush()

    def _reader(self, day: date, address: str, agent: str) -> bytes:
        salt = self._salts.get(day)
        if salt is None:
            salt = self._salt(day)
            self._salts = {day: salt}
        message = f"{address_prefix(address)}\n{agent}".encode()
        return hmac.digest(salt, message, hashlib.sha256)[:16]

    def _salt(self, day: date) -> bytes:
        """The day's salt, made by the worker that needs it first; those of past days are deleted."""
        with self._database.writing(over=_DECIDED_ON) as session:
            stale = int(time.time()) - AGAIN_AFTER
            session.execute(delete(ReadMark).where(ReadMark.counted_at < stale))
            return make_salt(session, day)


def _store(session: Session, reads: list[Read]) -> None:
    """Mark each read; those whose mark took are added up and stored, a row an article, day and source, and by week."""
    counted: Counter[tuple[str, date, str]] = Counter()
    weeks = WeekTally()
    for read in reads:
        if _mark(session, read):
            day = datetime.fromtimestamp(read.at, SHANGHAI).date()
            counted[(read.article, day, read.source)] += 1
            weeks.add("reads", week_of(day), Origin(read.source, read.article))
    for (article, day, source), number in counted.items():
        row = insert_into(session, ReadCount).values(article=article, day=day, source=source, reads=number)
        session.execute(
            row.on_conflict_do_update(
                index_elements=["article", "day", "source"],
                set_={"reads": ReadCount.reads + row.excluded.reads},
            )
        )
    weeks.add_to(session.connection())


def _mark(session: Session, read: Read) -> bool:
    """Whether this read counts: the reader is new to the article, or counted last 30 minutes ago or more."""
    fresh = insert_into(session, ReadMark).values(
        article=read.article, reader=read.reader, counted_at=read.at
    )
    again = fresh.on_conflict_do_update(
        index_elements=["article", "reader"],
        set_={"counted_at": fresh.excluded.counted_at},
        where=ReadMark.counted_at <= fresh.excluded.counted_at - AGAIN_AFTER,
    )
    done = session.execute(again, execution_options={"preserve_rowcount": True})
    return bool(done.rowcount)  # type: ignore[attr-defined]


def read_counter() -> ReadCounter:
    """The read counter of the running application."""
    counter: ReadCounter = current_app.extensions["xinheng.reads"]
    return counter


def recent_reads(days: int = 30) -> Mapping[str, int]:
    """Reads by article in the last days, today included."""
    return read_counter().since(datetime.now(SHANGHAI).date() - timedelta(days=days - 1))
