"""Why the score is what it is: the answers that add most, and what one step better would win. health-check.md §7."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xinheng.health_check.answers import Answers
from xinheng.health_check.definition import HealthCheck, ScoredOption, ScoredQuestion
from xinheng.health_check.scoring import Chosen, Scope, contribution, is_unsure


@dataclass(frozen=True, slots=True)
class FoundReason:
    """One reason. `contribution` and `one_step_gain` in points of the score; `unsure`: find it out first."""

    code: str
    question: str
    contribution: float
    one_step_gain: float
    unsure: bool


def reasons(check: HealthCheck, scope: Scope, chosen: Chosen, answers: Answers) -> Sequence[FoundReason]:
    """The questions that add most, some of each dimension at most, those of the dimensions listed last at the end.

    Contributions are compared as they are computed, and equal ones stand in the order of the questions. So two that
    are equal on paper may differ in their last bit: the published example B02 (top1 14 × 55 % before overdue_share
    22 × 35 %) fixes this, and rounding would turn it round.
    """
    found = [_found(scope, question, chosen[question.id], answers) for question in scope.questions]
    largest = sorted((each for each in found if each.contribution > 0), key=lambda each: -each.contribution)
    taken = _taken(check, largest)
    last = check.reason_codes.listed_last
    return sorted(taken, key=lambda each: check.scored[each.question].dimension in last)


def one_step_gain(scope: Scope, question: ScoredQuestion, option: ScoredOption) -> float:
    """Points that the next better option would win; 0 at the best."""
    rank = question.rank[option.key]
    if rank == 0:
        return 0.0
    better = question.options[rank - 1]
    return contribution(scope, question, option) - contribution(scope, question, better)


def _found(scope: Scope, question: ScoredQuestion, option: ScoredOption, answers: Answers) -> FoundReason:
    return FoundReason(
        code=question.reason.code,
        question=question.id,
        contribution=contribution(scope, question, option),
        one_step_gain=one_step_gain(scope, question, option),
        unsure=is_unsure(question, answers),
    )


def _taken(check: HealthCheck, largest: Sequence[FoundReason]) -> Sequence[FoundReason]:
    taken: list[FoundReason] = []
    of: dict[str, int] = {}
    for each in largest:
        dimension = check.scored[each.question].dimension
        if of.get(dimension, 0) < check.reason_codes.max_per_dimension:
            of[dimension] = of.get(dimension, 0) + 1
            taken.append(each)
        if len(taken) == check.reason_codes.count:
            break
    return taken
