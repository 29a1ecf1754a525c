"""How the score is made, for the page that explains it: all numbers of the definition, by dimension and question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xinheng.health_check.definition import (
    UNSURE,
    HealthCheck,
    ProfileOption,
    ProfileQuestion,
    RedFlag,
    ScoredOption,
    ScoredQuestion,
)
from xinheng.health_check.facts import PROFILE_NUMBERS, SCORED_NUMBERS
from xinheng.health_check.parameters import Range
from xinheng.health_check.scoring import Scope, scope_of

_UNITS: Final = {
    "dso": "天",
    "overdue_share": "%",
    "bad_debt": "%",
    "top1": "%",
    "cash_months": "个月",
    "export_terms": "倍",
    "country": "倍",
    "coverage": "%",
}


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question and the points it decides at most, of 100: where every branch is taken, and where none is.

    `least` is None for a question that isn't asked then. `estimates`: what the estimate takes of each option, if any.
    """

    question: ScoredQuestion
    most: float
    least: float | None
    estimates: Sequence[str]


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A question about the business, and what the estimate takes of each option."""

    question: ProfileQuestion
    estimates: Sequence[str]


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


def profile_rows(check: HealthCheck) -> Sequence[ProfileRow]:
    """The questions that aren't scored."""
    return [
        ProfileRow(each, [_profile_words(each.id, option) for option in each.options])
        for each in check.profile
    ]


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
    estimates = [_estimate_words(question.id, option) for option in question.options]
    return QuestionRow(
        question, 100 * everything.weight(question), least, estimates if any(estimates) else ()
    )


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


def _estimate_words(question: str, option: ScoredOption) -> str:
    """What the estimate takes of an option; empty for a question that it doesn't need."""
    words = []
    for number in SCORED_NUMBERS.get(question, ()):
        if number == "ageing":
            words.append("、".join(_value_words(share, "%") for share in option.ageing))
        elif number == "stock":
            words.append(_value_words(option.stock, "倍"))
        else:
            words.append(_value_words(option.value, _UNITS[question]))
    return "，".join(words)


def _profile_words(question: str, option: ProfileOption) -> str:
    match PROFILE_NUMBERS.get(question):
        case ("factor",):
            return _value_words(option.factor, "倍")
        case ("value",):
            return _value_words(option.value, "%")
        case _ if option.key == UNSURE:
            return "按赊销额的百分比"
        case _:
            return f"{option.low:g} / {option.mid:g} / {option.high:g}万元"


def _value_words(value: float, unit: str) -> str:
    number = f"{value * 100 if unit == '%' else value:.2f}".rstrip("0").rstrip(".")
    return f"{number}{unit}"
