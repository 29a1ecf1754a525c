"""A result's page: found by its secret address alone, and shown as it was; nothing it can be asked for changes anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from tests.health_check.results import EXAMPLES, answers_of, keep_result
from werkzeug.test import TestResponse

from xinheng.assessments import KEPT, Assessment
from xinheng.db import Databases
from xinheng.form_versions import FormVersion
from xinheng.health_check.assessment import assess
from xinheng.health_check.definition import UNSURE
from xinheng.leads.models import Enquiry, Lead

Fields = Callable[..., dict[str, str]]
DAY = timedelta(days=1)


def address(token: str, query: str = "") -> str:
    return f"/health-check/results/{token}{query}"


def words(page: TestResponse) -> str:
    """The text of a page, blanks between lines taken out."""
    document = html5lib.parse(page.text, namespaceHTMLElements=False)
    return re.sub(r"\s+", "", "".join(document.find("body").itertext()))


# --- what is shown ---


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("example", [*EXAMPLES, UNSURE])
def test_every_kind_of_result_has_a_page(app: Flask, client: FlaskClient, example: str) -> None:
    _, token = keep_result(app, example)
    page = client.get(address(token))
    assert page.status_code == 200
    text = words(page)
    assert not re.search(r"None|undefined|nan\b|\{\{", text)
    assert app.extensions["xinheng.health_check"]().disclaimer.replace(" ", "") in text


def test_level_and_score_are_told_apart(app: Flask, client: FlaskClient) -> None:
    text = words(client.get(address(keep_result(app, "P04")[1])))
    assert "54分（0为好，100为差）" in text
    assert "分数本身在“偏高”段；因触发1条红线，等级上调为“高”。这一条解除，等级就回到“偏高”。" in text
    assert "由第5题“30%–50%”和第6题“180天以上”触发，等级至少为“高”" in text


def test_too_much_unsure_tells_no_level_and_no_score(app: Flask, client: FlaskClient) -> None:
    page = client.get(address(keep_result(app, UNSURE)[1]))
    text = words(page)
    assert "中等至高" in text
    assert "得分应在27–98之间" in text
    assert "scale__weight" not in page.text
    assert 'money__value">约' not in page.text
    assert "占年赊销额的百分比" in text


def test_the_best_has_nothing_to_do_and_no_red_line(app: Flask, client: FlaskClient) -> None:
    text = words(client.get(address(keep_result(app, "B01")[1])))
    assert "没有要先改的" in text
    assert "条红线都没有触发" in text


def test_a_reason_leads_to_its_article_only_where_there_is_one(app: Flask, client: FlaskClient) -> None:
    page = client.get(address(keep_result(app, "P04")[1]))
    held = app.extensions["xinheng.library"].current().by_slug
    linked = set(re.findall(r'class="more" href="/articles/([a-z0-9-]+)"', page.text))
    assert linked <= set(held)


def test_what_is_stored_is_shown_whatever_the_rules_say_now(
    app: Flask, client: FlaskClient, data_root: Path, saved_files_are_seen: None
) -> None:
    _, token = keep_result(app, "P04")
    file = data_root / "forms" / "health_check.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('label = "30%–50%"', 'label = "三到五成"'), encoding="utf-8")
    assert app.extensions["xinheng.health_check"]().answer_words("overdue_share", "p30_50") == "三到五成"
    shown = words(client.get(address(token)))
    assert "由第5题“30%–50%”" in shown
    assert "三到五成" not in shown


# --- the address ---


def test_it_is_kept_out_of_caches_search_engines_and_other_sites(app: Flask, client: FlaskClient) -> None:
    for query in ("", "?format=json", "?if-top1=le10"):
        page = client.get(address(keep_result(app, "P04")[1], query))
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Robots-Tag"] == "noindex"
        assert page.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("token", ["x", "a" * 22, "%00", "长" * 8, "a" * 4000])
def test_an_unknown_address_helps_on(client: FlaskClient, token: str) -> None:
    page = client.get(address(token))
    assert page.status_code == 404
    assert "这份结果打不开" in page.text
    assert 'href="/health-check"' in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_after_its_time_it_is_gone(app: Flask, client: FlaskClient) -> None:
    now = datetime.now(UTC)
    assert client.get(address(keep_result(app, "P04", at=now - KEPT - DAY)[1])).status_code == 404
    assert client.get(address(keep_result(app, "P04", at=now - KEPT + DAY)[1])).status_code == 200


@pytest.mark.parametrize("column", ["answers", "result"])
def test_one_that_does_not_open_is_as_if_it_were_gone(
    app: Flask, client: FlaskClient, databases: Databases, column: str
) -> None:
    _, token = keep_result(app, "P04")
    with databases.leads.writing() as session:
        session.execute(update(Assessment).values(**{column: b"\1\1rubbish"}))
    assert client.get(address(token)).status_code == 404


def test_one_of_a_definition_that_nobody_can_read_is_as_if_it_were_gone(
    app: Flask, client: FlaskClient, databases: Databases
) -> None:
    _, token = keep_result(app, "P04")
    with databases.leads.writing() as session:
        session.add(FormVersion(version="other", form="{}", published_at=datetime.now(UTC)))
        session.flush()
        session.execute(update(Assessment).values(version="other"))
    assert client.get(address(token)).status_code == 404


def test_the_number_is_not_the_secret(app: Flask, client: FlaskClient) -> None:
    id, token = keep_result(app, "P04")
    page = client.get(address(token))
    (number,) = set(re.findall(r"HC-[0-9A-Z]{5}-[0-9A-Z]{5}", page.text))
    assert client.get(address(number)).status_code == 404
    assert id not in page.text


def test_it_says_how_long_it_can_be_opened(app: Flask, client: FlaskClient) -> None:
    token = keep_result(app, "P04", at=datetime(2026, 11, 1, tzinfo=UTC))[1]
    page = client.get(address(token))
    assert f"http://127.0.0.1:8000/health-check/results/{token}" in page.text
    assert "2027年4月30日以前都打得开" in words(page)


# --- what it can be asked for ---


def test_as_data_it_is_answers_version_and_result(app: Flask, client: FlaskClient) -> None:
    check = app.extensions["xinheng.health_check"]()
    data = client.get(address(keep_result(app, "P04")[1], "?format=json")).get_json()
    answers = answers_of(check, "P04")
    assert data["answers"] == dict(answers)
    assert data["result"] == assess(check, answers).as_json()
    assert (data["version"], data["definition"]) == (check.version, check.hash)
    assert data["number"].startswith("HC-")


def test_another_answer_is_tried_without_changing_the_result(app: Flask, client: FlaskClient) -> None:
    _, token = keep_result(app, "P04")
    before = client.get(address(token))
    tried = client.get(address(token, "?if-oldest=d61_90&if-top1=le10&if-dso=d91_120&if-hold=nonsense"))
    assert "54 → <b>" in tried.text
    text = words(tried)
    assert "存在长账龄欠款：180天以上→61–90天" in text
    assert "1条红线解除" in text
    assert '<option value="d61_90" selected>' in tried.text
    assert client.get(address(token)).text == before.text


def test_the_one_before_is_compared(app: Flask, client: FlaskClient) -> None:
    first, _ = keep_result(app, "P04", at=datetime.now(UTC) - 60 * DAY)
    text = words(client.get(address(keep_result(app, "P08", previous=first)[1])))
    assert "和上次比" in text
    assert "改了的答案" in text
    assert "现在31" in text
    assert "上次54" in text


def test_without_one_before_or_once_it_is_gone_nothing_is_compared(app: Flask, client: FlaskClient) -> None:
    old, _ = keep_result(app, "P04", at=datetime.now(UTC) - KEPT - DAY)
    for previous in (None, old, "0" * 32):
        page = client.get(address(keep_result(app, "P08", previous=previous)[1]))
        assert "和上次比" not in page.text


# --- the consultation form on it ---


def test_the_form_asks_whether_to_attach_it(
    app: Flask, client: FlaskClient, databases: Databases, consultation: Fields
) -> None:
    id, token = keep_result(app, "P04")
    page = client.get(address(token))
    assert "想有人一起看这份结果？" in page.text
    assert f'name="assessment" type="hidden" value="{token}"' in page.text
    fields = consultation(assessment=token, attach_assessment="yes")
    assert client.post("/consultation", data=fields).status_code == 303
    with databases.leads.reading() as session:
        assert session.query(Enquiry).one().assessment_id == id
        assert session.query(Lead).one().level == "high"
    assert "已经附在您的咨询里" in words(client.get(address(token)))


def test_where_the_form_was_filled_in_is_told_without_the_secret(
    app: Flask, client: FlaskClient, databases: Databases, consultation: Fields
) -> None:
    _, token = keep_result(app, "P04")
    touch = f'{{"page": "{address(token)}", "first": {{"path": "{address(token)}"}}}}'
    client.post("/consultation", data=consultation(touch=touch))
    with databases.leads.reading() as session:
        enquiry = session.query(Enquiry).one()
        assert token not in f"{enquiry.page} {enquiry.first_touch} {enquiry.last_touch}"
        assert enquiry.page.startswith("/health-check")
