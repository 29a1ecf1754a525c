"""Take a request: sealed, answered alike and by the same statements whether we know the person or not.

Withdrawing takes one form, as consenting did: where the phone fits the reference it is carried out in the same
transaction. Every statement is sent in any case, and a line written to the file beside the keys; for a stranger they
change no row and name nobody. So neither the answer nor the work tells anybody that somebody is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from xinheng.audit import log as audit
from xinheng.crypto import CannotDecrypt, Keys, new_receipt, new_row_id, plain_reference
from xinheng.db import Database
from xinheng.leads.merges import LeadPhone
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.tombstones import Restraint, TombstoneFile
from xinheng.phones import Phone, reaches_one_person
from xinheng.privacy.deadline import due
from xinheng.privacy.models import Kind, PrivacyRequest
from xinheng.privacy.person import NO_INDEX, NOBODY, Reach, parted
from xinheng.privacy.withdrawing import WITHDRAWALS, withdraw
from xinheng.working_days import Calendar

WAIT = 2.0  # seconds a request waits for the writer's turn
TWICE_WITHIN = timedelta(minutes=10)
"""The same words from the same phone within this time are a button pressed twice: one request, one receipt."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed. `reference` as people type it, right or not."""

    kind: Kind
    phone: Phone
    reference: str = field(default="", repr=False)
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the person is shown, and may look up again: nothing of what was asked."""

    number: str
    received_at: datetime
    due_at: datetime


class PrivacyDesk:
    """Takes requests. Knows the database, the keys and the file beside them, not the web request.

    `calendar` counts the days to answer in; without one they are those from Monday to Friday.
    """

    def __init__(
        self,
        database: Database,
        keys: Keys,
        file: TombstoneFile,
        *,
        calendar: Callable[[], Calendar] = Calendar,
    ) -> None:
        self._database = database
        self._keys = keys
        self._file = file
        self._calendar = calendar

    def receive(self, asked: Asked, now: datetime) -> Receipt:
        """Store a request. Raises DatabaseBusy; nothing was kept then."""
        index = self._keys.blind_index("phone", asked.phone.e164) or NO_INDEX
        done: Sequence[Restraint] = []
        with self._database.writing(within=WAIT, over=[index]) as session:
            named = _named(session, index, plain_reference(asked.reference) or "")
            twin = self._twin(session, asked, index, now)
            request = twin or self._stored(asked, index, named, now)
            if twin is None:
                session.add(request)
                session.flush()
            if asked.kind in WITHDRAWALS:
                done = withdraw(session, _reach(asked.phone, index, named), asked.kind, now, request.due_at)
            if twin is None:
                self._audit(session, request, now)
        if asked.kind in WITHDRAWALS:
            self._file.note(done or [Restraint(kind="lead", id=NOBODY, what=asked.kind, since=now)])
        return Receipt(request.receipt, request.received_at, request.due_at)

    def catch_up(self, session: Session, enquiry: Enquiry, phone: Phone) -> None:
        """In the transaction that stores an enquiry which waited in the spool: what its person asked meanwhile is held
        to, as far as it came before."""
        index = self._keys.blind_index("phone", phone.e164) or NO_INDEX
        since = select(PrivacyRequest).where(
            PrivacyRequest.phone_index == index, PrivacyRequest.received_at >= enquiry.created_at
        )
        for request in session.scalars(since.order_by(PrivacyRequest.received_at).with_for_update()).all():
            pair = plain_reference(self._opened(request, "reference")) == enquiry.reference
            one_person = reaches_one_person(phone) and not session.scalar(select(parted(index)))
            if pair and not request.proof:
                request.proof, request.enquiry_id = "pair", enquiry.id
            if request.kind in WITHDRAWALS and (pair or (request.proof and one_person)):
                whole = index if pair and one_person else NO_INDEX
                reach = Reach(whole, enquiry_id=enquiry.id, until=request.received_at)
                withdraw(session, reach, request.kind, request.received_at, request.due_at)
                request.carried_out = True

    def find(self, number: str) -> Receipt | None:
        """The receipt of a number, or None."""
        with self._database.reading() as session:
            columns = PrivacyRequest.receipt, PrivacyRequest.received_at, PrivacyRequest.due_at
            row = session.execute(select(*columns).where(PrivacyRequest.receipt == number)).first()
        return Receipt(*row) if row else None

    def _twin(self, session: Session, asked: Asked, index: bytes, now: datetime) -> PrivacyRequest | None:
        """The same request of a moment ago, if nobody has ended it."""
        lately = select(PrivacyRequest).where(
            PrivacyRequest.phone_index == index,
            PrivacyRequest.kind == asked.kind,
            PrivacyRequest.received_at > now - TWICE_WITHIN,
            PrivacyRequest.closed_at.is_(None),
        )
        for each in session.scalars(lately.order_by(PrivacyRequest.received_at)):
            if (self._opened(each, "reference"), self._opened(each, "words")) == (
                asked.reference,
                asked.words,
            ):
                return each
        return None

    def _stored(self, asked: Asked, index: bytes, named: str, now: datetime) -> PrivacyRequest:
        request = PrivacyRequest(
            id=new_row_id(),
            receipt=new_receipt(),
            kind=asked.kind,
            phone_index=index,
            enquiry_id=named,
            proof="pair" if named else "",
            carried_out=asked.kind in WITHDRAWALS and bool(named),
            received_at=now,
            due_at=due(now, self._calendar()),
        )
        request.seal(self._keys, "phone", asked.phone.e164)
        request.seal(self._keys, "reference", asked.reference)
        request.seal(self._keys, "words", asked.words)
        return request

    def _opened(self, request: PrivacyRequest, column: str) -> str:
        try:
            return request.open(self._keys, column) if getattr(request, column) else ""
        except CannotDecrypt:
            return ""

    def _audit(self, session: Session, request: PrivacyRequest, now: datetime) -> None:
        audit.record(
            session,
            self._keys,
            actor="",
            action="request",
            subject_kind="request",
            subject_id=request.id,
            detail={"what": request.kind},
            now=now,
        )


def _named(session: Session, index: bytes, reference: str) -> str:
    """The id of the enquiry that phone and reference name together, or empty."""
    further = exists().where(LeadPhone.lead_id == Lead.id, LeadPhone.phone_index == index)
    held = and_(Enquiry.lead_id.is_(None), Enquiry.phone_index == index)
    fits = or_(Lead.phone_index == index, further, held)
    return (
        session.scalar(select(Enquiry.id).outerjoin(Lead).where(Enquiry.reference == reference, fits)) or ""
    )


def _reach(phone: Phone, index: bytes, named: str) -> Reach:
    whole = index if named and reaches_one_person(phone) else NO_INDEX
    return Reach(whole, enquiry_id=named or NOBODY)
