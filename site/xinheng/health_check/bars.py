"""The bars of the result: each dimension against its middle, with the range that 不清楚 leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xinheng.health_check.answers import Answers
from xinheng.health_check.assessment import Assessment
from xinheng.health_check.definition import Dimension, HealthCheck, LevelId
from xinheng.health_check.scoring import (
    chosen_options,
    dimension_scores,
    level_of,
    middles,
    scope_of,
    shown_score,
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One dimension. All in points, 0 good to 100 bad; `middle` is its score with every question at its middle option,
    `level` the colour of the score."""

    dimension: Dimension
    value: int
    low: int
    high: int
    middle: int
    level: LevelId

    @property
    def sure(self) -> bool:
        return self.low == self.high

    @property
    def between(self) -> str:
        return str(self.low) if self.sure else f"{self.low}–{self.high}"


def bars(check: HealthCheck, answers: Answers, assessment: Assessment) -> Sequence[Bar]:
    """Those that count, by what they add to the score."""
    scope, middle = scope_of(check, answers), middles(check)
    low, high = (dimension_scores(scope, chosen_options(scope, answers, run)) for run in ("low", "high"))
    ordered = sorted(
        assessment.dimensions.items(), key=lambda item: -round(item[1] * scope.shares[item[0]], 6)
    )
    return [
        Bar(
            dimension=check.dimension(id),
            value=shown_score(value),
            low=shown_score(low[id]),
            high=shown_score(high[id]),
            middle=shown_score(middle[id]),
            level=level_of(check, value, []),
        )
        for id, value in ordered
    ]
