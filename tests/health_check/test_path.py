"""Which questions are asked: branches, the first open one, no jumping ahead, no answer of a branch not taken."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.path import (
    Progress,
    answers_on_path,
    before,
    first_open,
    is_answered,
    opened,
    progress,
    questions_on_path,
)

HOME = {"industry": "food", "credit_sales": "lt500", "export_share": "none"}
ABROAD = {**HOME, "export_share": "gt50"}


def all_answered(check: HealthCheck, answers: Mapping[str, str]) -> dict[str, str | float]:
    """These, and the first option of every other question that is asked."""
    asked = questions_on_path(check, answers)
    return {question.id: question.options[0].key for question in asked} | answers


@pytest.mark.parametrize(("answers", "asked"), [({}, 22), (HOME, 22), (ABROAD, 24)])
def test_export_questions_are_asked_of_exporters(
    check: HealthCheck, answers: Mapping[str, str], asked: int
) -> None:
    ids = [question.id for question in questions_on_path(check, answers)]
    assert len(ids) == asked
    assert ("country" in ids) == (asked == 24)
    assert ids == [question for question in check.asked if question in ids]


def test_progress_follows_the_branch(check: HealthCheck) -> None:
    assert progress(check, {}, "export_share") == Progress(3, 22)
    assert progress(check, ABROAD, "dso") == Progress(4, 24)
    assert progress(check, ABROAD, "coverage") == Progress(23, 24)
    assert progress(check, HOME, "coverage") == Progress(21, 22)
    with pytest.raises(KeyError):
        progress(check, HOME, "country")


def test_the_first_open_question_is_the_next(check: HealthCheck) -> None:
    assert first_open(check, {}) == check.asked["industry"]
    assert first_open(check, HOME) == check.asked["dso"]
    assert first_open(check, {**HOME, "top1": "le10"}) == check.asked["dso"]
    assert first_open(check, all_answered(check, HOME)) is None


def test_going_abroad_at_the_end_opens_the_export_questions(check: HealthCheck) -> None:
    done = all_answered(check, HOME)
    assert first_open(check, {**done, "export_share": "lt20"}) == check.asked["export_terms"]


def test_an_exact_amount_answers_its_question(check: HealthCheck) -> None:
    answers = {"industry": "food", "credit_sales_wan": 900.0}
    assert is_answered(check.asked["credit_sales"], answers)
    assert not is_answered(check.asked["industry"], {"": 1.0})
    assert first_open(check, answers) == check.asked["export_share"]


def test_nobody_jumps_ahead(check: HealthCheck) -> None:
    assert opened(check, HOME, "credit_sales") == check.asked["credit_sales"]
    assert opened(check, HOME, "dso") == check.asked["dso"]
    assert opened(check, HOME, "top1") == check.asked["dso"]
    assert opened(check, {}, "security") == check.asked["industry"]


def test_a_question_that_is_not_asked_leads_to_the_first_open_one(check: HealthCheck) -> None:
    assert opened(check, HOME, "country") == check.asked["dso"]
    assert opened(check, HOME, "../etc") == check.asked["dso"]
    assert opened(check, all_answered(check, HOME), "country") is None


def test_back_skips_a_branch_not_taken(check: HealthCheck) -> None:
    assert before(check, HOME, "industry") is None
    assert before(check, HOME, "coverage") == check.asked["paid_late"]
    assert before(check, ABROAD, "coverage") == check.asked["country"]
    with pytest.raises(KeyError):
        before(check, HOME, "country")


def test_answers_of_a_branch_not_taken_do_not_count(check: HealthCheck) -> None:
    stale = {"country": "severe", "gone": "x", **HOME, "credit_sales_wan": 5.0}
    assert [*answers_on_path(check, stale)] == [
        "industry",
        "credit_sales",
        "credit_sales_wan",
        "export_share",
    ]
    assert "country" in answers_on_path(check, {**stale, "export_share": "gt50"})
