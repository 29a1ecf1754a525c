"""Questions and answers in words, numbered as their visitor saw them."""

from __future__ import annotations

import pytest
from tests.health_check.results import EXAMPLES, taken

from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.wording import answered, exact_amount


@pytest.mark.parametrize(("example", "questions"), [("P04", 22), ("B02", 24), (UNSURE, 22)])
def test_the_path_is_numbered_without_a_gap(check: HealthCheck, example: str, questions: int) -> None:
    found = answered(check, taken(check, example).answers)
    assert [each.number for each in found] == list(range(1, questions + 1))
    assert all(each.question and each.answer for each in found)


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_key_is_shown_for_a_word(check: HealthCheck, example: str) -> None:
    keys = {option for each in check.asked for option in check.offered[each]}
    assert not keys & {each.answer for each in answered(check, taken(check, example).answers)}


def test_an_amount_is_shown_as_it_was_typed(check: HealthCheck) -> None:
    sales = {each.id: each for each in answered(check, taken(check, "P04").answers)}["credit_sales"]
    assert (sales.answer, sales.unsure, sales.group) == ("8000万元", False, "")
    assert [exact_amount(each) for each in (4235.5, 12.25, 100000.0)] == [
        "4235.5万元",
        "12.25万元",
        "100000万元",
    ]


def test_unsure_is_one_word(check: HealthCheck) -> None:
    found = {each.id: each for each in answered(check, taken(check, "P07").answers)}
    assert (found["proof"].answer, found["proof"].unsure) == ("不清楚", True)
    assert found["dso"].group == check.dimension("D1").name
