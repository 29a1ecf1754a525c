"""Take a request: sealed, answered alike and by the same statements whether we know the person or not.

Withdrawing takes one form, as consenting did: where the phone fits the reference it is carried out in the same
transaction. Every statement is sent in any case; for a stranger it changes no row. So neither the answer nor the work
tells anybody that somebody is known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import case, false, insert, literal, select, true, update
from sqlalchemy.orm import Session

from xinheng.audit import log as audit
from xinheng.crypto import Keys, new_receipt, new_row_id, plain_reference
from xinheng.db import Database
from xinheng.leads.attached import PURPOSE, detach
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent
from xinheng.notices.outbox import Notice
from xinheng.phones import Phone
from xinheng.privacy.deadline import due
from xinheng.privacy.models import Kind, PrivacyRequest

WAIT = 2.0  # seconds a request waits for the writer's turn
TAKEN_BACK: Mapping[Kind, str] = MappingProxyType(
    {"withdraw": "", "stop_marketing": "marketing", "detach_result": PURPOSE}
)
"""Requests that take consent back, with the purpose that is taken back, empty for all."""

NOBODY = "0" * 32
"""Stands where no lead fits: an id that no row has."""


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
    """Takes requests. Knows the database and the keys, not the web request."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def receive(self, asked: Asked, now: datetime) -> Receipt:
        """Store a request. Raises DatabaseBusy; nothing was kept then."""
        index = self._keys.blind_index("phone", asked.phone.e164)
        with self._database.writing(within=WAIT, over=[index or b""]) as session:
            lead_id = _lead_of(session, index, plain_reference(asked.reference) or "")
            request = self._stored(asked, index, lead_id, now)
            session.add(request)
            session.flush()
            if asked.kind in TAKEN_BACK:
                withdraw(session, lead_id or NOBODY, asked.kind, now, request.due_at)
            self._audit(session, request, now)
        return Receipt(request.receipt, now, request.due_at)

    def find(self, number: str) -> Receipt | None:
        """The receipt of a number, or None."""
        with self._database.reading() as session:
            columns = PrivacyRequest.receipt, PrivacyRequest.received_at, PrivacyRequest.due_at
            row = session.execute(select(*columns).where(PrivacyRequest.receipt == number)).first()
        return Receipt(*row) if row else None

    def _stored(
        self, asked: Asked, index: bytes | None, lead_id: str | None, now: datetime
    ) -> PrivacyRequest:
        withdrawn = asked.kind in TAKEN_BACK
        request = PrivacyRequest(
            id=new_row_id(),
            receipt=new_receipt(),
            kind=asked.kind,
            phone_index=index,
            lead_id=lead_id or "",
            proof="pair" if lead_id else "",
            carried_out=withdrawn and lead_id is not None,
            received_at=now,
            due_at=due(now),
        )
        request.seal(self._keys, "phone", asked.phone.e164)
        request.seal(self._keys, "reference", asked.reference)
        request.seal(self._keys, "words", asked.words)
        return request

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


def _lead_of(session: Session, index: bytes | None, reference: str) -> str | None:
    """The lead that phone and reference name together."""
    pair = Enquiry.reference == reference, Lead.phone_index == index
    return session.scalar(select(Lead.id).join(Enquiry, Enquiry.lead_id == Lead.id).where(*pair))


def withdraw(session: Session, lead_id: str, kind: Kind, now: datetime, until: datetime) -> None:
    """Take consent back. From then on nobody calls: the lead is held back from every list, search, notice and export,
    and deleted by `until`, unless it became a customer's, whose contract asks for keeping. Without `withdraw` it is
    one purpose only, and sales goes on. What was attached by consent goes at once with it."""
    everything = true() if kind == "withdraw" else false()
    mine = select(Enquiry.id).where(Enquiry.lead_id == lead_id)
    purposes = true() if kind == "withdraw" else Consent.purpose == TAKEN_BACK[kind]
    session.execute(
        update(Consent)
        .where(Consent.enquiry_id.in_(mine), Consent.withdrawn_at.is_(None), purposes)
        .values(withdrawn_at=now)
        .execution_options(synchronize_session=False)
    )
    detach(session, lead_id, true() if kind in {"withdraw", "detach_result"} else false())
    told = {"id": new_row_id(), "kind": "withdrawn", "detail": {"what": kind}, "happened_at": now}
    values = [literal(value, getattr(LeadEvent, name).type) for name, value in told.items()]
    event = select(Lead.id, Lead.version + 1, *values).where(Lead.id == lead_id)
    session.execute(insert(LeadEvent).from_select(["lead_id", "version", *told], event))
    soon = (
        everything & (Lead.status != "won") & (Lead.retain_until > until),
        literal(until, Lead.retain_until.type),
    )
    session.execute(
        update(Lead)
        .where(Lead.id == lead_id)
        .values(
            version=Lead.version + 1,
            restricted=Lead.restricted | everything,
            queue=case((everything, "held"), else_=Lead.queue),
            retain_until=case(soon, else_=Lead.retain_until),
        )
        .execution_options(synchronize_session=False)
    )
    references = select(Enquiry.reference).where(Enquiry.lead_id == lead_id)
    session.execute(
        update(Notice)
        .where(Notice.reference.in_(references), Notice.state.in_(["waiting", "failed"]), everything)
        .values(state="void", settled_at=now, leased_until=None)
        .execution_options(synchronize_session=False)
    )
