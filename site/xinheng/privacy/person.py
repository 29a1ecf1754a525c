"""Whose records a request is about. A mobile is one person's: all that came with it is theirs. Behind a landline are many
people: there only the lead or the enquiry counts that was proved to be theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from xinheng.crypto import CannotDecrypt, Keys
from xinheng.leads.models import NEVER, Enquiry, Lead
from xinheng.phones import NotAPhone, parse_phone, reaches_one_person
from xinheng.privacy.models import PrivacyRequest

NOBODY = "0" * 32
"""Stands where no record fits: an id that no row has."""

NO_INDEX = bytes(16)
"""Stands where no phone fits."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Records, as conditions of one shape for everybody: those of a number that reaches one person, and one lead and one
    enquiry by id, with the lead it may have got since. Nothing that came after `until`."""

    index: bytes = field(default=NO_INDEX, repr=False)
    lead_id: str = NOBODY
    enquiry_id: str = NOBODY
    until: datetime = NEVER

    def leads(self) -> ColumnElement[bool]:
        released = select(Enquiry.lead_id).where(Enquiry.id == self.enquiry_id)
        named = or_(Lead.id == self.lead_id, Lead.id.in_(released), Lead.phone_index == self.index)
        return and_(named, Lead.last_enquiry_at <= self.until)

    def held(self) -> ColumnElement[bool]:
        """Enquiries without a lead."""
        named = or_(Enquiry.id == self.enquiry_id, Enquiry.phone_index == self.index)
        return and_(Enquiry.lead_id.is_(None), named, Enquiry.created_at <= self.until)

    def enquiries(self) -> ColumnElement[bool]:
        """All: those of the leads, those without one, and the one by id in any case."""
        of_leads = Enquiry.lead_id.in_(select(Lead.id).where(self.leads()))
        return or_(of_leads, self.held(), Enquiry.id == self.enquiry_id)


@dataclass(frozen=True, slots=True)
class Person:
    """What is kept of somebody, the newest first."""

    leads: Sequence[Lead]
    held: Sequence[Enquiry]

    @property
    def is_known(self) -> bool:
        return bool(self.leads or self.held)


def person_of(session: Session, keys: Keys, request: PrivacyRequest) -> Person:
    """The records of whoever was proved to ask; nobody before that."""
    if not request.proof:
        return Person([], [])
    reach = reach_of(keys, request)
    return _found(session, or_(reach.leads(), Lead.id.in_(request.corrected)), reach.held())


def possible(session: Session, request: PrivacyRequest) -> Person:
    """The records of the phone that was typed: of a landline, many people's."""
    index = request.phone_index or NO_INDEX
    reach = Reach(index=index)
    return _found(session, reach.leads(), reach.held())


def reach_of(keys: Keys, request: PrivacyRequest) -> Reach:
    """How far a request reaches that was proved."""
    index = request.phone_index if is_one_person(keys, request) else None
    return Reach(index or NO_INDEX, request.lead_id or NOBODY, request.enquiry_id or NOBODY)


def requests_of(session: Session, keys: Keys, request: PrivacyRequest) -> Sequence[PrivacyRequest]:
    """All that the same person asked, this one among them, in the order they came."""
    person = person_of(session, keys, request)
    same = or_(
        PrivacyRequest.id == request.id,
        PrivacyRequest.lead_id.in_([each.id for each in person.leads]),
        PrivacyRequest.enquiry_id.in_([each.id for each in person.held]),
        PrivacyRequest.phone_index == reach_of(keys, request).index,
    )
    query = select(PrivacyRequest).where(same).order_by(PrivacyRequest.received_at, PrivacyRequest.id)
    return session.scalars(query).all()


def _found(session: Session, leads: ColumnElement[bool], held: ColumnElement[bool]) -> Person:
    return Person(
        session.scalars(select(Lead).where(leads).order_by(Lead.created_at.desc())).all(),
        session.scalars(select(Enquiry).where(held).order_by(Enquiry.id.desc())).all(),
    )


def is_one_person(keys: Keys, request: PrivacyRequest) -> bool:
    """Whether the number that was typed is one person's; what can't be read or was forgotten isn't."""
    if not request.phone or not request.phone_index:
        return False
    try:
        return reaches_one_person(parse_phone(request.open(keys, "phone")))
    except (CannotDecrypt, NotAPhone):
        return False
