"""Fill an empty data folder: accounts, leads with all that happened to them, the audit of it, drafts and views."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import func, select, update

from xinheng.audit.models import AuditRow
from xinheng.company import load_company
from xinheng.crypto import Keys, load_keys, new_row_id
from xinheng.db import Database, open_databases
from xinheng.demo.acts import Acts
from xinheng.demo.checks import Checks, count_steps
from xinheng.demo.duty import share_out
from xinheng.demo.held import count_earlier_ones, hold_some
from xinheng.demo.in_one_go import InOneGo
from xinheng.demo.rarities import Rarities
from xinheng.demo.readers import count_reads
from xinheng.demo.requests import Requests
from xinheng.demo.road import Step, at_work
from xinheng.demo.staff import (
    ADMINISTRATOR,
    COLLEAGUES,
    HANG,
    JING,
    MIN,
    YIFAN,
    ZHEN,
    Colleague,
    Employed,
    employ,
)
from xinheng.demo.stories import DAYS, Stories
from xinheng.demo.visitors import Visitors
from xinheng.desk.list_address import list_address
from xinheng.forms.definition import PublishedForm
from xinheng.forms.loader import load_consultation
from xinheng.forms.priority import load_priority
from xinheng.forms.response import load_response
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.loader import load_health_check
from xinheng.leads.deletion import Deletion
from xinheng.leads.models import Enquiry, Lead, LeadEvent, SavedView
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.wanted import Wanted
from xinheng.migrations import upgrade
from xinheng.notices.fault import words_of
from xinheng.notices.outbox import Notice
from xinheng.privacy.answering import PrivacyWork
from xinheng.privacy.receiving import PrivacyDesk
from xinheng.settings import Settings
from xinheng.working_days import load_working_days

SEED = 20260312
REMINDED_DAYS = 10
ALL_STEPS_TAKEN = 99
"""Of what is late already nobody is told when a site starts on this folder."""

Progress = Callable[[Sequence[Step]], Iterator[Step]]


@dataclass(frozen=True, slots=True)
class Filled:
    """What was made."""

    accounts: Sequence[tuple[Colleague, Employed]]
    leads: int
    enquiries: int
    events: int
    audit_rows: int


def fill(settings: Settings, leads: int, now: datetime, progress: Progress) -> Filled:
    """Make everything, with about so many leads. The folder and the database must be empty: the caller has looked."""
    databases = open_databases(settings.data, settings.database_url)
    try:
        keys = load_keys(settings.data / "keys")
        upgrade(databases)
        check = load_health_check(settings.forms, None)
        slugs = _slugs(settings)
        draw = random.Random(SEED)  # noqa: S311 (draws numbers)
        count_steps(databases.counters, check, draw, slugs, now, leads)
        count_reads(databases.counters, draw, slugs, now, leads)
        with databases.leads.writing() as session:
            database = InOneGo(databases.leads, session)
            return _fill(settings, database, keys, check, leads, now, progress)
    finally:
        databases.dispose()


def _fill(
    settings: Settings,
    database: Database,
    keys: Keys,
    check: HealthCheck,
    leads: int,
    now: datetime,
    progress: Progress,
) -> Filled:
    draw = random.Random(SEED)  # noqa: S311 (draws stories, guards nothing)
    form = load_consultation(settings.forms, load_company(settings.content))
    response = load_response(settings.forms)
    rules, calendar = load_priority(settings.forms), load_working_days(settings.content)
    EnquiryDesk(database, keys, site=settings.origin, priority=lambda: rules).publish(form)
    employed = employ(database, keys, now - timedelta(days=DAYS + 2))
    members = {colleague: account.member for colleague, account in employed.items()}
    deletion = Deletion.of_site(database, keys, settings.data)
    acts = Acts(
        database,
        keys,
        members,
        site=settings.origin,
        calendar=calendar,
        priority=lambda: rules,
        response=lambda: response,
        form_version=form.version,
        checks=Checks(database, keys, draw, check),
        requests=Requests(
            PrivacyDesk(database, keys, deletion.file, calendar=lambda: calendar),
            PrivacyWork(database, keys, deletion),
            members[ZHEN].id,
        ),
    )
    for step in progress(_agenda(settings, acts, draw, form, leads, now)):
        step.act(step.at)
    hold_some(database, keys, rules, form.version, settings.origin, now)
    share_out(database, keys, acts, employed, load_working_days(settings.content), settings.origin, now)
    count_earlier_ones(database, draw, now)
    _settle_notices(database, now)
    _save_views(database, employed)
    return _count(database, employed)


def _agenda(
    settings: Settings, acts: Acts, draw: random.Random, form: PublishedForm, leads: int, now: datetime
) -> Sequence[Step]:
    """Everything that anybody does, in the order of time, which is the audit's order too."""
    slugs = _slugs(settings)
    visitors = Visitors(draw, form.declaration, slugs, urlsplit(settings.origin).netloc)
    stories = Stories(acts, draw, now, visitors)
    roads = [*stories.usual(leads), *Rarities(acts, draw, now, visitors, stories, slugs).all()]
    steps = [step for road in roads for step in road.steps]
    others = [*_staff_life(acts, draw, now), *_reminders(acts, now)]
    return sorted([*steps, *others], key=lambda step: step.at)


def _reminders(acts: Acts, now: datetime) -> Iterator[Step]:
    """The worker looks for late calls once a minute; here once an hour, and not as far back."""
    for hours in range(REMINDED_DAYS * 24):
        yield Step(now - timedelta(hours=hours), acts.escalate)


def _slugs(settings: Settings) -> Sequence[str]:
    """Of the articles, what is read most first."""
    slugs = sorted(file.stem for file in (settings.content / "articles").glob("*.md"))
    return random.Random(SEED).sample(slugs, len(slugs))  # noqa: S311 (draws an order)


def _staff_life(acts: Acts, draw: random.Random, now: datetime) -> Iterator[Step]:
    """Signing in and what else the audit keeps of staff."""
    for days in range(DAYS, -1, -1):
        for who in COLLEAGUES:
            share = {ADMINISTRATOR: 0.1, ZHEN: 0.15, JING: 0.3}.get(who, 0.9)
            at = at_work(now - timedelta(days=days + 0.6), draw, acts.calendar) + timedelta(
                seconds=draw.randrange(3600)
            )
            if draw.random() < share and at < now:
                yield Step(at, lambda at, who=who: acts.note_audit(who, "sign_in", at, method="password"))  # type: ignore[misc]
    odd = (
        (88, lambda at: acts.note_audit(ADMINISTRATOR, "role_changed", at, subject=HANG, **{"from": ["sales"]}, to=["sales_lead"])),
        (61, lambda at: acts.note_audit(MIN, "sign_in_failed", at, reason="password")),
        (61, lambda at: acts.note_audit(MIN, "password_changed", at, count=1)),
        (33, lambda at: acts.note_audit(JING, "denied", at, reason="permission")),
        (12, lambda at: acts.note_audit(YIFAN, "sessions_ended", at, count=2)),
        (3, lambda at: acts.note_audit(ZHEN, "sign_in_failed", at, reason="password")),
    )  # fmt: skip
    for days, act in odd:
        yield Step(now - timedelta(days=days, hours=draw.uniform(0, 3)), act)


def _settle_notices(database: Database, now: datetime) -> None:
    """Nothing is left to send: a site that starts on this folder must mail nobody. Two stand there as failed."""
    with database.writing() as session:
        waiting = Notice.state == "waiting"
        newest = session.scalars(select(Notice.id).where(waiting).order_by(Notice.created_at.desc()).limit(2))
        session.execute(update(Notice).where(Notice.channel == "").values(channel="mail"))
        failed = {
            "state": "failed",
            "attempts": 49,
            "fault": words_of(ConnectionRefusedError()),
            "settled_at": now,
        }
        session.execute(update(Notice).where(Notice.id.in_(newest.all())).values(failed))
        session.execute(update(Notice).where(waiting).values(state="logged", settled_at=now))
        session.execute(update(Lead).values(escalation=ALL_STEPS_TAKEN))


def _save_views(database: Database, employed: Mapping[Colleague, Employed]) -> None:
    """A list or two under a name for each who works leads."""
    kept = (
        (MIN, "要出方案的", Wanted(status="interested", owner=employed[MIN].member.id, sort="priority")),
        (MIN, "逾期账款", Wanted(need="overdue", status="open")),
        (YIFAN, "没人管的", Wanted(owner="none", status="open")),
        (HANG, "未成交", Wanted(status="lost")),
        (HANG, "自查高风险", Wanted(level="high", sort="priority")),
    )
    with database.writing() as session:
        for who, name, wanted in kept:
            member = employed[who].member
            session.add(SavedView(id=new_row_id(), staff_id=member.id, name=name, query=list_address(wanted)))
            session.flush()  # in this order


def _count(database: Database, employed: Mapping[Colleague, Employed]) -> Filled:
    with database.reading() as session:
        leads, enquiries, events, audit_rows = (
            session.scalars(select(func.count()).select_from(table)).one()
            for table in (Lead, Enquiry, LeadEvent, AuditRow)
        )
    return Filled(tuple(employed.items()), leads, enquiries, events, audit_rows)


def utc_now() -> datetime:
    return datetime.now(UTC)
