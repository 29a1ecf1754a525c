"""All that a lead's page tells: the enquiries as they were typed, what happened, what comes next.

What is personal is opened here and nowhere else: the number and the whole name only for who was shown them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, load_only, selectinload

from xinheng.assessments import Assessment, Kept, opened
from xinheng.crypto import CannotDecrypt, Keys
from xinheng.form_versions import FormVersion
from xinheng.forms.definition import FormDeclaration, stored_form
from xinheng.forms.priority import LeadFacts
from xinheng.leads.listing import UNREADABLE, mask_name
from xinheng.leads.merges import LeadPhone, phones_of
from xinheng.leads.models import Enquiry, Lead, LeadEvent
from xinheng.leads.numbers import without_numbers
from xinheng.leads.scope import NoSuchLead, Scope
from xinheng.phone_display import mask
from xinheng.referrers import campaign_channel
from xinheng.sealed import Sealed


@dataclass(frozen=True, slots=True)
class AttachedResult:
    """A health check that came with an enquiry; `kept` is None where it can't be read."""

    id: str
    at: datetime
    kept: Kept | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShownEnquiry:
    """One enquiry in words. `answers` are those to fields the product doesn't know, label and answer."""

    id: str
    reference: str
    created_at: datetime
    name: str = field(repr=False)
    need: str
    call_time: str
    details: str = field(repr=False)
    answers: Sequence[tuple[str, str]] = field(repr=False)
    purposes: Sequence[str]
    article: str
    page: str
    first_touch: Mapping[str, Any]
    last_touch: Mapping[str, Any]
    articles_read: Sequence[str]
    attached: AttachedResult | None


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """One line of the timeline; `enquiry` where it tells of one."""

    kind: str
    happened_at: datetime
    staff_id: str | None
    detail: Mapping[str, Any]
    note: str = field(repr=False)
    version: int
    enquiry: ShownEnquiry | None


@dataclass(frozen=True, slots=True)
class ShownNumber:
    """A further number of the person, masked as the first is."""

    phone: str = field(repr=False)
    extension: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LeadFile:
    """A lead as one member of staff may see it. `phone` and `name` are masked unless they were shown to them."""

    lead: Lead
    name: str = field(repr=False)
    phone: str = field(repr=False)
    extension: str = field(repr=False)
    further: Sequence[ShownNumber] = field(repr=False)
    company: str = field(repr=False)
    revealed: bool
    next_step: str = field(repr=False)
    enquiries: Sequence[ShownEnquiry]
    events: Sequence[ShownEvent]
    facts: LeadFacts

    @property
    def latest(self) -> ShownEnquiry:
        return self.enquiries[0]


def open_file(session: Session, keys: Keys, scope: Scope, lead_id: str, *, revealed: bool) -> LeadFile:
    """Everything of one lead, newest first. Raises NoSuchLead."""
    query = (
        select(Lead)
        .where(Lead.id == lead_id)
        .options(selectinload(Lead.enquiries).selectinload(Enquiry.consents))
    )
    lead = session.scalars(query).first()
    if lead is None or not scope.sees(lead):
        raise NoSuchLead(lead_id)
    reader = _Reader(keys, revealed, _forms(session, lead), _results(session, keys, lead))
    enquiries = {row.id: reader.enquiry(row) for row in reversed(lead.enquiries)}
    rows = session.scalars(
        select(LeadEvent)
        .where(LeadEvent.lead_id == lead.id)
        .order_by(LeadEvent.happened_at.desc(), LeadEvent.id.desc())
    )
    phone = reader.phone(lead)
    revealed = revealed and phone != UNREADABLE
    return LeadFile(
        lead=lead,
        name=reader.name(lead),
        phone=phone,
        extension=reader.text(lead, "extension") if revealed else "",
        further=[reader.number(row) for row in phones_of(session, lead.id)],
        company=reader.text(lead, "company") if lead.company else "",
        revealed=revealed,
        next_step=reader.text(lead, "next_step") if lead.next_step else "",
        enquiries=list(enquiries.values()),
        events=[reader.event(row, enquiries) for row in rows],
        facts=facts_of(lead, lead.enquiries[-1], keys),
    )


def facts_of(lead: Lead, enquiry: Enquiry, keys: Keys) -> LeadFacts:
    """What the rules of priority look at, from the lead and its latest enquiry."""
    try:
        details = len(enquiry.open(keys, "details"))
        more = sum(1 for answer in json.loads(enquiry.open(keys, "extra")).values() if answer)
    except CannotDecrypt:
        details = more = 0
    named, call_time = lead.name_index is not None, bool(enquiry.call_time)
    utm = enquiry.last_touch.get("utm") or enquiry.first_touch.get("utm") or {}
    return LeadFacts(
        need=enquiry.need,
        level=lead.level,
        source=lead.source,
        channel=campaign_channel(utm) or "",
        details=details,
        articles=len(enquiry.articles_read),
        enquiries=lead.enquiry_count,
        answers=named + call_time + more,
        named=named,
        call_time=call_time,
    )


def latest_enquiries(session: Session, lead_ids: Collection[str]) -> Mapping[str, Enquiry]:
    """The latest enquiry of each of these leads by the lead's id, with what the list and the rules look at."""
    told = (
        Enquiry.lead_id,
        Enquiry.need,
        Enquiry.call_time,
        Enquiry.details,
        Enquiry.extra,
        Enquiry.article,
        Enquiry.articles_read,
        Enquiry.first_touch,
        Enquiry.last_touch,
    )
    query = select(Enquiry).where(Enquiry.lead_id.in_(lead_ids)).options(load_only(*told))
    rows = session.scalars(query.order_by(Enquiry.created_at))
    return {row.lead_id: row for row in rows if row.lead_id}


def _forms(session: Session, lead: Lead) -> Mapping[str, FormDeclaration]:
    versions = {each.form_version for each in lead.enquiries}
    rows = session.scalars(select(FormVersion).where(FormVersion.version.in_(versions)))
    return {row.version: stored_form(row.form).declaration for row in rows}


def _results(session: Session, keys: Keys, lead: Lead) -> Mapping[str, AttachedResult]:
    """The health checks that came with a lead's enquiries, by id; nothing is asked where there is none."""
    ids = {each.assessment_id for each in lead.enquiries if each.assessment_id}
    rows = session.scalars(select(Assessment).where(Assessment.id.in_(ids))) if ids else ()
    return {row.id: AttachedResult(row.id, row.created_at, _kept(keys, row)) for row in rows}


def _kept(keys: Keys, row: Assessment) -> Kept | None:
    try:
        return opened(keys, row)
    except CannotDecrypt:
        return None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Opens sealed fields, hiding numbers from who was not shown them."""

    keys: Keys = field(repr=False)
    revealed: bool
    forms: Mapping[str, FormDeclaration]
    results: Mapping[str, AttachedResult]

    def text(self, row: Sealed, column: str) -> str:
        try:
            opened = row.open(self.keys, column)
        except CannotDecrypt:
            return UNREADABLE
        return opened if self.revealed else without_numbers(opened)

    def name(self, row: Lead | Enquiry) -> str:
        try:
            name = row.open(self.keys, "name")
        except CannotDecrypt:
            return UNREADABLE
        return name if self.revealed and name else mask_name(name)

    def number(self, row: LeadPhone) -> ShownNumber:
        return ShownNumber(self.phone(row), self.text(row, "extension") if self.revealed else "")

    def phone(self, row: Lead | LeadPhone) -> str:
        try:
            phone = row.open(self.keys, "phone")
        except CannotDecrypt:
            return UNREADABLE
        return phone if self.revealed else mask(phone)

    def enquiry(self, row: Enquiry) -> ShownEnquiry:
        form = self.forms[row.form_version]
        return ShownEnquiry(
            id=row.id,
            reference=row.reference,
            created_at=row.created_at,
            name=self.name(row),
            need=_answer(form, "need", row.need),
            call_time=_answer(form, "call_time", row.call_time),
            details=self.text(row, "details"),
            answers=self._answers(form, row),
            purposes=[consent.purpose for consent in row.consents if consent.withdrawn_at is None],
            article=row.article,
            page=row.page,
            first_touch=row.first_touch,
            last_touch=row.last_touch,
            articles_read=row.articles_read,
            attached=self.results.get(row.assessment_id or ""),
        )

    def event(self, row: LeadEvent, enquiries: Mapping[str, ShownEnquiry]) -> ShownEvent:
        return ShownEvent(
            kind=row.kind,
            happened_at=row.happened_at,
            staff_id=row.staff_id,
            detail=row.detail,
            note=self.text(row, "note") if row.note else "",
            version=row.version,
            enquiry=enquiries.get(row.enquiry_id) if row.kind == "enquiry" and row.enquiry_id else None,
        )

    def _answers(self, form: FormDeclaration, row: Enquiry) -> Sequence[tuple[str, str]]:
        try:
            given: dict[str, str] = json.loads(row.open(self.keys, "extra"))
        except CannotDecrypt:
            return []
        labels = {declared.name: declared.label for declared in form.fields}
        return [
            (labels.get(name, name), self._shown(_answer(form, name, text))) for name, text in given.items()
        ]

    def _shown(self, text: str) -> str:
        return text if self.revealed else without_numbers(text)


def _answer(form: FormDeclaration, name: str, given: str) -> str:
    """An answer in words: the label of a choice, or the text itself; empty where nothing was answered."""
    declared = next((each for each in form.fields if each.name == name), None)
    return declared.option_label(given) if declared and given else given
