"""At one moment: an enquiry during a merge, two merges that cross, a merge beside a deletion. Nothing is lost or twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.leads.colleagues import hire, scope_of, the_lead
from tests.leads.conftest import NOON
from tests.leads.two_leads import FIRST, MINUTE, SECOND, Asked, ask, enquiries, leads, merge, merges, undo

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deeds import AlreadyDone, Deed, LeadChanged
from xinheng.leads.deletion import Deletion
from xinheng.leads.merges import LeadPhone
from xinheng.leads.merging import Pair, merge_leads
from xinheng.leads.models import Enquiry, Lead, LeadEvent
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import NoSuchLead, Scope
from xinheng.leads.tombstones import TombstoneFile
from xinheng.phones import parse_phone
from xinheng.privacy.answering import Officer, PrivacyWork
from xinheng.privacy.models import PrivacyRequest
from xinheng.privacy.receiving import Asked as AskedTo
from xinheng.privacy.receiving import PrivacyDesk

ROUNDS = 6
REFUSED = (NoSuchLead, LeadChanged, AlreadyDone)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested is who comes first, not how long it takes."""
    monkeypatch.setattr("xinheng.leads.record.WAIT", 60.0)


@pytest.fixture
def everyone(store: Database) -> Scope:
    return scope_of(hire(store), everyone=True)


def at_once(*acts: Callable[[], object]) -> list[BaseException]:
    """Each in a thread of its own, all at one moment. Returns what was refused; anything else fails the test."""
    gate, refused, faults = threading.Barrier(len(acts)), [], []

    def run(act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
        except REFUSED as fault:
            refused.append(fault)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults
    return refused


def whole(store: Database) -> None:
    """Every row that names a lead names one that is there, and each lead counts its enquiries rightly."""
    with store.reading() as session:
        there = {lead.id: lead.enquiry_count for lead in session.scalars(select(Lead))}
        for table in (Enquiry, LeadEvent, LeadPhone):
            assert set(session.scalars(select(table.lead_id))) <= set(there)
        counted = session.execute(select(Enquiry.lead_id, func.count()).group_by(Enquiry.lead_id)).all()
        assert dict(map(tuple, counted)) == there


def now_merging(store: Database, keys: Keys, scope: Scope, kept: str, other: str) -> Callable[[], object]:
    """A merge as the page would send it, with the versions of this moment."""
    pair = Pair(kept, other, the_lead(store, kept).version, the_lead(store, other).version)
    return lambda: merge_leads(store, keys, Deed(scope, NOON), pair, ())


@pytest.mark.parametrize("number", range(ROUNDS))
def test_enquiries_that_come_during_a_merge_are_all_there(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, everyone: Scope, number: int
) -> None:
    kept, other = ask(desk, store, asked, FIRST), ask(desk, store, asked, SECOND)
    at_once(
        now_merging(store, store_keys, everyone, kept, other),
        lambda: ask(desk, store, asked, SECOND, NOON + MINUTE, details="正在合并的时候"),
        lambda: ask(desk, store, asked, FIRST, NOON + MINUTE, details="也是"),
    )
    whole(store)
    if merges(store):
        assert leads(store) == [kept]
        assert the_lead(store, kept).enquiry_count == 4
    else:  # an enquiry was first: the page is told that the lead changed
        assert {the_lead(store, each).enquiry_count for each in (kept, other)} == {2}


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_two_merges_that_cross_one_is_done(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, everyone: Scope, number: int
) -> None:
    one, two = ask(desk, store, asked, FIRST), ask(desk, store, asked, SECOND)
    refused = at_once(
        now_merging(store, store_keys, everyone, one, two), now_merging(store, store_keys, everyone, two, one)
    )
    assert (len(refused), len(leads(store)), len(merges(store))) == (1, 1, 1)
    whole(store)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_merges_in_a_ring_leave_no_loose_end(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, everyone: Scope, number: int
) -> None:
    ring = [ask(desk, store, asked, phone) for phone in (FIRST, SECOND, "13700137000")]
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    at_once(*(now_merging(store, store_keys, everyone, *pair) for pair in pairs))
    assert len(leads(store)) == 3 - len(merges(store))
    assert {row.kept_id for row in merges(store)} <= set(leads(store))
    whole(store)


@pytest.mark.parametrize("which", [0, 1], ids=["kept", "merged"])
@pytest.mark.parametrize("number", range(ROUNDS // 2))
def test_who_is_deleted_beside_a_merge_is_gone(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asked,
    everyone: Scope,
    tmp_path: Path,
    number: int,
    which: int,
) -> None:
    pair = ask(desk, store, asked, FIRST), ask(desk, store, asked, SECOND)
    file = TombstoneFile(tmp_path)
    phone, (reference,) = parse_phone((FIRST, SECOND)[which]), enquiries(store, pair[which])
    PrivacyDesk(store, store_keys, file).receive(AskedTo("delete", phone, reference), NOON)
    with store.reading() as session:
        request_id = session.scalars(select(PrivacyRequest.id)).one()
    work = PrivacyWork(store, store_keys, Deletion(store, store_keys, file))
    at_once(
        now_merging(store, store_keys, everyone, *pair),
        lambda: work.delete(request_id, Officer(everyone.staff_id, NOON)),
    )
    assert pair[which] not in leads(store)
    with store.reading() as session:
        typed = [row.open(store_keys, "phone") for row in session.scalars(select(Enquiry))]
    assert (FIRST, SECOND)[which] not in typed
    assert merges(store) == []
    whole(store)


def test_an_undo_beside_an_enquiry_loses_neither(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, everyone: Scope
) -> None:
    kept, other = ask(desk, store, asked, FIRST), ask(desk, store, asked, SECOND)
    merge(store, store_keys, everyone, kept, other)
    at_once(
        lambda: undo(store, store_keys, everyone, kept),
        lambda: ask(desk, store, asked, SECOND, NOON + MINUTE, details="正在撤销的时候"),
    )
    whole(store)
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Enquiry)) == 3
