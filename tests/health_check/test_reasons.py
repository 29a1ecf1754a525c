"""Why the score is what it is: few reasons, the largest first, what moves the risk away last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.reasons import FoundReason, one_step_gain, reasons
from xinheng.health_check.scoring import chosen_options, scope_of


def reasons_for(check: HealthCheck, answers: Mapping[str, str]) -> Sequence[FoundReason]:
    """With the best answer to everything else, without exports."""
    whole = {each.id: each.options[0].key for each in check.questions} | {"export_share": "none"} | answers
    scope = scope_of(check, whole)
    return reasons(check, scope, chosen_options(scope, whole, "mid"), whole)


def test_there_is_no_reason_where_nothing_adds(check: HealthCheck) -> None:
    assert reasons_for(check, {}) == []


def test_two_of_a_dimension_are_enough(check: HealthCheck) -> None:
    found = reasons_for(
        check, {"dso": "gt120", "overdue_share": "gt50", "oldest": "d180p", "paid_late": "once"}
    )
    assert [each.question for each in found] == ["overdue_share", "dso", "paid_late"]


def test_what_moves_the_risk_away_comes_last_however_much_it_adds(check: HealthCheck) -> None:
    found = reasons_for(check, {"coverage": "none", "dso": "d31_60", "review": "yearly"})
    assert [each.question for each in found] == ["review", "dso", "coverage"]
    assert found[2].contribution > found[0].contribution


def test_a_reason_says_what_one_step_better_would_win(check: HealthCheck) -> None:
    [found] = reasons_for(check, {"oldest": "d61_90"})
    assert found.code == "R_OLD_DEBT"
    assert found.contribution == pytest.approx(22 / 92 * 0.25 * 55)
    assert found.one_step_gain == pytest.approx(22 / 92 * 0.25 * (55 - 30))
    assert not found.unsure


def test_an_unsure_answer_is_told_as_such(check: HealthCheck) -> None:
    [found] = reasons_for(check, {"oldest": UNSURE})
    assert found.unsure
    assert found.contribution == pytest.approx(22 / 92 * 0.25 * 55)


def test_nothing_is_won_beyond_the_best(check: HealthCheck) -> None:
    scope = scope_of(check, {"export_share": "none"})
    question = check.scored["dso"]
    assert one_step_gain(scope, question, question.options[0]) == 0
