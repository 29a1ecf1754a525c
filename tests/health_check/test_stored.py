"""A result is shown as it was stored, under the definition of its day."""

from __future__ import annotations

import json

import pytest
from tests.health_check.results import EXAMPLES, answers_of

from xinheng.health_check.assessment import assess
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.loader import stored_check
from xinheng.health_check.stored import stored_assessment


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_is_taken_up_again_is_what_was_stored(check: HealthCheck, example: str) -> None:
    answers = answers_of(check, example)
    found = assess(check, answers)
    stored = json.loads(json.dumps(found.as_json()))
    again = stored_assessment(stored_check(check.stored), answers, stored)
    assert json.loads(json.dumps(again.as_json())) == stored
    assert again.to_find_out == found.to_find_out
    assert again.one_level == found.one_level


def test_what_is_stored_is_shown_and_not_reckoned_again(check: HealthCheck) -> None:
    answers = answers_of(check, "P04")
    stored = assess(check, answers).as_json() | {"score_shown": 33, "level": "moderate"}
    again = stored_assessment(check, answers, stored)
    assert (again.score_shown, again.level) == (33, "moderate")


def test_a_result_of_another_kind_says_so(check: HealthCheck) -> None:
    with pytest.raises(KeyError):
        stored_assessment(check, {}, {"score": 12})
