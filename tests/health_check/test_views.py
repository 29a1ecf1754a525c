"""The pages that everybody sees alike: what the check is, and how its score is made."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from tests.conftest import ORIGIN
from tests.health_check.conftest import Visitor

from xinheng.health_check.definition import HealthCheck

pytestmark = pytest.mark.databases("sqlite")


@pytest.mark.parametrize("address", ["/health-check", "/health-check/method"])
def test_anything_may_keep_them(visitor: Visitor, another: Visitor, address: str) -> None:
    """Who has begun gets the same page as who hasn't; no cookie is set."""
    visitor.answer_until("top1")
    mine, other = visitor.get(address), another.get(address)
    assert mine.status_code == 200
    assert mine.cache_control.public
    assert mine.data == other.data
    assert f'<link rel="canonical" href="{ORIGIN}{address}">' in mine.text


def test_the_first_page_says_how_long_it_takes_and_what_it_is_not(client: FlaskClient) -> None:
    page = client.get("/health-check").text
    for words in (
        "22题",
        "24题",
        "约5分钟",
        "不留姓名电话",
        "不是信用评级，不是征信",
        "评分说明",
        "直接咨询",
    ):
        assert words in page
    assert 'action="/health-check/start"' in page


def test_the_method_tells_all_weights_points_and_parameters(client: FlaskClient, check: HealthCheck) -> None:
    page = client.get("/health-check/method").text
    for question in check.questions:
        assert question.text in page
        for option in question.options:
            assert option.label in page
    for name in type(check.parameters).model_fields:
        found = getattr(check.parameters, name)
        assert found.name in page
        assert found.basis in page
    for each in (*check.levels, *check.confidence):
        assert each.name in page
    for flag in check.red_flags:
        assert flag.text in page
    assert "不是信用评级，不是征信" in page


def test_machines_are_told_of_them_and_kept_off_the_rest(client: FlaskClient) -> None:
    sitemap = client.get("/sitemap.xml").text
    assert f"<loc>{ORIGIN}/health-check</loc>" in sitemap
    assert f"<loc>{ORIGIN}/health-check/method</loc>" in sitemap
    robots = client.get("/robots.txt").text
    for path in ("questions/", "answers", "saved", "resume/", "results/"):
        assert f"Disallow: /health-check/{path}\n" in robots


def test_the_roads_lead_there(client: FlaskClient) -> None:
    home = client.get("/").text
    assert '<a class="road road--first" href="/health-check"><b>风险自查</b>' in home
    assert "22道题，约5分钟" in home
    article = client.get("/articles/ageing").text
    assert '<a class="button button--quiet" href="/health-check">风险自查</a>' in article
    assert '<a href="/health-check">五分钟风险自查</a>' in article
    assert '<a href="/health-check/method">评分方法</a>' in home
    assert '<a href="/privacy/request">查询、更正或删除信息</a>' in home


@pytest.mark.usefixtures("saved_files_are_seen")
def test_a_saved_definition_goes_live_and_a_wrong_one_does_not(client: FlaskClient, data_root: Path) -> None:
    file = data_root / "forms" / "health_check.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('version = "1.0"', 'version = "1.1"'), encoding="utf-8")
    assert "现行版本1.1" in client.get("/health-check/method").text
    file.write_text(text.replace("weight = 22", "weight = 23"), encoding="utf-8")
    assert "现行版本1.1" in client.get("/health-check/method").text
