"""What the page of one question says beside the question: how far one is, and how much it weighs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from xinheng.health_check.answers import Answers
from xinheng.health_check.definition import HealthCheck, ProfileQuestion
from xinheng.health_check.path import Asked, is_answered, questions_on_path
from xinheng.health_check.scoring import scope_of

SECONDS: Final = 11
"""What a question takes, by the design: read, think, choose."""
PROFILE: Final = "基本情况"


@dataclass(frozen=True, slots=True)
class Way:
    """第`number`题，共`total`题; `answered` of them have an answer. `done`, `weight` and `cuts` are places on the bar."""

    number: int
    total: int
    answered: int
    group: str
    minutes: int
    done: str
    weight: str
    cuts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Group:
    """The questions of one dimension, or those about the business."""

    name: str
    questions: Sequence[Asked]


@dataclass(frozen=True, slots=True)
class Size:
    """How long a check is: `questions` without any branch, which take so many `minutes`, and `most` with all of them."""

    questions: int
    most: int
    minutes: int


def way(check: HealthCheck, answers: Answers, question: str) -> Way:
    """How far somebody is at a question of their path."""
    path = questions_on_path(check, answers)
    here, total = [each.id for each in path].index(question) + 1, len(path)
    answered = sum(is_answered(each, answers) for each in path)
    names = [group_name(check, each) for each in path]
    cuts = [_percent(place, total) for place in range(1, total) if names[place] != names[place - 1]]
    return Way(
        number=here,
        total=total,
        answered=answered,
        group=names[here - 1],
        minutes=minutes(total - answered),
        done=_percent(answered, total),
        weight=_percent(here - 1, total),
        cuts=cuts,
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%"


def minutes(questions: int) -> int:
    """How long so many questions take, in minutes, at least one."""
    return max(1, math.ceil(questions * SECONDS / 60))


def group_name(check: HealthCheck, question: Asked) -> str:
    return PROFILE if isinstance(question, ProfileQuestion) else check.dimension(question.dimension).name


def groups(check: HealthCheck, answers: Answers) -> Sequence[Group]:
    """The questions of a path by what they are about, in order."""
    found: dict[str, list[Asked]] = {}
    for question in questions_on_path(check, answers):
        found.setdefault(group_name(check, question), []).append(question)
    return [Group(name, questions) for name, questions in found.items()]


def most_points(check: HealthCheck, answers: Answers, question: Asked) -> float | None:
    """How many of the 100 points a question decides under these answers; None for one that isn't scored."""
    if isinstance(question, ProfileQuestion):
        return None
    return 100 * scope_of(check, answers).weight(question)


def size_of(check: HealthCheck) -> Size:
    """How much is asked of whom takes no branch, and of whom takes them all."""
    least = len(questions_on_path(check, {}))
    return Size(least, len(check.asked), minutes(least))
