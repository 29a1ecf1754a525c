"""Two leads for tests of what ties them together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from tests.conftest import ORIGIN
from tests.leads.colleagues import the_lead
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deeds import Deed
from xinheng.leads.duplicates import Duplicates, duplicates_of, marked
from xinheng.leads.handing import Handing
from xinheng.leads.merges import Merge
from xinheng.leads.merging import Field, Pair, merge_leads, undo_merge
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.submission import Submission
from xinheng.leads.trail import Trail

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FIRST, SECOND = "138 0013 8000", "139 0013 9000"
Asked = Callable[..., Submission]


def ask(
    desk: EnquiryDesk, store: Database, asked: Asked, phone: str, at: datetime = NOON, **changed: object
) -> str:
    """A visitor asks; returns the lead's id."""
    done = desk.record(asked(phone, typed_id="", **changed), at)
    with store.reading() as session:
        return str(session.scalar(select(Enquiry.lead_id).where(Enquiry.reference == done.reference)))


def merge(
    store: Database, keys: Keys, scope: Scope, kept: str, other: str, *taken: Field, now: datetime = NOON
) -> None:
    """As the page sends it a moment after it was opened."""
    pair = Pair(kept, other, the_lead(store, kept).version, the_lead(store, other).version)
    merge_leads(store, keys, Deed(scope, now), pair, taken)


def undo(store: Database, keys: Keys, scope: Scope, kept: str, now: datetime = NOON + DAY) -> str:
    """The latest merge of a lead."""
    with store.reading() as session:
        query = select(Merge.id).where(Merge.kept_id == kept).order_by(Merge.merged_at.desc())
        merge_id = str(session.scalars(query).first())
    deed = Deed(scope, now, the_lead(store, kept).version)
    return undo_merge(store, keys, kept, deed, merge_id, Handing(Trail(keys), site=ORIGIN))


def merges(store: Database) -> list[Merge]:
    with store.reading() as session:
        return list(session.scalars(select(Merge)))


def leads(store: Database) -> list[str]:
    with store.reading() as session:
        return list(session.scalars(select(Lead.id).order_by(Lead.created_at)))


def enquiries(store: Database, lead_id: str) -> list[str]:
    """What was typed, in the order it came, by the references."""
    with store.reading() as session:
        mine = select(Enquiry.reference).where(Enquiry.lead_id == lead_id)
        return list(session.scalars(mine.order_by(Enquiry.created_at)))


def duplicates(store: Database, scope: Scope, lead_id: str) -> Duplicates:
    with store.reading() as session:
        return duplicates_of(session, scope, session.get_one(Lead, lead_id))


def marked_leads(store: Database) -> set[str]:
    with store.reading() as session:
        return set(marked(session, session.scalars(select(Lead)).all()))


def clear(store: Database, keys: Keys, lead_id: str) -> dict[str, object]:
    """What a lead says, in clear."""
    lead = the_lead(store, lead_id)
    opened = {name: lead.open(keys, name) for name in ("name", "phone", "extension")}
    step = lead.open(keys, "next_step") if lead.next_step else ""
    plain = ("status", "reason", "owner_id", "need", "follow_up_at", "enquiry_count", "last_enquiry_at")
    company = lead.open(keys, "company") if lead.company else ""
    return opened | {"step": step, "company": company} | {name: getattr(lead, name) for name in plain}
