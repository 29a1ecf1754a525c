"""All that a result page shows, in words and numbers: nothing here knows how it is drawn, or by whom it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from xinheng.health_check.bars import Bar, bars
from xinheng.health_check.comparison import Comparison, Taken, compare
from xinheng.health_check.definition import Degree, HealthCheck, Level, ScoredQuestion
from xinheng.health_check.money import Money, money
from xinheng.health_check.reasons import FoundReason
from xinheng.health_check.shown_flags import ShownFlag, level_without, raised_by, shown_flags
from xinheng.health_check.standing import Standing, standing
from xinheng.health_check.what_if import Choosable, Outcome, choosable, one_step_better, outcome
from xinheng.health_check.wording import Answered, answered
from xinheng.health_check.workings import Working, workings

EFFORT: Final[Mapping[Degree, str]] = {"低": "一周内", "中": "一个月内", "高": "一个季度以上"}
FIND_OUT: Final = 3
"""How many questions to find out first are named."""


@dataclass(frozen=True, slots=True)
class ShownReason:
    """One of the things to do first, with the answer that it follows from."""

    found: FoundReason
    question: ScoredQuestion
    answered: Answered
    effort: str


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure it is. `share` in percent of the weight that counts; `first` is what to find out first, with the points
    by which each would narrow the band."""

    name: str
    unsure: int
    scored: int
    share: int
    first: Sequence[tuple[Answered, float]]


@dataclass(frozen=True, slots=True)
class Report:
    """A result. `raising` are the flags that raised the level, `lowered_to` what it would be without them."""

    check: HealthCheck
    at: datetime
    standing: Standing
    raising: Sequence[ShownFlag]
    lowered_to: Level
    flags: Sequence[ShownFlag]
    possible_flags: Sequence[ShownFlag]
    reasons: Sequence[ShownReason]
    bars: Sequence[Bar]
    left_out: Sequence[str]
    money: Money
    workings: Sequence[Working]
    steps: Sequence[Outcome]
    tried: Outcome
    choosable: Sequence[Choosable]
    confidence: Confidence
    comparison: Comparison | None
    answered: Sequence[Answered]


def report(taken: Taken, changed: Mapping[str, str], before: Taken | None) -> Report:
    """What to show of a check: with some answers tried otherwise, and beside the one before, if there was one."""
    check, answers, assessment = taken.check, taken.answers, taken.assessment
    stands = standing(check, assessment)
    flags = shown_flags(check, answers, assessment.red_flags)
    raising = raised_by(stands, flags)
    counted = bars(check, answers, assessment)
    return Report(
        check=check,
        at=taken.at,
        standing=stands,
        raising=raising,
        lowered_to=level_without(check, assessment, raising),
        flags=flags,
        possible_flags=shown_flags(check, answers, assessment.possible_red_flags),
        reasons=_reasons(taken),
        bars=counted,
        left_out=[each.name for each in check.dimensions if each.id not in assessment.dimensions],
        money=money(check, answers, assessment),
        workings=workings(check, answers, assessment),
        steps=one_step_better(check, answers, assessment),
        tried=outcome(check, answers, assessment, changed),
        choosable=choosable(check, answers, assessment, changed),
        confidence=_confidence(taken),
        comparison=compare(before, taken) if before else None,
        answered=answered(check, answers),
    )


def _reasons(taken: Taken) -> Sequence[ShownReason]:
    given = {each.id: each for each in answered(taken.check, taken.answers)}
    found = []
    for each in taken.assessment.reasons:
        question = taken.check.scored[each.question]
        found.append(ShownReason(each, question, given[each.question], EFFORT[question.reason.effort]))
    return found


def _confidence(taken: Taken) -> Confidence:
    check, assessment = taken.check, taken.assessment
    given = {each.id: each for each in answered(check, taken.answers)}
    name = next(each.name for each in check.confidence if each.id == assessment.confidence)
    return Confidence(
        name=name,
        unsure=len(assessment.to_find_out),
        scored=sum(id in check.scored for id in given),
        share=round(assessment.unsure_share * 100),
        first=[(given[each.question], each.width) for each in assessment.to_find_out[:FIND_OUT]],
    )
