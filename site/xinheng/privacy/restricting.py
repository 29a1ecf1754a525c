"""Hold one record back from all use but keeping, or give it back."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.crypto import new_row_id
from xinheng.leads.models import HELD, Enquiry, Lead, LeadEvent
from xinheng.notices.outbox import withdraw


def restrict_lead(
    session: Session, lead: Lead, staff_id: str | None, now: datetime, *, restricted: bool
) -> None:
    """Out of every list, search, notice and export; or back to sales."""
    lead.restricted = restricted
    if restricted:
        references = session.scalars(select(Enquiry.reference).where(Enquiry.lead_id == lead.id)).all()
        withdraw(session, references, now)
    else:
        lead.priority = None  # the rules may be others by now: it is ranked anew
        _go_on_waiting(session, lead, now)
    add_event(session, lead, staff_id, "restricted" if restricted else "unrestricted", now)
    lead.requeue()


def _go_on_waiting(session: Session, lead: Lead, now: datetime) -> None:
    """The time to call stood still while nobody might: nobody is late for it."""
    told = select(LeadEvent).where(
        LeadEvent.lead_id == lead.id, LeadEvent.kind.in_(("restricted", "unrestricted"))
    )
    since = None
    for event in session.scalars(told.order_by(LeadEvent.happened_at, LeadEvent.id)):
        since = None if event.kind == "unrestricted" else since or event.happened_at
    if since is not None and lead.first_response_due is not None and lead.responded_at is None:
        lead.first_response_due += max(now - since, timedelta())


def restrict_held(enquiry: Enquiry, *, restricted: bool) -> bool:
    """In quarantine, where nobody can release it; or back to whoever looks through them. True if that changed it: what was
    withdrawn stays so."""
    if restricted and enquiry.state in HELD:
        enquiry.state = "restricted"
        return True
    if not restricted and enquiry.state == "restricted":
        enquiry.state = "quarantined"
        return True
    return False


def add_event(session: Session, lead: Lead, staff_id: str | None, kind: str, now: datetime) -> None:
    """A line on the lead's timeline; whoever has its page open is told that it changed."""
    lead.version += 1
    session.add(
        LeadEvent(
            id=new_row_id(),
            lead_id=lead.id,
            kind=kind,
            staff_id=staff_id,
            detail={},
            version=lead.version,
            happened_at=now,
        )
    )
