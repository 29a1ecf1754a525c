"""Leads in bulk for bench/desk.py: as many as asked for, in the shares of a busy company, written past the ORM.

Nothing here is a person: names are drawn from lists, numbers lie in 1349, which the numbering plan keeps for satellite
telephones and no one is given.
"""

from __future__ import annotations

import itertools
import json
import random
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from desk_loader import Loader
from desk_shares import ARTICLES, DETAILS, GIVEN, RARE, SHARES, SURNAMES, YEARS
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase

from xinheng.assessments import Assessment
from xinheng.audit.log import chained
from xinheng.audit.models import HEAD, AuditHead, AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.demo.checks import drawn_answers
from xinheng.health_check.assessment import assess
from xinheng.health_check.definition import HealthCheck
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent
from xinheng.leads.moves import ROAD
from xinheng.notices.outbox import Notice

_BATCH = 10_000  # leads


def owner_shares(staff: Sequence[str]) -> dict[str | None, float]:
    """Uneven shares: 8% are nobody's, the last member has next to none, the first the most."""
    weights = [1 / (place + 2) for place in range(len(staff) - 1)]
    whole = 1 - 0.08 - RARE
    shares: dict[str | None, float] = {
        member: whole * weight / sum(weights) for member, weight in zip(staff, weights, strict=False)
    }
    return {**shares, staff[-1]: RARE, None: 0.08}


def article_of(place: int) -> str:
    """One article after the other."""
    return f"article-{place % ARTICLES:03}"


def fill(
    database: Database,
    keys: Keys,
    *,
    number: int,
    staff: Sequence[str],
    form_version: str,
    check: HealthCheck,
    now: datetime,
    progress: Callable[[int], None],
) -> None:
    """Write `number` leads with 1–2 enquiries and 3 events each, indexes last; a health check with each enquiry of a lead
    that has a level. The same seed, the same shares."""
    with database.reading() as session:
        head = session.scalars(select(AuditHead).where(AuditHead.id == HEAD)).one()
    maker = _Maker(keys, staff, form_version, check, now, number)
    maker.audit_id, maker.chain = head.last_id, head.chain
    loader = Loader(database)
    models = (Lead, Enquiry, Consent, LeadEvent, Notice, Assessment, AuditRow)
    tables = [model.__table__ for model in models]
    loader.drop_indexes(tables)
    for batch in _batches(maker.leads(), _BATCH):
        rows: dict[type[DeclarativeBase], list[dict[str, Any]]] = {}
        for lead in batch:
            for model, row in lead:
                rows.setdefault(model, []).append(row)
        for model in models:
            loader.load(model, rows.get(model, []))
        progress(len(batch))
    loader.make_indexes(tables)
    with database.writing() as session:
        head = session.scalars(select(AuditHead).where(AuditHead.id == HEAD)).one()
        head.last_id, head.chain = maker.audit_id, maker.chain


def _finished(check: HealthCheck, draw: random.Random) -> dict[str, tuple[str, str]]:
    """For each level answers that come to it, and what they come to, as they are stored."""
    found: dict[str, tuple[str, str]] = {}
    while len(found) < len(check.levels):
        answers = drawn_answers(draw, check, draw.choice(("low", "moderate", "elevated", "high")))
        result = assess(check, answers)
        stored = (
            json.dumps(dict(answers), ensure_ascii=False),
            json.dumps(result.as_json(), ensure_ascii=False),
        )
        found.setdefault(result.level, stored)
    return found


class _Maker:
    def __init__(
        self,
        keys: Keys,
        staff: Sequence[str],
        form_version: str,
        check: HealthCheck,
        now: datetime,
        number: int,
    ) -> None:
        self._keys = keys
        self._random = random.Random(1)
        self._check_version = check.hash
        self._finished = _finished(check, self._random)
        self._form_version = form_version
        self._now = now
        self._number = number
        self._owner = _Choice(owner_shares(staff), self._random)
        self._chosen = {name: _Choice(shares, self._random) for name, shares in SHARES.items()}
        self.audit_id, self.chain = 0, b""
        self._busiest = staff[0]

    def leads(self) -> Iterator[list[tuple[type[DeclarativeBase], dict[str, Any]]]]:
        """Each lead as its rows, the oldest first."""
        for place in range(self._number):
            yield list(self._lead(place))

    def _lead(self, place: int) -> Iterator[tuple[type[DeclarativeBase], dict[str, Any]]]:
        draw = self._random
        share = (place + draw.random()) / self._number
        created = self._now - timedelta(seconds=YEARS * 365 * 86_400 * (1 - share) ** 1.5 + 1)
        lead_id = self._id(created)
        second = draw.random() < 0.5
        asked = [created]
        if second:
            asked.append(created + (self._now - created) * draw.random() ** 3)
        lead = self._lead_row(place, lead_id, asked)
        typed, name = lead.pop("_typed"), lead.pop("_name")
        yield Lead, lead
        events = []
        for at in asked:
            enquiry = self._enquiry(lead, typed, name, at)
            if lead["level"]:
                result = self._result(lead["level"], at)
                enquiry["assessment_id"] = result["id"]
                yield Assessment, result
            yield Enquiry, enquiry
            yield Consent, self._consent(enquiry)
            yield Notice, self._notice(enquiry)
            events.append(self._event(lead_id, at, "enquiry", enquiry["id"]))
        while len(events) < 3:
            at = asked[-1] + (self._now - asked[-1]) * draw.random() ** 4
            events.append(self._event(lead_id, at, "no_answer" if draw.random() < 0.5 else "note", None))
        for event in events:
            event["staff_id"] = lead["owner_id"] if event["kind"] != "enquiry" else None
            yield LeadEvent, event
        yield AuditRow, self._audit(lead)

    def _lead_row(self, place: int, lead_id: str, asked: Sequence[datetime]) -> dict[str, Any]:
        draw, keys = self._random, self._keys
        typed = f"1349{place:07d}"
        phone = f"+86{typed}"
        name = self._name() if draw.random() < 0.6 else ""
        status = self._chosen["status"]()
        company = f"示例{place // 20:06d}精密机械" if place % 10 == 0 else ""
        return {
            "id": lead_id,
            "need": self._chosen["need"](),
            "source": self._chosen["source"](),
            "level": self._chosen["level"](),
            "owner_id": self._owner(),
            "attempts": 0,
            "priority": self._rank(asked[-1]) if draw.random() < 0.99 else None,
            "version": 3,
            "name": self._sealed("leads", "name", lead_id, name),
            "phone": self._sealed("leads", "phone", lead_id, phone),
            "extension": self._sealed("leads", "extension", lead_id, ""),
            "phone_kind": "mobile",
            "phone_index": keys.blind_index("phone", phone),
            "last_four_index": keys.blind_index("last_four", phone[-4:]),
            "name_index": keys.blind_index("name", name),
            "company": self._sealed("leads", "company", lead_id, company) if company else None,
            "company_index": keys.blind_index("company", company),
            "enquiry_count": len(asked),
            "created_at": asked[0],
            "reached": status if status in ROAD else "contacted" if status == "lost" else "new",
            "article": article_of(place) if place % 2 else "",
            "last_enquiry_at": asked[-1],
            "retain_until": asked[-1] + timedelta(days=180),
            "_typed": typed,
            "_name": name,
            **self._waiting(lead_id, status),
        }

    def _rank(self, asked_at: datetime) -> int:
        """Points of rules and three for each day, as PriorityRules.rank counts them."""
        points = self._random.randrange(0, 125, 5)
        return 1000 * (points + 3 * (asked_at - datetime(2020, 1, 1, tzinfo=UTC)).days)

    def _waiting(self, lead_id: str, status: str) -> dict[str, Any]:
        """What the lead waits for, as Lead.requeue would say: a third of the plans are late, some are for today."""
        draw = self._random
        closed, restricted = status in {"won", "lost", "invalid"}, draw.random() < 0.001
        planned = not closed and draw.random() < (0.3 if status == "new" else 0.8)
        at = self._now + timedelta(days=draw.uniform(-20, 40)) if planned else None
        queue = "planned" if planned else "first" if status == "new" else "stuck"
        return {
            "status": status,
            "closed": closed,
            "restricted": restricted,
            "reason": self._chosen["reason"]() if status in {"lost", "invalid"} else "",
            "queue": "held" if restricted else "closed" if closed else queue,
            "follow_up_at": at,
            **self._response(status),
            "next_step": self._sealed("leads", "next_step", lead_id, "发方案，约时间细谈")
            if planned
            else None,
        }

    def _response(self, status: str) -> dict[str, Any]:
        """A first call was due some hours after the enquiry: most leads had it in time, those that are new wait for it."""
        due = self._now + timedelta(days=self._random.uniform(-2, 1))
        if status == "new":
            return {"first_response_due": due, "responded_at": None, "escalation": 2}
        asked = self._now - timedelta(days=self._random.uniform(3, 900))
        return {
            "first_response_due": asked + timedelta(hours=4),
            "responded_at": asked + timedelta(hours=self._random.uniform(0, 5)),
            "escalation": 0,
        }

    def _enquiry(self, lead: Mapping[str, Any], typed: str, name: str, at: datetime) -> dict[str, Any]:
        draw = self._random
        enquiry_id, submission_id = self._id(at), f"{draw.getrandbits(128):032x}"
        touch = {"host": "www.baidu.com", "path": "/articles/ageing-report", "utm": {}}
        return {
            "id": enquiry_id,
            "lead_id": lead["id"],
            "reference": self._keys.reference(submission_id),
            "submission_id": submission_id,
            "payload_hash": draw.randbytes(32),
            "form_version": self._form_version,
            "need": lead["need"],
            "call_time": draw.choice(("", "any", "morning", "afternoon")),
            "name": self._sealed("enquiries", "name", enquiry_id, name),
            "phone": self._sealed("enquiries", "phone", enquiry_id, typed),
            "details": self._sealed("enquiries", "details", enquiry_id, draw.choice(DETAILS)),
            "extra": self._sealed("enquiries", "extra", enquiry_id, "{}"),
            "page": "/articles/ageing-report",
            "article": "ageing-report",
            "first_touch": touch,
            "last_touch": touch,
            "articles_read": ["ageing-report", "dso-how-to-measure-and-lower"],
            "assessment_id": None,
            "state": "accepted",
            "suspicion": [],
            "created_at": at,
        }

    def _result(self, level: str, at: datetime) -> dict[str, Any]:
        result_id = self._id(at)
        answers, result = self._finished[level]
        return {
            "id": result_id,
            "token_hash": self._random.randbytes(16),
            "version": self._check_version,
            "answers": self._sealed("assessments", "answers", result_id, answers),
            "result": self._sealed("assessments", "result", result_id, result),
            "previous_id": None,
            "created_at": at,
            "retain_until": None,
        }

    def _consent(self, enquiry: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "id": self._id(enquiry["created_at"]),
            "enquiry_id": enquiry["id"],
            "purpose": "callback",
            "form_version": self._form_version,
            "text_sha256": "0" * 64,
            "given_at": enquiry["created_at"],
            "withdrawn_at": None,
        }

    def _notice(self, enquiry: Mapping[str, Any]) -> dict[str, Any]:
        at = enquiry["created_at"]
        return {
            "id": self._id(at),
            "kind": "enquiry",
            "reference": enquiry["reference"],
            "text": f"新咨询\n受理编号：{enquiry['reference']}",
            "state": "sent",
            "attempts": 1,
            "due_at": at,
            "fault": "",
            "created_at": at,
            "settled_at": at,
            "recipient": "",
            "channel": "mail",
        }

    def _event(self, lead_id: str, at: datetime, kind: str, enquiry_id: str | None) -> dict[str, Any]:
        event_id = self._id(at)
        note = (
            self._sealed("lead_events", "note", event_id, "对方在开会，约了下午再打")
            if kind == "note"
            else None
        )
        return {
            "id": event_id,
            "lead_id": lead_id,
            "kind": kind,
            "enquiry_id": enquiry_id,
            "detail": {"next": "2026-03-12T10:00+08:00"} if kind == "no_answer" else {},
            "version": 2,
            "note": note,
            "happened_at": at,
        }

    def _audit(self, lead: Mapping[str, Any]) -> dict[str, Any]:
        self.audit_id += 1
        row = {
            "id": self.audit_id,
            "at": lead["last_enquiry_at"],
            "actor": lead["owner_id"] or self._busiest,
            "action": "view",
            "subject_kind": "lead",
            "subject_id": lead["id"],
            "detail": {},
        }
        self.chain = chained(self._keys, self.chain, row)
        return {**row, "chain": self.chain}

    def _name(self) -> str:
        draw = self._random
        first = SURNAMES[int(len(SURNAMES) * draw.random() ** 2)]
        return first + "".join(
            GIVEN[int(len(GIVEN) * draw.random() ** 2)] for _ in range(draw.choice((1, 2)))
        )

    def _id(self, at: datetime) -> str:
        return f"{int(at.timestamp() * 1000):012x}{self._random.getrandbits(80):020x}"

    def _sealed(self, table: str, column: str, row_id: str, text: str) -> bytes:
        return self._keys.seal(text, f"{table}:{column}:{row_id}")


class _Choice:
    """Draws a value by its share."""

    def __init__(self, shares: Mapping[Any, float], draw: random.Random) -> None:
        self._values = tuple(shares)
        self._edges = list(itertools.accumulate(shares.values()))
        self._draw = draw

    def __call__(self) -> Any:
        place = bisect_left(self._edges, self._draw.random() * self._edges[-1])
        return self._values[min(place, len(self._values) - 1)]


def _batches(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := list(itertools.islice(items, size)):
        yield batch
