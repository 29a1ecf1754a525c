"""`xinheng demo FOLDER`: an empty folder becomes a desk full of work, and nothing else is ever touched."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from tests.conftest import OWN_PAGE, ROOT
from tests.postgres import PostgresServer

from xinheng.app import create_app
from xinheng.assessments import Assessment
from xinheng.assessments import opened as opened_check
from xinheng.audit.models import AuditRow
from xinheng.audit.verify import verify
from xinheng.crypto import CannotDecrypt, Keys, load_keys
from xinheng.db import Database, open_databases
from xinheng.demo import numbers
from xinheng.demo.command import demo_command
from xinheng.demo.filling import fill
from xinheng.desk.report_funnel import OF, REACHED
from xinheng.health_check.assessment import assess
from xinheng.health_check.counting import OVERVIEW, QuestionCount, counted, day_of
from xinheng.health_check.loader import load_health_check
from xinheng.health_check.path import first_open
from xinheng.leads.duplicates import marked
from xinheng.leads.finding import count_views
from xinheng.leads.lead_counts import leads_by
from xinheng.leads.merges import Merge
from xinheng.leads.models import Consent, Draft, Enquiry, Lead, LeadEvent, SavedView
from xinheng.leads.moves import REASONS, ROAD, came_to
from xinheng.leads.response import response_of
from xinheng.leads.scope import Scope
from xinheng.leads.spam_counts import ANY, spam_by_reason
from xinheng.leads.wanted import VIEWS, day_bounds
from xinheng.notices.outbox import Notice
from xinheng.phones import parse_phone
from xinheng.privacy.answering import overdue
from xinheng.privacy.models import PrivacyRequest
from xinheng.settings import SHANGHAI, Settings
from xinheng.week_counts import WHAT, visits_by_article, visits_by_source
from xinheng.weeks import Weeks
from xinheng.working_days import load_working_days

Run = Callable[..., Result]
Funnels = defaultdict[Any, Counter[str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in the folder of the shipped site."""
    for name in [*os.environ]:
        if name.startswith("XINHENG_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(ROOT)
    return lambda *arguments: CliRunner().invoke(demo_command, [str(each) for each in arguments])


# --- where it refuses ---


def test_a_folder_with_anything_in_it_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "里已经有东西" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_with_only_a_hidden_file_is_not_empty(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".keep").touch()
    assert run(tmp_path).exit_code == 2


def test_a_file_is_no_folder(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "leads.db"
    file.write_bytes(b"")
    result = run(file)
    assert result.exit_code == 2
    assert "不是文件夹" in result.stderr


def test_in_production_nothing_is_invented(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINHENG_ENV", "production")
    monkeypatch.setenv("XINHENG_ORIGIN", "https://www.xinheng.example")
    result = run(tmp_path / "new")
    assert result.exit_code == 2
    assert "正式环境" in result.stderr
    assert not (tmp_path / "new").exists()


def test_elsewhere_than_in_a_site_it_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(tmp_path / "new")
    assert result.exit_code == 2
    assert "没有 wsgi.py" in result.stderr


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE anything (id int)", "CREATE SCHEMA kept; CREATE TABLE kept.anything (id int)"]
)
def test_a_database_with_any_table_is_left_alone(
    run: Run, tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    with postgres.database() as url:
        databases = open_databases(tmp_path, url)
        with databases.leads.writing() as session:
            session.execute(text(statement))
        monkeypatch.setenv("DATABASE_URL", url)
        result = run(tmp_path / "new")
        databases.dispose()
    assert result.exit_code == 2
    assert "已经有表" in result.stderr
    assert not (tmp_path / "new").exists()


def test_a_database_that_is_away_is_said_to_be_and_leaves_no_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nobody:secret@/none?host={tmp_path}")
    result = run(tmp_path / "new")
    assert result.exit_code == 1
    assert "没有做完" in result.stderr
    assert "secret" not in result.output
    assert not (tmp_path / "new").exists()


# --- what it makes ---


@dataclass(frozen=True)
class Made:
    """A folder that was filled, opened."""

    settings: Settings
    database: Database
    counters: Database
    keys: Keys
    output: str
    began: datetime


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[Made]:
    """The command run once on each database, with few of the usual leads and all of the rare ones."""
    folder, began = tmp_path_factory.mktemp("demo") / "new", datetime.now(UTC)
    with pytest.MonkeyPatch.context() as patch, postgres.database() as url:
        url = url if request.param == "postgresql" else ""
        patch.chdir(ROOT)
        patch.setenv("DATABASE_URL", url)
        result = CliRunner().invoke(demo_command, [str(folder), "--leads", "60"])
        assert result.exit_code == 0, result.output
        settings = Settings.from_env({"XINHENG_DATA": str(folder), "DATABASE_URL": url}, ROOT)
        databases = open_databases(folder, url)
        keys = load_keys(folder / "keys", make=False)
        yield Made(settings, databases.leads, databases.counters, keys, result.output, began)
        databases.dispose()


@pytest.fixture(scope="module")
def app(made: Made) -> Iterator[Flask]:
    app = create_app(made.settings)
    yield app
    app.extensions["xinheng.reads"].stop()
    app.extensions["xinheng.databases"].dispose()


def all_leads(made: Made) -> list[Lead]:
    with made.database.reading() as session:
        return list(session.scalars(select(Lead)))


def opened(made: Made, lead: Lead) -> str:
    try:
        return lead.open(made.keys, "phone")
    except CannotDecrypt:
        return ""


def test_it_says_what_was_made_how_to_start_and_who_signs_in(made: Made) -> None:
    found = re.search(r"造好了：(\d+)条线索，(\d+)次咨询", made.output)
    assert found
    assert int(found[1]) == len(all_leads(made))
    assert f"XINHENG_DATA={made.settings.data} make run" in made.output
    assert len(re.findall(r"^  \S+@xinheng\.example  [0-9A-Z-]{24}  \S+（\S+）$", made.output, re.M)) == 7


def test_every_status_reason_need_source_and_level_is_there(made: Made, app: Flask) -> None:
    leads = all_leads(made)
    assert {lead.status for lead in leads} == {*ROAD, *REASONS}
    for status, reasons in REASONS.items():
        assert {lead.reason for lead in leads if lead.status == status} == {*reasons}
    form = app.extensions["xinheng.consultation"].published().declaration
    assert {lead.need for lead in leads} == {option.key for option in form.field("need").options}
    assert {lead.source for lead in leads} >= {"search", "social", "direct", "other"}
    assert {lead.level for lead in leads} == {"", "low", "moderate", "elevated", "high", "insufficient"}
    assert {lead.phone_kind for lead in leads} == {"mobile", "landline", "service", "foreign"}


def test_all_that_a_day_at_the_desk_needs_is_there(made: Made) -> None:
    leads, now = all_leads(made), datetime.now(UTC)
    with made.database.reading() as session:
        counts = count_views(session, Scope("", everyone=True), now)
        drafts = session.scalars(select(func.count()).select_from(Draft)).one()
        views = session.scalars(select(func.count()).select_from(SavedView)).one()
        reopened = session.scalars(select(LeadEvent.lead_id).where(LeadEvent.kind == "reopened")).all()
        kinds = set(session.scalars(select(LeadEvent.kind)))
        duplicates = len(marked(session, leads))
        merged = session.scalars(select(func.count()).select_from(Merge)).one()
    if day_bounds(now)[1] - now > timedelta(hours=2):
        assert all(counts[view] for view in VIEWS)
    assert drafts == 3
    assert views >= 3
    assert len(reopened) >= 2
    assert kinds == {
        "enquiry",
        "reopened",
        "no_answer",
        "late",
        "connected",
        "note",
        "wechat",
        "planned",
        "status",
        "assigned",
        "withdrawn",
        "restricted",
        "company",
        "merged",
    }
    assert max(lead.enquiry_count for lead in leads) == 3
    assert merged == 1
    assert duplicates >= 5, "three behind a switchboard, and two of one company"
    assert sum(lead.company is not None for lead in leads) == 2
    assert sum(lead.restricted for lead in leads) == 1
    assert sum(opened(made, lead) == "" for lead in leads) == 1
    assert {lead.owner_id is None for lead in leads} == {True, False}
    calendar = load_working_days(ROOT / "content")
    standings = {response_of(lead, calendar, 30, made.began).standing for lead in leads}
    soon = {"soon"} if calendar.is_open(made.began) else set()  # outside working hours nothing presses
    assert standings == {"none", "open", "late", "met", "missed"} | soon
    assert {lead.name_index is None for lead in leads} == {True, False}
    assert max(lead.attempts for lead in leads) >= 5
    assert sum(lead.priority is None for lead in leads) == 1, "the merged one is ranked in the first minute"


def test_each_level_comes_from_a_health_check_that_was_attached(made: Made) -> None:
    """What the desk shows of it is what the rules say to the answers."""
    check = load_health_check(ROOT / "forms", None)
    with made.database.reading() as session:
        query = select(Lead, Assessment).join(Enquiry, Enquiry.lead_id == Lead.id)
        rows = session.execute(query.join(Assessment, Assessment.id == Enquiry.assessment_id)).all()
        agreed = session.scalars(select(func.count()).where(Consent.purpose == "attach_assessment")).one()
    newest: dict[str, tuple[Lead, Assessment]] = {}
    for lead, result in sorted(rows, key=lambda row: row[1].created_at):
        newest[lead.id] = lead, result
    unread = 0
    for lead, result in newest.values():
        try:
            kept = opened_check(made.keys, result)
        except CannotDecrypt:
            unread += 1
            continue
        assert lead.level == (kept.level or "insufficient")
        assert kept.result == assess(check, kept.answers).as_json()
        assert (result.version, result.retain_until) == (check.hash, None)
        assert first_open(check, kept.answers) is None
    assert len(newest) == sum(lead.level != "" for lead in all_leads(made)) > 15
    assert unread == 1
    assert agreed == len(rows) > len(newest), "somebody did it twice"


def test_the_health_check_was_counted_for_four_months(made: Made) -> None:
    check = load_health_check(ROOT / "forms", None)
    with made.counters.reading() as session:
        counts = counted(session, check.hash, day_of(made.began) - timedelta(days=121))
        days = session.scalars(select(func.count(QuestionCount.day.distinct()))).one()
    assert days in (120, 121), "today counts from the morning on"
    assert counts.keys() == {*check.asked, OVERVIEW}
    for each in counts.values():
        assert each.shown == each.answered + each.left_here
    assert counts["industry"].shown > counts["dso"].shown > counts["country"].shown > 100


def test_the_funnel_is_a_believable_one_for_three_months(made: Made) -> None:
    weeks = Weeks.until(made.began, 13)
    with made.database.reading() as session:
        came = leads_by(session, weeks, "week", "reached")
        spam = spam_by_reason(session, weeks)
    by_week, by_source = funnel(made.database, made.counters, weeks)
    for monday in weeks.mondays[:-1]:
        assert_narrowing(by_week[monday])
    for source in ("search", "social", "direct", "other"):
        assert_narrowing(by_source[source])
    assert {reached for _, reached, _ in came} == set(ROAD)
    assert len({week for week, *_ in came}) >= 8
    assert spam[ANY].held > spam[ANY].spam > spam[ANY].released > 0


def test_the_running_week_brings_no_more_than_its_days(tmp_path: Path) -> None:
    """With as many leads as one gets without asking for a number of them."""
    now = datetime(2026, 11, 19, 6, 30, tzinfo=UTC)  # a Thursday, half past two in Shanghai
    settings = Settings.from_env({"XINHENG_DATA": str(tmp_path)}, ROOT)
    fill(settings, 400, now, iter)
    databases, weeks = open_databases(settings.data), Weeks.until(now, 13)
    by_week, _ = funnel(databases.leads, databases.counters, weeks)
    databases.dispose()
    *earlier, last, running = (by_week[monday] for monday in weeks.mondays)
    for week in (*earlier, last, running):
        assert_narrowing(week)
    for name in (*WHAT, "enquiries"):
        assert 0.3 < running[name] / last[name] < 0.95, name


def test_what_is_read_more_brings_more(made: Made) -> None:
    with made.counters.reading() as session:
        articles = visits_by_article(session, Weeks.until(made.began, 13))
    for article, visits in articles.items():
        assert visits.reads > 3 * visits.begun, article
    most = sorted(articles.values(), key=lambda visits: visits.reads, reverse=True)
    assert sum(each.begun for each in most[:6]) > 2 * sum(each.begun for each in most[-6:])


def funnel(leads: Database, counters: Database, weeks: Weeks) -> tuple[Funnels, Funnels]:
    """How many came how far, by week and by where they came from."""
    by_week, by_source = Funnels(Counter), Funnels(Counter)
    with counters.reading() as session:
        for (week, source), each in visits_by_source(session, weeks).items():
            visits = Counter({what: getattr(each, what) for what in WHAT})
            by_week[week] += visits
            by_source[source] += visits
    with leads.reading() as session:
        for week, source, reached, number in leads_by(session, weeks, "week", "source", "reached"):
            counted = Counter({name: number for name, least in REACHED.items() if came_to(reached, least)})
            by_week[week] += counted
            by_source[source] += counted
    return by_week, by_source


def assert_narrowing(funnel: Mapping[str, int]) -> None:
    reads, begun, finished, enquiries, contacted, won = (funnel[name] for name in OF)
    assert reads > 5 * begun, funnel
    assert begun > finished > enquiries >= contacted > won or enquiries == 0, funnel


def test_people_asked_about_their_own_data(made: Made) -> None:
    with made.database.reading() as session:
        requests = list(session.scalars(select(PrivacyRequest)))
        assert overdue(session, datetime.now(UTC)) == 1
    assert {each.kind for each in requests} >= {"delete", "correct", "access", "restrict", "stop_marketing"}
    assert {each.outcome for each in requests} == {"", "done"}
    assert {each.proof for each in requests} == {"", "pair"}


def test_texts_of_every_length_are_there(made: Made) -> None:
    with made.database.reading() as session:
        enquiries = list(session.scalars(select(Enquiry)))
    texts = []
    for enquiry in enquiries:
        try:
            texts.append(enquiry.open(made.keys, "details"))
        except CannotDecrypt:
            continue
    assert max(map(len, texts)) == 500
    assert min(map(len, texts)) == 1
    assert any(re.search(r"1349[\d -]{7,}|134[ -]9", text) for text in texts), "a number among the words"
    assert {len(each.articles_read) for each in enquiries} >= {0, 1, 2, 3, 6}
    assert any(each.first_touch["utm"].get("utm_term") for each in enquiries)


def test_it_happened_in_the_last_four_months_in_the_order_of_time_and_nothing_later(made: Made) -> None:
    with made.database.reading() as session:
        audited = list(session.scalars(select(AuditRow.at).order_by(AuditRow.id)))
        events = list(session.scalars(select(LeadEvent.happened_at)))
        asked = list(session.scalars(select(Enquiry.created_at)))
    assert audited == sorted(audited)
    for moments in (audited, events, asked):
        assert made.began - timedelta(days=124) < min(moments) < made.began - timedelta(days=80)
        assert max(moments) <= datetime.now(UTC)
    work = [moment.astimezone(SHANGHAI).date() for moment in events]
    calendar = load_working_days(ROOT / "content")
    assert Counter(map(calendar.is_working_day, work))[True] > len(work) * 0.8


def test_no_event_of_a_lead_lies_before_its_first_enquiry(made: Made) -> None:
    with made.database.reading() as session:
        rows = session.execute(
            select(Lead.created_at, func.min(LeadEvent.happened_at))
            .join(LeadEvent, LeadEvent.lead_id == Lead.id)
            .group_by(Lead.id)
        ).all()
    assert rows
    assert all(created == first for created, first in rows)


def test_each_enquiry_has_its_consent_and_the_audit_is_whole(made: Made) -> None:
    with made.database.reading() as session:
        agreed = select(func.count()).where(Consent.purpose == "callback")
        assert (
            session.scalars(agreed).one() == session.scalars(select(func.count()).select_from(Enquiry)).one()
        )
    assert verify(made.database, made.keys).whole


def test_nothing_waits_to_be_sent(made: Made) -> None:
    with made.database.reading() as session:
        states = Counter(session.scalars(select(Notice.state)))
    assert "waiting" not in states
    assert states["failed"] == 2


def test_each_member_can_sign_in_with_the_password_that_was_printed(made: Made, app: Flask) -> None:
    for email, password in re.findall(r"^  (\S+@\S+)  (\S+)", made.output, re.M):
        client = app.test_client()
        page = client.get("/desk/sign-in").text
        form = {"email": email, "password": password, "csrf_token": token(page)}
        assert client.post("/desk/sign-in", data=form, headers=OWN_PAGE).status_code == 302, email


def test_the_desk_shows_every_lead_but_the_restricted_one(made: Made, app: Flask) -> None:
    client = signed_in(made, app, "li.hang@xinheng.example")
    assert client.get("/desk/").status_code == 200
    for lead in all_leads(made):
        expected = 404 if lead.restricted else 200
        assert client.get(f"/desk/leads/{lead.id}").status_code == expected


def signed_in(made: Made, app: Flask, email: str) -> FlaskClient:
    found = re.search(rf"^  {email}  (\S+)", made.output, re.M)
    assert found
    client = app.test_client()
    page = client.get("/desk/sign-in").text
    form = {"email": email, "password": found[1], "csrf_token": token(page)}
    page = client.post("/desk/sign-in", data=form, headers=OWN_PAGE, follow_redirects=True).text
    client.post("/desk/second-factor/later", data={"csrf_token": token(page)}, headers=OWN_PAGE)
    return client


def token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    return found[1]


# --- its numbers ---

_NOBODYS = (
    r"\+861349\d{7}",
    r"\+86(?:10|2\d|[3-9]\d\d)1[2-9]\d{6}",
    r"\+86400[235]\d{6}",
    r"\+442079460\d{3}",
    r"\+1(?:212|415)55501\d\d",
    r"\+6149157015[6-9]",
    r"\+467017406\d\d",
)
"""Ranges that the numbering plans leave to nobody: see xinheng.demo.numbers."""


@pytest.mark.parametrize("make", [numbers.mobiles, numbers.landlines, numbers.services, numbers.foreign])
def test_invented_numbers_can_be_read_and_are_nobodys(make: Callable[[Random], Iterator[str]]) -> None:
    for typed in islice(make(Random(7)), 500):  # noqa: S311 (draws examples)
        assert is_nobodys(parse_phone(typed).e164), typed


def test_every_number_of_a_filled_folder_is_nobodys(made: Made) -> None:
    phones = [phone for lead in all_leads(made) if (phone := opened(made, lead))]
    assert len(phones) > 60
    assert [phone for phone in phones if not is_nobodys(phone)] == []


def is_nobodys(e164: str) -> bool:
    return any(re.fullmatch(form, e164) for form in _NOBODYS)


def test_at_the_same_moment_the_same_stories_are_told(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    told = []
    for name in ("one", "two"):
        settings = Settings.from_env({"XINHENG_DATA": str(tmp_path / name)}, ROOT)
        fill(settings, 1, now, iter)
        databases, keys = open_databases(settings.data), load_keys(settings.data / "keys", make=False)
        with databases.leads.reading() as session:
            leads = session.scalars(select(Lead).where(Lead.status != "new"))
            told.append(sorted((lead.open(keys, "phone"), lead.status, lead.created_at) for lead in leads))
        databases.dispose()
    assert told[0] == told[1]
    assert len(told[0]) > 30
