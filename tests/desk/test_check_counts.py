"""Where visitors leave the health check: per question, version and range of days, each share of its own times shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import delete
from tests.desk.conftest import NOON, DeskClient, SignedIn, Staff
from tests.desk.leads_at_hand import words_on
from werkzeug.test import TestResponse

from xinheng.db import Database
from xinheng.desk.check_counts import FEW, Step, bar_end
from xinheng.form_versions import FormVersion, publish_form
from xinheng.health_check.counting import OVERVIEW, QuestionCount, day_of
from xinheng.health_check.definition import HealthCheck

pytestmark = pytest.mark.usefixtures("clock")

TODAY = day_of(NOON)
OLD = "00112233aabbccdd"


@pytest.fixture
def check(app: Flask) -> HealthCheck:
    found: HealthCheck = app.extensions["xinheng.health_check"]()
    return found


@pytest.fixture
def counters(app: Flask) -> Iterator[Database]:
    """The counters, with nothing counted."""
    databases = app.extensions["xinheng.databases"]
    yield databases.counters
    with databases.counters.writing() as session:
        session.execute(delete(QuestionCount))
    with databases.leads.writing() as session:
        session.execute(delete(FormVersion).where(FormVersion.version == OLD))


@pytest.fixture
def editor(client: DeskClient, staff: Staff, signed_in: SignedIn) -> DeskClient:
    return signed_in(client, staff("editor", name="许文"))


def count(counters: Database, version: str, question: str, *numbers: int, days_ago: int = 0) -> None:
    """Shown, answered, left here."""
    shown, answered, left_here = numbers
    day = TODAY - timedelta(days=days_ago)
    with counters.writing() as session:
        session.add(
            QuestionCount(
                version=version,
                question=question,
                day=day,
                shown=shown,
                answered=answered,
                left_here=left_here,
            )
        )


def rows(answer: TestResponse) -> list[list[str]]:
    """The cells of the table."""
    body = re.search(r"<tbody>(.*?)</tbody>", answer.text, re.DOTALL)
    found = re.findall(r"<tr[^>]*>(.*?)</tr>", body[1], re.DOTALL) if body else []
    return [
        [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in found
    ]


def test_each_question_has_its_counts_with_times_shown_as_the_divisor(
    editor: DeskClient, counters: Database, check: HealthCheck
) -> None:
    count(counters, check.hash, "industry", 100, 96, 4, days_ago=3)
    count(counters, check.hash, "industry", 100, 96, 4)
    count(counters, check.hash, "export_terms", 40, 30, 10)
    count(counters, check.hash, OVERVIEW, 120, 110, 10)
    page = editor.get("/desk/health-check")
    table = rows(page)
    assert len(table) == len(check.asked) + 1
    assert table[0] == [
        f"1 {check.asked['industry'].text}", "出现 200", "答了 192 96.0%", "离开 8", "4.0%",
    ]  # fmt: skip
    place = [*check.asked].index("export_terms")
    assert table[place][1:] == ["出现 40", "答了 30 75.0%", "离开 10", "25.0%"]
    assert table[-1][0] == f"{len(check.asked) + 1} 看一遍全部答案"
    assert table[1][1:] == ["出现 0", "答了 0 —", "离开 0", "—"]
    assert "开始200次，看到结果110次" in words_on(page)
    assert "满格是30%" in words_on(page)
    assert '<rect x="0" y="2" width="83.3%"' in page.text


def test_a_version_that_cannot_be_read_any_more_is_counted_by_ids_the_way_people_went(
    editor: DeskClient, counters: Database
) -> None:
    count(counters, OLD, "dso", 60, 50, 10)
    count(counters, OLD, OVERVIEW, 40, 30, 10)
    count(counters, OLD, "industry", 90, 80, 10)
    page = editor.get(f"/desk/health-check?version={OLD}")
    assert [row[0] for row in rows(page)] == ["1 industry", "2 dso", "3 看一遍全部答案"]
    assert "开始90次，看到结果30次" in words_on(page)


@pytest.mark.parametrize(("days", "shown"), [("7", 1), ("30", 3), ("90", 7), ("", 3), ("8", 3), ("x", 3)])
def test_the_days_are_chosen_today_included(
    editor: DeskClient, counters: Database, check: HealthCheck, days: str, shown: int
) -> None:
    for number, days_ago in ((1, 6), (2, 29), (4, 89), (8, 90)):
        count(counters, check.hash, "industry", number, 0, 0, days_ago=days_ago)
    page = editor.get(f"/desk/health-check?days={days}")
    assert rows(page)[0][1] == f"出现 {shown}"
    assert f"近{days if days in ('7', '90') else '30'}天：" in words_on(page)


def test_versions_are_counted_apart_and_told_in_their_own_words(
    editor: DeskClient, app: Flask, counters: Database, check: HealthCheck
) -> None:
    old = check.stored.replace('"version":"1.0"', '"version":"0.9"').replace("您的企业主要属于", "贵公司属于")
    publish_form(app.extensions["xinheng.databases"].leads, OLD, old)
    count(counters, OLD, "industry", 5, 5, 0, days_ago=2)
    count(counters, check.hash, "industry", 50, 50, 0)
    page = editor.get("/desk/health-check")
    assert rows(page)[0][1] == "出现 50", "the one counted last"
    assert f'<option value="{OLD}">0.9 · 001122</option>' in page.text
    assert f"1.0 · {check.hash[:6]}（现在用的）" in page.text
    page = editor.get(f"/desk/health-check?version={OLD}")
    assert rows(page)[0] == ["1 贵公司属于哪个行业？", "出现 5", "答了 5 100.0%", "离开 0", "0.0%"]
    assert '<tr class="few">' in page.text


def test_a_version_that_cannot_be_read_any_more_has_its_counts_still(
    editor: DeskClient, counters: Database
) -> None:
    count(counters, "f" * 16, "gone_question", 60, 30, 3)
    table = rows(editor.get(f"/desk/health-check?version={'f' * 16}"))
    assert table[0] == ["1 gone_question", "出现 60", "答了 30 50.0%", "离开 3", "5.0%"]


def test_before_anybody_did_the_check_the_page_says_so(editor: DeskClient, counters: Database) -> None:
    page = editor.get("/desk/health-check")
    assert "这几天还没有人做自查" in words_on(page)
    assert "<table" not in page.text


def test_the_page_says_what_its_numbers_mean_and_who_is_left_out(
    editor: DeskClient, counters: Database
) -> None:
    said = words_on(editor.get("/desk/health-check"))
    for words in (
        "满一天没有再往下做",
        "都除以这一题自己的出现次数",
        "搜索引擎和程序",
        "登录过工作台的浏览器",
    ):
        assert words in said


def test_who_came_back_to_where_they_were_counted_as_left_makes_no_number_odd(
    editor: DeskClient, counters: Database, check: HealthCheck
) -> None:
    """They left on a day before the range, and came back on one in it."""
    count(counters, check.hash, "industry", 1, 2, -1)
    assert rows(editor.get("/desk/health-check"))[0][1:] == ["出现 1", "答了 2 100.0%", "离开 0", "0.0%"]


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("shares", "end"), [([], 5), ([0], 5), ([4.9], 5), ([5.1], 10), ([33, 2], 50), ([100], 100)]
)
def test_a_whole_bar_is_a_round_number_that_no_share_passes(
    database_kind: str, shares: list[float], end: int
) -> None:
    steps = [Step(1, "", 1000, 0, round(share * 10)) for share in shares]
    assert bar_end(steps) == end
    assert bar_end([*steps, Step(9, "", FEW - 1, 0, FEW - 1)]) == end, "too few to set the scale"
