"""The index by which an enquiry without a lead is found by its phone."""

from __future__ import annotations

from sqlalchemy import select, update

from xinheng.crypto import CannotDecrypt, Keys
from xinheng.db import Database
from xinheng.leads.models import Enquiry
from xinheng.phones import NotAPhone, parse_phone

_AT_ONCE = 200  # rows of a transaction: some tens of milliseconds


def typed_phone_index(keys: Keys, typed: str) -> bytes | None:
    """The index of a phone as it was typed; None for what is none."""
    try:
        return keys.blind_index("phone", parse_phone(typed).e164)
    except NotAPhone:
        return None


def fill_phone_indexes(database: Database, keys: Keys) -> int:
    """Give an index to enquiries that wait without a lead and came before there was one. Returns how many.

    Raises DatabaseBusy. What doesn't open stays without, as it can't be shown either."""
    last, filled = "", 0
    while True:
        waiting = select(Enquiry).where(Enquiry.lead_id.is_(None), Enquiry.phone_index.is_(None))
        with database.reading() as session:
            rows = session.scalars(
                waiting.where(Enquiry.id > last).order_by(Enquiry.id).limit(_AT_ONCE)
            ).all()
        if not rows:
            return filled
        last = rows[-1].id
        found = {row.id: index for row in rows if (index := _index(keys, row))}
        if found:
            with database.writing() as session:
                for row_id, index in found.items():
                    session.execute(update(Enquiry).where(Enquiry.id == row_id).values(phone_index=index))
        filled += len(found)


def _index(keys: Keys, row: Enquiry) -> bytes | None:
    try:
        return typed_phone_index(keys, row.open(keys, "phone"))
    except CannotDecrypt:
        return None
