"""The estimate in words: two significant figures, and always a range."""

from __future__ import annotations

import pytest
from tests.health_check.test_assessment import answers_of

from xinheng.health_check.assessment import assess
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.figures import Figure, Unit, amount_words, figures


@pytest.mark.parametrize(
    ("amount", "unit", "words"),
    [
        (29.1, "wan", "29万元"),
        (2464.9, "wan", "2500万元"),
        (9949.0, "wan", "9900万元"),
        (9950.1, "wan", "1亿元"),
        (12_345.0, "wan", "1.2亿元"),
        (1.04, "wan", "1万元"),
        (0.996, "wan", "1万元"),
        (0.35, "wan", "3500元"),
        (0.00012, "wan", "1.2元"),
        (0.0, "wan", "0元"),
        (0.694, "percent", "0.69%"),
        (12.11, "percent", "12%"),
        (0.0, "percent", "0%"),
        (0.854, "months", "0.9个月"),
        (0.05, "months", "0.1个月"),
        (0.049, "months", "不足0.1个月"),
        (0.0, "months", "不足0.1个月"),
    ],
)
def test_an_amount_has_two_significant_figures(amount: float, unit: Unit, words: str) -> None:
    assert amount_words(amount, unit) == words


@pytest.mark.parametrize(
    ("least", "most", "unit", "between"),
    [
        (15.8, 78.1, "wan", "16万–78万元"),
        (9500, 14_000, "wan", "9500万–1.4亿元"),
        (0.35, 0.79, "wan", "3500–7900元"),
        (0.98, 1.2, "wan", "9800元–1.2万元"),
        (29.1, 29.2, "wan", "29万元"),
        (1.0, 1.5, "months", "1.0–1.5个月"),
        (0.0, 1.9, "months", "不足0.1–1.9个月"),
        (0.0, 0.0, "months", "不足0.1个月"),
        (0.38, 1.86, "percent", "0.38%–1.9%"),
    ],
)
def test_a_range_names_its_unit_so_that_it_cannot_be_misread(
    least: float, most: float, unit: Unit, between: str
) -> None:
    assert Figure("expected_loss", "预期损失", unit, least, least, most).between == between


def test_a_figure_is_never_without_its_range(check: HealthCheck) -> None:
    answers = answers_of("P01")
    loss = {each.key: each for each in figures(check, assess(check, answers), answers)}["expected_loss"]
    assert loss.words == "约29万元，估算区间16万–78万元"


def test_the_runway_runs_from_the_shorter_to_the_longer(check: HealthCheck) -> None:
    answers = answers_of("P01")
    runway = next(each for each in figures(check, assess(check, answers), answers) if each.unit == "months")
    assert runway.least < runway.middle < runway.most
    assert runway.words == "约0.8个月，估算区间不足0.1–1.9个月"


def test_cash_that_is_gone_at_once_is_not_about_no_months(check: HealthCheck) -> None:
    answers = answers_of("P02")
    runway = {each.key: each for each in figures(check, assess(check, answers), answers)}[
        "stress_runway_months"
    ]
    assert runway.about == "不足0.1个月"


def test_amounts_are_percentages_where_sales_are_not_known(check: HealthCheck) -> None:
    for sales in ({}, {"credit_sales": "unsure"}):
        answers = {key: each for key, each in answers_of("P01").items() if key != "credit_sales_wan"} | sales
        found = figures(check, assess(check, answers), answers)
        assert {each.unit for each in found} == {"percent", "months"}
    assert {each.unit for each in figures(check, assess(check, answers_of("P03")), answers_of("P03"))} == {
        "wan",
        "months",
    }
