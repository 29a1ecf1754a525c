"""Which questions are asked, given the answers so far: branches, the first open one, how far one has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xinheng.health_check.answers import Answers
from xinheng.health_check.definition import Dimension, HealthCheck, ProfileQuestion, ScoredQuestion

Asked = ProfileQuestion | ScoredQuestion


@dataclass(frozen=True, slots=True)
class Progress:
    """第 `number` 题，共 `total` 题: `number` counts from 1."""

    number: int
    total: int


def applies(dimension: Dimension, answers: Answers) -> bool:
    """Whether a dimension is asked. One with a condition is not, until the question that decides it is answered."""
    return all(
        question in answers and answers[question] != answer
        for question, answer in dimension.only_if_not.items()
    )


def dimensions_on_path(check: HealthCheck, answers: Answers) -> Sequence[Dimension]:
    """The dimensions that count under these answers; the weights of the others are left out."""
    return [each for each in check.dimensions if not each.only_if_not or applies(each, answers)]


def questions_on_path(check: HealthCheck, answers: Answers) -> Sequence[Asked]:
    """All questions that are asked under these answers, answered or not, in order."""
    counted = {dimension.id for dimension in dimensions_on_path(check, answers)}
    return [*check.profile, *(each for each in check.questions if each.dimension in counted)]


def answers_on_path(check: HealthCheck, answers: Answers) -> Answers:
    """The answers that count, in the order of the questions: none of a branch not taken, none of another version."""
    counted: dict[str, str | float] = {}
    for question in questions_on_path(check, answers):
        for key in answering(question):
            if key in answers:
                counted[key] = answers[key]
    return counted


def is_answered(question: Asked, answers: Answers) -> bool:
    """By an option, or by the exact amount in its place."""
    return not answers.keys().isdisjoint(answering(question))


def answering(question: Asked) -> Sequence[str]:
    """The keys under which a question may be answered: its id, and that of the exact amount where there is one."""
    exact = isinstance(question, ProfileQuestion) and question.allow_number
    return (question.id, exact) if exact else (question.id,)


def first_open(check: HealthCheck, answers: Answers) -> Asked | None:
    """The first question without an answer; None where all are answered and the result can be shown."""
    return next((each for each in questions_on_path(check, answers) if not is_answered(each, answers)), None)


def opened(check: HealthCheck, answers: Answers, wanted: str) -> Asked | None:
    """The question to show to somebody who asks for `wanted`: that one, unless it isn't asked or comes too early.

    Then the first open one; None where that is the result.
    """
    for question in questions_on_path(check, answers):
        if question.id == wanted:
            return question
        if not is_answered(question, answers):
            return question
    return None


def before(check: HealthCheck, answers: Answers, question: str) -> Asked | None:
    """The question in front of this one on the path; None before the first. Raises KeyError for one off the path."""
    path = questions_on_path(check, answers)
    place = _place(path, question)
    return path[place - 1] if place else None


def progress(check: HealthCheck, answers: Answers, question: str) -> Progress:
    """How far this question is. Raises KeyError for one off the path."""
    path = questions_on_path(check, answers)
    return Progress(_place(path, question) + 1, len(path))


def _place(path: Sequence[Asked], question: str) -> int:
    for place, each in enumerate(path):
        if each.id == question:
            return place
    raise KeyError(question)
