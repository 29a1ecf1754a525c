"""Whatever is done to a lead, while it is open it waits for a first contact, for its next step, or is shown as having none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.conftest import ORIGIN
from tests.leads.colleagues import hire, scope_of, the_lead
from tests.leads.conftest import NOON
from tests.leads.test_record import Asked

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deeds import BulkChange, Deed
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.quarantine import Quarantine
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.verdict import Verdict
from xinheng.leads.work import LeadWork
from xinheng.privacy.restricting import restrict_lead

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class Hand:
    """Somebody at the desk, and the visitor; each deed a minute after the last."""

    def __init__(self, store: Database, keys: Keys, desk: EnquiryDesk, asked: Asked) -> None:
        self.store, self.keys, self.desk, self.asked = store, keys, desk, asked
        self.work = LeadWork(store, keys, site=ORIGIN)
        self.member = hire(store)
        self.now = NOON
        self.enquiries = 0

    @property
    def lead(self) -> Lead:
        return the_lead(self.store)

    def deed(self) -> Deed:
        self.now += MINUTE
        return Deed(scope_of(self.member, everyone=True), self.now)

    def do(self, what: str) -> None:
        getattr(self, what)()

    def ask(self) -> None:
        self.now += MINUTE
        self.enquiries += 1
        self.desk.record(
            self.asked(typed_id=f"{self.enquiries:032x}", details=f"第{self.enquiries}次"), self.now
        )

    def connected(self) -> None:
        self.work.write_note(self.lead.id, self.deed(), "接了", connected=True)

    def wechat(self) -> None:
        self.work.added_wechat(self.lead.id, self.deed())

    def no_answer(self) -> None:
        self.work.no_answer(self.lead.id, self.deed())

    def plan(self) -> None:
        self.work.plan(self.lead.id, self.deed(), self.now + DAY, "回电")

    def no_plan(self) -> None:
        self.work.plan(self.lead.id, self.deed(), None, "")

    def claim(self) -> None:
        self.work.assign(self.lead.id, self.deed(), self.member)

    def put_back(self) -> None:
        self.work.assign(self.lead.id, self.deed(), None)

    def invalid(self) -> None:
        self.work.move(self.lead.id, self.deed(), "invalid", "test")

    def lost(self) -> None:
        self.work.move(self.lead.id, self.deed(), "lost", "price")

    def contacted(self) -> None:
        self.work.move(self.lead.id, self.deed(), "contacted")

    def several_contacted(self) -> None:
        self.work.many([self.lead.id], self.deed(), BulkChange(status="contacted"))

    def new(self) -> None:
        self.work.move(self.lead.id, self.deed(), "new")

    def restrict(self) -> None:
        self._restrict(restricted=True)

    def unrestrict(self) -> None:
        self._restrict(restricted=False)

    def _restrict(self, *, restricted: bool) -> None:
        with self.store.writing() as session:
            lead = session.scalars(select(Lead)).one()
            restrict_lead(session, lead, self.member.id, self.now, restricted=restricted)

    def release(self) -> None:
        """An enquiry comes into quarantine, and out of it."""
        held = self.asked(typed_id="e" * 32, details="看看", verdict=Verdict(("links",)))
        self.desk.record(held, self.now)
        with self.store.reading() as session:
            enquiry = session.scalars(select(Enquiry.id).where(Enquiry.state == "quarantined")).one()
        Quarantine(self.store, self.keys, self.desk).release(enquiry, self.member.id, self.now)


@pytest.fixture
def hand(store: Database, store_keys: Keys, desk: EnquiryDesk, asked: Asked) -> Hand:
    return Hand(store, store_keys, desk, asked)


@pytest.mark.parametrize(
    ("done", "queue"),
    [
        ("ask", "first"),
        ("release", "first"),
        ("ask claim", "first"),
        ("ask claim put_back", "first"),
        ("ask no_answer", "planned"),
        ("ask no_answer no_plan", "first"),
        ("ask connected", "stuck"),
        ("ask wechat", "stuck"),
        ("ask contacted", "stuck"),
        ("ask several_contacted", "stuck"),
        ("ask connected plan", "planned"),
        ("ask connected no_answer", "planned"),
        ("ask plan connected", "planned"),
        ("ask connected plan no_plan", "stuck"),
        ("ask connected put_back", "stuck"),
        ("ask connected ask", "planned"),
        ("ask connected release", "planned"),
        ("ask invalid", "closed"),
        ("ask invalid new", "first"),
        ("ask invalid ask", "first"),
        ("ask connected lost", "closed"),
        ("ask connected lost contacted", "stuck"),
        ("ask connected lost ask", "first"),
        ("ask connected lost release", "first"),
        ("ask connected restrict", "held"),
        ("ask connected restrict unrestrict", "stuck"),
        ("ask connected plan restrict unrestrict", "planned"),
        ("ask restrict unrestrict", "first"),
    ],
)
def test_each_way_ends_where_the_lead_is_seen(hand: Hand, done: str, queue: str) -> None:
    for each in done.split():
        if each == "put_back" and hand.lead.owner_id is None:
            hand.claim()
        hand.do(each)
    lead = hand.lead
    assert lead.queue == queue
    assert (lead.queue == "planned") == (lead.follow_up_at is not None and not lead.restricted)
