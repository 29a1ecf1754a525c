"""What visitors answer: an option's key or an amount, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from xinheng.health_check.answers import (
    NoSuchQuestion,
    NotOffered,
    checked_answer,
    known_answers,
)
from xinheng.health_check.definition import HealthCheck


@pytest.mark.parametrize(
    ("question", "given", "kept"),
    [
        ("dso", "d31_60", "d31_60"),
        ("dso", "unsure", "unsure"),
        ("credit_sales", "unsure", "unsure"),
        ("export_share", "none", "none"),
        ("credit_sales_wan", 4200, 4200.0),
        ("credit_sales_wan", 0.5, 0.5),
        ("credit_sales_wan", "4200", 4200.0),
        ("credit_sales_wan", " 4,200.5 ", 4200.5),
        ("credit_sales_wan", "４２００", 4200.0),
        ("credit_sales_wan", "4，200", 4200.0),
        ("credit_sales_wan", 100_000_000, 100_000_000.0),
    ],
)
def test_an_answer_is_kept_as_it_counts(check: HealthCheck, question: str, given: Any, kept: Any) -> None:
    found = checked_answer(check, question, given)
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("question", "given"),
    [
        ("dso", "d31"),
        ("dso", ""),
        ("dso", 1),
        ("dso", None),
        ("dso", ["le30"]),
        ("export_share", "unsure"),
        ("credit_sales", "4200"),
    ],
)
def test_what_is_not_offered_names_question_and_options(
    check: HealthCheck, question: str, given: Any
) -> None:
    with pytest.raises(NotOffered) as raised:
        checked_answer(check, question, given)
    assert raised.value.question == question
    assert raised.value.allowed == tuple(check.offered[question])
    assert str(raised.value) == f"{question}：没有选项 {given!r}，应为 {'、'.join(check.offered[question])}"


@pytest.mark.parametrize(
    "given",
    [
        *(
            0,
            -1,
            1e9,
            10**400,
            float("nan"),
            float("inf"),
            5e-324,
            True,
            None,
            "",
            "-5",
            "四千",
            "4,20",
            "1e3",
        ),
        *("4200万", "9" * 400, [4200]),
    ],
)
def test_what_is_no_amount_says_what_one_is(check: HealthCheck, given: Any) -> None:
    with pytest.raises(NotOffered, match=r"应为 0\.0001 到 100000000 的数字（万元）") as raised:
        checked_answer(check, "credit_sales_wan", given)
    assert raised.value.question == "credit_sales_wan"


def test_an_unknown_question_names_those_there_are(check: HealthCheck) -> None:
    with pytest.raises(NoSuchQuestion, match="没有题目 colour，应为 industry、") as raised:
        checked_answer(check, "colour", "red")
    assert raised.value.allowed == (*check.asked, "credit_sales_wan")


def test_what_is_not_allowed_counts_as_not_given(check: HealthCheck) -> None:
    assert known_answers(check, {"dso": "x", "top1": "le10", "gone": "y", "credit_sales_wan": -1}) == {
        "top1": "le10"
    }
