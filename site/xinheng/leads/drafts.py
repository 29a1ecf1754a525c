"""Notes being typed: one for each member of staff and lead, sealed, so that no text is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from xinheng.crypto import CannotDecrypt, Keys
from xinheng.db import insert_into
from xinheng.leads.models import Draft


@dataclass(frozen=True, slots=True)
class SavedDraft:
    text: str = field(repr=False)
    saved_at: datetime


def save_draft(session: Session, keys: Keys, lead_id: str, staff_id: str, text: str, now: datetime) -> None:
    """Keep the text in place of the one before; an empty text keeps nothing."""
    if not text.strip():
        drop_draft(session, lead_id, staff_id)
        return
    row = {"text": keys.seal(text, _place(lead_id, staff_id)), "saved_at": now}
    insert = insert_into(session, Draft).values(lead_id=lead_id, staff_id=staff_id, **row)
    session.execute(insert.on_conflict_do_update(index_elements=["lead_id", "staff_id"], set_=row))


def read_draft(session: Session, keys: Keys, lead_id: str, staff_id: str) -> SavedDraft | None:
    """What this member was typing; None where there is nothing, or it doesn't open any more."""
    draft = session.get(Draft, (lead_id, staff_id))
    if draft is None:
        return None
    try:
        return SavedDraft(keys.open(draft.text, _place(lead_id, staff_id)), draft.saved_at)
    except CannotDecrypt:
        return None


def drop_draft(session: Session, lead_id: str, staff_id: str) -> None:
    session.execute(delete(Draft).where(Draft.lead_id == lead_id, Draft.staff_id == staff_id))


def _place(lead_id: str, staff_id: str) -> str:
    return f"{Draft.__tablename__}:text:{lead_id}:{staff_id}"
