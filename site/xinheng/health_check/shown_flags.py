"""Red flags in words: which of the visitor's answers raise one, and what lifts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from xinheng.health_check.answers import Answers
from xinheng.health_check.assessment import Assessment
from xinheng.health_check.definition import HealthCheck, Level, RedFlag
from xinheng.health_check.scoring import level_of
from xinheng.health_check.standing import Standing
from xinheng.health_check.wording import Answered, answered

OF_RUNWAY: Final = ("top1", "dso", "coverage", "cash_months")
"""The questions that decide how long the cash lasts once the top customer fails. health-check.md §5.7 and §5.8."""


@dataclass(frozen=True, slots=True)
class Cause:
    """An answer that raises a flag; `limit` is the best option that still does, empty where no single one decides."""

    answered: Answered
    limit: str


@dataclass(frozen=True, slots=True)
class ShownFlag:
    """`floor` is the least level while it is raised. Where it is only possible, `to_find_out` are the unsure causes."""

    id: str
    text: str
    floor: Level
    causes: Sequence[Cause]
    by_estimate: bool

    @property
    def to_find_out(self) -> Sequence[Answered]:
        return [each.answered for each in self.causes if each.answered.unsure]


def shown_flags(check: HealthCheck, answers: Answers, flags: Sequence[str]) -> Sequence[ShownFlag]:
    """Flags by id, in the order of the definition."""
    given = {each.id: each for each in answered(check, answers)}
    return [_shown(check, flag, given) for flag in check.red_flags if flag.id in flags]


def raised_by(standing: Standing, flags: Sequence[ShownFlag]) -> Sequence[ShownFlag]:
    """The flags without which the level would be lower, all of them together; none where the score alone is it."""
    return [flag for flag in flags if standing.raised and flag.floor == standing.level]


def level_without(check: HealthCheck, assessment: Assessment, flags: Sequence[ShownFlag]) -> Level:
    """The level once these flags are lifted."""
    lifted = {flag.id for flag in flags}
    floors = [check.red_flag(flag).floor for flag in assessment.red_flags if flag not in lifted]
    return check.level(level_of(check, assessment.score, floors))


def _shown(check: HealthCheck, flag: RedFlag, given: dict[str, Answered]) -> ShownFlag:
    limits = {question: check.answer_words(question, worst) for question, worst in flag.all.items()}
    by_estimate = flag.runway_at_most is not None
    if by_estimate:
        limits |= {question: "" for question in OF_RUNWAY if question not in limits}
    causes = [Cause(given[question], limit) for question, limit in limits.items() if question in given]
    return ShownFlag(
        id=flag.id,
        text=flag.text,
        floor=check.level(flag.floor),
        causes=sorted(causes, key=lambda cause: cause.answered.number),
        by_estimate=by_estimate,
    )
