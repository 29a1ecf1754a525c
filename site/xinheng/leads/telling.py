"""What staff are told of an enquiry, and who: everybody by every channel, its owner by mail besides; and whoever is given
a lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.orm import Session

from xinheng.assessments import INSUFFICIENT
from xinheng.forms.definition import PublishedForm
from xinheng.leads.joining import Joined
from xinheng.leads.models import Enquiry
from xinheng.notices.outbox import enqueue
from xinheng.settings import SHANGHAI
from xinheng.staff.colleagues import read_colleagues
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
    joined: Joined,
    *,
    site: str,
    now: datetime,
) -> None:
    """Store the notices of an enquiry, in the caller's transaction."""
    lead, text = joined.lead, _notice_text(form, enquiry, joined, site)
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


def takes_leads(member: User) -> bool:
    """Whether a member may be told of leads."""
    return member.active and Permission.LEADS in member.permissions


def sales_leads(session: Session) -> Sequence[str]:
    """The addresses of those who look after everybody's leads; where nobody does, what is for them is for all."""
    people = read_colleagues(session).values()
    return [each.email for each in people if each.active and Permission.ALL_LEADS in each.permissions] or [""]


def _notice_text(form: PublishedForm, enquiry: Enquiry, joined: Joined, site: str) -> str:
    """No name, no phone, no details."""
    declaration, lead = form.declaration, joined.lead
    kind = (
        "老客户再次咨询（已重新打开）"
        if joined.reopened
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
    if joined.shared:
        lines.append("这个座机以前有人用过，可能是同一家公司")
    lines.append(f"查看：{site}/desk/leads/{lead.id}")
    return "\n".join(lines)
