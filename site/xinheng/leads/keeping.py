"""How long a lead is kept: as long as the form promised, from the last contact on."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.form_versions import FormVersion
from xinheng.forms.definition import stored_form
from xinheng.leads.models import CLOSED, Enquiry, Lead


def keep_longer(session: Session, lead: Lead, now: datetime) -> None:
    """Somebody spoke with the person: the time runs anew, unless the lead is closed."""
    if lead.status in CLOSED:
        return
    published = session.scalars(
        select(FormVersion.form)
        .join(Enquiry, Enquiry.form_version == FormVersion.version)
        .where(Enquiry.lead_id == lead.id)
        .order_by(Enquiry.created_at.desc())
    ).first()
    if published:
        until = now + timedelta(days=stored_form(published).retention_days)
        lead.retain_until = max(lead.retain_until, until)
