"""A bar for each dimension that counts, by what it adds to the score, with the range that 不清楚 leaves."""

from __future__ import annotations

import pytest
from tests.health_check.results import EXAMPLES, taken

from xinheng.health_check.bars import bars
from xinheng.health_check.definition import HealthCheck


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_bars_hold_all_that_counts(check: HealthCheck, example: str) -> None:
    found = taken(check, example)
    shown = bars(check, found.answers, found.assessment)
    assert {each.dimension.id for each in shown} == set(found.assessment.dimensions)
    for each in shown:
        assert 0 <= each.low <= each.value <= each.high <= 100
        assert 0 < each.middle < 100
        assert abs(each.value - found.assessment.dimensions[each.dimension.id]) <= 0.5


def test_they_are_ordered_by_what_they_add_to_the_score(check: HealthCheck) -> None:
    found = taken(check, "P04")
    shown = bars(check, found.answers, found.assessment)
    added = [each.dimension.weight * found.assessment.dimensions[each.dimension.id] for each in shown]
    assert added == sorted(added, reverse=True)
    assert [each.dimension.id for each in shown][:2] == ["D1", "D2"]


def test_only_what_was_unsure_has_a_range(check: HealthCheck) -> None:
    found = taken(check, "P08", review="unsure")
    wide = [each.dimension.id for each in bars(check, found.answers, found.assessment) if not each.sure]
    assert wide == ["D3"]
    (bar,) = [each for each in bars(check, found.answers, found.assessment) if each.dimension.id == "D3"]
    assert (bar.low, bar.value, bar.high, bar.between) == (30, 46, 58, "30–58")
