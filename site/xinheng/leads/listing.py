"""Leads and enquiries as staff may see them in a list: masked, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from xinheng.crypto import CannotDecrypt, Keys
from xinheng.db import Database
from xinheng.form_versions import FormVersion
from xinheng.forms.definition import PublishedForm, stored_form
from xinheng.leads.duplicates import marked
from xinheng.leads.models import Enquiry, Lead
from xinheng.notices.outbox import Notice
from xinheng.phone_display import mask

_NEWS = ("seen", "sent", "waiting", "failed", "logged", "void")
"""What is told of an enquiry whose notices stand differently: the first of these."""

UNREADABLE = "（无法解密：密钥不符）"
NAMELESS = "未留姓名"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a visitor may see again of an enquiry."""

    reference: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ListedEnquiry:
    reference: str
    created_at: datetime
    need: str
    call_time: str
    article: str
    purposes: tuple[str, ...]
    details_length: int
    notice: str


@dataclass(frozen=True, slots=True)
class ListedLead:
    """A lead with its enquiries, newest first. `phone` and `name` are masked."""

    id: str
    status: str
    name: str
    phone: str
    possible_duplicate: bool
    last_enquiry_at: datetime
    enquiries: tuple[ListedEnquiry, ...]


def find_receipt(database: Database, reference: str) -> Receipt | None:
    """The receipt of a reference, or None."""
    with database.reading() as session:
        row = session.execute(
            select(Enquiry.reference, Enquiry.created_at).where(Enquiry.reference == reference)
        ).first()
    return Receipt(row.reference, row.created_at) if row else None


def list_leads(session: Session, keys: Keys, most: int) -> Sequence[ListedLead]:
    """The newest leads; restricted ones are left out."""
    query = (
        select(Lead)
        .where(Lead.restricted.is_(False))
        .options(selectinload(Lead.enquiries).selectinload(Enquiry.consents))
        .order_by(Lead.last_enquiry_at.desc(), Lead.id.desc())
        .limit(most)
    )
    leads = list(session.scalars(query))
    versions = {each.form_version for lead in leads for each in lead.enquiries}
    rows = session.scalars(select(FormVersion).where(FormVersion.version.in_(versions)))
    forms = {row.version: stored_form(row.form) for row in rows}
    duplicates = marked(session, leads)
    return [_listed(session, lead, keys, forms, possible_duplicate=lead.id in duplicates) for lead in leads]


def mask_name(name: str) -> str:
    """张*: the first character only."""
    return f"{name[0]}{'*' * min(len(name) - 1, 2)}" if name else NAMELESS


def _listed(
    session: Session, lead: Lead, keys: Keys, forms: dict[str, PublishedForm], *, possible_duplicate: bool
) -> ListedLead:
    try:
        name, phone = mask_name(lead.open(keys, "name")), mask(lead.open(keys, "phone"))
    except CannotDecrypt:
        name = phone = UNREADABLE
    notices = select(Notice.reference, Notice.state).where(
        Notice.reference.in_([each.reference for each in lead.enquiries]),
        Notice.kind == "enquiry",
        Notice.recipient == "",
    )
    states: dict[str, str] = {}
    for row in session.execute(notices):  # one for each channel
        states[row.reference] = min(row.state, states.get(row.reference, row.state), key=_NEWS.index)
    return ListedLead(
        id=lead.id,
        status=lead.status,
        name=name,
        phone=phone,
        possible_duplicate=possible_duplicate,
        last_enquiry_at=lead.last_enquiry_at,
        enquiries=tuple(
            _listed_enquiry(each, keys, forms[each.form_version], states) for each in reversed(lead.enquiries)
        ),
    )


def _listed_enquiry(
    enquiry: Enquiry, keys: Keys, form: PublishedForm, states: dict[str, str]
) -> ListedEnquiry:
    declaration = form.declaration
    try:
        length = len(enquiry.open(keys, "details"))
    except CannotDecrypt:
        length = 0
    has_call_time = enquiry.call_time and any(each.name == "call_time" for each in declaration.fields)
    return ListedEnquiry(
        reference=enquiry.reference,
        created_at=enquiry.created_at,
        need=declaration.field("need").option_label(enquiry.need),
        call_time=declaration.field("call_time").option_label(enquiry.call_time) if has_call_time else "",
        article=enquiry.article,
        purposes=tuple(each.purpose for each in enquiry.consents if each.withdrawn_at is None),
        details_length=length,
        notice=states.get(enquiry.reference, ""),
    )
