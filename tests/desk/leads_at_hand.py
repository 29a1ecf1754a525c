"""Leads for tests of the desk's pages: asked for as visitors do, on the desk's own clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from html import unescape
from typing import Any

from flask import Flask
from sqlalchemy import select
from tests.desk.conftest import NOON, DeskClient, Known
from werkzeug.test import TestResponse

from xinheng.assessments import keep
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.health_check.assessment import assess
from xinheng.health_check.path import answers_on_path
from xinheng.leads.models import Enquiry, Lead, LeadEvent
from xinheng.leads.submission import Attribution, Submission
from xinheng.phones import parse_phone

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NAME, PHONE, DETAILS = "欧阳震华", "139 7462 5813", "两家客户拖欠，打 13974625813 或 021 6395 8427。"
SECRETS = ("欧阳震", "震华", "13974625813", "139 7462", "7462 5813", "74625813", "63958427", "6395 8427")
"""What nobody reads before the number was shown to them. The details are the visitor's own words, but for numbers."""


def ask(app: Flask, phone: str = PHONE, at: datetime = NOON, **changed: Any) -> str:
    """A visitor asks to be called; returns the lead's id."""
    consultation = app.extensions["xinheng.consultation"]
    plain: dict[str, Any] = {
        "need": "overdue",
        "name": NAME,
        "details": DETAILS,
        "call_time": "morning",
        "extra": {},
        "purposes": ("callback",),
        "form_version": consultation.published().version,
        "attribution": Attribution(page="/articles/x"),
    }
    done = consultation.reception.desk.record(Submission(phone=parse_phone(phone), **plain | changed), at)
    with app.extensions["xinheng.databases"].leads.reading() as session:
        query = select(Enquiry.lead_id).where(Enquiry.reference == done.reference)
        return str(session.scalars(query).one())


def checked(app: Flask, at: datetime = NOON, **answers: str | float) -> str:
    """A visitor does the health check: every question at its best, but for these answers. Returns the result's token."""
    check = app.extensions["xinheng.health_check"]()
    best = {each.id: each.options[0].key for each in check.asked.values()} | {"export_share": "none"}
    given = answers_on_path(check, best | answers)
    with app.extensions["xinheng.databases"].leads.writing() as session:
        _, token = keep(
            session,
            app.extensions["xinheng.keys"],
            version=check.hash,
            answers=given,
            result=assess(check, given).as_json(),
            previous_id=None,
            now=at,
        )
    return token


def ask_with_check(
    app: Flask, at: datetime = NOON, *, answers: Mapping[str, str | float], **changed: Any
) -> str:
    """A visitor asks to be called, and attaches what the health check said a minute ago."""
    token = checked(app, at - MINUTE, **answers)
    return ask(app, at=at, purposes=("callback", "attach_assessment"), assessment=token, **changed)


def give(store: Database, lead_id: str, owner: Known | None, **values: Any) -> str:
    """Set what a lead has, without a deed."""
    with store.writing() as session:
        lead = session.get_one(Lead, lead_id)
        lead.owner_id = owner.id if owner else None
        for name, value in values.items():
            setattr(lead, name, value)
        lead.requeue()
    return lead_id


def the_lead(store: Database, lead_id: str) -> Lead:
    with store.reading() as session:
        return session.get_one(Lead, lead_id)


def reference_of(store: Database, lead_id: str) -> str:
    """The reference of a lead's latest enquiry."""
    with store.reading() as session:
        query = (
            select(Enquiry.reference).where(Enquiry.lead_id == lead_id).order_by(Enquiry.created_at.desc())
        )
        return str(session.scalars(query).first())


def notes_of(store: Database, keys: Keys, lead_id: str) -> list[str]:
    with store.reading() as session:
        events = session.scalars(select(LeadEvent).where(LeadEvent.lead_id == lead_id))
        return [event.open(keys, "note") for event in events if event.note]


def version_on(answer: TestResponse) -> str:
    """The version of the lead that a page's forms carry."""
    versions = set(re.findall(r'name="version" value="(\d+)"', answer.text))
    assert len(versions) == 1
    return str(versions.pop())


def rows_on(answer: TestResponse) -> list[str]:
    """The ids of the leads of a list, from top to bottom."""
    return re.findall(r'<tr id="lead-([0-9a-f]{32})"', answer.text)


def words_on(answer: TestResponse) -> str:
    """What a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def do(client: DeskClient, lead_id: str, deed: str, **fields: Any) -> TestResponse:
    """Send a deed of a lead's page with the page's version, unless the test gives another."""
    if "version" not in fields:
        fields["version"] = version_on(client.get(f"/desk/leads/{lead_id}"))
    return client.send(f"/desk/leads/{lead_id}/{deed}", **fields)


Asks = Callable[..., str]
