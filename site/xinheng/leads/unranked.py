"""Leads whose priority isn't known any more: what it rested on was taken back. They are ranked anew, by what is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Select, select

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.forms.priority import PriorityRules
from xinheng.leads.file import facts_of
from xinheng.leads.models import Enquiry, Lead

_AT_ONCE = 50


class Unranked:
    """Looks for leads without a priority. Not where consent is taken back: there nobody may be told, by how long it
    takes, whether there was anything to take back."""

    def __init__(self, keys: Keys, priority: Callable[[], PriorityRules]) -> None:
        self._keys = keys
        self._priority = priority

    def __call__(self, database: Database, now: datetime) -> int:
        """Rank them; no notice comes of it."""
        with database.reading() as session:
            found = session.scalars(_unranked().limit(_AT_ONCE)).all()
        if found:
            rules = self._priority()
            with database.writing() as session:
                rows = select(Lead).where(Lead.id.in_(_unranked()), Lead.id.in_(found)).with_for_update()
                for lead in session.scalars(rows):
                    lead.priority = rules.points(facts_of(lead, lead.enquiries[-1], self._keys))
        return 0


def _unranked() -> Select[str]:
    """Ids of those that may be worked."""
    asked = select(Enquiry.id).where(Enquiry.lead_id == Lead.id).exists()
    return select(Lead.id).where(Lead.priority < 0, Lead.restricted.is_(False), asked)
