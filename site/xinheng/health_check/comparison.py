"""This result beside the one that the same device had before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from xinheng.health_check.answers import Answers
from xinheng.health_check.assessment import Assessment
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.scoring import shown_score
from xinheng.health_check.standing import Standing, standing
from xinheng.health_check.wording import answered

_WORDS: Final = frozenset(
    {
        "text",
        "help",
        "why",
        "label",
        "unsure_label",
        "name",
        "summary",
        "basis",
        "trust",
        "unit",
        "disclaimer",
    }
    | {"reason", "reason_codes", "consistency"}
)
"""Keys of a definition that no number depends on."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A finished check: under which definition, when, what was answered and what it came to."""

    check: HealthCheck
    answers: Answers
    assessment: Assessment
    at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """A dimension, then and now, in points; None where it didn't count."""

    name: str
    then: int | None
    now: int | None


@dataclass(frozen=True, slots=True)
class Changed:
    """A question that was answered otherwise; empty where it wasn't asked."""

    question: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`comparable`: the scores were made by the same rules. Where they weren't, only when it was and under which version
    is told."""

    at: datetime
    version: str
    comparable: bool
    then: Standing
    now: Standing
    dimensions: Sequence[Moved]
    answers: Sequence[Changed]


def compare(before: Taken, present: Taken) -> Comparison:
    """What moved between two checks."""
    return Comparison(
        at=before.at,
        version=before.check.version,
        comparable=comparable(before.check, present.check),
        then=standing(before.check, before.assessment),
        now=standing(present.check, present.assessment),
        dimensions=_moved(before, present),
        answers=_changed(before, present),
    )


def comparable(one: HealthCheck, other: HealthCheck) -> bool:
    """Whether two definitions score alike: they call themselves the same version, and only words differ."""
    if one.hash == other.hash:
        return True
    return one.version == other.version and _rules(one.model_dump()) == _rules(other.model_dump())


def _rules(declared: Any) -> Any:
    """What a score and an estimate are made of: all that is declared, without what is only said."""
    if isinstance(declared, dict):
        return {key: _rules(value) for key, value in declared.items() if key not in _WORDS}
    return [_rules(each) for each in declared] if isinstance(declared, list | tuple) else declared


def _moved(before: Taken, present: Taken) -> Sequence[Moved]:
    then, now = before.assessment.dimensions, present.assessment.dimensions
    return [
        Moved(each.name, _shown(then.get(each.id)), _shown(now.get(each.id)))
        for each in present.check.dimensions
        if each.id in then or each.id in now
    ]


def _shown(points: float | None) -> int | None:
    return None if points is None else shown_score(points)


def _changed(before: Taken, present: Taken) -> Sequence[Changed]:
    then = {each.id: each for each in answered(before.check, before.answers)}
    now = {each.id: each for each in answered(present.check, present.answers)}
    found = []
    for id in dict.fromkeys([*now, *then]):
        old, new = then.get(id), now.get(id)
        words = (old.answer if old else "", new.answer if new else "")
        if words[0] != words[1]:
            found.append(Changed((new or then[id]).question, *words))
    return found
