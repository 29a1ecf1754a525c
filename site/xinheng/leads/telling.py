"""What staff are told of an enquiry, and who: everybody by every channel, its owner by mail besides; and whoever is given
a lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.assessments import INSUFFICIENT
from xinheng.forms.definition import PublishedForm
from xinheng.leads.models import Enquiry, Lead
from xinheng.notices.outbox import enqueue
from xinheng.settings import SHANGHAI
from xinheng.staff.models import User
from xinheng.staff.permissions import Permission

ENQUIRY = "enquiry"
SOON, LATE = "due_soon", "late"
"""Kinds of notices: of a first response that is due soon, or late."""

LEVEL_WORDS: Mapping[str, str] = MappingProxyType(
    {"high": "高", "elevated": "偏高", "moderate": "中等", "low": "较低", INSUFFICIENT: "信息不足"}
)


def tell(
    session: Session,
    form: PublishedForm,
    enquiry: Enquiry,
    lead: Lead,
    *,
    reopened: bool,
    site: str,
    now: datetime,
) -> None:
    """Store the notices of an enquiry, in the caller's transaction."""
    text = _notice_text(form, enquiry, lead, reopened=reopened, site=site)
    enqueue(session, kind=ENQUIRY, reference=enquiry.reference, text=text, now=now)
    owner = session.get(User, lead.owner_id) if lead.owner_id else None
    if owner and takes_leads(owner):
        enqueue(
            session,
            kind=ENQUIRY,
            reference=enquiry.reference,
            text=text,
            now=now,
            recipient=owner.email,
        )


def tell_new_owner(
    session: Session,
    leads: Sequence[Lead],
    recipient: str,
    *,
    owner_id: str,
    site: str,
    now: datetime,
    why: str = "",
) -> None:
    """Mail whoever was given these leads, once, without a name or number of a person."""
    references = references_of(session, [lead.id for lead in leads])
    if len(leads) == 1:
        lines = ["有一条线索交给您了", *([why] if why else []), f"受理编号：{references[0]}"]
        text = "\n".join([*lines, f"查看：{site}/desk/leads/{leads[0].id}"])
    else:
        text = f"有{len(leads)}条线索交给您了\n查看：{site}/desk/leads?owner={owner_id}"
    # several have no reference in common: opening one of them doesn't mean that the others were seen
    reference = references[0] if len(leads) == 1 else ""
    enqueue(session, kind="assigned", reference=reference, text=text, now=now, recipient=recipient)


def references_of(session: Session, lead_ids: Sequence[str]) -> Sequence[str]:
    """The references of these leads' enquiries, newest first."""
    query = select(Enquiry.reference).where(Enquiry.lead_id.in_(lead_ids))
    return session.scalars(query.order_by(Enquiry.created_at.desc())).all()


def takes_leads(member: User) -> bool:
    """Whether a member may be told of leads."""
    return member.active and Permission.LEADS in member.permissions


def _notice_text(form: PublishedForm, enquiry: Enquiry, lead: Lead, *, reopened: bool, site: str) -> str:
    """No name, no phone, no details."""
    declaration = form.declaration
    kind = (
        "老客户再次咨询（已重新打开）"
        if reopened
        else "老客户再次咨询"
        if lead.enquiry_count > 1
        else "新咨询"
    )
    lines = [
        f"{kind}：{declaration.field('need').option_label(enquiry.need)}",
        f"受理编号：{enquiry.reference}",
        f"提交时间：{enquiry.created_at.astimezone(SHANGHAI).isoformat(sep=' ', timespec='minutes')}",
    ]
    labels: Mapping[str, str] = {
        option.key: option.label
        for each in declaration.fields
        if each.name == "call_time"
        for option in each.options
    }
    if enquiry.call_time:
        lines.append(f"方便接电话的时间：{labels.get(enquiry.call_time, enquiry.call_time)}")
    if lead.level:
        lines.append(f"自查结果：{LEVEL_WORDS[lead.level]}")
    if enquiry.article:
        lines.append(f"来自文章：{site}/articles/{enquiry.article}")
    if lead.possible_duplicate:
        lines.append("这个座机以前有人用过，可能是同一家公司")
    lines.append(f"查看：{site}/desk/leads/{lead.id}")
    return "\n".join(lines)
