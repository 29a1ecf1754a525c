"""A desk with a real database, without the application; and the clock of the views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select
from tests.conftest import ORIGIN, ROOT

from xinheng.company import load_company
from xinheng.crypto import Keys, load_keys
from xinheng.db import Database, Databases, LeadsBase
from xinheng.forms.definition import PublishedForm
from xinheng.forms.loader import load_consultation
from xinheng.forms.priority import load_priority
from xinheng.leads.models import Enquiry
from xinheng.leads.reception import Reception
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.spool import Spool
from xinheng.leads.submission import Submission
from xinheng.phones import parse_phone

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""The start of a ten-minute window."""

KEPT = {"form_versions", "audit", "audit_head"}
"""Tables that a site has from its start on: the published form; the audit, which nothing may be taken from."""

BROWSER_ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def store(opened: Databases) -> Database:
    """The leads database, empty."""
    return opened.leads


@pytest.fixture
def app(shipped_app: Flask) -> Flask:
    """The shipped site with no enquiry in it."""
    spool: Spool = shipped_app.extensions["xinheng.spool"]
    for waiting in spool.ids():
        spool.remove(waiting)
    with shipped_app.extensions["xinheng.databases"].leads.writing() as session:
        for table in reversed(LeadsBase.metadata.sorted_tables):
            if table.name not in KEPT:
                session.execute(delete(table))
    return shipped_app


@pytest.fixture
def store_keys(tmp_path: Path) -> Keys:
    return load_keys(tmp_path / "var" / "keys")


@pytest.fixture(scope="session")
def form() -> PublishedForm:
    return load_consultation(ROOT / "forms", load_company(ROOT / "content"))


@pytest.fixture
def desk(store: Database, store_keys: Keys, form: PublishedForm) -> EnquiryDesk:
    rules = load_priority(ROOT / "forms")
    made = EnquiryDesk(store, store_keys, site=ORIGIN, priority=lambda: rules)
    made.publish(form)
    return made


@pytest.fixture
def spool(tmp_path: Path, store_keys: Keys) -> Spool:
    made = Spool(tmp_path / "spool", store_keys)
    made.prepare()
    return made


@pytest.fixture
def reception(desk: EnquiryDesk, spool: Spool, store: Database, store_keys: Keys) -> Reception:
    return Reception(desk, spool, store_keys, store)


@contextmanager
def a_spool_that_is_gone(app: Flask) -> Iterator[None]:
    """Its volume isn't there any more."""
    folder: Path = app.extensions["xinheng.spool"].folder
    away = folder.with_name("away")
    folder.rename(away)
    try:
        yield
    finally:
        away.rename(folder)


@pytest.fixture
def asked(form: PublishedForm) -> Callable[..., Submission]:
    """A submission; keywords replace its values, `phone` as it is typed."""

    def make(phone: str = "138 0013 8000", **changed: Any) -> Submission:
        plain = Submission(
            need="overdue",
            name="张三丰",
            phone=parse_phone(phone),
            details="两家客户逾期四个多月。",
            call_time="morning",
            extra={},
            purposes=("callback",),
            form_version=form.version,
            typed_id=BROWSER_ID,
        )
        return replace(plain, **changed)

    return make


@pytest.fixture
def leads_that_ask(
    desk: EnquiryDesk, store: Database, asked: Callable[..., Submission]
) -> Callable[..., list[str]]:
    """New leads of nobody, a minute between them, the last at `at`; their ids."""

    def ask(number: int, at: datetime = NOON, first: int = 0) -> list[str]:
        found = []
        for place in range(number):
            moment = at - timedelta(minutes=number - 1 - place)
            done = desk.record(asked(f"138{first + place:08}", typed_id=f"{first + place:032x}"), moment)
            with store.reading() as session:
                query = select(Enquiry.lead_id).where(Enquiry.reference == done.reference)
                found.append(str(session.scalars(query).one()))
        return found

    return ask
