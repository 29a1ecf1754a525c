"""How the score is made, for the page that explains it: all numbers of the definition, by dimension and question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xinheng.health_check.definition import HealthCheck, RedFlag, ScoredQuestion
from xinheng.health_check.parameters import Range
from xinheng.health_check.scoring import Scope, scope_of


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question and the points it decides at most, of 100: where every branch is taken, and where none is.

    `least` is None for a question that isn't asked then.
    """

    question: ScoredQuestion
    most: float
    least: float | None


@dataclass(frozen=True, slots=True)
class DimensionRow:
    """A dimension with its points in both cases, and its questions."""

    name: str
    most: float
    least: float | None
    questions: Sequence[QuestionRow]


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A number that the estimate rests on, in words."""

    range: Range
    values: Sequence[str]


def score_rows(check: HealthCheck) -> Sequence[DimensionRow]:
    """All dimensions with their questions. A branch changes the points of the others: both cases are told."""
    everything, without = scope_of(check, _all_branches(check)), scope_of(check, {})
    rows = []
    for dimension in check.dimensions:
        questions = [each for each in check.questions if each.dimension == dimension.id]
        rows.append(
            DimensionRow(
                dimension.name,
                100 * everything.shares[dimension.id],
                _points(without, dimension.id),
                [_question_row(each, everything, without) for each in questions],
            )
        )
    return rows


def parameter_rows(check: HealthCheck) -> Sequence[ParameterRow]:
    """The parameters, each with one value or its low, middle and high one."""
    rows = []
    for name in type(check.parameters).model_fields:
        found: Range = getattr(check.parameters, name)
        values = (_value_words(each, found.unit) for each in (found.low, found.base, found.high))
        rows.append(ParameterRow(found, list(dict.fromkeys(values))))
    return rows


def flag_words(check: HealthCheck, flag: RedFlag) -> str:
    """When a red flag is raised, in the words of the answers; empty for one that the estimate raises."""
    return "；".join(
        f"“{check.asked[question].text}”答“{check.answer_words(question, least)}”或更差"
        if least != check.scored[question].options[-1].key
        else f"“{check.asked[question].text}”答“{check.answer_words(question, least)}”"
        for question, least in flag.all.items()
    )


def _question_row(question: ScoredQuestion, everything: Scope, without: Scope) -> QuestionRow:
    asked = question.dimension in without.shares
    least = 100 * without.weight(question) if asked else None
    return QuestionRow(question, 100 * everything.weight(question), least)


def _points(scope: Scope, dimension: str) -> float | None:
    return 100 * scope.shares[dimension] if dimension in scope.shares else None


def _all_branches(check: HealthCheck) -> Mapping[str, str]:
    """Answers under which every dimension is asked."""
    closed = {
        question: answer
        for dimension in check.dimensions
        for question, answer in dimension.only_if_not.items()
    }
    return {
        question: next(key for key in check.offered[question] if key != answer)
        for question, answer in closed.items()
    }


def _value_words(value: float, unit: str) -> str:
    number = f"{value * 100 if unit == '%' else value:.2f}".rstrip("0").rstrip(".")
    return f"{number}{unit}"
