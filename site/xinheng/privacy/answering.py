"""What the privacy officer does about a request. Each deed is one transaction with a row in the audit.

Nothing is done to a lead before it is proved that its person asks; nothing is opened before that is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from xinheng.audit import log as audit
from xinheng.audit.models import Action, SubjectKind
from xinheng.crypto import Keys, new_row_id
from xinheng.db import Database
from xinheng.leads.deletion import Deletion
from xinheng.leads.models import Enquiry, Lead, LeadEvent
from xinheng.leads.work import lead_lock
from xinheng.notices.outbox import withdraw
from xinheng.phones import Phone, last_four
from xinheng.privacy.models import Outcome, PrivacyRequest

FORGOTTEN_AFTER = timedelta(days=180)
"""After this time from its end a request holds nothing personal any more."""

GONE_AFTER = timedelta(days=3 * 366)
MOST_CLOSED = 50  # that a list shows


class NoSuchRequest(LookupError):
    """There is no such request."""


class RequestClosed(RuntimeError):
    """It has ended: nothing more can be done about it."""


class NotProved(RuntimeError):
    """Nobody has made sure yet that the lead's person is who asks, or the lead is gone."""


@dataclass(frozen=True, slots=True)
class Officer:
    """Who does something, and when."""

    staff_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class PrivacyWork:
    """Deeds. All raise NoSuchRequest, and but for `look` RequestClosed; those to a lead NotProved."""

    database: Database
    keys: Keys
    deletion: Deletion

    def look(self, request_id: str, officer: Officer, action: Action = "view") -> None:
        """Record that somebody opens the request, or with `reveal` its number: before either is shown."""
        with self.database.writing() as session:
            if session.get(PrivacyRequest, request_id) is None:
                raise NoSuchRequest(request_id)
            self._audit(session, officer, action, "request", request_id, {})

    def prove(self, request_id: str, officer: Officer, lead_id: str) -> None:
        """Somebody called the lead's number back, and it is its person who asks."""
        with self._open(request_id) as (session, request):
            lead = session.get(Lead, lead_id)
            if lead is None or lead.phone_index is None or lead.phone_index != request.phone_index:
                raise NotProved(request_id)
            request.lead_id, request.proof = lead_id, "call"
            self._audit(session, officer, "request", "request", request_id, {"what": "verified"})

    def restrict(self, request_id: str, officer: Officer, *, restricted: bool) -> None:
        """Hold the lead back from all use but keeping, or give it back to sales."""
        with self._proved(request_id) as (session, _, lead):
            lead.restricted = restricted
            if restricted:
                references = session.scalars(
                    select(Enquiry.reference).where(Enquiry.lead_id == lead.id)
                ).all()
                withdraw(session, references, officer.now)
            kind = "restricted" if restricted else "unrestricted"
            self._event(session, lead, officer, kind)
            lead.requeue()
            self._audit(session, officer, "restrict", "lead", lead.id, {"what": kind})

    def correct(self, request_id: str, officer: Officer, name: str, phone: Phone | None) -> None:
        """Set the name, and the phone where one is given; both are found by the new ones from then on."""
        with self._proved(request_id) as (session, _, lead):
            lead.seal(self.keys, "name", name)
            lead.name_index = self.keys.blind_index("name", name)
            if phone is not None:
                lead.seal(self.keys, "phone", phone.e164)
                lead.seal(self.keys, "extension", phone.extension)
                lead.phone_kind = phone.kind
                lead.phone_index = self.keys.blind_index("phone", phone.e164)
                lead.last_four_index = self.keys.blind_index("last_four", last_four(phone))
            self._event(session, lead, officer, "corrected")
            self._audit(session, officer, "edit", "lead", lead.id, {"what": "corrected"})

    def export(self, request_id: str, officer: Officer, form: str) -> str:
        """Record that the person's data are given out; returns the lead's id."""
        with self._proved(request_id) as (session, _, lead):
            self._audit(session, officer, "export", "lead", lead.id, {"format": form, "masked": False})
            return lead.id

    def delete(self, request_id: str, officer: Officer) -> None:
        """Delete the lead for good, and what the request itself holds of the person."""
        with self._proved(request_id) as (_, _, lead):
            lead_id = lead.id
        self.deletion.of_lead(lead_id, "request", officer.staff_id, officer.now)
        with self._open(request_id) as (session, request):
            self._close(session, request, officer, "deleted")
            request.phone = request.phone_index = request.reference = request.words = request.answer = None

    def close(self, request_id: str, officer: Officer, outcome: Outcome, answer: str) -> None:
        """End it: done, or refused for a reason, which is what the person is told."""
        with self._open(request_id) as (session, request):
            if answer:
                request.seal(self.keys, "answer", answer)
            self._close(session, request, officer, outcome)

    def _close(self, session: Session, request: PrivacyRequest, officer: Officer, outcome: Outcome) -> None:
        request.closed_at, request.closed_by, request.outcome = officer.now, officer.staff_id, outcome
        self._audit(session, officer, "request", "request", request.id, {"what": outcome})

    @contextmanager
    def _open(self, request_id: str, *also: bytes) -> Iterator[tuple[Session, PrivacyRequest]]:
        with self.database.writing(over=[f"request:{request_id}".encode(), *also]) as session:
            request = session.get(PrivacyRequest, request_id, with_for_update=True)
            if request is None:
                raise NoSuchRequest(request_id)
            if request.closed_at is not None:
                raise RequestClosed(request_id)
            yield session, request

    @contextmanager
    def _proved(self, request_id: str) -> Iterator[tuple[Session, PrivacyRequest, Lead]]:
        with self.database.reading() as session:
            request = session.get(PrivacyRequest, request_id)
            lead_id = request.lead_id if request else ""
        with self._open(request_id, lead_lock(lead_id)) as (session, request):
            lead = session.get(Lead, request.lead_id, with_for_update=True) if request.proof else None
            if lead is None:
                raise NotProved(request_id)
            yield session, request, lead

    def _event(self, session: Session, lead: Lead, officer: Officer, kind: str) -> None:
        lead.version += 1
        event = LeadEvent(
            id=new_row_id(),
            lead_id=lead.id,
            kind=kind,
            staff_id=officer.staff_id,
            detail={},
            version=lead.version,
            happened_at=officer.now,
        )
        session.add(event)

    def _audit(
        self,
        session: Session,
        officer: Officer,
        action: Action,
        kind: SubjectKind,
        subject_id: str,
        detail: Mapping[str, audit.Value],
    ) -> None:
        session.flush()
        audit.record(
            session,
            self.keys,
            actor=officer.staff_id,
            action=action,
            subject_kind=kind,
            subject_id=subject_id,
            detail=detail,
            now=officer.now,
        )


def waiting(session: Session) -> Sequence[PrivacyRequest]:
    """Requests that are open, what is due first on top."""
    query = select(PrivacyRequest).where(PrivacyRequest.closed_at.is_(None))
    return session.scalars(query.order_by(PrivacyRequest.due_at, PrivacyRequest.id)).all()


def ended(session: Session) -> Sequence[PrivacyRequest]:
    """The latest that ended."""
    query = select(PrivacyRequest).where(PrivacyRequest.closed_at.is_not(None))
    return session.scalars(query.order_by(PrivacyRequest.closed_at.desc()).limit(MOST_CLOSED)).all()


def overdue(session: Session, now: datetime) -> int:
    """How many open requests are past their day."""
    late = PrivacyRequest.closed_at.is_(None), PrivacyRequest.due_at < now
    return session.scalar(select(func.count()).select_from(PrivacyRequest).where(*late)) or 0


def leads_of(session: Session, request: PrivacyRequest) -> Sequence[Lead]:
    """The leads of the phone that was typed, newest first: one for a mobile, several for a switchboard."""
    if request.phone_index is None:
        return []
    same = select(Lead).where(Lead.phone_index == request.phone_index)
    return session.scalars(same.order_by(Lead.created_at.desc())).all()


def forget(session: Session, now: datetime) -> None:
    """Take what is personal out of requests that ended long ago, and in the end the requests."""
    old = PrivacyRequest.closed_at < now - FORGOTTEN_AFTER, PrivacyRequest.phone.is_not(None)
    blank = {"phone": None, "phone_index": None, "reference": None, "words": None, "answer": None}
    session.execute(update(PrivacyRequest).where(*old).values(**blank))
    session.execute(delete(PrivacyRequest).where(PrivacyRequest.closed_at < now - GONE_AFTER))
