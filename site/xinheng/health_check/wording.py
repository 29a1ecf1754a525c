"""What was asked and answered, in words: the number of a question as its visitor saw it, and the option they chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xinheng.health_check.answers import Answers
from xinheng.health_check.definition import UNSURE, HealthCheck, ProfileQuestion
from xinheng.health_check.path import Asked, questions_on_path


@dataclass(frozen=True, slots=True)
class Answered:
    """A question and its answer. `number` is its place on the path, from 1; `group` the name of its dimension."""

    id: str
    number: int
    group: str
    question: str
    answer: str
    unsure: bool


def answered(check: HealthCheck, answers: Answers) -> Sequence[Answered]:
    """All questions on the path of these answers, in order."""
    return [
        Answered(
            id=each.id,
            number=number,
            group=_group(check, each),
            question=each.text,
            answer=words_of(check, answers, each),
            unsure=answers.get(each.id, UNSURE) == UNSURE and not _amount_key(each, answers),
        )
        for number, each in enumerate(questions_on_path(check, answers), 1)
    ]


def words_of(check: HealthCheck, answers: Answers, question: Asked) -> str:
    """The answer to a question in words; one that wasn't answered is 不清楚."""
    if key := _amount_key(question, answers):
        return exact_amount(float(answers[key]))
    given = str(answers.get(question.id, UNSURE))
    return unsure_words(check) if given == UNSURE else check.answer_words(question.id, given)


def exact_amount(wan: float) -> str:
    """An amount as it was typed, with its unit: 4235.5万元."""
    return f"{wan:.4f}".rstrip("0").rstrip(".") + "万元"


def unsure_words(check: HealthCheck) -> str:
    """不清楚, without what else the button says."""
    return check.unsure_label.partition("/")[0].strip()


def _group(check: HealthCheck, question: Asked) -> str:
    return "" if isinstance(question, ProfileQuestion) else check.dimension(question.dimension).name


def _amount_key(question: Asked, answers: Answers) -> str:
    """The key of the exact amount that answers a question, where there is one."""
    exact = question.allow_number if isinstance(question, ProfileQuestion) else ""
    return exact if exact in answers else ""
