"""The score: 0 good to 100 bad, the sum of what each question adds. health-check.md §3 and §4.

Everything is a function of a definition and answers; nothing is kept between calls, so a what-if is a second call.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from xinheng.health_check.answers import Answers
from xinheng.health_check.definition import (
    LEVELS,
    ConfidenceId,
    HealthCheck,
    LevelId,
    Run,
    ScoredOption,
    ScoredQuestion,
)
from xinheng.health_check.path import dimensions_on_path

Chosen = Mapping[str, ScoredOption]
"""The option of each question that counts, in one run."""

DIGITS: Final = 9
"""Decimals that mean something: a sum that is 44.5 on paper may come out as 44.49999999999999."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What counts under given answers. `shares`: of each dimension, its fraction of the score; they add to 1."""

    shares: Mapping[str, float]
    questions: Sequence[ScoredQuestion]

    def weight(self, question: ScoredQuestion) -> float:
        """Fraction of the score that a question decides."""
        return question.weight / 100 * self.shares[question.dimension]


@dataclass(frozen=True, slots=True)
class ToFindOut:
    """A question answered 不清楚. `width`: points by which the band is wider for it."""

    question: str
    width: float


def scope_of(check: HealthCheck, answers: Answers) -> Scope:
    """W_d ÷ Σ W over the dimensions that apply, and their questions in order."""
    counted = dimensions_on_path(check, answers)
    total = sum(dimension.weight for dimension in counted)
    shares = {dimension.id: dimension.weight / total for dimension in counted}
    return Scope(shares, [each for each in check.questions if each.dimension in shares])


def chosen_options(scope: Scope, answers: Answers, run: Run) -> Chosen:
    """The option that each answer means in one run. 不清楚, no answer and an unknown one mean the run's own option."""
    chosen = {}
    for question in scope.questions:
        option = question.by_key.get(str(answers.get(question.id)))
        chosen[question.id] = option or question.by_key[question.unsure.of(run)]
    return chosen


def dimension_scores(scope: Scope, chosen: Chosen) -> Mapping[str, float]:
    """Σ w_q/100 × points_q of each dimension, 0 to 100."""
    scores = dict.fromkeys(scope.shares, 0.0)
    for question in scope.questions:
        scores[question.dimension] += question.weight / 100 * chosen[question.id].points
    return scores


def contribution(scope: Scope, question: ScoredQuestion, option: ScoredOption) -> float:
    """Points that an option adds to the score: (w_q/100 × points_q) × W_d ÷ Σ W."""
    return question.weight / 100 * option.points * scope.shares[question.dimension]


def contributions(scope: Scope, chosen: Chosen) -> Mapping[str, float]:
    """What each question adds to the score; the sum is the score."""
    return {each.id: contribution(scope, each, chosen[each.id]) for each in scope.questions}


def score(contributed: Mapping[str, float]) -> float:
    """Σ W_d ÷ Σ W × Σ w_q/100 × points_q, 0 to 100."""
    return min(100.0, math.fsum(contributed.values()))


def shown_score(exact: float) -> int:
    """floor(score + 0.5), as it is displayed and as levels are taken from it."""
    return math.floor(round(exact, DIGITS) + 0.5)


def level_of(check: HealthCheck, exact: float, floors: Sequence[LevelId]) -> LevelId:
    """The level of a score, raised to the highest of these floors."""
    shown = shown_score(exact)
    own = [level.id for level in check.levels if level.starts <= shown][-1]
    return max([own, *floors], key=LEVELS.index)


def is_unsure(question: ScoredQuestion, answers: Answers) -> bool:
    """Answered 不清楚, not at all, or by what is no option."""
    return answers.get(question.id) not in question.by_key


def unsure_share(scope: Scope, answers: Answers) -> float:
    """Fraction of the weight that counts which is 不清楚, 0 to 1."""
    unsure = [scope.weight(each) for each in scope.questions if is_unsure(each, answers)]
    return min(1.0, math.fsum(unsure))


def confidence_of(check: HealthCheck, share: float) -> ConfidenceId:
    """The first confidence whose limit this unsure share doesn't pass."""
    rounded = round(share, DIGITS)
    return next(each.id for each in check.confidence if rounded <= each.max_unsure_share)


def to_find_out(scope: Scope, answers: Answers) -> Sequence[ToFindOut]:
    """The questions answered 不清楚, that which widens the band most first; ties in the order of the questions."""
    unsure = [each for each in scope.questions if is_unsure(each, answers)]
    widths = [
        ToFindOut(
            each.id,
            contribution(scope, each, each.by_key[each.unsure.high])
            - contribution(scope, each, each.by_key[each.unsure.low]),
        )
        for each in unsure
    ]
    return sorted(widths, key=lambda each: -round(each.width, DIGITS))


def middles(check: HealthCheck) -> Mapping[str, float]:
    """The score of each dimension, 0 to 100, with every question at its middle option.

    With an even number of options the middle lies between two of them.
    """
    found = {dimension.id: 0.0 for dimension in check.dimensions}
    for question in check.questions:
        middle = median(option.points for option in question.options)
        found[question.dimension] += question.weight / 100 * middle
    return found
