"""Reports: what was done shows in the figures, each in its week; a figure leads to its leads for those who may see them, and
to nothing and nobody for those who may not."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select
from tests.desk.conftest import NOON, Clock, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import DAY, HOUR, ask, ask_with_check, do, give, rows_on, words_on
from tests.leads.deleting import delete_lead
from werkzeug.test import TestResponse

from xinheng.articles.library import LibraryHolder
from xinheng.db import Database
from xinheng.leads.deeds import Deed
from xinheng.leads.deletion import Deletion
from xinheng.leads.lead_counts import add_up
from xinheng.leads.models import Enquiry
from xinheng.leads.scope import Scope
from xinheng.leads.submission import Attribution, Submission, Touch
from xinheng.leads.verdict import Verdict
from xinheng.leads.work import LeadWork
from xinheng.phones import parse_phone
from xinheng.week_counts import ArticleWeek, Origin, SourceWeek, WeekTally
from xinheng.weeks import week_of

WEEK = 7 * DAY
FUNNEL = ("reads", "begun", "finished", "enquiries", "contacted", "won")
PAGES = ("", "/articles", "/needs", "/spam")


@pytest.fixture
def counters(app: Flask) -> Iterator[Database]:
    """The counters, with nothing counted."""
    held: Database = app.extensions["xinheng.databases"].counters
    yield held
    with held.writing() as session:
        for table in (SourceWeek, ArticleWeek):
            session.execute(delete(table))


@pytest.fixture
def slug(app: Flask) -> str:
    """Of an article that is published."""
    holder: LibraryHolder = app.extensions["xinheng.library"]
    return next(iter(holder.current().by_slug))


@pytest.fixture
def li(client: DeskClient, clock: Clock, staff: Staff, signed_in: SignedIn) -> DeskClient:
    """李航's browser, who leads sales."""
    return signed_in(client, staff("sales_lead", name="李航"))


@pytest.fixture
def he(
    another_browser: Callable[[], DeskClient], clock: Clock, staff: Staff, signed_in: SignedIn
) -> DeskClient:
    """何静's browser, who edits."""
    return signed_in(another_browser(), staff("editor", name="何静"))


def visit(
    counters: Database, what: Any, number: int, source: Any = "search", article: str = "", weeks: int = 0
) -> None:
    tally = WeekTally()
    tally.add(what, week_of(NOON - weeks * WEEK), Origin(source, article), number)
    with counters.writing() as session:
        tally.add_to(session.connection())


def phone() -> str:
    return f"1349{secrets.randbelow(10**7):07}"


def found(source: str = "search") -> Attribution:
    return Attribution(first=Touch({"search": "www.baidu.com", "social": "mp.weixin.qq.com"}.get(source, "")))


def hold(app: Flask, weeks: int) -> str:
    """An enquiry that is held back, so many weeks ago; returns its id."""
    consultation = app.extensions["xinheng.consultation"]
    done = consultation.reception.desk.record(
        Submission(
            need="other",
            name="",
            phone=parse_phone(phone()),
            details="https://a.example",
            call_time="",
            extra={},
            purposes=("callback",),
            form_version=consultation.published().version,
            verdict=Verdict(("trap", "link")),
        ),
        NOON - weeks * WEEK,
    )
    with app.extensions["xinheng.databases"].leads.reading() as session:
        query = select(Enquiry.id).where(Enquiry.reference == done.reference)
        return str(session.scalars(query).one())


def table(page: TestResponse, place: int = 0) -> dict[str, list[str]]:
    """The cells of a table by the head of their row, without what only a card says."""
    bodies = re.findall(r"<tbody>(.*?)</tbody>", page.text, re.DOTALL)
    rows = {}
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", bodies[place], re.DOTALL):
        plain = re.sub(
            r'<span class="only-card">.*?</span>|<td class="bar-cell">.*?</td>', "", row, flags=re.DOTALL
        )
        head, *cells = (
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", plain, re.DOTALL)
        )
        rows[head] = cells
    return rows


def links(page: TestResponse) -> list[str]:
    """The addresses of lists that figures lead to."""
    return [unescape(each) for each in re.findall(r'href="(/desk/leads\?[^"]+)"', page.text)]


def to_won(client: DeskClient, lead_id: str) -> None:
    for status in ("contacted", "interested", "proposal", "won"):
        do(client, lead_id, "status", status=status)


# --- the funnel ---


def test_each_step_is_counted_in_its_week_and_by_where_people_came_from(
    li: DeskClient, app: Flask, counters: Database, store: Database
) -> None:
    for what, number in (("reads", 1200), ("begun", 60), ("finished", 30)):
        visit(counters, what, number)
    visit(counters, "reads", 300, "direct", weeks=1)
    won = ask(app, phone(), NOON - WEEK, attribution=found())
    ask(app, phone(), NOON - HOUR, attribution=found())
    ask(app, phone(), NOON - HOUR, attribution=found("social"))
    to_won(li, won)
    page = li.get("/desk/reports")
    assert re.findall(r'funnel__number">\s*(?:<a[^>]*>)?([\d,]+)', page.text) == [
        "1,500",
        "60",
        "30",
        "3",
        "1",
        "1",
    ]
    assert "阅读文章的4.0%" in words_on(page).replace(" ", "")
    assert table(page)["搜索"] == ["1,200", "60", "30", "2", "1", "1"]
    assert table(page)["社交与公众号"] == ["0", "0", "0", "1", "0", "0"]
    weeks = table(page, 1)
    assert weeks["11月23日–11月29日 还没有完"] == ["1,200", "60", "30", "2", "0", "0"]
    assert weeks["11月16日–11月22日"] == ["300", "0", "0", "1", "1", "1"]
    assert len(weeks) == 12


def test_one_kind_of_place_is_looked_at_alone(li: DeskClient, app: Flask, counters: Database) -> None:
    visit(counters, "reads", 7)
    visit(counters, "reads", 9, "direct")
    ask(app, phone(), attribution=found())
    page = li.get("/desk/reports?source=direct")
    assert table(page, 1)["11月23日–11月29日 还没有完"][0] == "9"
    assert table(page)["搜索"][0] == "7", "all of them are told beside each other"
    assert "source=search" in links(page)[0]
    assert table(li.get("/desk/reports?source=nonsense"), 1)["11月23日–11月29日 还没有完"][0] == "16"


@pytest.mark.parametrize(("asked", "number"), [("4", 4), ("104", 104), ("", 12), ("5", 12), ("x", 12)])
def test_the_weeks_are_chosen_this_one_included(
    li: DeskClient, counters: Database, asked: str, number: int
) -> None:
    visit(counters, "reads", 1)
    page = li.get(f"/desk/reports?weeks={asked}")
    assert len(table(page, 1)) == number
    assert page.text.count("<rect") == 6 * number


def test_before_anything_was_counted_each_page_says_so(li: DeskClient, counters: Database) -> None:
    for path in PAGES:
        page = li.get(f"/desk/reports{path}")
        assert "<table" not in page.text
        assert "这段时间" in words_on(page)
        assert "这些数怎么算" in words_on(page)


def test_a_lead_that_is_deleted_stays_counted_and_its_figure_says_what_the_list_lacks(
    li: DeskClient, app: Flask, counters: Database, store: Database
) -> None:
    kept, gone = ask(app, phone()), ask(app, phone())
    deletion: Deletion = app.extensions["xinheng.deletion"]
    delete_lead(store, deletion, gone)
    add_up(store)
    page = li.get("/desk/reports")
    assert table(page)["直接访问"][3] == "2"
    assert rows_on(li.get(links(page)[0])) == [kept]
    assert "点开的条数可能少于这里的数" in words_on(page)


# --- figures and their leads ---


def test_every_figure_leads_to_as_many_leads_as_it_says(
    li: DeskClient, app: Flask, counters: Database, store: Database, zhou: Known, slug: str
) -> None:
    for number in range(12):
        at = NOON - number % 5 * WEEK - HOUR
        if number % 2:
            came = Attribution(article=slug, first=found().first)
            lead_id = ask_with_check(app, at, phone=phone(), answers={}, attribution=came)
            to_won(li, lead_id)
        else:
            lead_id = ask(app, phone(), at, need="receivables")
        if number % 3:
            give(store, lead_id, zhou)
    checked = 0
    for path in ("", "/articles", "/needs", "/people"):
        page = li.get(f"/desk/reports{path}")
        for number, href in re.findall(r'<a href="(/desk/leads\?[^"]+)">([\d,]+)</a>', page.text):
            assert len(rows_on(li.get(unescape(number)))) == int(href), unescape(number)
            checked += 1
    assert checked > 40


def test_an_editor_reads_the_same_figures_and_is_led_to_no_lead(
    li: DeskClient, he: DeskClient, app: Flask, counters: Database, slug: str
) -> None:
    to_won(li, ask(app, phone(), attribution=Attribution(article=slug)))
    visit(counters, "reads", 3, article=slug)
    for path in PAGES:
        theirs, hers = li.get(f"/desk/reports{path}"), he.get(f"/desk/reports{path}")
        assert "/desk/leads" not in hers.text
        if path != "/spam":
            assert links(theirs)
            assert table(hers) == table(theirs)


def test_who_does_how_much_is_for_sales_leads_only(
    li: DeskClient, he: DeskClient, app: Flask, store: Database, zhou: Known
) -> None:
    give(store, ask(app, phone()), zhou)
    assert "周敏" in li.get("/desk/reports/people").text
    assert 'href="/desk/reports/people"' in li.get("/desk/reports").text
    assert he.get("/desk/reports/people").status_code == 403
    for path in PAGES:
        page = he.get(f"/desk/reports{path}")
        assert "周敏" not in page.text
        assert "/desk/reports/people" not in page.text


def test_the_way_to_reports_stands_for_those_who_may(
    client: DeskClient, clock: Clock, staff: Staff, signed_in: SignedIn
) -> None:
    for role, there in (("editor", True), ("sales_lead", True), ("sales", False), ("admin", False)):
        page = signed_in(client, staff(role)).get("/desk/me").text
        assert ('href="/desk/reports"' in page) is there, role


# --- articles, needs, people, spam ---


def test_an_article_has_its_reads_checks_enquiries_and_leads_that_came_far(
    li: DeskClient, app: Flask, counters: Database, slug: str
) -> None:
    visit(counters, "reads", 40, article=slug)
    visit(counters, "reads", 2, article="withdrawn-since")
    visit(counters, "begun", 5, article=slug)
    far = ask(app, phone(), attribution=Attribution(article=slug))
    ask(app, phone(), attribution=Attribution(article=slug))
    ask(app, phone())
    for status in ("contacted", "interested", "lost"):
        do(li, far, "status", status=status, reason="price" if status == "lost" else "")
    page = li.get("/desk/reports/articles")
    title = app.extensions["xinheng.library"].current().by_slug[slug].title
    assert table(page) == {
        title: ["40", "5", "2", "1"],
        "withdrawn-since 已撤下": ["2", "0", "0", "0"],
        "不在文章页上提交的": ["—", "—", "1", "0"],
    }


def test_needs_and_levels_are_counted_apart_and_against_each_other(
    li: DeskClient, app: Flask, counters: Database
) -> None:
    ask_with_check(app, phone=phone(), need="overdue", answers={})
    to_won(li, ask(app, phone(), need="overdue"))
    page = li.get("/desk/reports/needs")
    assert table(page)["逾期账款跟进"] == ["2", "1", "1", "1"]
    assert table(page, 1)["较低"] == ["1", "0", "0", "0"]
    assert table(page, 1)["未做"] == ["1", "1", "1", "1"]
    assert table(page, 2)["逾期账款跟进"] == ["0", "0", "0", "1", "0", "1"]
    assert table(page, 2)["其他"] == ["0"] * 6


def test_a_person_has_open_leads_the_median_to_the_first_answer_and_deals(
    li: DeskClient, app: Flask, store: Database, zhou: Known
) -> None:
    work: LeadWork = app.extensions["xinheng.work"]
    for place, hours in enumerate((1, 2, 3)):
        lead_id = give(store, ask(app, phone(), NOON - DAY * 3), zhou)
        deed = Deed(Scope(zhou.id), NOON - DAY * 3 + hours * HOUR)
        work.no_answer(lead_id, deed)
        if place:
            for status in ("contacted", "interested", "proposal", "won")[: place * 2]:
                work.move(lead_id, Deed(Scope(zhou.id), NOON - HOUR), status)
    give(store, ask(app, phone(), NOON), zhou)
    ask(app, phone(), NOON)
    rows = table(li.get("/desk/reports/people"))
    assert rows["周敏"] == ["3", "4", "2小时 共3条", "1"]
    assert rows["未分配"] == ["1", "1", "—", "0"]
    assert rows["李航"] == ["0", "0", "—", "0"]


def test_nights_and_weekends_are_no_time_to_answer_in(
    li: DeskClient, app: Flask, store: Database, zhou: Known, clock: Clock
) -> None:
    friday_at_five = NOON - 3 * DAY + 5 * HOUR
    lead_id = give(store, ask(app, phone(), friday_at_five), zhou)
    clock.moment = NOON - 2 * HOUR
    do(li, lead_id, "wechat")
    assert table(li.get("/desk/reports/people"))["周敏"][2] == "2小时 共1条"


def test_spam_is_told_by_reason_with_how_often_it_was_none(
    li: DeskClient, app: Flask, counters: Database, zhou: Known
) -> None:
    quarantine, member = app.extensions["xinheng.quarantine"], zhou.id
    held = [hold(app, weeks) for weeks in (0, 0, 0, 1)]
    assert quarantine.reject(held[0], member, NOON)
    assert quarantine.reject(held[1], member, NOON)
    assert quarantine.release(held[1], member, NOON)
    assert quarantine.release(held[3], member, NOON)
    page = li.get("/desk/reports/spam")
    assert table(page) == {
        "填了看不见的栏": ["4", "1", "2", "66.7%"],
        "有链接": ["4", "1", "2", "66.7%"],
        "一共": ["4", "1", "2", "66.7%"],
    }
    assert table(page, 1)["11月16日–11月22日"] == ["1", "0", "1", "100.0%"]
    assert table(li.get("/desk/reports"))["直接访问"][3] == "2", "what was released counts as an enquiry"
