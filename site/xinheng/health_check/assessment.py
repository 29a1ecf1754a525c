"""The whole result for some answers: three runs, low, mid and high, for what is 不清楚. health-check.md §3.5.

`assess` is pure and quick enough to be asked again for every what-if: change one answer and call it once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from xinheng.health_check.answers import Answers, known_answers
from xinheng.health_check.definition import ConfidenceId, HealthCheck, LevelId, Run
from xinheng.health_check.estimate import Estimate, estimate, stress_runway
from xinheng.health_check.facts import facts_of
from xinheng.health_check.parameters import Column
from xinheng.health_check.path import answers_on_path
from xinheng.health_check.reasons import FoundReason, reasons
from xinheng.health_check.red_flags import prompts, raised
from xinheng.health_check.scoring import (
    Scope,
    ToFindOut,
    chosen_options,
    confidence_of,
    contributions,
    dimension_scores,
    level_of,
    scope_of,
    score,
    shown_score,
    to_find_out,
    unsure_share,
)

RUNS: Final[tuple[Run, ...]] = ("low", "mid", "high")
COLUMNS: Final[Mapping[Run, Column]] = {"low": "low", "mid": "base", "high": "high"}


@dataclass(frozen=True, slots=True)
class Assessment:
    """A result. Scores and contributions in points, 0 good to 100 bad; `dimensions` and `contributions` of the mid run.

    `level` is that of the mid score raised by the certain flags, `level_low` and `level_high` those of the other runs
    with the flags that each raises. `red_flags` are certain: raised whatever the unsure answers are; the possible ones
    only if these are bad. `to_find_out` is empty where nothing is 不清楚. All is named by ids of the definition.
    """

    score: float
    score_shown: int
    score_low: float
    score_high: float
    level: LevelId
    level_low: LevelId
    level_high: LevelId
    unsure_share: float
    confidence: ConfidenceId
    dimensions: Mapping[str, float]
    contributions: Mapping[str, float]
    reasons: Sequence[FoundReason]
    red_flags: Sequence[str]
    possible_red_flags: Sequence[str]
    consistency: Sequence[str]
    estimate: Mapping[Run, Estimate]
    to_find_out: Sequence[ToFindOut]

    @property
    def one_level(self) -> bool:
        """Whether so much is known that one level may be shown, not only the range from level_low to level_high."""
        return self.confidence != "insufficient"

    @property
    def worst_dimensions(self) -> Sequence[str]:
        """The ids of the dimensions, the worst first; equal ones in the order of the definition."""
        return sorted(self.dimensions, key=lambda dimension: -self.dimensions[dimension])

    def as_json(self) -> dict[str, Any]:
        """As it is published and stored: the keys of health-check.md §9.1, numbers to four decimals."""
        data: dict[str, Any] = _rounded(asdict(self))
        del data["to_find_out"]
        return data


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class _RunResult:
    """What one run says. `dimensions` and `contributions` in points."""

    score: float
    contributions: Mapping[str, float]
    dimensions: Mapping[str, float]
    flags: Sequence[str]
    estimate: Estimate


def assess(check: HealthCheck, answers: Answers) -> Assessment:
    """The result for these answers, whatever they are.

    A scored question that isn't answered, or by what is no option, counts as 不清楚; a profile question by its
    default. Answers of a branch not taken never count. While the question that opens a branch isn't answered, the
    branch isn't asked and doesn't count either; so nobody is shown a result before `path.first_open` is None.
    """
    counted = answers_on_path(check, known_answers(check, answers))
    scope = scope_of(check, counted)
    runs = {run: _run(check, scope, counted, run) for run in RUNS}
    low, mid, high = (runs[run] for run in RUNS)
    share = unsure_share(scope, counted)
    floors = {run: [check.red_flag(flag).floor for flag in each.flags] for run, each in runs.items()}
    return Assessment(
        score=mid.score,
        score_shown=shown_score(mid.score),
        score_low=low.score,
        score_high=high.score,
        level=level_of(check, mid.score, floors["low"]),
        level_low=level_of(check, low.score, floors["low"]),
        level_high=level_of(check, high.score, floors["high"]),
        unsure_share=share,
        confidence=confidence_of(check, share),
        dimensions=mid.dimensions,
        contributions=mid.contributions,
        reasons=reasons(check, scope, chosen_options(scope, counted, "mid"), counted),
        red_flags=low.flags,
        possible_red_flags=[flag for flag in high.flags if flag not in low.flags],
        consistency=prompts(check, counted),
        estimate={run: each.estimate for run, each in runs.items()},
        to_find_out=to_find_out(scope, counted),
    )


def _run(check: HealthCheck, scope: Scope, answers: Answers, run: Run) -> _RunResult:
    chosen = chosen_options(scope, answers, run)
    contributed = contributions(scope, chosen)
    dimensions = dimension_scores(scope, chosen)
    facts = facts_of(check, chosen, dimensions, answers, run)
    return _RunResult(
        score=score(contributed),
        contributions=contributed,
        dimensions=dimensions,
        flags=raised(check, chosen, stress_runway(facts, check.parameters, "base")),
        estimate=estimate(facts, check.parameters, COLUMNS[run]),
    )
