"""A check as a whole: begun, put away, gone on with elsewhere, looked over, finished; gone when its time is over."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update
from tests.conftest import ORIGIN, check_page
from tests.databases import allow_inserts, refuse_inserts
from tests.health_check.conftest import Visitor

from xinheng.assessments import Assessment, find
from xinheng.crypto import Keys
from xinheng.db import Databases
from xinheng.health_check.drafts import CheckDraft


def drafts(databases: Databases) -> int:
    with databases.counters.reading() as session:
        return session.scalar(select(func.count()).select_from(CheckDraft)) or 0


def results(databases: Databases) -> int:
    with databases.leads.reading() as session:
        return session.scalar(select(func.count()).select_from(Assessment)) or 0


def age(databases: Databases, by: timedelta) -> None:
    """Let time pass for all drafts."""
    with databases.counters.writing() as session:
        (touched,) = session.scalars(select(CheckDraft.touched_at))
        session.execute(update(CheckDraft).values(touched_at=touched - by))


def test_the_cookie_is_set_at_the_start_only(visitor: Visitor) -> None:
    visitor.get("/health-check")
    assert visitor.token() == ""
    visitor.start()
    (cookie,) = visitor.page.headers.getlist("Set-Cookie")
    parts = dict(part.strip().partition("=")[::2] for part in cookie.split(";"))
    assert len(parts.pop("check")) == 22
    del parts["Expires"]
    assert parts == {
        "Max-Age": str(180 * 86400),
        "HttpOnly": "",
        "Path": "/health-check",
        "SameSite": "Lax",
    }
    visitor.answer("industry", "food")
    assert visitor.page.headers.getlist("Set-Cookie") == []


def test_over_https_the_cookie_is_secure(visitor: Visitor, app: Flask) -> None:
    desk = app.extensions["xinheng.health_checks"]
    app.extensions["xinheng.health_checks"] = replace(desk, secure=True)
    visitor.start()
    assert re.match(r"__Secure-check=[\w-]{22}; .*Secure; HttpOnly", visitor.page.headers["Set-Cookie"])


def test_who_comes_back_is_asked_whether_to_go_on(visitor: Visitor, databases: Databases) -> None:
    visitor.answer_until("top1")
    assert visitor.start() == "saved"
    page = visitor.get("/health-check/saved").text
    assert "已经存好，答了7题" in page
    assert "还有15题，大约3分钟" in page
    assert "起保存30天，到期删除" in page
    assert '<a class="button" href="/health-check/questions/top1">接着答</a>' in page
    assert f'value="{ORIGIN}/health-check/resume/{visitor.token()}"' in page
    token = visitor.token()
    assert visitor.start(anew="yes") == "industry"
    assert visitor.token() == token
    assert visitor.get("/health-check/questions/dso").headers["Location"].endswith("/industry")
    assert drafts(databases) == 1


def test_who_answered_nothing_just_begins(visitor: Visitor, databases: Databases) -> None:
    for _ in range(3):
        assert visitor.start() == "industry"
    assert drafts(databases) == 1
    page = visitor.get("/health-check/saved").text
    assert "还没有答，随时可以开始" in page
    assert "起保存2天，到期删除" in page


def test_another_device_goes_on_by_the_link(visitor: Visitor, another: Visitor) -> None:
    visitor.answer_until("top1")
    address = f"/health-check/resume/{visitor.token()}"
    page = another.get(address)
    assert page.status_code == 200
    check_page(page)
    assert "已经答了7题" in page.text
    assert another.token() == ""  # looking sets no cookie
    another.post(address)
    assert another.at() == "top1"
    assert another.token() == visitor.token()
    assert another.answer("top1", "le10") == "top5"
    assert visitor.answer("top5", "le30") == "correlated"


@pytest.mark.parametrize("token", ["0" * 22, "x", "a-b_c"])
def test_a_wrong_link_says_so_and_offers_a_start(visitor: Visitor, token: str) -> None:
    for page in (visitor.get(f"/health-check/resume/{token}"), visitor.post(f"/health-check/resume/{token}")):
        assert page.status_code == 410
        assert "没法接着答" in page.text
        assert "这份自查已经删除" not in page.text  # perhaps it is only half of a link
        assert 'action="/health-check/start"' in page.text
    assert visitor.token() == ""


def test_what_is_over_says_so_plainly(visitor: Visitor, databases: Databases) -> None:
    visitor.answer_until("top1")
    age(databases, timedelta(days=30))
    address = f"/health-check/resume/{visitor.token()}"
    for page in (
        visitor.get("/health-check/questions/top1"),
        visitor.get(address),
        visitor.get("/health-check/saved"),
    ):
        assert page.status_code == 410
        assert "只保存30天" in page.text
    assert visitor.post("/health-check/questions/top1", {"answer": "le10"}).status_code == 410
    assert visitor.start() == "industry"


def test_a_browser_without_a_check_is_told_how_to_begin(visitor: Visitor) -> None:
    for address in ("questions/dso", "saved", "answers"):
        page = visitor.get(f"/health-check/{address}")
        assert page.status_code == 404
        assert "Cookie" in page.text
        assert 'action="/health-check/start"' in page.text
    for address in ("questions/dso", "finish"):
        assert visitor.post(f"/health-check/{address}").status_code == 404


def test_the_overview_shows_all_answers_and_where_to_change_them(visitor: Visitor) -> None:
    visitor.answer_until("answers", dso="unsure")
    visitor.answer("credit_sales", amount="4200", to="answers")
    page = visitor.get("/health-check/answers").text
    assert page.count('aria-label="改：') == 22
    assert "<dd>4200万元</dd>" in page
    assert '<dd class="review__unsure">不清楚 / 暂时说不准</dd>' in page
    assert 'href="/health-check/questions/dso?to=answers"' in page
    change = visitor.get("/health-check/questions/dso?to=answers").text
    assert '<input type="hidden" name="to" value="answers">' in change
    assert ">改好了</button>" in change
    assert visitor.answer("dso", "le30", to="answers") == "answers"


def test_a_change_that_opens_a_branch_asks_it_and_comes_back(visitor: Visitor) -> None:
    visitor.answer_until("answers")
    visitor.answer("export_share", "gt50", to="answers")
    assert visitor.page.headers["Location"] == "/health-check/questions/export_terms?to=answers"
    assert visitor.get("/health-check/answers").headers["Location"].endswith("/export_terms")
    visitor.post("/health-check/finish")
    assert visitor.at() == "export_terms"
    visitor.answer("export_terms", "dp", to="answers")
    assert visitor.answer("country", "low", to="answers") == "answers"


def test_a_finished_check_is_kept_and_shown(visitor: Visitor, databases: Databases, keys: Keys) -> None:
    visitor.answer_until("answers", top1="unsure", export_share="gt50")
    visitor.answer("export_share", "none", to="answers")
    visitor.post("/health-check/finish")
    assert visitor.page.headers["Location"].startswith("/health-check/results/")
    with databases.leads.reading() as session:
        kept = find(session, keys, visitor.at(), datetime.now(UTC))
    assert kept
    assert (kept.version, kept.previous_id) == (visitor.check.hash, None)
    assert kept.answers["top1"] == "unsure"
    assert "country" not in kept.answers
    assert 0 < kept.result["score"] < 100
    result = visitor.get(visitor.page.headers["Location"])
    assert result.status_code == 200


def test_finished_twice_is_one_result(visitor: Visitor, databases: Databases) -> None:
    visitor.answer_until("answers")
    visitor.post("/health-check/finish")
    first = visitor.at()
    visitor.post("/health-check/finish")
    assert (visitor.at(), results(databases)) == (first, 1)


def test_the_next_one_knows_the_one_before(visitor: Visitor, databases: Databases, keys: Keys) -> None:
    visitor.answer_until("answers")
    visitor.post("/health-check/finish")
    first = visitor.at()
    assert visitor.start() == "saved"
    page = visitor.get("/health-check/saved").text
    assert "起保存180天，到期删除" in page
    assert "这份自查已经答完" in page
    assert f'href="/health-check/results/{first}"' in page
    visitor.post("/health-check/start", {"anew": "yes"})
    here = "industry"
    while here != "answers":
        here = visitor.answer(
            here, next(iter(visitor.check.offered[here])) if here != "export_share" else "none"
        )
    visitor.post("/health-check/finish")
    with databases.leads.reading() as session:
        before, after = (
            find(session, keys, first, datetime.now(UTC)),
            find(session, keys, visitor.at(), datetime.now(UTC)),
        )
    assert before
    assert after
    assert after.previous_id == before.id


def test_while_the_database_refuses_the_answers_wait(visitor: Visitor, databases: Databases) -> None:
    visitor.answer_until("answers")
    refuse_inserts(databases.leads, "assessments")
    page = visitor.post("/health-check/finish")
    assert page.status_code == 503
    check_page(page)
    assert page.headers["Retry-After"] == "60"
    assert "您的答案都还在" in page.text
    assert results(databases) == 0
    again = visitor.get("/health-check/finish")  # a phone that opens its tabs anew
    assert again.status_code == 200
    assert "都答完了" in again.text
    allow_inserts(databases.leads, "assessments")
    visitor.post("/health-check/finish")
    assert visitor.page.status_code == 303
    assert results(databases) == 1


def test_a_result_that_was_deleted_meanwhile_is_no_obstacle(visitor: Visitor, databases: Databases) -> None:
    visitor.answer_until("answers")
    visitor.post("/health-check/finish")
    with databases.leads.writing() as session:
        session.execute(delete(Assessment))
    visitor.answer("dso", "gt120", to="answers")
    visitor.post("/health-check/finish")
    assert visitor.get(visitor.page.headers["Location"]).status_code == 200


def test_answers_are_changed_where_they_are_at_hand(visitor: Visitor, another: Visitor) -> None:
    visitor.answer_until("answers")
    visitor.post("/health-check/finish")
    result = visitor.page.headers["Location"]
    assert "改几个答案再算" in visitor.get(result).text
    assert "改几个答案再算" not in another.get(result).text
    visitor.start(anew="yes")
    assert "改几个答案再算" not in visitor.get(result).text


def test_who_deleted_a_result_gets_it_anew_with_the_same_answers(
    visitor: Visitor, databases: Databases
) -> None:
    visitor.answer_until("answers")
    visitor.post("/health-check/finish")
    first = visitor.at()
    with databases.leads.writing() as session:
        session.execute(delete(Assessment))
    page = visitor.get("/health-check/saved").text
    assert first not in page
    assert "全部答完" in page
    visitor.post("/health-check/finish")
    assert visitor.at() != first
    assert visitor.get(visitor.page.headers["Location"]).status_code == 200


def test_an_answer_that_comes_while_a_second_tab_begins_is_not_lost(visitor: Visitor, app: Flask) -> None:
    visitor.start()
    token, drafts = visitor.token(), app.extensions["xinheng.health_checks"].drafts
    with ThreadPoolExecutor(1) as second_tab:
        with drafts.changing(token, datetime.now(UTC), counts=True) as draft:
            draft.answers["industry"] = "food"
            begun = second_tab.submit(visitor.start)
            time.sleep(0.3)  # by now it has seen no answer, and waits for its turn
        assert begun.result() == "saved"
    assert "答了1题" in visitor.get("/health-check/saved").text


def test_nothing_that_is_only_looked_at_is_changed(visitor: Visitor, databases: Databases) -> None:
    visitor.answer_until("top1")

    def rows() -> list[tuple[datetime, bytes]]:
        with databases.counters.reading() as session:
            return [tuple(row) for row in session.execute(select(CheckDraft.touched_at, CheckDraft.state))]

    before = rows()
    for address in (
        "",
        "/method",
        "/questions/top1",
        "/questions/dso",
        "/saved",
        "/answers",
        f"/resume/{visitor.token()}",
    ):
        visitor.get(f"/health-check{address}")
    assert rows() == before


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"source": "search", "article": "ageing"}, ("search", "ageing")),
        ({"source": "", "article": ""}, ("direct", "")),
        ({}, ("direct", "")),
        ({"source": "www.baidu.com", "article": "no-such-article"}, ("direct", "")),
        ({"source": "x" * 5000, "article": "../../etc"}, ("direct", "")),
    ],
)
def test_of_where_a_check_is_begun_from_only_a_kind_and_an_article_of_ours_are_kept(
    visitor: Visitor, databases: Databases, sent: dict[str, str], kept: tuple[str, str]
) -> None:
    visitor.start(**sent)
    with databases.counters.reading() as session:
        row = session.scalars(select(CheckDraft)).one()
    assert (row.source, row.article) == kept
