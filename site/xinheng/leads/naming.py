"""Staff set the company of a lead."""

from __future__ import annotations

from xinheng.crypto import CannotDecrypt, Keys
from xinheng.db import Database
from xinheng.leads.changing import changing
from xinheng.leads.contact import set_company
from xinheng.leads.deeds import AlreadyDone, Deed
from xinheng.leads.models import Lead


def name_company(database: Database, keys: Keys, lead_id: str, deed: Deed, company: str) -> None:
    """Empty takes it away. Raises NoSuchLead, LeadChanged, AlreadyDone where that is its company."""
    with changing(database, keys, deed, [lead_id]) as turn:
        if _company(turn.lead(lead_id, None), keys) == company:
            raise AlreadyDone(lead_id)
        lead = turn.lead(lead_id, deed.version)
        set_company(lead, keys, company)
        turn.event(lead, "company", note=company)
        turn.audit("edit", lead_id, {"what": "company"})


def _company(lead: Lead, keys: Keys) -> str | None:
    """None where it can't be read."""
    try:
        return lead.open(keys, "company") if lead.company else ""
    except CannotDecrypt:
        return None
