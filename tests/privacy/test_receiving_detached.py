"""Consent to attaching a result can be taken back like any other: alone or with all, and the result is gone at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.leads.colleagues import events_of, the_lead
from tests.leads.conftest import NOON

from xinheng.assessments import Assessment, keep
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.form_versions import FormVersion
from xinheng.leads.models import Consent, Enquiry, Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.submission import Submission
from xinheng.phones import parse_phone
from xinheng.privacy.receiving import Asked, PrivacyDesk

PHONE, OTHER = "138 0013 8000", "139 7462 5813"
HOUR = timedelta(hours=1)
RESULT = {"level": "high", "level_low": "high", "level_high": "high", "confidence": "good"}
Attached = Callable[[str], str]


@pytest.fixture
def token(store: Database, store_keys: Keys) -> str:
    with store.writing() as session:
        session.add(FormVersion(version="check", form="{}", published_at=NOON))
        session.flush()
        given: dict[str, Any] = {"answers": {}, "result": RESULT, "previous_id": None, "now": NOON}
        return keep(session, store_keys, version="check", **given)[1]


@pytest.fixture
def attached(desk: EnquiryDesk, asked: Callable[..., Submission], token: str) -> Attached:
    """Somebody attaches the result to an enquiry; returns its reference."""

    def ask(phone: str) -> str:
        purposes = ("attach_assessment", "callback", "marketing")
        return desk.record(asked(phone, purposes=purposes, assessment=token), NOON).reference

    return ask


def ask(store: Database, keys: Keys, kind: Any, phone: str, reference: str) -> None:
    PrivacyDesk(store, keys).receive(Asked(kind, parse_phone(phone), reference), NOON + HOUR)


def state(store: Database) -> tuple[int, set[str | None], str]:
    """How many results there are, to which enquiries point, and the lead's level."""
    with store.reading() as session:
        results = len(session.scalars(select(Assessment)).all())
        return results, set(session.scalars(select(Enquiry.assessment_id))), the_lead(store).level


def withdrawn(store: Database) -> set[str]:
    with store.reading() as session:
        return set(session.scalars(select(Consent.purpose).where(Consent.withdrawn_at.is_not(None))))


@pytest.mark.parametrize(
    ("kind", "purposes"),
    [
        ("detach_result", {"attach_assessment"}),
        ("withdraw", {"attach_assessment", "callback", "marketing"}),
    ],
)
def test_the_result_is_deleted_at_once(
    store: Database, store_keys: Keys, attached: Attached, kind: str, purposes: set[str]
) -> None:
    reference = attached(PHONE)
    assert state(store)[2] == "high"
    with store.writing() as session:  # a customer's contract keeps the lead, but not what needs consent
        session.execute(update(Lead).values(status="won"))
    ask(store, store_keys, kind, PHONE, reference)
    assert state(store) == (0, {None}, "")
    assert withdrawn(store) == purposes


def test_sales_goes_on_without_it(store: Database, store_keys: Keys, attached: Attached) -> None:
    reference = attached(PHONE)
    before = the_lead(store)
    ask(store, store_keys, "detach_result", PHONE, reference)
    lead = the_lead(store)
    assert (lead.restricted, lead.queue, lead.retain_until) == (False, before.queue, before.retain_until)
    assert events_of(store, lead.id)[-1].detail == {"what": "detach_result"}


@pytest.mark.parametrize("kind", ["stop_marketing", "access", "delete"])
def test_other_requests_leave_it(store: Database, store_keys: Keys, attached: Attached, kind: str) -> None:
    before = attached(PHONE), state(store)
    ask(store, store_keys, kind, PHONE, before[0])
    assert state(store) == before[1]


def test_a_stranger_takes_nothing_back(store: Database, store_keys: Keys, attached: Attached) -> None:
    before = attached(PHONE), state(store)
    ask(store, store_keys, "detach_result", OTHER, before[0])
    assert state(store) == before[1]


def test_what_somebody_else_attached_too_stays_theirs(
    store: Database, store_keys: Keys, attached: Attached
) -> None:
    mine, _ = attached(PHONE), attached(OTHER)
    ask(store, store_keys, "detach_result", PHONE, mine)
    with store.reading() as session:
        (result,) = session.scalars(select(Assessment.id))
        assert set(session.scalars(select(Enquiry.assessment_id))) == {result, None}
        assert set(session.scalars(select(Lead.level))) == {"high", ""}
