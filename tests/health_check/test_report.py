"""What a result page shows holds together for every kind of result."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.health_check.conftest import NOON
from tests.health_check.results import EXAMPLES, taken

from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.report import report


@pytest.mark.parametrize("example", [*EXAMPLES, UNSURE])
def test_every_result_can_be_shown(check: HealthCheck, example: str) -> None:
    found = taken(check, example)
    shown = report(found, {}, None)
    assert shown.comparison is None
    assert shown.tried.changes == []
    assert len(shown.reasons) == len(found.assessment.reasons)
    assert all(each.answered.id == each.found.question for each in shown.reasons)
    assert {*(each.dimension.name for each in shown.bars), *shown.left_out} == {
        each.name for each in check.dimensions
    }


def test_confidence_counts_what_was_unsure_and_names_three(check: HealthCheck) -> None:
    sure = report(taken(check, "P07"), {}, None).confidence
    assert (sure.name, sure.unsure, sure.scored) == ("较低", 7, 21)
    assert sure.share == 32
    assert len(sure.first) == 3
    assert [width for _, width in sure.first] == sorted((width for _, width in sure.first), reverse=True)
    assert report(taken(check, "P04"), {}, None).confidence.first == []


def test_where_the_level_was_raised_it_says_by_what_and_what_it_would_be(check: HealthCheck) -> None:
    shown = report(taken(check, "P04"), {}, None)
    assert [each.id for each in shown.raising] == ["RF3"]
    assert shown.lowered_to.name == "偏高"


def test_the_best_result_has_nothing_to_do(check: HealthCheck) -> None:
    shown = report(taken(check, "B01"), {}, None)
    assert (shown.reasons, shown.flags, shown.possible_flags, shown.steps) == ([], [], [], [])


def test_the_one_before_is_compared(check: HealthCheck) -> None:
    shown = report(taken(check, "P08"), {}, taken(check, "P04", NOON - timedelta(days=9)))
    assert shown.comparison
    assert shown.comparison.then.level.id == "high"
