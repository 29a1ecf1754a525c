"""What holds for any answers: nothing crashes, a worse answer never helps, what isn't known widens the band."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.conftest import ROOT

from xinheng.health_check.assessment import RUNS, Assessment, assess
from xinheng.health_check.definition import LEVELS, UNSURE
from xinheng.health_check.estimate import Estimate
from xinheng.health_check.loader import load_health_check
from xinheng.health_check.path import questions_on_path
from xinheng.health_check.scoring import shown_score

CHECK = load_health_check(ROOT / "forms", None)
Given = Mapping[str, str | float]
LOSSES = (
    *("receivables", "overdue", "receivables_at_risk", "expected_loss_gross", "expected_loss"),
    *("sales_to_recover_expected_loss", "stress_loss_gross", "stress_loss", "funding_cost_per_year"),
)
SLACK = 1e-9  # what a sum of fractions may be off
whole = settings(deadline=None)


@st.composite
def _answers(draw: st.DrawFn) -> Given:
    """Some questions answered, in any order; the branch decided."""
    chosen: dict[str, str | float] = {}
    for question, offered in CHECK.offered.items():
        if question == "export_share" or draw(st.integers(0, 9)):
            chosen[question] = draw(st.sampled_from([*offered]))
    if draw(st.booleans()):
        chosen["credit_sales_wan"] = draw(st.floats(0.0001, 1e8))
    return dict(draw(st.permutations([*chosen.items()])))


@st.composite
def _one_worse(draw: st.DrawFn) -> tuple[Given, Given]:
    """Answers, and the same with one of those that count changed for a worse one."""
    better = draw(_answers())
    open_to_worse = [
        question
        for question in questions_on_path(CHECK, better)
        if question.id in CHECK.scored and better.get(question.id) in [*CHECK.scored[question.id].by_key][:-1]
    ]
    assume(open_to_worse)
    question = CHECK.scored[draw(st.sampled_from(open_to_worse)).id]
    rank = question.rank[str(better[question.id])]
    worse = draw(st.sampled_from(question.options[rank + 1 :]))
    return better, {**better, question.id: worse.key}


def losses(estimate: Estimate) -> list[float]:
    return [getattr(estimate, name) for name in LOSSES]


def at_least(found: float, other: float) -> bool:
    return found >= other - SLACK * max(1.0, abs(other))


def level(found: str) -> int:
    return [*LEVELS].index(found)  # type: ignore[arg-type]


@whole
@given(_answers())
def test_scores_stay_between_0_and_100_and_in_order(answers: Given) -> None:
    found = assess(CHECK, answers)
    assert 0 <= found.score_low <= found.score + SLACK <= found.score_high + 2 * SLACK <= 100 + 3 * SLACK
    assert level(found.level_low) <= level(found.level) <= level(found.level_high)
    assert all(0 <= each <= 100 + SLACK for each in found.dimensions.values())
    assert 0 <= found.unsure_share <= 1
    assert 0 <= found.score_shown <= 100


@whole
@given(_answers())
def test_contributions_add_up_to_the_score(answers: Given) -> None:
    found = assess(CHECK, answers)
    assert sum(found.contributions.values()) == pytest.approx(found.score, abs=1e-9)
    assert found.contributions.keys() == {
        each.id for each in questions_on_path(CHECK, answers) if each.id in CHECK.scored
    }


@whole
@given(_one_worse())
def test_a_worse_answer_never_lowers_score_level_or_loss(pair: tuple[Given, Given]) -> None:
    before, after = (assess(CHECK, answers) for answers in pair)
    for name in ("score", "score_low", "score_high"):
        assert at_least(getattr(after, name), getattr(before, name)), name
    for name in ("level", "level_low", "level_high"):
        assert level(getattr(after, name)) >= level(getattr(before, name)), name
    assert {*before.red_flags} <= {*after.red_flags}
    assert flags(before) <= flags(after)
    for run in RUNS:
        assert all(map(at_least, losses(after.estimate[run]), losses(before.estimate[run])))
        assert at_least(before.estimate[run].stress_runway_months, after.estimate[run].stress_runway_months)


def flags(found: Assessment) -> set[str]:
    return {*found.red_flags, *found.possible_red_flags}


@whole
@given(_answers(), st.data())
def test_each_unsure_answer_widens_the_band(answers: Given, data: st.DataObject) -> None:
    known = [
        each.id
        for each in questions_on_path(CHECK, answers)
        if each.id in CHECK.scored and answers.get(each.id) in CHECK.scored[each.id].by_key
    ]
    assume(known)
    question = data.draw(st.sampled_from(known))
    before, after = assess(CHECK, answers), assess(CHECK, {**answers, question: UNSURE})
    assert width(after) > width(before)
    assert after.unsure_share > before.unsure_share
    [told] = [each.width for each in after.to_find_out if each.question == question]
    assert told == pytest.approx(width(after) - width(before))


def width(found: Assessment) -> float:
    return found.score_high - found.score_low


@whole
@given(_answers())
def test_low_is_never_above_mid_nor_mid_above_high(answers: Given) -> None:
    low, mid, high = (assess(CHECK, answers).estimate[run] for run in RUNS)
    assert all(map(at_least, losses(mid), losses(low)))
    assert all(map(at_least, losses(high), losses(mid)))
    assert low.stress_runway_months >= mid.stress_runway_months - SLACK
    assert mid.stress_runway_months >= high.stress_runway_months - SLACK


_ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_KEYS = st.sampled_from([*CHECK.asked, *CHECK.number_keys]) | st.text(max_size=20)


@whole
@given(st.dictionaries(_KEYS, _ANYTHING))
def test_unknown_or_missing_answers_never_crash(answers: Given) -> None:
    found = assess(CHECK, answers)
    assert found.score_shown == shown_score(found.score)
    assert found.as_json()


@whole
@given(_answers(), st.randoms(use_true_random=False))
def test_the_order_of_answers_does_not_matter(answers: Given, chance: random.Random) -> None:
    shuffled = [*answers.items()]
    chance.shuffle(shuffled)
    assert assess(CHECK, dict(shuffled)) == assess(CHECK, answers)


@whole
@given(_answers())
def test_reasons_are_few_and_what_moves_the_risk_away_comes_last(answers: Given) -> None:
    found = assess(CHECK, answers)
    rules = CHECK.reason_codes
    dimensions = [CHECK.scored[each.question].dimension for each in found.reasons]
    assert len(dimensions) <= rules.count
    assert all(dimensions.count(each) <= rules.max_per_dimension for each in dimensions)
    last = [each in rules.listed_last for each in dimensions]
    assert last == sorted(last)
    for each in found.reasons:
        assert 0 <= each.one_step_gain <= each.contribution + SLACK
