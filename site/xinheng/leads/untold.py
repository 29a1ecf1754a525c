"""Enquiries that staff were never told of: whatever became of their notices, they get new ones."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from xinheng.db import Database
from xinheng.form_versions import FormVersion
from xinheng.forms.definition import stored_form
from xinheng.leads.joining import Joined
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.telling import ENQUIRY, tell
from xinheng.notices.outbox import Notice

TOLD_WITHIN = timedelta(minutes=2)
LOOKED_BACK = timedelta(days=7)
"""Older ones aren't looked at: once a minute through all enquiries ever would be too much."""

_AT_ONCE = 50


class Untold:
    """Looks for enquiries without any notice. `site` is the public origin."""

    def __init__(self, site: str) -> None:
        self._site = site

    def __call__(self, database: Database, now: datetime) -> int:
        """Store the missing notices; returns of how many enquiries."""
        with database.reading() as session:
            found = session.scalars(_untold(now).limit(_AT_ONCE)).all()
        if not found:
            return 0
        # two machines that look at one moment must not both tell
        with database.writing(over=[b"untold"]) as session:
            still = session.scalars(_untold(now).where(Enquiry.id.in_(found))).all()
            for enquiry_id in still:
                self._tell(session, session.get_one(Enquiry, enquiry_id), now)
        return len(still)

    def _tell(self, session: Session, enquiry: Enquiry, now: datetime) -> None:
        form = stored_form(session.get_one(FormVersion, enquiry.form_version).form)
        if enquiry.lead is not None:  # what is held apart has none, and isn't found above
            tell(session, form, enquiry, Joined(enquiry.lead), site=self._site, now=now)


def _untold(now: datetime) -> Select[str]:
    """Ids of enquiries of leads that may be worked, stored two minutes ago or more, that no notice tells of."""
    told = select(Notice.id).where(Notice.reference == Enquiry.reference, Notice.kind == ENQUIRY)
    return (
        select(Enquiry.id)
        .join(Lead, Enquiry.lead_id == Lead.id)
        .where(
            Enquiry.created_at.between(now - LOOKED_BACK, now - TOLD_WITHIN),
            Lead.restricted.is_(False),
            ~told.exists(),
        )
        .order_by(Enquiry.created_at)
    )
