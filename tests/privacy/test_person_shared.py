"""A mobile that two people share: a right of one of them reaches nothing of the other's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.leads.conftest import NOON
from tests.leads.two_leads import FIRST, MINUTE, SECOND, ask, enquiries, leads, merge
from tests.leads.two_leads import Asked as Asks

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.contact import set_phone
from xinheng.leads.deeds import Deed
from xinheng.leads.models import Consent, Enquiry, Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.splitting import split_lead
from xinheng.leads.verdict import Verdict
from xinheng.phones import parse_phone
from xinheng.privacy.answering import Officer, PrivacyWork
from xinheng.privacy.models import Kind, PrivacyRequest
from xinheng.privacy.receiving import Asked, PrivacyDesk

HOUR, LANDLINE = timedelta(hours=1), "021-63958427"


@pytest.fixture
def two(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asks, everyone: Scope
) -> tuple[str, str]:
    """The leads of two people behind one mobile, of which staff said that they aren't the same."""
    lead_id = ask(desk, store, asked, FIRST, name="张三")
    ask(desk, store, asked, FIRST, NOON + MINUTE, name="李四", details="另一个人")
    reference = enquiries(store, lead_id)[1]
    with store.reading() as session:
        chosen = session.scalars(select(Enquiry.id).where(Enquiry.reference == reference)).all()
    return lead_id, split_lead(store, store_keys, lead_id, Deed(everyone, NOON + HOUR), chosen)


@pytest.fixture
def held(desk: EnquiryDesk, asked: Asks, two: tuple[str, str]) -> str:
    """An enquiry from that mobile waits in quarantine: nobody knows which of the two it is."""
    odd = asked(FIRST, name="李四", details="不知道是谁的", verdict=Verdict(("trap", "link")))
    return desk.record(odd, NOON + MINUTE).reference


def request(
    privacy: PrivacyDesk, store: Database, kind: Kind, reference: str, phone: str = FIRST
) -> PrivacyRequest:
    receipt = privacy.receive(Asked(kind, parse_phone(phone), reference), NOON + HOUR)
    with store.reading() as session:
        return session.scalars(select(PrivacyRequest).where(PrivacyRequest.receipt == receipt.number)).one()


def state_of(store: Database, reference: str) -> str | None:
    with store.reading() as session:
        return session.scalar(select(Enquiry.state).where(Enquiry.reference == reference))


@pytest.mark.parametrize("further", [False, True], ids=["one number", "another of their own"])
def test_what_waits_in_quarantine_may_be_the_others_and_stays(
    store: Database,
    store_keys: Keys,
    desk: EnquiryDesk,
    asked: Asks,
    privacy: PrivacyDesk,
    work: PrivacyWork,
    officer: Officer,
    everyone: Scope,
    two: tuple[str, str],
    held: str,
    further: bool,
) -> None:
    if further:
        merge(store, store_keys, everyone, two[0], ask(desk, store, asked, SECOND, NOON + HOUR, name="张三"))
    theirs = enquiries(store, two[0])[0]
    request(privacy, store, "withdraw", theirs)
    assert state_of(store, held) == "quarantined"
    work.delete(request(privacy, store, "delete", theirs).id, officer)
    assert state_of(store, held) == "quarantined"
    assert leads(store) == [two[1]]


def test_what_waits_in_quarantine_is_reached_by_its_own_reference(
    store: Database,
    privacy: PrivacyDesk,
    work: PrivacyWork,
    officer: Officer,
    two: tuple[str, str],
    held: str,
) -> None:
    request(privacy, store, "withdraw", held)
    assert state_of(store, held) == "withdrawn"
    work.delete(request(privacy, store, "delete", held).id, officer)
    assert state_of(store, held) is None
    assert leads(store) == list(two)


def test_what_the_other_asked_is_still_answered_after_one_was_deleted(
    store: Database, privacy: PrivacyDesk, work: PrivacyWork, officer: Officer, two: tuple[str, str]
) -> None:
    theirs, others = (enquiries(store, each)[0] for each in two)
    copy = request(privacy, store, "access", others)
    work.delete(request(privacy, store, "delete", theirs).id, officer)
    with store.reading() as session:
        left = session.get_one(PrivacyRequest, copy.id)
    assert (left.closed_at, left.outcome) == (None, "")
    assert left.phone is not None


def test_what_comes_late_from_the_spool_is_not_taken_back_for_the_other(
    store: Database, desk: EnquiryDesk, asked: Asks, privacy: PrivacyDesk, two: tuple[str, str]
) -> None:
    request(privacy, store, "withdraw", enquiries(store, two[0])[0])
    late = asked(FIRST, name="李四", details="存得晚", purposes=("callback",))
    reference = desk.record(late, NOON + 2 * MINUTE, under="f" * 32).reference
    with store.reading() as session:
        mine = select(Consent.withdrawn_at).join(Enquiry).where(Enquiry.reference == reference)
        assert session.scalars(mine).all() == [None]
        assert session.get_one(Lead, two[1]).restricted is False


def test_who_was_chosen_by_mistake_behind_a_landline_is_not_reached_any_more(
    store: Database,
    store_keys: Keys,
    desk: EnquiryDesk,
    asked: Asks,
    privacy: PrivacyDesk,
    work: PrivacyWork,
    officer: Officer,
) -> None:
    """The number of the first had been put right: none of its enquiries came from there."""
    put_right = ask(desk, store, asked, FIRST)
    with store.writing() as session:
        set_phone(session.get_one(Lead, put_right), store_keys, parse_phone(LANDLINE))
    odd = asked(LANDLINE, details="等着放行", verdict=Verdict(("trap", "link")))
    held = desk.record(odd, NOON + MINUTE).reference
    asking = request(privacy, store, "delete", "", LANDLINE).id
    with store.reading() as session:
        held_id = session.scalars(select(Enquiry.id).where(Enquiry.reference == held)).one()
    for record_id in (put_right, held_id):
        work.prove(asking, officer, record_id)
    work.delete(asking, officer)
    assert leads(store) == [put_right]


def test_who_took_consent_back_and_asks_again_is_not_taken_for_the_other(
    desk: EnquiryDesk, store: Database, asked: Asks, privacy: PrivacyDesk, two: tuple[str, str]
) -> None:
    request(privacy, store, "withdraw", enquiries(store, two[0])[0])
    anew = ask(desk, store, asked, FIRST, NOON + 3 * HOUR, name="张三", details="我又来了")
    assert anew not in two
    assert ask(desk, store, asked, FIRST, NOON + 4 * HOUR, name="张三", details="还有一家") == anew
    assert ask(desk, store, asked, FIRST, NOON + 5 * HOUR, name="李四", details="我也有") == two[1]
