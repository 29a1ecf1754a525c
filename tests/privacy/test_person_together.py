"""At one moment: somebody else works at the records of a person who asks. Nothing of theirs is missed, and nobody stops
anybody else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select, update
from tests.leads.colleagues import the_lead
from tests.leads.conftest import NOON
from tests.leads.test_work_order import until_somebody_waits
from tests.leads.two_leads import FIRST, MINUTE, SECOND, ask, leads, merge, undo
from tests.leads.two_leads import Asked as Asks

from xinheng.audit import log as audit
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deletion import Deletion
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.quarantine import Quarantine
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.tombstones import TombstoneFile
from xinheng.leads.verdict import Verdict
from xinheng.phones import parse_phone
from xinheng.privacy.answering import Officer, PrivacyWork, RequestClosed
from xinheng.privacy.models import Kind, PrivacyRequest
from xinheng.privacy.receiving import Asked, PrivacyDesk

HOUR = timedelta(hours=1)
THIRD = "13700137000"
ODD = Verdict(("trap", "link"))
Act = Callable[[], object]


class Interrupted:
    """A database before whose transaction of this number, counted from one, somebody else acts."""

    def __init__(self, store: Database, number: int, act: Act) -> None:
        self._store, self._number, self._act = store, number, act

    def __getattr__(self, name: str) -> Any:
        if name in ("reading", "writing"):
            self._number -= 1
            if self._number == 0:
                self._act()
        return getattr(self._store, name)


def asks(privacy: PrivacyDesk, store: Database, kind: Kind, phone: str, enquiry_id: str = "") -> str:
    """The person asks with the reference of this enquiry, or of their latest; returns the request's id."""
    with store.reading() as session:
        newest = select(Enquiry).order_by(Enquiry.created_at.desc())
        rows = session.scalars(newest.where(Enquiry.id == enquiry_id) if enquiry_id else newest)
        reference = rows.all()[0].reference
    receipt = privacy.receive(Asked(kind, parse_phone(phone), reference), NOON + HOUR)
    with store.reading() as session:
        found = select(PrivacyRequest.id).where(PrivacyRequest.receipt == receipt.number)
        return session.scalars(found).one()


def typed(store: Database, keys: Keys) -> set[str]:
    """The numbers of all enquiries that are kept."""
    with store.reading() as session:
        return {row.open(keys, "phone") for row in session.scalars(select(Enquiry))}


GAPS = pytest.mark.parametrize("number", [1, 2, 3, 4])
"""Before the deletion's first transaction, and before each of those that it may have besides."""


@GAPS
def test_who_comes_back_by_an_undone_merge_while_they_are_deleted_is_deleted(
    store: Database,
    store_keys: Keys,
    file: TombstoneFile,
    privacy: PrivacyDesk,
    everyone: Scope,
    officer: Officer,
    two: tuple[str, str],
    number: int,
) -> None:
    merge(store, store_keys, everyone, *two)
    request_id = asks(privacy, store, "delete", SECOND)
    between = cast(
        "Database", Interrupted(store, number, lambda: undo(store, store_keys, everyone, two[0], NOON + HOUR))
    )
    PrivacyWork(between, store_keys, Deletion(between, store_keys, file)).delete(request_id, officer)
    assert SECOND not in typed(store, store_keys)
    assert two[1] not in leads(store)


@GAPS
def test_what_is_merged_while_its_person_is_deleted_is_deleted(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    file: TombstoneFile,
    privacy: PrivacyDesk,
    asked: Asks,
    everyone: Scope,
    officer: Officer,
    two: tuple[str, str],
    number: int,
) -> None:
    request_id = asks(privacy, store, "delete", SECOND)

    def merged_into_the_other() -> None:
        merge(store, store_keys, everyone, *two)
        ask(desk, store, asked, FIRST, NOON + HOUR, details="同一个人")

    between = cast("Database", Interrupted(store, number, merged_into_the_other))
    PrivacyWork(between, store_keys, Deletion(between, store_keys, file)).delete(request_id, officer)
    assert SECOND not in typed(store, store_keys)


@GAPS
@pytest.mark.parametrize("by", ["release", "enquiry"])
def test_a_lead_that_is_made_while_its_person_is_deleted_is_deleted(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    file: TombstoneFile,
    privacy: PrivacyDesk,
    asked: Asks,
    officer: Officer,
    number: int,
    by: str,
) -> None:
    desk.record(asked(FIRST, typed_id="", verdict=ODD), NOON)
    with store.reading() as session:
        held_id = session.scalars(select(Enquiry.id)).one()
    request_id = asks(privacy, store, "delete", FIRST)
    made: dict[str, Act] = {
        "release": lambda: Quarantine(store, store_keys, desk).release(held_id, officer.staff_id, NOON),
        "enquiry": lambda: ask(desk, store, asked, FIRST, NOON + HOUR, details="又来问"),
    }
    between = cast("Database", Interrupted(store, number, made[by]))
    PrivacyWork(between, store_keys, Deletion(between, store_keys, file)).delete(request_id, officer)
    assert (leads(store), typed(store, store_keys)) == ([], set())


def test_who_was_deleted_meanwhile_is_nobody_any_more(
    store: Database,
    store_keys: Keys,
    deletion: Deletion,
    privacy: PrivacyDesk,
    officer: Officer,
    two: tuple[str, str],
) -> None:
    first, second = (asks(privacy, store, kind, SECOND) for kind in ("delete", "access"))
    work = PrivacyWork(store, store_keys, deletion)
    between = cast("Database", Interrupted(store, 2, lambda: work.delete(first, officer)))
    with pytest.raises(RequestClosed):
        PrivacyWork(between, store_keys, deletion).export(second, officer, "json")
    assert leads(store) == [two[0]]


# --- on PostgreSQL whoever locks in another order than the others stops them ---


@pytest.fixture
def known_twice(desk: EnquiryDesk, store: Database, asked: Asks) -> list[str]:
    """Two leads of one mobile, the first of them older; both may be called."""
    first = ask(desk, store, asked, FIRST)
    with store.writing() as session:
        session.execute(update(Lead).values(restricted=True))
    second = ask(desk, store, asked, FIRST, NOON + MINUTE, details="又来问")
    with store.writing() as session:
        session.execute(update(Lead).values(restricted=False))
    return [first, second]


def beside(store: Database, first: Callable[[Any], object], act: Act, then: Callable[[Any], object]) -> None:
    """While a transaction has what `first` takes, `act` begins; as soon as it waits, the transaction takes more."""
    faults: list[Exception] = []

    def run() -> None:
        try:
            act()
        except Exception as fault:
            faults.append(fault)

    acting = threading.Thread(target=run)
    with store.writing() as session:
        first(session)
        acting.start()
        until_somebody_waits(store)
        then(session)
    acting.join()
    assert faults == []


def row(lead_id: str) -> Callable[[Any], object]:
    return lambda session: session.get_one(Lead, lead_id, with_for_update=True)


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize("act", ["ask", "withdraw", "restrict", "correct", "delete"])
def test_leads_are_locked_by_their_ids(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    deletion: Deletion,
    officer: Officer,
    asked: Asks,
    known_twice: list[str],
    act: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As by whoever changes several of a list."""
    monkeypatch.setattr("xinheng.leads.record.WAIT", 60.0)
    monkeypatch.setattr("xinheng.privacy.receiving.WAIT", 60.0)
    request_id, work = asks(privacy, store, "delete", FIRST), PrivacyWork(store, store_keys, deletion)
    acts: dict[str, Act] = {
        "ask": lambda: ask(desk, store, asked, FIRST, NOON + HOUR, details="第三次"),
        "withdraw": lambda: asks(privacy, store, "withdraw", FIRST),
        "restrict": lambda: work.restrict(request_id, officer, restricted=True),
        "correct": lambda: work.correct(request_id, officer, "张三", parse_phone(THIRD)),
        "delete": lambda: work.delete(request_id, officer),
    }
    beside(store, row(known_twice[0]), acts[act], row(known_twice[1]))


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize("act", ["restrict", "correct", "delete"])
@pytest.mark.parametrize("place", [0, 1])
def test_every_record_is_locked_before_the_audits_head(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    deletion: Deletion,
    officer: Officer,
    known_twice: list[str],
    act: str,
    place: int,
) -> None:
    request_id, work = asks(privacy, store, "delete", FIRST), PrivacyWork(store, store_keys, deletion)
    acts: dict[str, Act] = {
        "restrict": lambda: work.restrict(request_id, officer, restricted=True),
        "correct": lambda: work.correct(request_id, officer, "张三", parse_phone(THIRD)),
        "delete": lambda: work.delete(request_id, officer),
    }
    beside(
        store,
        row(known_twice[place]),
        acts[act],
        lambda session: audit.record(session, store_keys, actor="system", action="notices_again", now=NOON),
    )


@pytest.mark.databases("postgresql")
def test_who_releases_waits_for_the_lead_before_the_enquiry_as_who_takes_consent_back(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asks,
    everyone: Scope,
    two: tuple[str, str],
) -> None:
    merge(store, store_keys, everyone, *two)
    desk.record(asked(SECOND, typed_id="", verdict=ODD), NOON + HOUR)
    with store.reading() as session:
        held_id = session.scalars(select(Enquiry.id).where(Enquiry.lead_id.is_(None))).one()
    quarantine = Quarantine(store, store_keys, desk)
    beside(
        store,
        row(two[0]),
        lambda: quarantine.release(held_id, everyone.staff_id, NOON + HOUR),
        lambda session: session.get_one(Enquiry, held_id, with_for_update=True),
    )
    assert the_lead(store, two[0]).enquiry_count == 3
