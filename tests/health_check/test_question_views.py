"""One question a page: shown, answered, refused with words, gone back from; in two tabs, out of turn, by robots."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import CHROME
from tests.health_check.conftest import PERSON, Visitor, another_version

from xinheng.db import Databases
from xinheng.form_versions import publish_form
from xinheng.health_check.counting import OVERVIEW, Counted, counted
from xinheng.health_check.definition import HealthCheck

pytestmark = pytest.mark.databases("sqlite")  # drafts and their counts are tested on both


def counts(databases: Databases, check: HealthCheck) -> Mapping[str, Counted]:
    with databases.counters.reading() as session:
        return counted(session, check.hash, date(2020, 1, 1))


def chosen(page: str) -> list[str]:
    return re.findall(r'name="answer" value="(\w+)"[^>]* checked', page)


def test_a_question_says_how_far_one_is_and_what_it_weighs(visitor: Visitor) -> None:
    visitor.answer_until("overdue_share")
    page = visitor.get("/health-check/questions/overdue_share")
    assert page.status_code == 200
    text = page.text
    assert "<b>第5题，共22题</b>" in text
    assert "账期与回款" in text
    assert "大约还要4分钟" in text
    assert "至多占8.4分" in text
    assert "为什么问这一题" in text
    assert 'aria-valuenow="4"' in text
    keys = re.findall(r'name="answer" value="(\w+)"', text)
    assert keys == ["le5", "p5_15", "p15_30", "p30_50", "gt50", "unsure"]
    assert chosen(text) == []


def test_what_belongs_to_one_visitor_is_kept_nowhere(visitor: Visitor) -> None:
    visitor.answer_until("dso")
    for address in ("questions/dso", "questions/top5", "saved", "answers", f"resume/{visitor.token()}"):
        page = visitor.get(f"/health-check/{address}")
        assert page.cache_control.no_store
        assert page.headers["X-Robots-Tag"] == "noindex"
        assert page.headers["Referrer-Policy"] == "same-origin"


def test_an_answer_is_kept_and_leads_on(visitor: Visitor) -> None:
    assert visitor.start() == "industry"
    assert visitor.answer("industry", "food") == "credit_sales"
    assert visitor.answer("credit_sales", amount="4,200") == "export_share"
    assert chosen(visitor.get("/health-check/questions/industry").text) == ["food"]
    sales = visitor.get("/health-check/questions/credit_sales").text
    assert 'name="amount" inputmode="decimal" autocomplete="off" value="4200"' in sales
    assert chosen(sales) == []


@pytest.mark.parametrize(
    ("question", "fields", "words", "at"),
    [
        ("credit_sales", {}, "拿不准就选“不便透露 / 说不准”", "answer"),
        ("credit_sales", {"amount": "许多"}, "金额请填大于0的数字", "amount"),
        ("dso", {"answer": "le3000"}, "选项有更新", "answer"),
    ],
)
def test_what_is_no_answer_is_said_beside_the_field_and_in_a_summary(
    visitor: Visitor, question: str, fields: dict[str, str], words: str, at: str
) -> None:
    visitor.answer_until(question)
    page = visitor.post(f"/health-check/questions/{question}", {"go": "next"} | fields)
    assert page.status_code == 422
    assert re.search(rf'<li><a href="#{at}">[^<]*{words}', page.text)
    assert re.search(rf'id="{at}-error">.*<span>[^<]*{words}', page.text)
    assert "<title>错误：第" in page.text
    assert f'id="{at}"' in page.text
    assert fields.get("amount", "") in page.text


def test_back_keeps_the_choice_and_needs_none(visitor: Visitor) -> None:
    visitor.answer_until("overdue_share")
    assert visitor.answer("overdue_share", "gt50", go="back") == "dso"
    assert visitor.answer("dso", go="back") == "export_share"
    assert visitor.answer("export_share", "none") == "dso"
    assert visitor.answer("dso", "le30") == "overdue_share"
    assert chosen(visitor.get("/health-check/questions/overdue_share").text) == ["gt50"]
    visitor.post("/health-check/questions/industry", {"go": "back"})
    assert visitor.page.headers["Location"] == "/health-check"


def test_back_loses_no_amount_that_cannot_be_read(visitor: Visitor) -> None:
    visitor.answer_until("credit_sales")
    address = "/health-check/questions/credit_sales"
    visitor.post(address, {"answer": "lt500", "amount": "三千多万吧", "go": "back"})
    assert visitor.page.status_code == 422
    assert 'value="三千多万吧"' in visitor.page.text
    assert "金额请填大于0的数字" in visitor.page.text
    visitor.post(address, {"answer": "lt500", "amount": "", "go": "back"})
    assert visitor.page.headers["Location"] == "/health-check/questions/industry"


@pytest.mark.parametrize("wanted", ["top5", "security", "export_terms", "nonsense", "DSO"])
def test_an_edited_address_leads_to_the_first_open_question(visitor: Visitor, wanted: str) -> None:
    visitor.answer_until("dso")
    page = visitor.get(f"/health-check/questions/{wanted}")
    assert page.status_code == 302
    assert page.headers["Location"] == "/health-check/questions/dso"
    assert visitor.answer(wanted, "le30") == "dso"
    assert chosen(visitor.get("/health-check/questions/dso").text) == []


def test_a_hint_is_asked_gently_and_once(visitor: Visitor) -> None:
    visitor.answer_until("oldest", overdue_share="p30_50")
    visitor.answer("oldest", "none")
    assert visitor.page.headers["Location"] == "/health-check/questions/oldest?look=C3"
    page = visitor.get(visitor.page.headers["Location"]).text
    assert visitor.check.prompt("C3").text in page
    assert 'href="/health-check/questions/overdue_share"' in page
    assert chosen(page) == ["none"]
    assert visitor.answer("oldest", "none") == "bad_debt"
    assert visitor.check.prompt("C3").text not in visitor.get("/health-check/questions/dso?look=C3").text


def test_a_hint_from_the_overview_names_the_buttons_that_are_there(visitor: Visitor) -> None:
    """The answer is kept by then: going back to the overview leaves it changed."""
    visitor.answer_until("answers", overdue_share="p30_50")
    visitor.answer("oldest", "none", to="answers")
    page = visitor.get(visitor.page.headers["Location"]).text
    assert "再点一次“改好了”就好" in page
    assert "下一题" not in page.partition("question__keys")[0]
    assert "不改了" not in page
    assert "回到全部答案" in page


def test_two_tabs_lose_nothing(visitor: Visitor) -> None:
    """One tab lies open at an early question while the other goes on."""
    visitor.answer_until("correlated")
    assert visitor.answer("dso", "gt120") == "overdue_share"  # the old tab
    assert visitor.answer("correlated", "some") == "new_check"  # the new one
    assert chosen(visitor.get("/health-check/questions/dso").text) == ["gt120"]
    assert chosen(visitor.get("/health-check/questions/top5").text) == ["p30_50"]


def test_a_tab_of_a_branch_that_was_left_corrupts_nothing(visitor: Visitor) -> None:
    visitor.answer_until("answers", export_share="gt50")
    assert visitor.answer("export_share", "none", to="answers") == "answers"
    assert visitor.answer("country", "severe") == "answers"  # the old tab
    page = visitor.get("/health-check/answers").text
    assert "境外买家" not in page
    assert visitor.answer("export_share", "lt20", to="answers") == "answers"
    assert "高低都有" in visitor.get("/health-check/answers").text


def test_a_draft_goes_on_under_the_version_it_began(
    visitor: Visitor, app: Flask, check: HealthCheck, databases: Databases
) -> None:
    visitor.answer_until("dso")
    versions = app.extensions["xinheng.health_checks"].versions
    newer = another_version(check, "2.0")
    publish_form(databases.leads, newer.hash, newer.stored)
    versions.current = lambda: newer
    assert visitor.answer("dso", "le30") == "overdue_share"
    assert counts(databases, newer) == {}
    visitor.post("/health-check/start", {"anew": "yes"})
    assert counts(databases, newer) == {"industry": Counted(1, 0, 0)}


def test_where_its_version_is_gone_only_what_is_new_is_asked(
    visitor: Visitor, app: Flask, check: HealthCheck
) -> None:
    visitor.answer_until("top1")
    versions = app.extensions["xinheng.health_checks"].versions
    newer = another_version(check, "2.0")
    versions.current = lambda: newer
    versions.of = lambda version: newer if version == newer.hash else None
    assert visitor.get("/health-check/questions/nonsense").headers["Location"].endswith("/top1")
    assert visitor.answer("top1", "le10") == "top5"


def test_each_step_is_counted_in_the_transaction_of_its_answer(
    visitor: Visitor, databases: Databases, app: Flask
) -> None:
    visitor.answer_until("answers")
    found = counts(databases, visitor.check)
    assert len(found) == 23
    assert all(found[step] == Counted(1, 1, 0) for step in found if step != OVERVIEW)
    assert found[OVERVIEW] == Counted(1, 0, 0)


@pytest.mark.parametrize(("agent", "staff"), [("Baiduspider/2.0", False), ("", False), (CHROME, True)])
def test_robots_and_staff_are_not_counted(
    client: FlaskClient, databases: Databases, app: Flask, agent: str, staff: bool
) -> None:
    if staff:
        client.set_cookie(app.config["SESSION_COOKIE_NAME"], "of-the-desk", domain="127.0.0.1")
    for address in ("/health-check/start", "/health-check/questions/industry"):
        answer = client.post(address, data={"answer": "food"}, headers=PERSON | {"User-Agent": agent})
        assert answer.status_code == 303
    assert answer.headers["Location"].endswith("credit_sales")
    assert counts(databases, app.extensions["xinheng.health_check"]()) == {}


def test_a_page_of_elsewhere_answers_nothing(visitor: Visitor) -> None:
    visitor.answer_until("dso")
    answer = visitor.client.post(
        "/health-check/questions/dso", data={"answer": "le30"}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert chosen(visitor.get("/health-check/questions/dso").text) == []
