"""A request is stored whoever asks; where phone and reference fit, a withdrawal is carried out, and nobody can tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import event, select, update
from tests.databases import raw_bytes
from tests.leads.colleagues import events_of, hire, scope_of, the_lead
from tests.leads.conftest import NOON

from xinheng.audit.models import AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database, Databases
from xinheng.leads.finding import find_leads, find_person
from xinheng.leads.listing import list_leads
from xinheng.leads.models import Consent, Enquiry, Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import NoSuchLead
from xinheng.leads.submission import Submission
from xinheng.leads.wanted import Wanted
from xinheng.leads.work import Deed, LeadWork
from xinheng.notices.outbox import Notice
from xinheng.phones import parse_phone
from xinheng.privacy.models import Kind, PrivacyRequest
from xinheng.privacy.receiving import Asked, PrivacyDesk

PHONE, OTHER = "138 0013 8000", "139 7462 5813"
WORDS = "请更正：我姓欧阳，电话 13974625813"
Ask = Callable[..., str]


@pytest.fixture
def reference(desk: EnquiryDesk, asked: Callable[..., Submission]) -> str:
    """Of somebody who consented to both purposes."""
    return desk.record(asked(PHONE, purposes=("callback", "marketing")), NOON).reference


def ask(
    privacy: PrivacyDesk, kind: Any = "withdraw", phone: str = PHONE, reference: str = "", words: str = ""
) -> None:
    privacy.receive(Asked(kind, parse_phone(phone), reference, words), NOON + timedelta(hours=1))


def requests_of(store: Database) -> list[PrivacyRequest]:
    with store.reading() as session:
        return list(session.scalars(select(PrivacyRequest).order_by(PrivacyRequest.received_at)))


def withdrawn(store: Database) -> set[str]:
    with store.reading() as session:
        return set(session.scalars(select(Consent.purpose).where(Consent.withdrawn_at.is_not(None))))


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_request_is_stored_sealed(
    privacy: PrivacyDesk, store: Database, store_keys: Keys, opened: Databases, tmp_path: Path, kind: str
) -> None:
    ask(privacy, kind, OTHER, "XH-12345-ABCDE", WORDS)
    (row,) = requests_of(store)
    assert (row.kind, row.enquiry_id, row.proof, row.carried_out) == (kind, "", "", False)
    assert row.open(store_keys, "phone") == "+8613974625813"
    assert row.open(store_keys, "words") == WORDS
    assert row.open(store_keys, "reference") == "XH-12345-ABCDE"
    held = raw_bytes(opened, tmp_path / "var")
    for clear in ("13974625813", "欧阳", "XH-12345-ABCDE"):
        assert clear.encode() not in held
    assert row.due_at > row.received_at


def test_phone_and_reference_together_prove_who_it_is(
    privacy: PrivacyDesk, store: Database, reference: str
) -> None:
    ask(privacy, "access", PHONE, reference.lower().replace("-", " "))
    (row,) = requests_of(store)
    with store.reading() as session:
        theirs = session.scalars(select(Enquiry.id).where(Enquiry.reference == reference)).one()
    assert (row.enquiry_id, row.proof, row.carried_out) == (theirs, "pair", False)


@pytest.mark.parametrize(("phone", "right"), [(OTHER, True), (PHONE, False), (OTHER, False)])
def test_half_a_pair_proves_nothing_and_changes_nothing(
    privacy: PrivacyDesk, store: Database, reference: str, phone: str, right: bool
) -> None:
    before = the_lead(store).version
    ask(privacy, "withdraw", phone, reference if right else "XH-00000-00000")
    (row,) = requests_of(store)
    assert (row.enquiry_id, row.proof, row.carried_out) == ("", "", False)
    assert withdrawn(store) == set()
    assert the_lead(store).version == before


def test_a_withdrawal_is_carried_out_at_once(
    privacy: PrivacyDesk, store: Database, store_keys: Keys, reference: str
) -> None:
    ask(privacy, "withdraw", PHONE, reference)
    lead = the_lead(store)
    (row,) = requests_of(store)
    assert row.carried_out
    assert withdrawn(store) == {"callback", "marketing"}
    assert (lead.restricted, lead.queue, lead.retain_until) == (True, "held", row.due_at)
    assert [each.kind for each in events_of(store, lead.id)] == ["enquiry", "withdrawn"]
    with store.reading() as session:
        assert session.scalars(select(Notice.state)).all() == ["void"]


def test_after_it_nobody_in_sales_sees_or_works_the_lead(
    privacy: PrivacyDesk, store: Database, store_keys: Keys, reference: str
) -> None:
    ask(privacy, "withdraw", PHONE, reference)
    boss = scope_of(hire(store, "主管", "sales_lead"), everyone=True)
    with store.reading() as session:
        assert find_leads(session, boss, Wanted(), NOON).leads == []
        assert list_leads(session, store_keys, 10) == []
        assert find_person(session, store_keys, boss, reference) is None or not isinstance(
            find_person(session, store_keys, boss, reference), Lead
        )
    with pytest.raises(NoSuchLead):
        LeadWork(store, store_keys, site="https://x.example").write_note(
            the_lead(store).id, Deed(boss, NOON), "喂"
        )


def test_a_customers_contract_outlasts_a_withdrawal(
    privacy: PrivacyDesk, store: Database, reference: str
) -> None:
    until = the_lead(store).retain_until
    with store.writing() as session:
        session.execute(update(Lead).values(status="won", closed=True, queue="closed"))
    ask(privacy, "withdraw", PHONE, reference)
    assert (the_lead(store).retain_until, the_lead(store).restricted) == (until, True)


def test_the_short_messages_can_be_withdrawn_alone(
    privacy: PrivacyDesk, store: Database, reference: str
) -> None:
    before = the_lead(store)
    ask(privacy, "stop_marketing", PHONE, reference)
    lead = the_lead(store)
    assert withdrawn(store) == {"marketing"}
    assert (lead.restricted, lead.queue, lead.retain_until) == (False, before.queue, before.retain_until)
    assert lead.version == before.version + 1, "who has the page open is told"
    assert events_of(store, lead.id)[-1].detail == {"what": "stop_marketing"}
    with store.reading() as session:
        assert session.scalars(select(Notice.state)).all() == ["waiting"]


def test_a_list_shows_what_is_still_agreed_to(
    privacy: PrivacyDesk, store: Database, store_keys: Keys, reference: str
) -> None:
    ask(privacy, "stop_marketing", PHONE, reference)
    with store.reading() as session:
        (lead,) = list_leads(session, store_keys, 10)
    assert lead.enquiries[0].purposes == ("callback",)


def test_a_second_withdrawal_keeps_the_first_ones_time(
    privacy: PrivacyDesk, store: Database, reference: str
) -> None:
    ask(privacy, "stop_marketing", PHONE, reference)
    privacy.receive(Asked("withdraw", parse_phone(PHONE), reference), NOON + timedelta(days=2))
    with store.reading() as session:
        times = {row.purpose: row.withdrawn_at for row in session.scalars(select(Consent))}
    assert times["marketing"] == NOON + timedelta(hours=1)
    assert times["callback"] == NOON + timedelta(days=2)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_same_statements_are_sent_for_the_known_and_the_unknown(
    privacy: PrivacyDesk, store: Database, reference: str, kind: str
) -> None:
    sent: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *said: sent.append(said[2]))

    def statements(phone: str, number: str) -> list[str]:
        sent.clear()
        ask(privacy, kind, phone, number)
        # which phone is waited for, and how many milliseconds of the turn are left
        return [re.sub(r"ARRAY\[[-0-9, ]+\]|(?<=busy_timeout=)\d+", "", each) for each in sent]

    known = statements(PHONE, reference)
    assert (
        known == statements(OTHER, reference) == statements(PHONE, "XH-00000-00000") == statements(OTHER, "")
    )


def test_the_audit_says_that_somebody_asked_and_not_whom_it_fits(
    privacy: PrivacyDesk, store: Database, reference: str
) -> None:
    ask(privacy, "withdraw", PHONE, reference)
    ask(privacy, "withdraw", OTHER, reference)
    with store.reading() as session:
        rows = session.scalars(select(AuditRow)).all()
    assert [(row.actor, row.action, row.subject_kind, row.detail) for row in rows] == [
        ("", "request", "request", {"what": "withdraw"})
    ] * 2


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_button_pressed_twice_is_one_request(
    privacy: PrivacyDesk, store: Database, reference: str, kind: Any
) -> None:
    asked = Asked(kind, parse_phone(PHONE), reference, WORDS)
    first = privacy.receive(asked, NOON)
    assert privacy.receive(asked, NOON + timedelta(minutes=9)) == first
    assert len(requests_of(store)) == 1
    with store.reading() as session:
        assert len(session.scalars(select(AuditRow).where(AuditRow.action == "request")).all()) == 1


@pytest.mark.parametrize(
    ("phone", "kind", "words", "minutes"),
    [
        (OTHER, "access", WORDS, 1),
        (PHONE, "delete", WORDS, 1),
        (PHONE, "access", "", 1),
        (PHONE, "access", WORDS, 10),
    ],
)
def test_other_words_another_phone_or_a_later_day_are_a_request_of_their_own(
    privacy: PrivacyDesk, store: Database, phone: str, kind: Any, words: str, minutes: int
) -> None:
    privacy.receive(Asked("access", parse_phone(PHONE), "", WORDS), NOON)
    privacy.receive(Asked(kind, parse_phone(phone), "", words), NOON + timedelta(minutes=minutes))
    assert len({row.receipt for row in requests_of(store)}) == 2


def test_asking_anew_for_what_was_ended_is_a_new_request(privacy: PrivacyDesk, store: Database) -> None:
    asked = Asked("access", parse_phone(PHONE), "", WORDS)
    privacy.receive(asked, NOON)
    with store.writing() as session:
        session.execute(update(PrivacyRequest).values(closed_at=NOON))
    privacy.receive(asked, NOON + timedelta(minutes=1))
    assert len(requests_of(store)) == 2


def test_a_withdrawal_pressed_twice_reaches_what_came_between(
    privacy: PrivacyDesk, desk: EnquiryDesk, store: Database, reference: str, asked: Callable[..., Submission]
) -> None:
    withdrawal = Asked("withdraw", parse_phone(PHONE), reference)
    privacy.receive(withdrawal, NOON + timedelta(minutes=1))
    desk.record(asked(PHONE, purposes=("callback",)), NOON + timedelta(minutes=2))
    privacy.receive(withdrawal, NOON + timedelta(minutes=3))
    with store.reading() as session:
        assert not session.scalars(select(Consent).where(Consent.withdrawn_at.is_(None))).all()
