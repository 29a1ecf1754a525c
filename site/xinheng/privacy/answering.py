"""What the privacy officer does about a request. Each deed is one transaction with a row in the audit.

Nothing is done to a record before it is proved that its person asks, and then to all of theirs; nothing is opened before
that is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xinheng.audit import log as audit
from xinheng.audit.models import Action, SubjectKind
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.contact import set_name, set_phone
from xinheng.leads.deletion import Deletion
from xinheng.leads.merges import LeadPhone, forget_images, merged_into, number_indexes, phones_of
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.spool import Spool
from xinheng.leads.tombstones import Kind, Restraint, What
from xinheng.leads.work import lead_lock
from xinheng.phones import Phone
from xinheng.privacy.forgetting import empty_buried
from xinheng.privacy.models import Outcome, PrivacyRequest
from xinheng.privacy.person import Person, asked_from, locked, person_of, possible, requests_of
from xinheng.privacy.restricting import add_event, restrict_held, restrict_lead

MOST_CLOSED = 50  # that a list shows


class NoSuchRequest(LookupError):
    """There is no such request."""


class RequestClosed(RuntimeError):
    """It has ended: nothing more can be done about it."""


class NotProved(RuntimeError):
    """Nobody has made sure yet that it is the person who asks, or nothing is kept of them any more."""


class LeftUndone(RuntimeError):
    """It would end as done, without a word, while the person who asks is known here and nothing was done. `why` is "proof"
    where nobody made sure who asks, "delete" where a deletion was asked for and the records are there."""

    def __init__(self, why: Literal["proof", "delete"]) -> None:
        super().__init__(why)
        self.why = why


class StillToCome(RuntimeError):
    """An enquiry of the same number waits in the spool: it would come back after the deletion, which forgets who asked."""


@dataclass(frozen=True, slots=True)
class Officer:
    """Who does something, and when."""

    staff_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class PrivacyWork:
    """Deeds. All raise NoSuchRequest, and but for `look` RequestClosed; those to a person's records NotProved.

    `spool` is that of this machine, where enquiries may wait."""

    database: Database
    keys: Keys
    deletion: Deletion
    spool: Spool | None = None

    def look(self, request_id: str, officer: Officer, action: Action = "view") -> None:
        """Record that somebody opens the request, or with `reveal` its number: before either is shown."""
        with self.database.writing() as session:
            if session.get(PrivacyRequest, request_id) is None:
                raise NoSuchRequest(request_id)
            self._audit(session, officer, action, "request", request_id, {})

    def prove(self, request_id: str, officer: Officer, record_id: str) -> None:
        """Somebody called the number of a record back, and it is its person who asks."""
        with self._open(request_id) as (session, request):
            found = possible(session, request)
            if record_id in [each.id for each in found.leads]:
                request.enquiry_id = asked_from(session, record_id, request.phone_index)
                request.lead_id = "" if request.enquiry_id else record_id
            elif record_id in [each.id for each in found.held]:
                request.enquiry_id, request.lead_id = record_id, ""
            else:
                raise NotProved(request_id)
            request.proof = "call"
            self._audit(session, officer, "request", "request", request_id, {"what": "verified"})

    def restrict(self, request_id: str, officer: Officer, *, restricted: bool) -> None:
        """Hold the records back from all use but keeping, or give them back to sales."""
        what: What = "restricted" if restricted else "unrestricted"
        with self._proved(request_id) as (session, _, person):
            for lead in person.leads:
                restrict_lead(session, lead, officer.staff_id, officer.now, restricted=restricted)
            held = [each for each in person.held if restrict_held(each, restricted=restricted)]
            noted = _restraints(session, person.leads, held, what, officer.now)
            for lead in person.leads:
                self._audit(session, officer, "restrict", "lead", lead.id, {"what": what})
            for enquiry in held:
                self._audit(session, officer, "restrict", "enquiry", enquiry.id, {"what": what})
        self.deletion.file.note(noted)

    def correct(self, request_id: str, officer: Officer, name: str, phone: Phone | None) -> None:
        """Set the name of all leads, and the phone where one is given; they are found by the new ones from then on. An
        enquiry stays as it was typed."""
        with self._proved(request_id) as (session, request, person):
            if not person.leads:
                raise NotProved(request_id)
            for lead in person.leads:
                set_name(lead, self.keys, name)
                if phone is not None:
                    set_phone(_of_number(session, lead, request.phone_index), self.keys, phone)
                add_event(session, lead, officer.staff_id, "corrected", officer.now)
            request.corrected = [lead.id for lead in person.leads]
            forget_images(session, request.corrected)
            for lead in person.leads:
                self._audit(session, officer, "edit", "lead", lead.id, {"what": "corrected"})

    def export(self, request_id: str, officer: Officer, form: str) -> None:
        """Record that the person's data are given out."""
        given: Mapping[str, audit.Value] = {"format": form, "masked": False}
        with self._proved(request_id) as (session, _, person):
            for lead in person.leads:
                self._audit(session, officer, "export", "lead", lead.id, given)
            for enquiry in person.held:
                self._audit(session, officer, "export", "enquiry", enquiry.id, given)

    def delete(self, request_id: str, officer: Officer) -> None:
        """Delete all records for good, and what this and the other requests of the person hold of them. Raises StillToCome,
        OSError."""
        with self._proved(request_id) as (session, request, person):
            if self.spool and any(map(self.spool.holds_of, self._numbers(session, request, person))):
                raise StillToCome(request_id)
            asked = [each.id for each in requests_of(session, self.keys, request)]
            buried = self.deletion.of_person(session, person.leads, person.held, asked, officer.now)
            ended = empty_buried(session, officer.now)
            for each in ended:
                each.closed_by = officer.staff_id if each.id in asked else None
            session.flush()
            self.deletion.record(session, buried, officer.staff_id)
            for each in ended:
                self._audit(session, officer, "request", "request", each.id, {"what": "deleted"})
        self.deletion.settle(buried)

    def close(self, request_id: str, officer: Officer, outcome: Outcome, answer: str) -> None:
        """End it: done, or refused for a reason, which is what the person is told. Raises LeftUndone."""
        with self._open(request_id) as (session, request):
            if answer:
                request.seal(self.keys, "answer", answer)
            elif outcome == "done":
                self._look_done(session, request)
            self._close(session, request, officer, outcome)

    def _look_done(self, session: Session, request: PrivacyRequest) -> None:
        person = person_of(session, self.keys, request) if request.proof else possible(session, request)
        if not person.is_known:
            return
        if request.kind == "delete":
            raise LeftUndone("delete")
        if not request.proof and request.kind != "complaint":
            raise LeftUndone("proof")

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
    def _proved(self, request_id: str) -> Iterator[tuple[Session, PrivacyRequest, Person]]:
        """The records of the person, and nobody else at them. Held until the end are their numbers too: nothing new of
        theirs comes in meanwhile.

        What to hold is known once they are found, and they may be others by the time it is held: then anew."""
        held: set[bytes] = set()
        while True:
            with self._open(request_id, *held) as (session, request):
                person = person_of(session, self.keys, request)
                theirs = _names_of(session, request, person)
                if theirs <= held:
                    person = locked(session, person)
                    if not person.is_known:
                        raise NotProved(request_id)
                    yield session, request, person
                    return
            held |= theirs

    def _numbers(self, session: Session, request: PrivacyRequest, person: Person) -> set[str]:
        """That of the request, and the further ones of the person's leads."""
        rows: list[PrivacyRequest | LeadPhone] = [request] if request.phone else []
        rows += [row for lead in person.leads for row in phones_of(session, lead.id)]
        return {row.open(self.keys, "phone") for row in rows}

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


def _names_of(session: Session, request: PrivacyRequest, person: Person) -> set[bytes]:
    """What nobody else may decide on while something is done to a person's records."""
    names = {lead_lock(each.id) for each in person.leads} | {each.id.encode() for each in person.held}
    numbers = number_indexes(session, [each.id for each in person.leads])
    return names | {*numbers, *filter(None, [request.phone_index])}


def _of_number(session: Session, lead: Lead, index: bytes | None) -> Lead | LeadPhone:
    """Where a number stands that is put right: a further one of the lead, or else its first."""
    return next((row for row in phones_of(session, lead.id) if row.phone_index == index), lead)


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


def _restraints(
    session: Session, leads: Sequence[Lead], held: Sequence[Enquiry], what: What, now: datetime
) -> Sequence[Restraint]:
    """What a restored backup is held to: in an earlier one a lead's enquiries may still stand without it."""
    ids = [each.id for each in leads]
    ids += merged_into(session, ids)
    beneath = session.scalars(select(Enquiry.id).where(Enquiry.lead_id.in_(ids)))
    kinds: dict[str, Kind] = dict.fromkeys([*beneath, *(each.id for each in held)], "enquiry")
    kinds |= dict.fromkeys(ids, "lead")
    made = [Restraint(id=each, kind=kind, what=what, since=now) for each, kind in kinds.items()]
    return [session.merge(each) for each in made]
