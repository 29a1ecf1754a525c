"""Leads in numbers: whatever is done to leads, the counts are those of a recount; who is deleted stays counted, once."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.conftest import ORIGIN
from tests.leads.colleagues import hire, plain_lead, put_leads, the_lead
from tests.leads.conftest import NOON
from tests.leads.deleting import delete_lead

from xinheng.assessments import keep
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.form_versions import FormVersion
from xinheng.leads.deeds import BulkChange, Deed
from xinheng.leads.deletion import Deletion
from xinheng.leads.lead_counts import KEY, LeadCount, LeadCountChange, add_up, leads_by
from xinheng.leads.models import Enquiry, Lead, LeadEvent
from xinheng.leads.moves import MOVES, REASONS, ROAD, farthest
from xinheng.leads.quarantine import Quarantine
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.submission import Attribution, Submission, Touch
from xinheng.leads.tombstones import TombstoneFile
from xinheng.leads.verdict import Verdict
from xinheng.leads.work import LeadWork
from xinheng.phones import parse_phone
from xinheng.privacy.receiving import Asked as AskedAbout
from xinheng.privacy.receiving import PrivacyDesk
from xinheng.settings import SHANGHAI
from xinheng.weeks import Weeks, week_of

Asked = Callable[..., Submission]
Counts = Counter[tuple[object, ...]]
EVER = Weeks(date(2030, 1, 7), 400)
DAY = timedelta(days=1)


@pytest.fixture
def work(store: Database, store_keys: Keys) -> LeadWork:
    return LeadWork(store, store_keys, site=ORIGIN)


def counted(store: Database) -> Counts:
    with store.reading() as session:
        return Counter({row[:-1]: row[-1] for row in leads_by(session, EVER, *KEY)})


def key_of(lead: Lead) -> tuple[object, ...]:
    local = lead.created_at.astimezone(SHANGHAI).date()
    return (
        local - timedelta(days=local.weekday()),
        lead.source,
        lead.need,
        lead.level,
        lead.article,
        lead.reached,
    )


def recounted(store: Database) -> Counts:
    """From the rows of all leads, how far they came from what happened to them."""
    with store.reading() as session:
        leads = session.scalars(select(Lead)).all()
        for lead in leads:
            moved = select(LeadEvent).where(LeadEvent.lead_id == lead.id, LeadEvent.kind == "status")
            reached = "new"
            for event in session.scalars(moved.order_by(LeadEvent.version)):
                reached = farthest(reached, event.detail["from"], event.detail["to"])
            assert lead.reached == reached
        return Counter(map(key_of, leads))


class Road:
    """Anybody does anything, at random."""

    def __init__(self, store: Database, keys: Keys, desk: EnquiryDesk, work: LeadWork, folder: Path) -> None:
        self.draw = random.Random(14)  # noqa: S311 (the same road each time)
        self.store, self.keys, self.desk, self.work = store, keys, desk, work
        file = TombstoneFile(folder)
        self.deletion, self.privacy = Deletion(store, keys, file), PrivacyDesk(store, keys, file)
        self.quarantine = Quarantine(store, keys, desk)
        self.scope = Scope(hire(store, "吴凯", "sales_lead").id, everyone=True)
        self.now = datetime(2026, 9, 1, 15, 30, tzinfo=NOON.tzinfo)  # half past eleven at night in Shanghai
        self.gone: Counts = Counter()
        self.steps: Counter[str] = Counter()

    def step(self, asked: Asked) -> None:
        self.now += timedelta(hours=self.draw.choice((0.1, 3, 9)))
        name = self.draw.choices(
            ("ask", "move", "many", "judge", "withdraw", "delete", "add_up"), (30, 40, 5, 8, 4, 3, 10)
        )[0]
        self.steps[name] += 1
        getattr(self, name)(asked)

    def ask(self, asked: Asked) -> None:
        draw = self.draw
        attached = self._result() if draw.random() < 0.4 else ""
        self.desk.record(
            asked(
                phone=f"1349000{draw.randrange(40):04}" if draw.random() < 0.8 else "021-12345678",
                need=draw.choice(("overdue", "receivables")),
                typed_id=secrets.token_hex(16),
                purposes=("attach_assessment", "callback") if attached else ("callback",),
                assessment=attached,
                verdict=Verdict(("trap",)) if draw.random() < 0.2 else Verdict(),
                attribution=Attribution(
                    article=draw.choice(("", "ageing")), first=Touch(draw.choice(("", "www.baidu.com")))
                ),
            ),
            self.now,
        )

    def move(self, asked: Asked) -> None:
        lead = self._any(Lead)
        if isinstance(lead, Lead) and not lead.restricted:
            onward = [each for each in MOVES[lead.status] if each in ROAD[ROAD.index(lead.reached) :]]
            status = self.draw.choice(onward if onward and self.draw.random() < 0.6 else MOVES[lead.status])
            reason = REASONS.get(status, ("",))[0]
            self.work.move(lead.id, Deed(self.scope, self.now), status, reason)

    def many(self, asked: Asked) -> None:
        ids = {lead.id for lead in (self._any(Lead) for _ in range(5)) if lead is not None}
        self.work.many(sorted(ids), Deed(self.scope, self.now), BulkChange(status="contacted"))

    def judge(self, asked: Asked) -> None:
        held = self._any(Enquiry, Enquiry.state.in_(("quarantined", "spam")))
        if held is not None:
            act = self.draw.choice((self.quarantine.release, self.quarantine.reject))
            act(held.id, self.scope.staff_id, self.now)

    def withdraw(self, asked: Asked) -> None:
        enquiry = self._any(Enquiry)
        if isinstance(enquiry, Enquiry):
            phone = parse_phone(enquiry.open(self.keys, "phone"))
            kind = self.draw.choice(("withdraw", "detach_result"))
            self.privacy.receive(AskedAbout(kind, phone, enquiry.reference, ""), self.now)  # type: ignore[arg-type]

    def delete(self, asked: Asked) -> None:
        lead = self._any(Lead)
        if isinstance(lead, Lead):
            self.gone[key_of(lead)] += 1
            delete_lead(self.store, self.deletion, lead.id, now=self.now)

    def add_up(self, asked: Asked) -> None:
        add_up(self.store)

    def _any(self, table: type[Lead] | type[Enquiry], *where: object) -> Lead | Enquiry | None:
        with self.store.reading() as session:
            rows = session.scalars(select(table).where(*where).order_by(table.id)).all()  # type: ignore[arg-type]
        return self.draw.choice(rows) if rows else None

    def _result(self) -> str:
        level = self.draw.choice(("high", "low"))
        found = {"level": level, "level_low": level, "level_high": level, "confidence": "good"}
        with self.store.writing() as session:
            _, token = keep(
                session,
                self.keys,
                version="check",
                answers={"dso": "gt120"},
                result=found,
                previous_id=None,
                now=self.now,
            )
        return token


def test_hundreds_of_steps_in_any_order_leave_the_counts_of_a_recount(
    store: Database, store_keys: Keys, desk: EnquiryDesk, work: LeadWork, asked: Asked, tmp_path: Path
) -> None:
    with store.writing() as session:
        session.add(FormVersion(version="check", form="{}", published_at=NOON))
    road = Road(store, store_keys, desk, work, tmp_path)
    for place in range(400):
        road.step(asked)
        if place % 40 == 0:
            assert counted(store) == recounted(store) + road.gone
    assert counted(store) == recounted(store) + road.gone
    assert min(road.steps.values()) > 5, road.steps
    assert len(road.gone) > 2
    assert {"new", "contacted", "won"} <= {str(key[-1]) for key in counted(store)}


def test_what_was_added_up_is_a_row_a_key_and_nothing_waits(
    store: Database, desk: EnquiryDesk, work: LeadWork, asked: Asked
) -> None:
    for number in range(3):
        desk.record(asked(phone=f"1349000000{number}", typed_id=secrets.token_hex(16)), NOON)
    before = counted(store)
    assert list(before.values()) == [3]
    add_up(store)
    with store.reading() as session:
        assert [row.leads for row in session.scalars(select(LeadCount))] == [3]
        assert session.scalars(select(LeadCountChange)).all() == []
    assert counted(store) == before
    scope = Scope(hire(store).id, everyone=True)
    with store.reading() as session:
        ids = session.scalars(select(Lead.id)).all()
    work.many(ids, Deed(scope, NOON), BulkChange(status="contacted"))
    add_up(store)
    with store.reading() as session:
        rows = session.execute(select(LeadCount.reached, LeadCount.leads)).all()
    assert [tuple(row) for row in rows] == [("contacted", 3)], "none is left of those that were new"


def test_a_lead_that_is_part_of_another_is_taken_out_and_put_back(
    store: Database, desk: EnquiryDesk, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    before, lead = counted(store), the_lead(store)
    for is_counted, expected in ((False, Counter()), (True, before)):
        with store.writing() as session:
            session.get_one(Lead, lead.id).counted = is_counted
        assert counted(store) == expected


@pytest.mark.parametrize(
    ("came", "week"),
    [
        ("2026-11-22T15:59:59", date(2026, 11, 16)),
        ("2026-11-22T16:00:00", date(2026, 11, 23)),
        ("2026-11-29T15:59:59", date(2026, 11, 23)),
        ("2026-12-31T16:00:00", date(2026, 12, 28)),
    ],
)
def test_a_week_begins_on_monday_in_shanghai(store: Database, came: str, week: date) -> None:
    at = datetime.fromisoformat(came).replace(tzinfo=NOON.tzinfo)
    put_leads(store, [plain_lead(created_at=at)])
    assert week_of(at) == week
    assert [key[0] for key in counted(store)] == [week]


def test_counts_are_given_by_what_is_asked_for_and_by_source(store: Database) -> None:
    put_leads(
        store,
        [
            plain_lead(source="search", need="overdue", reached="new"),
            plain_lead(source="search", need="other", reached="won"),
            plain_lead(source="direct", need="overdue", reached="new", created_at=NOON - 21 * DAY),
        ],
    )
    with store.reading() as session:
        this = Weeks.until(NOON, 1)
        assert sorted(leads_by(session, this, "need")) == [("other", 1), ("overdue", 1)]
        assert sorted(leads_by(session, Weeks.until(NOON, 4), "source")) == [("direct", 1), ("search", 2)]
        assert sorted(leads_by(session, EVER, "reached", source="search")) == [("new", 1), ("won", 1)]


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("reached", "present", "wanted", "then"),
    [
        ("new", "new", "contacted", "contacted"),
        ("interested", "interested", "contacted", "interested"),
        ("interested", "interested", "lost", "interested"),
        ("contacted", "contacted", "invalid", "contacted"),
        ("won", "won", "proposal", "proposal"),
        ("won", "new", "contacted", "won"),
    ],
)
def test_how_far_a_lead_came_never_goes_back_but_for_a_deal_that_was_none(
    database_kind: str, reached: str, present: str, wanted: str, then: str
) -> None:
    assert farthest(reached, present, wanted) == then
    assert then in ROAD
