"""The page that explains the score tells every number of the definition."""

from __future__ import annotations

import pytest

from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.method import flag_words, parameter_rows, profile_rows, score_rows


def test_points_add_up_to_a_hundred_with_and_without_exports(check: HealthCheck) -> None:
    rows = score_rows(check)
    assert sum(row.most for row in rows) == pytest.approx(100)
    assert sum(row.least or 0 for row in rows) == pytest.approx(100)
    for row in rows:
        assert sum(each.most for each in row.questions) == pytest.approx(row.most)
    assert [row.name for row in rows if row.least is None] == ["出口与国别风险"]
    assert sum(len(row.questions) for row in rows) == len(check.questions)


def test_what_the_estimate_takes_of_an_option_is_told(check: HealthCheck) -> None:
    told = {each.question.id: each.estimates for row in score_rows(check) for each in row.questions}
    assert told["dso"][0] == "25天"
    assert told["overdue_share"][1] == "10%"
    assert told["oldest"][2] == "60%、40%、0%、0%、0%"
    assert told["bad_debt"][1] == "0.3%，0.9倍"
    assert told["cash_months"][1] == "4.5个月"
    assert told["review"] == ()
    profile = {each.question.id: each.estimates for each in profile_rows(check)}
    assert profile["industry"][0] == "1.3倍"
    assert profile["credit_sales"][0] == "100 / 300 / 500万元"
    assert profile["credit_sales"][-1] == "按赊销额的百分比"
    assert profile["export_share"][1] == "10%"


def test_every_parameter_is_told_with_its_range_and_basis(check: HealthCheck) -> None:
    rows = {row.range.name: row for row in parameter_rows(check)}
    assert len(rows) == 19
    assert rows["逾期1–30天的损失率"].values == ["1.5%", "2%", "4%"]
    assert rows["销售利润率"].values == ["5.3%"]
    assert rows["一年的天数"].values == ["365天"]
    assert rows["头号客户欠款的高峰"].values == ["1倍", "1.2倍", "1.5倍"]


def test_a_red_flag_is_told_in_the_words_of_its_answers(check: HealthCheck) -> None:
    assert flag_words(check, check.red_flag("RF1")).endswith("答“91–180天”或更差")
    assert "答“一半以上”；" in flag_words(check, check.red_flag("RF1"))
    assert flag_words(check, check.red_flag("RF8")) == ""
