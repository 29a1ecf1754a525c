"""Where a result stands: score and level in words, and what is shown where too much is unsure for one of each."""

from __future__ import annotations

from dataclasses import dataclass

from xinheng.health_check.assessment import Assessment
from xinheng.health_check.definition import HealthCheck, Level
from xinheng.health_check.scoring import level_of, shown_score


@dataclass(frozen=True, slots=True)
class Standing:
    """Scores as they are shown, 0 to 100. `own` is the level of the score alone; red flags may have raised `level`.

    Where not `one_level`, only the band from `low` to `high` is told, and the levels at its ends.
    """

    one_level: bool
    score: int
    low: int
    high: int
    level: Level
    level_low: Level
    level_high: Level
    own: Level

    @property
    def sure(self) -> bool:
        """Whether it is a point: nothing was 不清楚, or nothing that shows."""
        return self.low == self.high

    @property
    def raised(self) -> bool:
        return self.one_level and self.level != self.own

    @property
    def band(self) -> str:
        """51–59, or 55."""
        return str(self.low) if self.sure else f"{self.low}–{self.high}"

    @property
    def score_words(self) -> str:
        return str(self.score) if self.one_level else self.band

    @property
    def shown_level(self) -> Level | None:
        """The one level that may be told: also where both ends agree on it."""
        if self.one_level:
            return self.level
        return self.level_low if self.level_low == self.level_high else None

    @property
    def level_words(self) -> str:
        """高, or 中等至高."""
        shown = self.shown_level
        return shown.name if shown else f"{self.level_low.name}至{self.level_high.name}"


def standing(check: HealthCheck, assessment: Assessment) -> Standing:
    """What to say of a result."""
    return Standing(
        one_level=assessment.one_level,
        score=assessment.score_shown,
        low=shown_score(assessment.score_low),
        high=shown_score(assessment.score_high),
        level=check.level(assessment.level),
        level_low=check.level(assessment.level_low),
        level_high=check.level(assessment.level_high),
        own=check.level(level_of(check, assessment.score, [])),
    )
