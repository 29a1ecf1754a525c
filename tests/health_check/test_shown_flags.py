"""A red flag names the answers that raise it and what lifts it; that is what the rules then say too."""

from __future__ import annotations

import pytest
from tests.health_check.results import taken

from xinheng.health_check.assessment import assess
from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.shown_flags import level_without, raised_by, shown_flags
from xinheng.health_check.standing import standing


def test_a_flag_names_the_answers_that_raise_it_by_number(check: HealthCheck) -> None:
    found = taken(check, "P04")
    (flag,) = shown_flags(check, found.answers, found.assessment.red_flags)
    assert (flag.id, flag.floor.id, flag.by_estimate, flag.to_find_out) == ("RF3", "high", False, [])
    assert [(each.answered.number, each.answered.answer, each.limit) for each in flag.causes] == [
        (5, "30%–50%", "30%–50%"),
        (6, "180天以上", "180天以上"),
    ]


def test_the_flag_that_raised_the_level_is_told_from_the_others(check: HealthCheck) -> None:
    found = taken(check, "P04")
    flags = shown_flags(check, found.answers, found.assessment.red_flags)
    raising = raised_by(standing(check, found.assessment), flags)
    assert [each.id for each in raising] == ["RF3"]
    assert level_without(check, found.assessment, raising).id == "elevated"
    worst = taken(check, "B02")
    flags = shown_flags(check, worst.answers, worst.assessment.red_flags)
    assert len(flags) == len(check.red_flags)
    assert raised_by(standing(check, worst.assessment), flags) == []
    assert level_without(check, worst.assessment, flags).id == "high"


def better_than(check: HealthCheck, question: str, limit: str) -> str:
    """The key of the option just better than the one with this label."""
    options = check.scored[question].options
    place = next(number for number, each in enumerate(options) if each.label == limit)
    return options[place - 1].key


def test_each_thing_that_is_said_to_lift_a_flag_lifts_it(check: HealthCheck) -> None:
    worst = taken(check, "B02")
    for flag in shown_flags(check, worst.answers, worst.assessment.red_flags):
        for cause in flag.causes:
            if cause.limit:
                question = cause.answered.id
                changed = {**worst.answers, question: better_than(check, question, cause.limit)}
                assert flag.id not in assess(check, changed).red_flags, (flag.id, question)


def test_the_flag_of_the_estimate_names_what_it_rests_on(check: HealthCheck) -> None:
    found = taken(check, "P02")
    flag = next(
        each for each in shown_flags(check, found.answers, found.assessment.red_flags) if each.id == "RF8"
    )
    assert flag.by_estimate
    assert {each.answered.id for each in flag.causes} == {"top1", "dso", "coverage", "cash_months"}
    assert [each.answered.number for each in flag.causes] == sorted(
        each.answered.number for each in flag.causes
    )


@pytest.mark.parametrize("example", ["P07", UNSURE])
def test_a_possible_flag_names_what_to_find_out(check: HealthCheck, example: str) -> None:
    found = taken(check, example)
    flags = shown_flags(check, found.answers, found.assessment.possible_red_flags)
    assert [each.id for each in flags] == list(found.assessment.possible_red_flags)
    for flag in flags:
        assert flag.to_find_out
        assert all(each.answer == "不清楚" for each in flag.to_find_out)
