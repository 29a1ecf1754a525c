"""The visitor's way through the questions: what an answer is, where it leads, and when a hint is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from xinheng.health_check.answers import Answer, Answers, NotOffered, checked_answer, known_answers
from xinheng.health_check.counting import OVERVIEW
from xinheng.health_check.definition import UNSURE, HealthCheck, ProfileQuestion, Prompt
from xinheng.health_check.drafts import Draft
from xinheng.health_check.path import Asked, before, first_open, opened, questions_on_path
from xinheng.health_check.red_flags import prompts

NOTHING_CHOSEN: Final = "请先选一项"
UNSURE_IS_FINE: Final = "请先选一项；拿不准就选“%s”"
CHANGED: Final = "这一题的选项有更新，请重新选一项"
NO_AMOUNT: Final = "金额请填大于0的数字，单位是万元，例如3500；不想填就选上面的一档"


class NotAnswered(ValueError):
    """Nothing was chosen, or what can't be an answer; the text says what to do. `in_amount`: it is about the amount."""

    def __init__(self, message: str, *, in_amount: bool = False) -> None:
        super().__init__(message)
        self.in_amount = in_amount


@dataclass(frozen=True, slots=True)
class Given:
    """What a question's form brought: the key of an option, and an exact amount as it was typed."""

    chosen: str
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Led:
    """Where an answer leads: to a question or to OVERVIEW; `prompt` is a hint to give first, at the same question."""

    step: str
    prompt: str = ""


def take_up(draft: Draft, own: HealthCheck | None, present: HealthCheck) -> HealthCheck:
    """The definition that a draft goes on under: its own. Where that can't be read any more the present one, and what
    is new there is asked: answers that it doesn't know are dropped."""
    if own is not None:
        return own
    draft.version = present.hash
    draft.answers = dict(known_answers(present, draft.answers))
    return present


def place(check: HealthCheck, answers: Answers, wanted: str = "") -> str:
    """The step that somebody who asks for `wanted` is shown: no jumping ahead, none of a branch not taken."""
    if question := opened(check, answers, wanted):
        return question.id
    return OVERVIEW


def answer(check: HealthCheck, draft: Draft, question: Asked, given: Given, *, from_overview: bool) -> Led:
    """Keep an answer in the draft. A hint is given once; the answer that follows it is taken as it is.

    `from_overview`: it is a change made from there. Raises NotAnswered.
    """
    keep(check, draft, question, given)
    step = _next(check, draft.answers, question, from_overview=from_overview)
    fresh = _fresh_prompts(check, draft, question)
    draft.prompted.update(fresh)
    return Led(step, fresh[0] if fresh else "")


def keep(check: HealthCheck, draft: Draft, question: Asked, given: Given) -> None:
    """Keep what was chosen in place of what was before. Raises NotAnswered."""
    key, value = read_answer(check, question, given, draft.answers)
    for old in (question.id, _amount_key(question)):
        draft.answers.pop(old, None)
    draft.answers[key] = value
    draft.done_with(question.id)


def step_back(check: HealthCheck, draft: Draft, question: Asked, given: Given) -> str:
    """The question before this one, empty before the first. What was chosen is kept, if it is an answer; an amount that
    can't be read is not left behind: raises NotAnswered."""
    try:
        keep(check, draft, question, given)
    except NotAnswered as fault:
        if fault.in_amount:
            raise
    previous = before(check, draft.answers, question.id)
    return previous.id if previous else ""


def read_answer(check: HealthCheck, question: Asked, given: Given, held: Answers) -> tuple[str, Answer]:
    """The key that an answer is kept under, and the answer. An exact amount goes before the band, unless it is the one
    that was there and a band is chosen now. Raises NotAnswered."""
    exact, typed = _amount_key(question), given.amount.strip()
    if exact and typed and not (given.chosen and typed == amount_words(held.get(exact))):
        try:
            return exact, checked_answer(check, exact, typed)
        except NotOffered as fault:
            raise NotAnswered(NO_AMOUNT, in_amount=True) from fault
    if not given.chosen:
        unsure = check.offered[question.id].get(UNSURE)
        raise NotAnswered(UNSURE_IS_FINE % unsure.label if unsure else NOTHING_CHOSEN)
    try:
        return question.id, checked_answer(check, question.id, given.chosen)
    except NotOffered as fault:
        raise NotAnswered(CHANGED) from fault


def amount_words(amount: Answer | None) -> str:
    """An exact amount as it stands in its field: without an exponent, without zeros at the end."""
    return f"{amount:.4f}".rstrip("0").rstrip(".") if isinstance(amount, float | int) else ""


def prompt_to_show(check: HealthCheck, answers: Answers, name: str, question: str) -> Prompt | None:
    """The hint of this name, if it holds for these answers and is about this question."""
    holds = name and name in prompts(check, answers) and question in _about(check, name)
    return check.prompt(name) if holds else None


def others_of_prompt(check: HealthCheck, prompt: str, question: str) -> list[Asked]:
    """The questions that a hint at this one is about besides."""
    return [check.asked[each] for each in _about(check, prompt) if each != question]


def _next(check: HealthCheck, answers: Answers, question: Asked, *, from_overview: bool) -> str:
    if from_overview:
        missing = first_open(check, answers)
        return missing.id if missing else OVERVIEW
    path = [each.id for each in questions_on_path(check, answers)]
    follows = path[path.index(question.id) + 1 :]  # whoever came here has answered all before
    return follows[0] if follows else OVERVIEW


def _fresh_prompts(check: HealthCheck, draft: Draft, question: Asked) -> list[str]:
    """The hints about this question that hold and weren't given yet."""
    about = {
        prompt.id
        for prompt in check.consistency
        if question.id in {*prompt.at_least, *prompt.at_most} and prompt.id not in draft.prompted
    }
    return [name for name in prompts(check, draft.answers) if name in about] if about else []


def _about(check: HealthCheck, prompt: str) -> list[str]:
    found = check.prompt(prompt)
    return [*found.at_least, *found.at_most]


def _amount_key(question: Asked) -> str:
    return question.allow_number if isinstance(question, ProfileQuestion) else ""
