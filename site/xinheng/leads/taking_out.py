"""An enquiry leaves a lead that goes on without it: in an earlier backup somebody who was deleted since may still be part of
another's lead, which was not split yet, or was merged and that not undone."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from xinheng.crypto import CannotDecrypt, Keys
from xinheng.leads.contact import set_name, set_phone
from xinheng.leads.merges import LeadPhone, Merge
from xinheng.leads.models import Enquiry, Lead, LeadEvent
from xinheng.leads.splitting import spoken_after
from xinheng.phones import NotAPhone, parse_phone


def take_out(session: Session, keys: Keys, lead: Lead, gone: Enquiry, rest: Sequence[Enquiry]) -> None:
    """What the lead has of this enquiry's person goes: what was said after it, their number and name, and what was before
    a merge. `rest` are its other enquiries, in the order they came; the caller deletes the enquiry."""
    _silence(session, lead, gone, rest)
    session.execute(delete(Merge).where(Merge.kept_id == lead.id))
    if gone.phone_index not in {each.phone_index for each in rest}:
        _drop_number(session, keys, lead, gone, rest[-1])
    _rename(keys, lead, gone, rest)
    lead.enquiry_count, lead.last_enquiry_at = len(rest), rest[-1].created_at
    lead.need, lead.priority = rest[-1].need, None
    lead.version += 1


def _silence(session: Session, lead: Lead, gone: Enquiry, rest: Sequence[Enquiry]) -> None:
    events = session.scalars(select(LeadEvent).where(LeadEvent.lead_id == lead.id)).all()
    said = spoken_after({row.id: row.created_at for row in (*rest, gone)}, events)[gone.id]
    session.execute(delete(LeadEvent).where(LeadEvent.id.in_([event.id for event in said])))


def _drop_number(session: Session, keys: Keys, lead: Lead, gone: Enquiry, latest: Enquiry) -> None:
    """A lead whose first number it was has that of its own latest enquiry."""
    indexes = [gone.phone_index]
    if lead.phone_index == gone.phone_index:
        try:
            set_phone(lead, keys, parse_phone(latest.open(keys, "phone")))
        except (CannotDecrypt, NotAPhone):
            return
        indexes.append(lead.phone_index)
    theirs = LeadPhone.lead_id == lead.id, LeadPhone.phone_index.in_(indexes)
    session.execute(delete(LeadPhone).where(*theirs))


def _rename(keys: Keys, lead: Lead, gone: Enquiry, rest: Sequence[Enquiry]) -> None:
    try:
        ours = [each.open(keys, "name") for each in rest]
        if lead.open(keys, "name") in {gone.open(keys, "name")} - set(ours):
            set_name(lead, keys, next(filter(None, reversed(ours)), ""))
    except CannotDecrypt:
        return
