"""Leads as a file to take away: who may, how many at most, what is written down first, and which leads are in it.

The audit's row is committed before a lead is read. The file is made whole, out of everybody's sight, and only then given
out: one that breaks off is no file at all. Leads are read a few hundred at a time, so that neither memory nor the
database is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, load_only, mapped_column

from xinheng.audit import log as audit
from xinheng.crypto import CannotDecrypt, Keys, new_row_id
from xinheng.db import Database, LeadsBase, Moment
from xinheng.leads.listing import UNREADABLE, mask_name
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.scope import Scope
from xinheng.leads.wanted import Wanted, branches, ordered
from xinheng.phone_display import mask, readable
from xinheng.phones import NotAPhone
from xinheng.sealed import Sealed

Format = Literal["csv", "xlsx", "json"]
SHORTEST_REASON, LONGEST_REASON = 4, 100  # characters
_AT_ONCE = 500
_FILTERS = (
    *("view", "status", "owner", "need", "source", "level", "since", "until", "match"),
    *("came_since", "came_until", "reached", "article"),
)


class TooMany(ValueError):
    """More leads than may leave at once; the message is how many may."""


class Export(Sealed, LeadsBase):
    """Why leads were taken away, in the words of who did. All else about it stands in the audit, under this id."""

    __tablename__ = "exports"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    reason: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    made_at: Mapped[datetime] = mapped_column(Moment, nullable=False)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be taken away by whom. `full`: names and numbers unmasked. `actor` goes to the audit."""

    scope: Scope
    wanted: Wanted
    format: Format
    actor: str
    reason: str = field(repr=False)
    full: bool = False


@dataclass(frozen=True, slots=True)
class ExportedLead:
    """One lead of an export; keys are those of the database. Name and phone are masked unless they were ordered whole."""

    reference: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    status: str
    reason: str
    owner_id: str | None
    need: str
    level: str
    source: str
    enquiry_count: int
    created_at: datetime
    last_enquiry_at: datetime
    due_since: datetime | None


class Exports:
    """`most` is how many leads may leave at once."""

    def __init__(self, database: Database, keys: Keys, most: int) -> None:
        self._database = database
        self._keys = keys
        self.most = most

    def find(self, scope: Scope, wanted: Wanted, now: datetime) -> Sequence[str]:
        """The ids of the leads that an export would have, in the list's order. Raises TooMany.

        Nobody takes away what isn't theirs: without everybody's leads, one's own, and none of those that nobody has.
        Restricted leads are never among them.
        """
        own = (
            replace(wanted, place=None)
            if scope.everyone
            else replace(wanted, place=None, owner=scope.staff_id)
        )
        found: list[str] = []
        with self._database.reading() as session:
            for owner in branches(scope, own):
                query = ordered(owner, own, now).limit(self.most + 1)
                found += [row.id for row in session.execute(query)]
        if len(found) > self.most:
            raise TooMany(self.most)
        return found

    def record(self, order: Order, count: int, now: datetime) -> None:
        """Write down who takes what away and why, before anything is read."""
        export = Export(id=new_row_id(), made_at=now)
        export.seal(self._keys, "reason", order.reason)
        with self._database.writing() as session:
            session.add(export)
            session.flush()
            audit.record(
                session,
                self._keys,
                actor=order.actor,
                action="export",
                subject_kind="list",
                subject_id=export.id,
                detail={
                    "count": count,
                    "filters": [name for name in _FILTERS if getattr(order.wanted, name)],
                    "format": order.format,
                    "masked": not order.full,
                },
                now=now,
            )

    def read(self, order: Order, ids: Sequence[str]) -> Iterator[ExportedLead]:
        """The leads, in this order; those that meanwhile were restricted, deleted or given to somebody else are left out."""
        for start in range(0, len(ids), _AT_ONCE):
            yield from self._page(order, ids[start : start + _AT_ONCE])

    def _page(self, order: Order, ids: Sequence[str]) -> Iterator[ExportedLead]:
        with self._database.reading() as session:
            query = select(Lead).where(Lead.id.in_(ids)).options(load_only(*_READ))
            leads = {lead.id: lead for lead in session.scalars(query)}
            latest = select(Enquiry.lead_id, Enquiry.reference).where(Enquiry.lead_id.in_(ids))
            rows = session.execute(latest.order_by(Enquiry.created_at, Enquiry.id))
            references = {row.lead_id: row.reference for row in rows}
        for lead in (leads[each] for each in ids if each in leads):
            if _may_leave(order.scope, lead):
                yield self._exported(order, lead, references.get(lead.id, ""))

    def _exported(self, order: Order, lead: Lead, reference: str) -> ExportedLead:
        return ExportedLead(
            reference=reference,
            name=self._shown(lead, _whole_name if order.full else _masked_name),
            phone=self._shown(lead, _whole_phone if order.full else _masked_phone),
            status=lead.status,
            reason=lead.reason,
            owner_id=lead.owner_id,
            need=lead.need,
            level=lead.level,
            source=lead.source,
            enquiry_count=lead.enquiry_count,
            created_at=lead.created_at,
            last_enquiry_at=lead.last_enquiry_at,
            due_since=lead.due_since,
        )

    def _shown(self, lead: Lead, show: Callable[[Lead, Keys], str]) -> str:
        try:
            return show(lead, self._keys)
        except CannotDecrypt:
            return UNREADABLE


_READ = (
    *(Lead.name, Lead.phone, Lead.extension, Lead.status, Lead.reason, Lead.owner_id, Lead.need, Lead.level),
    *(
        Lead.source,
        Lead.enquiry_count,
        Lead.created_at,
        Lead.last_enquiry_at,
        Lead.follow_up_at,
        Lead.restricted,
    ),
)


def _may_leave(scope: Scope, lead: Lead) -> bool:
    return not lead.restricted and (scope.everyone or lead.owner_id == scope.staff_id)


def _whole_name(lead: Lead, keys: Keys) -> str:
    return lead.open(keys, "name")


def _masked_name(lead: Lead, keys: Keys) -> str:
    return mask_name(lead.open(keys, "name"))


def _whole_phone(lead: Lead, keys: Keys) -> str:
    phone, extension = lead.open(keys, "phone"), lead.open(keys, "extension")
    try:
        shown = readable(phone)
    except NotAPhone:
        shown = phone
    return f"{shown} 转 {extension}" if extension else shown


def _masked_phone(lead: Lead, keys: Keys) -> str:
    return mask(lead.open(keys, "phone"))


def export_reasons(session: Session, keys: Keys, ids: Iterable[str]) -> dict[str, str]:
    """Why each of these exports was made, by id."""
    found = session.scalars(select(Export).where(Export.id.in_(ids)))
    return {each.id: _reason(each, keys) for each in found}


def _reason(export: Export, keys: Keys) -> str:
    try:
        return export.open(keys, "reason")
    except CannotDecrypt:
        return UNREADABLE
