"""The quarantine: stored whole, out of everybody's lists, released once and as if it had just come, or deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from altcha import Challenge, Payload, solve_challenge
from sqlalchemy import func, select, update
from tests.leads.colleagues import hire
from tests.leads.conftest import NOON
from tests.leads.real_people import REAL

from xinheng.audit.models import AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database, Databases
from xinheng.leads.deletion import Deleted, Deletion
from xinheng.leads.finding import count_views, find_leads, find_person
from xinheng.leads.guard import Brought, Guard
from xinheng.leads.listing import find_receipt, list_leads
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent
from xinheng.leads.quarantine import SPAM_KEPT, Quarantine, count_waiting, read_page
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.submission import Submission
from xinheng.leads.tombstones import TombstoneFile
from xinheng.leads.verdict import Verdict
from xinheng.leads.wanted import Wanted
from xinheng.limits import Limits
from xinheng.notices.outbox import Notice

Asked = Callable[..., Submission]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ODD = Verdict(("trap", "link"))
EVERYBODY = Scope("", everyone=True)


@pytest.fixture
def quarantine(store: Database, store_keys: Keys, desk: EnquiryDesk) -> Quarantine:
    return Quarantine(store, store_keys, desk)


@pytest.fixture
def member(store: Database) -> str:
    """Who leads sales."""
    return hire(store, "sales_lead").id


def numbers(store: Database) -> dict[str, int]:
    tables = (Enquiry, Lead, Consent, LeadEvent, Notice)
    with store.reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        }


def enquiry(store: Database, reference: str) -> Enquiry:
    with store.reading() as session:
        return session.scalars(select(Enquiry).where(Enquiry.reference == reference)).one()


def test_an_odd_enquiry_is_stored_whole_and_touches_no_lead(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    desk.record(asked(typed_id="a" * 32), NOON)
    before = numbers(store)
    done = desk.record(asked(verdict=ODD), NOON + HOUR)
    assert done.reference == store_keys.reference(asked(verdict=ODD).own_ids(store_keys, NOON)[0])
    assert numbers(store) == before | {"enquiries": 2, "consents": 2}
    held = enquiry(store, done.reference)
    assert (held.lead_id, held.state, held.suspicion) == (None, "quarantined", ["trap", "link"])
    assert held.open(store_keys, "details") == "两家客户逾期四个多月。"
    assert held.retain_until
    assert held.retain_until > NOON + 100 * DAY
    with store.reading() as session:
        lead = session.scalars(select(Lead)).one()
    assert (lead.enquiry_count, lead.version, lead.last_enquiry_at) == (1, 1, NOON)


def test_its_repeat_gets_the_same_answer_whatever_is_thought_of_it_now(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    first = desk.record(asked(verdict=ODD), NOON)
    assert desk.record(asked(), NOON + HOUR) == replace(first, repeated=True)
    clean = desk.record(asked(typed_id="b" * 32), NOON)
    assert desk.record(asked(typed_id="b" * 32, verdict=ODD), NOON) == replace(clean, repeated=True)
    assert numbers(store)["enquiries"] == 2
    assert enquiry(store, clean.reference).state == "accepted"


def test_a_little_suspicion_is_noted_and_lets_it_through(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    done = desk.record(asked(verdict=Verdict(("link",))), NOON)
    found = enquiry(store, done.reference)
    assert (found.state, found.suspicion, numbers(store)["leads"]) == ("accepted", ["link"], 1)


def test_no_list_count_or_search_shows_it_and_its_visitor_gets_the_receipt(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    done = desk.record(asked(verdict=ODD), NOON)
    with store.reading() as session:
        assert find_leads(session, EVERYBODY, Wanted(), NOON).leads == []
        assert set(count_views(session, EVERYBODY, NOON).values()) == {0}
        assert not isinstance(find_person(session, store_keys, EVERYBODY, done.reference), Lead)
        assert list_leads(session, store_keys, 50) == []
        assert count_waiting(session) == 1
    assert find_receipt(store, done.reference) is not None


def test_released_it_makes_the_lead_it_would_have_made(
    desk: EnquiryDesk, quarantine: Quarantine, store: Database, store_keys: Keys, asked: Asked, member: str
) -> None:
    done = desk.record(asked(verdict=ODD, extra={"company": "示例厂"}), NOON)
    held = enquiry(store, done.reference)
    lead_id = quarantine.release(held.id, member, NOON + 5 * HOUR)
    with store.reading() as session:
        lead = session.scalars(select(Lead)).one()
        events = session.scalars(select(LeadEvent).order_by(LeadEvent.happened_at)).all()
        notice = session.scalars(select(Notice)).one()
        audit = session.scalars(select(AuditRow)).one()
    assert (lead.id, lead.queue, lead.enquiry_count) == (lead_id, "first", 1)
    assert (lead.created_at, lead.last_enquiry_at) == (NOON, NOON)
    assert lead.retain_until == held.retain_until
    assert lead.open(store_keys, "phone") == "+8613800138000"
    assert lead.priority is not None
    assert [(event.kind, event.happened_at, event.staff_id) for event in events] == [
        ("enquiry", NOON, None),
        ("released", NOON + 5 * HOUR, member),
    ]
    assert (notice.kind, notice.reference, notice.due_at) == ("enquiry", done.reference, NOON + 5 * HOUR)
    assert (audit.actor, audit.action, audit.subject_id) == (member, "edit", lead.id)
    found = enquiry(store, done.reference)
    assert (found.state, found.lead_id, found.retain_until) == ("accepted", lead.id, None)
    assert found.suspicion == ["trap", "link"]


def test_released_it_joins_the_persons_lead_and_reopens_it(
    desk: EnquiryDesk, quarantine: Quarantine, store: Database, asked: Asked, member: str
) -> None:
    desk.record(asked(typed_id="a" * 32), NOON)
    done = desk.record(asked(verdict=ODD), NOON + HOUR)
    with store.writing() as session:
        session.execute(update(Lead).values(status="lost", closed=True, queue="closed"))
    quarantine.release(enquiry(store, done.reference).id, member, NOON + DAY)
    with store.reading() as session:
        lead = session.scalars(select(Lead)).one()
        kinds = set(session.scalars(select(LeadEvent.kind)))
    assert (lead.status, lead.enquiry_count, lead.last_enquiry_at) == ("new", 2, NOON + HOUR)
    assert kinds == {"enquiry", "reopened", "released"}


def test_releasing_twice_does_it_once(
    desk: EnquiryDesk, quarantine: Quarantine, store: Database, asked: Asked, member: str
) -> None:
    held = enquiry(store, desk.record(asked(verdict=ODD), NOON).reference)
    assert quarantine.release(held.id, member, NOON)
    after = numbers(store)
    assert quarantine.release(held.id, member, NOON + HOUR) is None
    assert not quarantine.reject(held.id, member, NOON + HOUR)
    assert quarantine.release("f" * 32, member, NOON) is None
    assert numbers(store) == after


def test_what_was_called_spam_can_still_be_released_and_goes_after_thirty_days(
    desk: EnquiryDesk,
    quarantine: Quarantine,
    store: Database,
    store_keys: Keys,
    asked: Asked,
    member: str,
    tmp_path: Path,
) -> None:
    held = [
        enquiry(store, desk.record(asked(verdict=ODD, typed_id=sign * 32), NOON).reference).id
        for sign in "abc"
    ]
    assert [quarantine.reject(each, member, NOON) for each in held] == [True] * 3
    assert not quarantine.reject(held[0], member, NOON)
    assert quarantine.release(held[0], member, NOON + DAY)
    deletion = Deletion(store, store_keys, TombstoneFile(tmp_path))
    assert deletion.of_due(NOON + SPAM_KEPT) == Deleted()
    assert deletion.of_due(NOON + SPAM_KEPT + HOUR) == Deleted(enquiries=2)
    assert numbers(store)["enquiries"] == numbers(store)["consents"] == 1


def test_a_page_is_masked_newest_first_and_goes_on(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    for number in range(5):
        desk.record(
            asked(verdict=ODD, typed_id=f"{number:032x}", details=f"第{number}份，打 13974625813"), NOON
        )
    with store.reading() as session:
        first = read_page(session, store_keys, "quarantined", "", most=3)
        rest = read_page(session, store_keys, "quarantined", first.older, most=3)
    told = [each.details[:3] for each in (*first.enquiries, *rest.enquiries)]
    assert told == ["第4份", "第3份", "第2份", "第1份", "第0份"]
    assert rest.older == ""
    shown = first.enquiries[0]
    assert (shown.name, shown.phone, shown.need) == ("张**", "138****8000", "逾期账款跟进")
    assert "139746" not in shown.details
    assert "张" not in repr(shown)


def test_looking_is_noted_before_it_shows(
    desk: EnquiryDesk, quarantine: Quarantine, store: Database, asked: Asked, member: str
) -> None:
    assert quarantine.look(member, "quarantined", "", NOON).enquiries == []
    desk.record(asked(verdict=ODD), NOON)
    assert len(quarantine.look(member, "quarantined", "", NOON).enquiries) == 1
    with store.reading() as session:
        row = session.scalars(select(AuditRow)).one()
    assert (row.actor, row.action, row.detail) == (member, "view", {"what": "quarantine", "count": 1})


# --- many at once ---


@pytest.fixture
def sends(opened: Databases, store_keys: Keys, desk: EnquiryDesk, asked: Asked) -> Callable[..., str]:
    """Judge an enquiry as the site does, and store it; returns its reference."""
    guard = Guard(opened.counters, store_keys, Limits())
    count = iter(range(1, 10_000))

    def send(now: datetime, brought: Brought, phone: str, **changed: object) -> str:
        plain = asked(phone=phone, typed_id=f"{next(count):032x}", **changed)
        return desk.record(replace(plain, verdict=guard.judge(plain, brought, now)), now).reference

    send.guard = guard  # type: ignore[attr-defined]
    return send


def as_people_do(sends: Callable[..., str], person: object, now: datetime) -> str:
    """One real enquiry, with the stamp that the browser got, if any."""
    guard: Guard = sends.guard  # type: ignore[attr-defined]
    address = f"{person.network.rpartition('.')[0]}.9" if "." in person.network else person.network  # type: ignore[attr-defined]
    stamp = ""
    took: str = person.took  # type: ignore[attr-defined]
    if took != "-":
        begun = now - (timedelta(days=3) if took == "old" else timedelta(seconds=int(took)))
        stamp = str(guard.welcome(address, begun)["stamp"])
    return sends(
        now,
        Brought(address, stamp=stamp),
        person.phone,  # type: ignore[attr-defined]
        name=person.name,  # type: ignore[attr-defined]
        details=person.details,  # type: ignore[attr-defined]
    )


def states(store: Database) -> dict[str, list[str]]:
    """References by state."""
    found: dict[str, list[str]] = {"accepted": [], "quarantined": []}
    with store.reading() as session:
        for reference, state in session.execute(select(Enquiry.reference, Enquiry.state)):
            found[state].append(reference)
    return found


def test_of_a_days_real_people_none_is_held_back(sends: Callable[..., str], store: Database) -> None:
    for number, person in enumerate(REAL):
        hasty = person.network.startswith("180.168.77.")  # the whole office within a few minutes
        as_people_do(sends, person, NOON + timedelta(minutes=number * (0.5 if hasty else 6)))
    found = states(store)
    assert found["quarantined"] == []
    assert len(found["accepted"]) == len(REAL) >= 100


FLOOD = (128, 245, 94, 327, 141, 0, 0, 134, 259)
"""Posts a day of the flood that peers.md tells of, 1,328 from 516 addresses; the last day's busiest hour had 175."""

PITCH = "Boost your website ranking today, visit https://a.example https://b.example https://c.example now"


def flood_post(number: int) -> tuple[Brought, str, dict[str, str]]:
    """The numbered robot: the form's own page as Origin, another address, a plausible phone."""
    address = f"{20 + number % 43}.{number % 12}.{number % 516 // 43}.{number % 250}"
    phone = f"1{35 + number % 5}{number * 7919 % 10**8:08d}"
    kinds: tuple[tuple[Brought, dict[str, str]], ...] = (
        (Brought(address, trapped=True), {"name": "李明", "details": "您好，请联系我，想了解服务"}),
        (Brought(address, trapped=True), {"name": "wYrHwDwEgDCx", "details": "SZGFNwsCHXImbXFVNtwRbwlN"}),
        (Brought(address), {"name": "Robert", "details": PITCH}),
        (Brought(address), {"name": "", "details": "LsMgDElDUaYiqcPDr SZGFNwsCHXImbX"}),
        (Brought(address, stamp="1790000000000.forged"), {"name": "王强", "details": "需要了解一下信用管理"}),
    )
    brought, words = kinds[number % len(kinds)]
    return brought, phone, words


def test_the_flood_leaves_the_list_clean_and_the_people_in_between_unharmed(
    sends: Callable[..., str], store: Database
) -> None:
    people, number = [], 0
    visitors = iter(REAL)
    for day, posts in enumerate(FLOOD):
        for place in range(posts):
            number += 1
            # the most of a day in its busiest hour
            now = NOON + day * DAY + timedelta(seconds=20 * place)
            brought, phone, words = flood_post(number)
            sends(now, brought, phone, **words)
            if place % 20 == 7 and (person := next(visitors, None)):
                people.append(as_people_do(sends, person, now + timedelta(seconds=1)))
    found = states(store)
    assert number == sum(FLOOD) == 1328
    assert len(people) > 60
    assert sorted(found["accepted"]) == sorted(people)
    assert len(found["quarantined"]) == number


def test_a_flood_without_any_sign_is_held_at_the_limit_and_people_pass_by_their_proof(
    sends: Callable[..., str], store: Database
) -> None:
    now = NOON
    for number in range(200):
        now = NOON + timedelta(seconds=10 * number)
        sends(now, Brought(f"10.{number}.0.1"), f"139{number:08d}", details=f"想了解{number}号服务")
    assert len(states(store)["accepted"]) == Limits().all.most
    guard: Guard = sends.guard  # type: ignore[attr-defined]
    challenge = Challenge.from_dict(guard.welcome("180.168.77.4", now)["challenge"])
    solution = solve_challenge(challenge)
    assert solution
    proof = Payload(challenge, solution).to_base64()
    passed = sends(now, Brought("180.168.77.4", proof=proof), "13916224478", details="同事推荐的")
    again = sends(now, Brought("180.168.77.4", proof=proof), "13916224479", details="又一份")
    wrong = sends(now, Brought("180.168.77.4", proof=proof[::-1]), "13916224470", details="再一份")
    trapped = sends(now, Brought("180.168.77.4", trapped=True, proof=proof), "13916224471", details="机器")
    assert passed in states(store)["accepted"]
    assert {again, wrong, trapped} <= set(states(store)["quarantined"])
    assert enquiry(store, again).suspicion == ["all"]
