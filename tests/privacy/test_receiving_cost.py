"""A withdrawal reads its person's rows, not everybody's, whoever asks; and waits for whoever deletes them, in one order."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select, text
from tests.leads.conftest import NOON

from xinheng.db import Database
from xinheng.db.sqlite import SqliteDatabase
from xinheng.leads.models import Consent, Enquiry, Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.submission import Submission
from xinheng.phones import parse_phone
from xinheng.privacy.models import Kind
from xinheng.privacy.receiving import Asked, PrivacyDesk

PHONE = "138 0013 8000"
GROWING = r"(?:enquiries\w*|leads\w*|consents|assessments|restraints|outbox|lead_events|privacy_requests)"
# read from end to end: the table itself, or an index of it without a condition on its columns
WHOLE = re.compile(
    rf"^SCAN {GROWING}\b.*$|Seq Scan on {GROWING}\b.*$|Index (?:Only )?Scan using \w+ on {GROWING}\b[^\n]*\n(?!\s+Index Cond)",
    re.MULTILINE,
)
Ask = Callable[[Kind, str], None]


@contextmanager
def plans_of(store: Database) -> Iterator[Counter[str]]:
    """How often the database plans to read something whole, by what and for which statement; "" counts all plans."""
    plans: Counter[str] = Counter()
    words = "EXPLAIN QUERY PLAN" if isinstance(store, SqliteDatabase) else "EXPLAIN"

    def explain(connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        if (
            re.match(r"SELECT|UPDATE|DELETE|INSERT.*\bSELECT\b", statement, re.DOTALL)
            and "pg_" not in statement
        ):
            asks = connection.connection.driver_connection.cursor()
            plan = "\n".join(row[-1] for row in asks.execute(f"{words} {statement}", values).fetchall())
            plans.update(["", *(f"{each.strip()} <- {statement}" for each in WHOLE.findall(plan))])

    event.listen(store.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(store.engine, "before_cursor_execute", explain)


@pytest.fixture
def indexes_first(store: Database) -> None:
    """Small tables are quickest read whole: PostgreSQL is told to take an index wherever there is one."""
    if not isinstance(store, SqliteDatabase):
        with store.engine.begin() as connection:
            name = connection.scalar(text("SELECT current_database()"))
            for plan in ("seqscan", "bitmapscan"):
                connection.execute(text(f'ALTER DATABASE "{name}" SET enable_{plan} = off'))
        store.dispose()


@pytest.fixture
def reference(desk: EnquiryDesk, asked: Callable[..., Submission]) -> str:
    return desk.record(asked(PHONE, purposes=("callback", "marketing")), NOON).reference


@pytest.fixture
def ask(privacy: PrivacyDesk) -> Ask:
    def receive(kind: Kind, reference: str) -> None:
        privacy.receive(Asked(kind, parse_phone(PHONE), reference), NOON + timedelta(hours=1))

    return receive


@pytest.mark.usefixtures("indexes_first")
@pytest.mark.parametrize("kind", ["withdraw", "stop_marketing", "detach_result", "delete"])
@pytest.mark.parametrize("known", [True, False])
def test_no_table_of_persons_is_read_whole(
    ask: Ask, reference: str, store: Database, kind: Kind, known: bool
) -> None:
    with plans_of(store) as plans:
        ask(kind, reference if known else "XH-12345-ABCDE")
    assert plans.pop("")
    assert list(plans) == []


@pytest.mark.databases("postgresql")
def test_a_lead_that_is_being_deleted_is_waited_for_before_anything_of_it_is_touched(
    ask: Ask, reference: str, store: Database
) -> None:
    asking = threading.Thread(target=ask, args=("withdraw", reference))
    with store.writing() as session:
        lead_id = session.scalar(select(Lead.id).with_for_update())
        asking.start()
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        until = time.monotonic() + 1.5
        while not session.scalar(waits):
            assert time.monotonic() < until
        mine = select(Enquiry.id).where(Enquiry.lead_id == lead_id)
        session.execute(delete(Consent).where(Consent.enquiry_id.in_(mine)))
    asking.join()
    with store.reading() as session:
        assert session.scalar(select(Lead.restricted))
