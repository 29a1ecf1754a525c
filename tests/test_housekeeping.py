"""Housekeeping runs by itself, and not by a clock that jumped."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.databases import a_writer_elsewhere
from tests.leads.colleagues import hire, plain_lead, put_leads

from xinheng.audit.log import record
from xinheng.audit.models import AuditRow
from xinheng.crypto import load_keys
from xinheng.db import Database, Databases
from xinheng.housekeeping import ClockJumped, Housekeeping, clock_refused
from xinheng.leads.deletion import Deleted, Deletion
from xinheng.leads.made_files import MadeFiles
from xinheng.leads.merges import Merge
from xinheng.leads.models import Lead
from xinheng.leads.tombstones import TombstoneFile
from xinheng.privacy.models import PrivacyRequest

pytestmark = pytest.mark.databases("sqlite", "postgresql")

TODAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def store(opened: Databases) -> Database:
    return opened.leads


@pytest.fixture
def housekeeping(opened: Databases, store: Database, tmp_path: Path) -> Housekeeping:
    keys = load_keys(tmp_path / "keys")
    deletion = Deletion(store, keys, TombstoneFile(tmp_path / "keys"))
    return Housekeeping(store, opened.counters, keys, deletion, MadeFiles(tmp_path / "exports"))


@pytest.fixture
def left(store: Database) -> Callable[[], int]:
    def count() -> int:
        with store.reading() as session:
            return session.scalar(select(func.count()).select_from(Lead)) or 0

    return count


def test_the_first_run_trusts_the_clock(
    housekeeping: Housekeeping, store: Database, left: Callable[[], int]
) -> None:
    put_leads(store, [plain_lead(retain_until=TODAY - DAY), plain_lead(retain_until=TODAY + DAY)])
    assert housekeeping.run_once(TODAY) == Deleted(leads=1)
    assert left() == 1


def test_what_a_killed_export_left_is_deleted(housekeeping: Housekeeping, tmp_path: Path) -> None:
    """One that is being made at this moment is not."""
    for name in ("killed", "at_work"):
        (tmp_path / "exports" / name).mkdir(parents=True)
        (tmp_path / "exports" / name / "leads").write_text("138 0013 8000")
    os.utime(tmp_path / "exports" / "killed", (0, 0))
    housekeeping.run_once(TODAY)
    assert [each.name for each in (tmp_path / "exports").iterdir()] == ["at_work"]


def test_a_withdrawal_ends_with_its_lead(housekeeping: Housekeeping, store: Database) -> None:
    lead = plain_lead(retain_until=TODAY - DAY)
    put_leads(store, [lead])
    with store.writing() as session:
        session.add(
            PrivacyRequest(
                id="a" * 32,
                receipt="SQ-00000-00000",
                kind="withdraw",
                phone=b"sealed",
                phone_index=b"index",
                lead_id=lead["id"],
                proof="pair",
                carried_out=True,
                received_at=TODAY - DAY,
                due_at=TODAY,
            )
        )
    housekeeping.run_once(TODAY)
    with store.reading() as session:
        row = session.scalars(select(PrivacyRequest)).one()
    assert (row.outcome, row.closed_at, row.closed_by) == ("deleted", TODAY, None)
    assert (row.phone, row.phone_index) == (None, None)


@pytest.mark.parametrize("jump", [timedelta(days=365), timedelta(hours=25), timedelta(days=-2)])
def test_a_clock_that_jumped_deletes_nobody(
    housekeeping: Housekeeping, store: Database, left: Callable[[], int], jump: timedelta
) -> None:
    housekeeping.run_once(TODAY)
    put_leads(store, [plain_lead(retain_until=TODAY - 3 * DAY)])
    with pytest.raises(ClockJumped):
        housekeeping.run_once(TODAY + jump)
    with pytest.raises(ClockJumped):
        housekeeping.run_once(TODAY + jump)
    assert left() == 1
    with store.reading() as session:
        assert clock_refused(session)


def test_a_clock_put_right_again_needs_no_word(
    housekeeping: Housekeeping, store: Database, left: Callable[[], int]
) -> None:
    housekeeping.run_once(TODAY)
    put_leads(store, [plain_lead(retain_until=TODAY)])
    with pytest.raises(ClockJumped):
        housekeeping.run_once(TODAY + 365 * DAY)
    assert housekeeping.run_once(TODAY + timedelta(hours=2)) == Deleted(leads=1)
    with store.reading() as session:
        assert not clock_refused(session)


def test_somebody_can_say_that_the_clock_is_right(
    housekeeping: Housekeeping, store: Database, left: Callable[[], int]
) -> None:
    housekeeping.run_once(TODAY)
    put_leads(store, [plain_lead(retain_until=TODAY)])
    assert housekeeping.run_once(TODAY + 9 * DAY, clock_is_right=True) == Deleted(leads=1)
    assert housekeeping.run_once(TODAY + 9 * DAY + timedelta(hours=1)) == Deleted()


def test_hour_by_hour_the_days_go_by(
    housekeeping: Housekeeping, store: Database, left: Callable[[], int]
) -> None:
    put_leads(store, [plain_lead(retain_until=TODAY + 3 * DAY)])
    for day in range(4):
        assert housekeeping.run_once(TODAY + day * DAY) == Deleted()
    assert housekeeping.run_once(TODAY + 3 * DAY + timedelta(hours=1)) == Deleted(leads=1)


def test_nothing_is_ever_taken_from_the_audit(
    housekeeping: Housekeeping, store: Database, tmp_path: Path
) -> None:
    """The law wants three years; no run of anything that deletes knows the table, so it is for good."""
    put_leads(store, [plain_lead(retain_until=TODAY + DAY)])
    with store.writing() as session:
        record(session, load_keys(tmp_path / "keys"), actor="a" * 32, action="sign_in", now=TODAY)

    def kept() -> list[int]:
        with store.reading() as session:
            return list(session.scalars(select(AuditRow.id).order_by(AuditRow.id)))

    first = kept()
    for years in range(5):
        housekeeping.run_once(TODAY + years * 365 * DAY + 2 * DAY, clock_is_right=True)
    assert kept()[: len(first)] == first
    assert len(kept()) == len(first) + 1, "the lead's deletion is recorded besides"


def test_it_runs_until_told_to_stop_and_a_busy_database_ends_nothing(
    housekeeping: Housekeeping,
    store: Database,
    left: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("xinheng.housekeeping.RETRY", 0.01)
    put_leads(store, [plain_lead(retain_until=TODAY - 400 * DAY)])
    stopping = threading.Event()
    beside = threading.Thread(target=housekeeping.run, args=[stopping])
    with a_writer_elsewhere(store, "housekeeping", "leads"):
        beside.start()
        while "一分钟后再试" not in caplog.text:
            stopping.wait(0.01)
    while left():
        stopping.wait(0.01)
    stopping.set()
    beside.join()


def test_what_was_before_a_merge_goes_after_thirty_days(housekeeping: Housekeeping, store: Database) -> None:
    lead, member = plain_lead(retain_until=TODAY + 90 * DAY), hire(store)
    put_leads(store, [lead])
    with store.writing() as session:
        for sign, days in (("b", 31), ("c", 29)):
            session.add(
                Merge(
                    id=sign * 32,
                    kept_id=lead["id"],
                    merged_id=sign * 32,
                    staff_id=member.id,
                    merged_at=TODAY - days * DAY,
                    image=b"sealed",
                )
            )
    housekeeping.run_once(TODAY)
    with store.reading() as session:
        kept = {row.id[0]: row.image for row in session.scalars(select(Merge))}
    assert kept == {"b": None, "c": b"sealed"}
