"""Members of staff and leads as tests of the desk's rules need them: quickly made, without pages."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from tests.conftest import ORIGIN, ROOT
from tests.leads.conftest import NOON

from xinheng.crypto import Keys, new_row_id
from xinheng.db import Database
from xinheng.forms.definition import PublishedForm
from xinheng.forms.priority import load_priority
from xinheng.forms.response import ResponseRules
from xinheng.leads.models import Lead, LeadEvent
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.staff.models import Role, User
from xinheng.working_days import Calendar


def hire(store: Database, name: str = "周敏", *roles: str) -> User:
    """A member of staff; sales where no role is named."""
    number = new_row_id()
    member = User(
        id=number,
        email=f"{number[-8:]}@xinheng.example",
        name=name,
        language="zh",
        password="none",
        fs_uniquifier=secrets.token_hex(16),
        created_at=NOON,
        roles=[Role(name=role) for role in roles or ("sales",)],
    )
    with store.writing() as session:
        session.add(member)
    return member


def scope_of(member: User, *, everyone: bool = False) -> Scope:
    return Scope(member.id, everyone=everyone)


def plain_lead(**changed: Any) -> dict[str, Any]:
    """The values of a lead that nobody has looked at, whose sealed fields hold nothing; keywords replace them."""
    values: dict[str, Any] = {
        "id": secrets.token_hex(16),
        "status": "new",
        "closed": False,
        "reason": "",
        "queue": "first",
        "owner_id": None,
        "follow_up_at": None,
        "first_response_due": None,
        "attempts": 0,
        "priority": None,
        "version": 1,
        "need": "overdue",
        "source": "direct",
        "level": "",
        "name": b"",
        "phone": b"",
        "extension": b"",
        "phone_kind": "mobile",
        "restricted": False,
        "enquiry_count": 1,
        "created_at": NOON,
        "last_enquiry_at": NOON,
        "retain_until": NOON + timedelta(days=180),
    }
    return values | changed


def put_leads(store: Database, rows: list[dict[str, Any]]) -> None:
    with store.writing() as session:
        session.execute(insert(Lead.__table__), rows)


def the_lead(store: Database, lead_id: str = "") -> Lead:
    """One lead as it is stored now: the only one where none is named."""
    with store.reading() as session:
        query = select(Lead).where(Lead.id == lead_id) if lead_id else select(Lead)
        return session.scalars(query).one()


def row_of(session: Session, lead_id: str) -> dict[str, Any]:
    """Every column of a lead, to be compared with what it was before."""
    return dict(session.execute(select(Lead.__table__).where(Lead.id == lead_id)).mappings().one())


def events_of(store: Database, lead_id: str) -> list[LeadEvent]:
    """What stands on a lead's timeline, in the order in which it was written."""
    with store.reading() as session:
        query = select(LeadEvent).where(LeadEvent.lead_id == lead_id)
        return sorted(session.scalars(query), key=lambda event: (event.happened_at, event.version, event.id))


def shanghai(text: str) -> datetime:
    """An instant from Shanghai's clock: `2026-11-23 12:00`."""
    return datetime.fromisoformat(f"{text}+08:00")


def desk_of(
    store: Database, keys: Keys, form: PublishedForm, response: ResponseRules, calendar: Calendar
) -> EnquiryDesk:
    """Where enquiries are recorded, under these rules of when to call."""
    priority = load_priority(ROOT / "forms")
    desk = EnquiryDesk(
        store,
        keys,
        site=ORIGIN,
        priority=lambda: priority,
        response=lambda: response,
        calendar=lambda: calendar,
    )
    desk.publish(form)
    return desk
