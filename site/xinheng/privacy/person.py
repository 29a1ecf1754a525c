"""Whose records a request is about. A mobile is one person's: all that came with it is theirs. Behind a landline are many
people: there only the lead or the enquiry counts that was proved to be theirs; and so it is with a mobile of which staff said
that its leads are not the same person. A lead that was merged counts as what it became part of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import CTE, ColumnElement, CompoundSelect, and_, exists, or_, select, true, union_all
from sqlalchemy.orm import Session, aliased

from xinheng.crypto import CannotDecrypt, Keys
from xinheng.leads.merges import Apart, LeadPhone, Merge, leads_of_number, merged_into
from xinheng.leads.models import NEVER, Enquiry, Lead
from xinheng.phones import NotAPhone, parse_phone, reaches_one_person
from xinheng.privacy.models import PrivacyRequest

Row = TypeVar("Row", Lead, Enquiry)

NOBODY = "0" * 32
"""Stands where no record fits: an id that no row has."""

NO_INDEX = bytes(16)
"""Stands where no phone fits."""


# the same tables inside the conditions; made once, for each takes milliseconds
_lead, _named, _numbered, _other = aliased(Lead), aliased(Lead), aliased(Lead), aliased(Lead)
_row, _released, _number = aliased(Enquiry), aliased(Enquiry), aliased(LeadPhone)


@dataclass(frozen=True, slots=True)
class Reach:
    """Records, as conditions of one shape for everybody: those of a number that reaches one person, and one lead and one
    enquiry by id, with the lead it may have got since; and leads that were `corrected`. Nothing that came after `until`.
    By a number that is `parted` only where `shared`.

    Each way to a record is a question of its own, answered from its index: joined by OR, PostgreSQL reads everybody's."""

    index: bytes = field(default=NO_INDEX, repr=False)
    lead_id: str = NOBODY
    enquiry_id: str = NOBODY
    until: datetime = NEVER
    corrected: Sequence[str] = ()
    shared: bool = False

    def leads(self) -> ColumnElement[bool]:
        return and_(Lead.id.in_(self._theirs()), Lead.last_enquiry_at <= self.until)

    def held(self) -> ColumnElement[bool]:
        """Enquiries without a lead; where a lead was merged, also those from the person's other mobile."""
        by_phone = and_(_row.phone_index == self.index, self._by_number())
        by_id, by_further = _row.id == self.enquiry_id, _row.phone_index.in_(_further(self._named_leads()))
        named = union_all(*(select(_row.id).where(each) for each in (by_id, by_phone, by_further)))
        return and_(Enquiry.id.in_(named), Enquiry.lead_id.is_(None), Enquiry.created_at <= self.until)

    def enquiries(self) -> ColumnElement[bool]:
        """Those of the leads, and the one by id in any case."""
        leads = select(_lead.id).where(_lead.id.in_(self._theirs()), _lead.last_enquiry_at <= self.until)
        ways = _row.lead_id.in_(leads), _row.id == self.enquiry_id
        named = union_all(*(select(_row.id).where(each) for each in ways))
        return Enquiry.id.in_(named)

    def _theirs(self) -> CompoundSelect[str]:
        """Also the leads of the person's other mobile, as one that came while the first was held back; none of which staff
        said that it is not the same person as another."""
        named = self._named_leads()
        apart = exists().where(Apart.lead_id == _other.id)
        by_further = select(_other.id).where(_other.phone_index.in_(_further(named)), ~apart)
        return union_all(select(named.c.id), by_further)

    def _named_leads(self) -> CTE:
        """Asked for once in a statement, however often it is needed; SQLite refuses what is nested deeper."""
        numbered = leads_of_number(self.index).subquery()
        by_phone = select(numbered.c.id).where(self._by_number())
        by_enquiry = _released.id == self.enquiry_id, _released.lead_id.is_not(None)
        by_id = [self.lead_id, *self.corrected]
        return union_all(
            select(_named.id).where(_named.id.in_(by_id)),
            select(Merge.kept_id).where(Merge.merged_id.in_(by_id)),
            select(_released.lead_id).where(*by_enquiry),
            by_phone,
        ).cte()

    def _by_number(self) -> ColumnElement[bool]:
        return true() if self.shared else ~parted(self.index)


def _further(named: CTE) -> CompoundSelect[bytes | None]:
    """The mobiles of leads that have several numbers: each is their person's, but what others have too."""
    theirs = LeadPhone.lead_id.in_(select(named.c.id))
    first = _numbered.id.in_(select(LeadPhone.lead_id).where(theirs)), _numbered.phone_kind == "mobile"
    return union_all(
        select(LeadPhone.phone_index).where(
            theirs,
            LeadPhone.phone_kind == "mobile",
            ~_others_have(LeadPhone.lead_id, LeadPhone.phone_index),
        ),
        select(_numbered.phone_index).where(*first, ~_others_have(_numbered.id, _numbered.phone_index)),
    )


def parted(number: bytes) -> ColumnElement[bool]:
    """Whether staff said of leads of a number that they are not the same person."""
    return exists().where(
        Apart.lead_id.in_(leads_of_number(number)), Apart.other_id.in_(leads_of_number(number))
    )


def _others_have(lead_id: Any, number: Any) -> ColumnElement[bool]:
    """Whether a lead that is not the same person as this one has this number of its too."""
    first = _named.id == Apart.other_id, _named.phone_index == number
    further = _number.lead_id == Apart.other_id, _number.phone_index == number
    return or_(*(exists().where(Apart.lead_id == lead_id, *each) for each in (first, further)))


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
    reach = reach_of(session, keys, request)
    return _found(session, reach.leads(), reach.held())


def locked(session: Session, person: Person) -> Person:
    """The records as they are now, which nobody else changes until the transaction ends: leads before enquiries and each by
    their ids as everywhere, or two would wait for each other."""
    return Person(_locked(session, Lead, person.leads), _locked(session, Enquiry, person.held))


def possible(session: Session, request: PrivacyRequest) -> Person:
    """The records of the phone that was typed: of a landline, many people's."""
    index = request.phone_index or NO_INDEX
    reach = Reach(index=index, shared=True)
    return _found(session, reach.leads(), reach.held())


def asked_from(session: Session, lead_id: str, index: bytes | None) -> str:
    """The id of the latest enquiry of a lead that came from a number, or empty: where leads are parted again, it goes with
    the person who asks."""
    mine = select(Enquiry.id).where(Enquiry.lead_id == lead_id, Enquiry.phone_index == index)
    return session.scalar(mine.order_by(Enquiry.created_at.desc()).limit(1)) or ""


def reach_of(session: Session, keys: Keys, request: PrivacyRequest) -> Reach:
    """How far a request reaches that was proved."""
    index = request.phone_index if is_one_person(session, keys, request) else None
    named = request.lead_id or NOBODY, request.enquiry_id or NOBODY
    return Reach(index or NO_INDEX, *named, corrected=request.corrected)


def requests_of(session: Session, keys: Keys, request: PrivacyRequest) -> Sequence[PrivacyRequest]:
    """All that the same person asked, this one among them, in the order they came."""
    person = person_of(session, keys, request)
    leads = [each.id for each in person.leads]
    beneath = session.scalars(select(Enquiry.id).where(Enquiry.lead_id.in_(leads))).all()
    same = or_(
        PrivacyRequest.id == request.id,
        PrivacyRequest.lead_id.in_([*leads, *merged_into(session, leads)]),
        PrivacyRequest.enquiry_id.in_([*beneath, *(each.id for each in person.held)]),
        PrivacyRequest.phone_index == reach_of(session, keys, request).index,
    )
    query = select(PrivacyRequest).where(same).order_by(PrivacyRequest.received_at, PrivacyRequest.id)
    return session.scalars(query).all()


def _found(session: Session, leads: ColumnElement[bool], held: ColumnElement[bool]) -> Person:
    return Person(
        session.scalars(select(Lead).where(leads).order_by(Lead.created_at.desc())).all(),
        session.scalars(select(Enquiry).where(held).order_by(Enquiry.id.desc())).all(),
    )


def _locked(session: Session, table: type[Row], rows: Sequence[Row]) -> Sequence[Row]:
    mine = select(table).where(table.id.in_([each.id for each in rows])).order_by(table.id)
    there = session.scalars(mine.with_for_update().execution_options(populate_existing=True)).all()
    return [each for each in rows if each in there]


def is_one_person(session: Session, keys: Keys, request: PrivacyRequest) -> bool:
    """Whether the number that was typed is one person's; what can't be read or was forgotten isn't."""
    if not request.phone or not request.phone_index or session.scalar(select(parted(request.phone_index))):
        return False
    try:
        return reaches_one_person(parse_phone(request.open(keys, "phone")))
    except (CannotDecrypt, NotAPhone):
        return False
