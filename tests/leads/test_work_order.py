"""On PostgreSQL two transactions that take a notice and the audit's head in different order stop each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from tests.conftest import ORIGIN, ROOT
from tests.leads.colleagues import hire, scope_of
from tests.leads.conftest import NOON

from xinheng.audit import log as audit
from xinheng.audit.models import AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.forms.priority import load_priority
from xinheng.leads.deeds import BulkChange, Deed
from xinheng.leads.deletion import Deletion
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.ranking import Ranking
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.submission import Submission
from xinheng.leads.tombstones import TombstoneFile
from xinheng.leads.work import LeadWork
from xinheng.notices.outbox import Notice, enqueue, send_again

pytestmark = pytest.mark.databases("postgresql")

Asked = Callable[..., Submission]
MUCH_LATER = NOON + timedelta(days=400)


@pytest.fixture
def two(store: Database, desk: EnquiryDesk, asked: Asked) -> list[str]:
    """Two leads in the order of their ids and of their days; of the second a notice was given up."""
    for phone in ("13800138001", "13800138002"):
        desk.record(asked(phone=phone, typed_id=""), NOON)
    with store.writing() as session:
        ids = list(session.scalars(select(Lead.id).order_by(Lead.id)))
        for days, lead_id in enumerate(ids):
            until = NOON + timedelta(days=180 + days)
            session.execute(update(Lead).where(Lead.id == lead_id).values(retain_until=until))
        reference = session.scalars(select(Enquiry.reference).where(Enquiry.lead_id == ids[1])).one()
        enqueue(session, kind="assigned", reference=reference, text="有一条线索交给您了", now=NOON)
        session.flush()
        session.execute(update(Notice).where(Notice.kind == "assigned").values(state="failed"))
    return ids


def assign(store: Database, keys: Keys, folder: Path, ids: list[str]) -> None:
    deed = Deed(scope_of(hire(store), everyone=True), NOON)
    change = BulkChange(assigned=True, owner=hire(store, "吴凯"))
    assert LeadWork(store, keys, site=ORIGIN).many(ids, deed, change) == 2


def delete(store: Database, keys: Keys, folder: Path, ids: list[str]) -> None:
    assert Deletion(store, keys, TombstoneFile(folder)).of_due(MUCH_LATER).leads == len(ids)


@pytest.mark.parametrize("act", [assign, delete])
def test_what_is_done_to_several_waits_for_a_notice_before_it_takes_the_head(
    store: Database,
    store_keys: Keys,
    two: list[str],
    act: Callable[[Database, Keys, Path, list[str]], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("xinheng.leads.deletion._TURN", 60.0)  # both in one transaction, however slow it is
    faults: list[Exception] = []

    def run() -> None:
        try:
            act(store, store_keys, tmp_path, two)
        except Exception as fault:
            faults.append(fault)

    acting = threading.Thread(target=run)
    with store.writing() as session:
        assert send_again(session, ["mail"], NOON) == 1
        acting.start()
        until_somebody_waits(store)
        audit.record(session, store_keys, actor="system", action="notices_again", now=NOON)
    acting.join()
    assert faults == []
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditRow)) == 3


def test_who_ranks_leads_takes_them_by_their_ids_as_whoever_works_at_several(
    store: Database, store_keys: Keys, two: list[str]
) -> None:
    with store.writing() as session:
        session.execute(update(Lead).values(priority=None))
    faults: list[Exception] = []
    rules = load_priority(ROOT / "forms")
    ranking = Ranking(store, store_keys, lambda: rules)

    def run() -> None:
        try:
            ranking.unranked(store, NOON)
        except Exception as fault:
            faults.append(fault)

    acting = threading.Thread(target=run)
    with store.writing() as session:
        session.get_one(Lead, two[0], with_for_update=True)
        acting.start()
        until_somebody_waits(store)
        session.get_one(Lead, two[1], with_for_update=True)
    acting.join()
    assert faults == []


def until_somebody_waits(store: Database) -> None:
    deadline = time.monotonic() + 20
    with store.asking() as session:
        while not session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
