"""Whom a lead is about, set together with what it is found by."""

from __future__ import annotations

from xinheng.crypto import Keys, new_row_id
from xinheng.leads.company_name import LONGEST, plain_company
from xinheng.leads.merges import LeadPhone
from xinheng.leads.models import Lead
from xinheng.phones import Phone, last_four

COMPANY = "company"
"""The name of the form's field that holds the visitor's company, where a form asks for it."""


def set_name(lead: Lead, keys: Keys, name: str) -> None:
    lead.seal(keys, "name", name)
    lead.name_index = keys.blind_index("name", name)


def set_phone(row: Lead | LeadPhone, keys: Keys, phone: Phone) -> None:
    """The number and its extension, of a lead or as a further one."""
    row.seal(keys, "phone", phone.e164)
    row.seal(keys, "extension", phone.extension)
    row.phone_kind = phone.kind
    row.phone_index = keys.blind_index("phone", phone.e164)
    row.last_four_index = keys.blind_index("last_four", last_four(phone))


def set_company(lead: Lead, keys: Keys, company: str) -> None:
    """As it was typed, cut where it is longer than a name; empty takes it away."""
    company = company.strip()[:LONGEST]
    lead.company = None
    if company:
        lead.seal(keys, "company", company)
    lead.company_index = keys.blind_index("company", plain_company(company))


def further_number(lead_id: str, keys: Keys, phone: Phone) -> LeadPhone:
    """A number beside the first."""
    row = LeadPhone(id=new_row_id(), lead_id=lead_id)
    set_phone(row, keys, phone)
    return row
