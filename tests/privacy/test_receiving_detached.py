"""Consent to attaching a result can be taken back like any other: alone or with all, and the result is gone at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import make_transient
from tests.conftest import ROOT
from tests.leads.colleagues import events_of, the_lead
from tests.leads.conftest import NOON

from xinheng.assessments import Assessment, keep
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.form_versions import FormVersion
from xinheng.forms.priority import load_priority
from xinheng.leads.attached import detach_withdrawn
from xinheng.leads.deletion import Deletion
from xinheng.leads.models import Consent, Enquiry, Lead
from xinheng.leads.ranking import Ranking
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.submission import Submission
from xinheng.leads.tombstones import Restraint
from xinheng.phones import parse_phone
from xinheng.privacy.receiving import Asked, PrivacyDesk
from xinheng.privacy.replaying import carry_out_again

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


def ask(privacy: PrivacyDesk, kind: Any, phone: str, reference: str) -> None:
    privacy.receive(Asked(kind, parse_phone(phone), reference), NOON + HOUR)


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
    store: Database, privacy: PrivacyDesk, attached: Attached, kind: str, purposes: set[str]
) -> None:
    reference = attached(PHONE)
    assert state(store)[2] == "high"
    with store.writing() as session:  # a customer's contract keeps the lead, but not what needs consent
        session.execute(update(Lead).values(status="won"))
    ask(privacy, kind, PHONE, reference)
    assert state(store) == (0, {None}, "")
    assert withdrawn(store) == purposes


def test_sales_goes_on_without_it(store: Database, privacy: PrivacyDesk, attached: Attached) -> None:
    reference = attached(PHONE)
    before = the_lead(store)
    ask(privacy, "detach_result", PHONE, reference)
    lead = the_lead(store)
    assert (lead.restricted, lead.queue, lead.retain_until) == (False, before.queue, before.retain_until)
    assert events_of(store, lead.id)[-1].detail == {"what": "detach_result"}


def test_nobody_is_called_first_for_a_result_that_is_gone(
    store: Database, store_keys: Keys, privacy: PrivacyDesk, desk: EnquiryDesk, attached: Attached, asked: Any
) -> None:
    reference = attached(PHONE)
    desk.record(asked(OTHER), NOON)
    ask(privacy, "detach_result", PHONE, reference)
    rank = Ranking(store, store_keys, lambda: load_priority(ROOT / "forms")).unranked
    for _ in range(2):
        assert rank(store, NOON + HOUR) == 0
    with store.reading() as session:
        mine, without = session.scalars(select(Lead.priority))
    assert mine == without
    assert mine is not None


def test_who_may_not_be_called_is_not_ranked(
    store: Database, store_keys: Keys, privacy: PrivacyDesk, attached: Attached
) -> None:
    ask(privacy, "withdraw", PHONE, attached(PHONE))
    Ranking(store, store_keys, lambda: load_priority(ROOT / "forms")).unranked(store, NOON + HOUR)
    assert the_lead(store).priority is None


@pytest.mark.parametrize("kind", ["stop_marketing", "access", "delete"])
def test_other_requests_leave_it(
    store: Database, privacy: PrivacyDesk, attached: Attached, kind: str
) -> None:
    before = attached(PHONE), state(store)
    ask(privacy, kind, PHONE, before[0])
    assert state(store) == before[1]


def test_a_stranger_takes_nothing_back(store: Database, privacy: PrivacyDesk, attached: Attached) -> None:
    before = attached(PHONE), state(store)
    ask(privacy, "detach_result", OTHER, before[0])
    assert state(store) == before[1]


def test_what_somebody_else_attached_too_stays_theirs(
    store: Database, privacy: PrivacyDesk, attached: Attached
) -> None:
    mine, _ = attached(PHONE), attached(OTHER)
    ask(privacy, "detach_result", PHONE, mine)
    with store.reading() as session:
        (result,) = session.scalars(select(Assessment.id))
        assert set(session.scalars(select(Enquiry.assessment_id))) == {result, None}
        assert set(session.scalars(select(Lead.level))) == {"high", ""}


def test_it_is_deleted_again_where_a_backup_brings_it_back(
    store: Database, store_keys: Keys, privacy: PrivacyDesk, deletion: Deletion, attached: Attached
) -> None:
    reference = attached(PHONE)
    with store.reading() as session:
        row = session.scalars(select(Assessment)).one()
        session.expunge(row)
    ask(privacy, "detach_result", PHONE, reference)
    make_transient(row)
    with store.writing() as session:  # as it was before
        session.add(row)
        session.execute(update(Enquiry).values(assessment_id=row.id))
        session.execute(update(Consent).values(withdrawn_at=None))
        session.execute(delete(Restraint))
    assert carry_out_again(store, store_keys, deletion).restrained
    assert state(store) == (0, {None}, "")
    assert withdrawn(store) == {"attach_assessment"}


def test_a_lead_keeps_the_level_of_what_was_attached_later(
    store: Database, store_keys: Keys, desk: EnquiryDesk, asked: Callable[..., Submission], attached: Attached
) -> None:
    first = attached(PHONE)
    given: dict[str, Any] = {"answers": {}, "result": RESULT, "previous_id": None, "now": NOON + HOUR}
    with store.writing() as session:
        later = keep(session, store_keys, version="check", **given)[1]
    desk.record(asked(PHONE, purposes=("attach_assessment", "callback"), assessment=later), NOON + HOUR)
    with store.writing() as session:
        earlier = Enquiry.reference == first
        mine = select(Enquiry.id).where(earlier)
        session.execute(update(Consent).where(Consent.enquiry_id.in_(mine)).values(withdrawn_at=NOON + HOUR))
        detach_withdrawn(session, earlier)
    assert (state(store)[0], state(store)[2]) == (1, "high")
