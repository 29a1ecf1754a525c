"""Whose enquiry it is: the lead of its phone, which is joined, or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from xinheng.crypto import Keys, new_row_id
from xinheng.leads.contact import COMPANY, set_company, set_name, set_phone
from xinheng.leads.merges import apart_from, leads_of_number
from xinheng.leads.models import CLOSED, Lead
from xinheng.leads.submission import Submission
from xinheng.phones import reaches_one_person
from xinheng.referrers import referrer_kind

ASKED_AGAIN = "又来咨询了，请回电"

# staff may be closing it at this moment; by their ids, as everywhere, or two would wait for each other
_OF_PHONE = (
    select(Lead)
    .where(Lead.id.in_(leads_of_number(bindparam("phone_index"))))
    .order_by(Lead.id)
    .with_for_update(of=Lead)
)


@dataclass(frozen=True, slots=True)
class Joined:
    """Whose an enquiry is. `reopened` where the lead was closed; `shared` where it is new and its number was known."""

    lead: Lead
    reopened: bool = False
    shared: bool = False


def join_lead(
    session: Session,
    keys: Keys,
    submission: Submission,
    *,
    at: datetime,
    now: datetime,
    retain_until: datetime,
    site: str,
) -> Joined:
    """The lead of this phone: the same mobile is the same person, a switchboard has many. A new one is not stored yet."""
    same = lock_leads(session, keys.blind_index("phone", submission.phone.e164))
    known = [lead for lead in same if not lead.restricted]
    one_person = known and reaches_one_person(submission.phone)
    lead = _nearest(session, same, keys.blind_index("name", submission.name)) if one_person else None
    if lead is not None:
        return Joined(lead, reopened=_touch(lead, keys, submission, at, now, retain_until))
    return Joined(_new_lead(keys, submission, at, retain_until, site), shared=bool(known))


def lock_leads(session: Session, index: bytes | None) -> Sequence[Lead]:
    """The leads of a number, which nobody else changes until the transaction ends."""
    return session.scalars(_OF_PHONE, {"phone_index": index}).all()


def _nearest(session: Session, same: Sequence[Lead], name_index: bytes | None) -> Lead | None:
    """Of several people behind one mobile (see `splitting`) the one of this name, else who asked last; nobody else where
    the one of this name is held back."""
    named = [lead for lead in same if name_index and lead.name_index == name_index]
    known = [lead for lead in named or same if not lead.restricted]
    if not known:
        others = {each for lead in named for each in apart_from(session, lead.id)}
        known = [lead for lead in same if not lead.restricted and lead.id not in others]
    return max(known, key=lambda lead: (lead.last_enquiry_at, lead.created_at), default=None)


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
        set_name(lead, keys, submission.name)
    if lead.company is None:
        set_company(lead, keys, submission.extra.get(COMPANY, ""))
    reopened = take_up_again(lead, keys, now)
    lead.requeue()
    return reopened


def take_up_again(lead: Lead, keys: Keys, now: datetime) -> bool:
    """Its person asked again: it is due at once, and open; True if it was closed."""
    reopened = lead.status in CLOSED
    if reopened:
        lead.status, lead.reason = "new", ""
    if lead.status != "new" or lead.follow_up_at is not None:
        lead.follow_up_at = min(lead.follow_up_at or now, now)
        lead.seal(keys, "next_step", ASKED_AGAIN)
    return reopened


def _new_lead(keys: Keys, submission: Submission, now: datetime, retain_until: datetime, site: str) -> Lead:
    lead = Lead(
        id=new_row_id(),
        need=submission.need,
        source=referrer_kind(submission.attribution.first.host, urlsplit(site).netloc),
        level="",
        article=submission.attribution.article,
        version=1,
        enquiry_count=1,
        created_at=now,
        last_enquiry_at=now,
        retain_until=retain_until,
    )
    set_name(lead, keys, submission.name)
    set_phone(lead, keys, submission.phone)
    set_company(lead, keys, submission.extra.get(COMPANY, ""))
    return lead
