"""Whose enquiry it is: the lead of its phone, which is joined, or a new one."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from xinheng.crypto import Keys, new_row_id
from xinheng.leads.models import CLOSED, Lead
from xinheng.leads.submission import Submission
from xinheng.phones import last_four, reaches_one_person
from xinheng.referrers import referrer_kind

ASKED_AGAIN = "又来咨询了，请回电"

# staff may be closing it at this moment
_OF_PHONE = (
    select(Lead)
    .where(Lead.phone_index == bindparam("phone_index"))
    .order_by(Lead.created_at.desc())
    .with_for_update()
)


def join_lead(
    session: Session,
    keys: Keys,
    submission: Submission,
    *,
    at: datetime,
    now: datetime,
    retain_until: datetime,
    site: str,
) -> tuple[Lead, bool]:
    """The lead of this phone: the same mobile is the same person, a switchboard has many. A new one is not stored yet;
    True where it was closed and is open again."""
    index = keys.blind_index("phone", submission.phone.e164)
    same = session.scalars(_OF_PHONE, {"phone_index": index})
    known = next((lead for lead in same.all() if not lead.restricted), None)
    if known is not None and reaches_one_person(submission.phone):
        return known, _touch(known, keys, submission, at, now, retain_until)
    lead = _new_lead(keys, submission, index, at, retain_until, site)
    lead.possible_duplicate = known is not None
    return lead, False


def _touch(
    lead: Lead, keys: Keys, submission: Submission, at: datetime, now: datetime, retain_until: datetime
) -> bool:
    """A known person asks again: up to the top, due at once, kept longer, and open again if it was closed."""
    lead.enquiry_count += 1
    lead.version += 1
    if at >= lead.last_enquiry_at:  # one from the spool may be older than what came since
        lead.last_enquiry_at = at
        lead.need = submission.need
    lead.attempts = 0
    lead.retain_until = max(lead.retain_until, retain_until)
    if submission.name and lead.name_index is None:
        lead.seal(keys, "name", submission.name)
        lead.name_index = keys.blind_index("name", submission.name)
    reopened = lead.status in CLOSED
    if reopened:
        lead.status, lead.reason = "new", ""
    if lead.status != "new" or lead.follow_up_at is not None:
        lead.follow_up_at = min(lead.follow_up_at or now, now)
        lead.seal(keys, "next_step", ASKED_AGAIN)
    lead.requeue()
    return reopened


def _new_lead(
    keys: Keys, submission: Submission, index: bytes | None, now: datetime, retain_until: datetime, site: str
) -> Lead:
    lead = Lead(
        id=new_row_id(),
        need=submission.need,
        source=referrer_kind(submission.attribution.first.host, urlsplit(site).netloc),
        phone_kind=submission.phone.kind,
        phone_index=index,
        last_four_index=keys.blind_index("last_four", last_four(submission.phone)),
        name_index=keys.blind_index("name", submission.name),
        level="",
        article=submission.attribution.article,
        version=1,
        enquiry_count=1,
        created_at=now,
        last_enquiry_at=now,
        retain_until=retain_until,
    )
    lead.seal(keys, "name", submission.name)
    lead.seal(keys, "phone", submission.phone.e164)
    lead.seal(keys, "extension", submission.phone.extension)
    return lead
