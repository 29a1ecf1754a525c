"""What another answer would change: score, level and loss, now and then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xinheng.health_check.answers import Answers
from xinheng.health_check.assessment import Assessment, assess
from xinheng.health_check.definition import UNSURE, Choice, HealthCheck, ScoredQuestion
from xinheng.health_check.figures import Figure, figures
from xinheng.health_check.path import questions_on_path
from xinheng.health_check.standing import Standing, standing
from xinheng.health_check.wording import unsure_words, words_of

COMPARED = ("expected_loss", "stress_loss", "stress_runway_months")
"""The figures that a what-if shows beside score and level."""


@dataclass(frozen=True, slots=True)
class Change:
    """An answer in place of the visitor's own, both in words."""

    question: str
    title: str
    now: str
    then: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What some changes come to. `lifted` and `raised` are the ids of red flags that are gone, and that are new."""

    changes: Sequence[Change]
    now: Standing
    then: Standing
    figures: Sequence[tuple[Figure, Figure]]
    lifted: Sequence[str]
    raised: Sequence[str]


@dataclass(frozen=True, slots=True)
class Choosable:
    """A question with the answers that can be tried; `own` is the visitor's, `chosen` the one that is tried."""

    question: ScoredQuestion
    number: int
    options: Sequence[Choice]
    own: str
    chosen: str


def wanted_changes(check: HealthCheck, answers: Answers, wanted: Mapping[str, str]) -> Mapping[str, str]:
    """Those of the wished answers that are offered on this path and differ from the visitor's own."""
    return {
        each.id: option
        for each in questions_on_path(check, answers)
        if isinstance(each, ScoredQuestion)
        and (option := wanted.get(each.id, "")) in check.offered[each.id]
        and option != answers.get(each.id, UNSURE)
    }


def outcome(
    check: HealthCheck, answers: Answers, assessment: Assessment, changed: Mapping[str, str]
) -> Outcome:
    """What the changed answers come to, beside the result as it is."""
    then_answers = {**answers, **changed}
    then = assess(check, then_answers)
    return Outcome(
        changes=[_change(check, answers, check.scored[each], option) for each, option in changed.items()],
        now=standing(check, assessment),
        then=standing(check, then),
        figures=[
            (now, later)
            for now, later in zip(
                figures(check, assessment, answers), figures(check, then, then_answers), strict=True
            )
            if now.key in COMPARED
        ],
        lifted=[flag for flag in assessment.red_flags if flag not in then.red_flags],
        raised=[flag for flag in then.red_flags if flag not in assessment.red_flags],
    )


def one_step_better(check: HealthCheck, answers: Answers, assessment: Assessment) -> Sequence[Outcome]:
    """Each of the reasons improved by one step, and where there are several, all of them together."""
    steps = {each.question: _better(check.scored[each.question], answers) for each in assessment.reasons}
    taken = {question: option for question, option in steps.items() if option}
    each_alone = [{question: option} for question, option in taken.items()]
    together = [taken] if len(taken) > 1 else []
    return [outcome(check, answers, assessment, changed) for changed in (*each_alone, *together)]


def choosable(
    check: HealthCheck, answers: Answers, assessment: Assessment, changed: Mapping[str, str]
) -> Sequence[Choosable]:
    """The scored questions on the path, those that are reasons first."""
    first = [each.question for each in assessment.reasons]
    found = [
        Choosable(
            question=each,
            number=number,
            options=[
                choice
                if choice.key != UNSURE
                else Choice.model_construct(key=UNSURE, label=unsure_words(check))
                for choice in check.offered[each.id].values()
            ],
            own=str(answers.get(each.id, UNSURE)),
            chosen=changed.get(each.id, str(answers.get(each.id, UNSURE))),
        )
        for number, each in enumerate(questions_on_path(check, answers), 1)
        if isinstance(each, ScoredQuestion)
    ]
    return sorted(
        found,
        key=lambda each: first.index(each.question.id) if each.question.id in first else len(first),
    )


def _better(question: ScoredQuestion, answers: Answers) -> str:
    """The next better option; of 不清楚 the one better than it usually means. Empty at the best."""
    given = str(answers.get(question.id, UNSURE))
    rank = question.rank[given if given in question.rank else question.unsure.mid]
    return question.options[rank - 1].key if rank else ""


def _change(check: HealthCheck, answers: Answers, question: ScoredQuestion, option: str) -> Change:
    return Change(
        question=question.id,
        title=question.reason.title,
        now=words_of(check, answers, question),
        then=words_of(check, {question.id: option}, question),
    )
