"""Health checks that a person attached to enquiries, as the lead's page tells of them: in the words of the version that
each was given under."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from flask import current_app

from xinheng.assessments import INSUFFICIENT, Kept
from xinheng.forms.call_guide import MOST_OPENINGS, CallGuide, opening_questions
from xinheng.health_check.comparison import Comparison, Taken, compare
from xinheng.health_check.scoring import shown_score
from xinheng.health_check.shown_flags import ShownFlag, raised_by, shown_flags
from xinheng.health_check.standing import Standing, standing
from xinheng.health_check.stored import stored_assessment
from xinheng.health_check.versions import CheckVersions
from xinheng.health_check.wording import Answered, answered
from xinheng.leads.file import AttachedResult, LeadFile

_WORST = 2
_ANSWERS_EACH = 2


@dataclass(frozen=True, slots=True)
class WeakDimension:
    """One of the worst dimensions; `score` as it is shown, 0 good to 100 bad, with the answers that add most to it."""

    name: str
    score: int
    answers: Sequence[Answered]


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """A health check in words. `level` is its key, `insufficient` where no one level may be told; `then` tells of the one
    that the same person attached before."""

    taken: Taken
    level: str
    standing: Standing
    confidence: str
    raised: bool
    flags: Sequence[ShownFlag]
    possible_flags: Sequence[ShownFlag]
    prompts: Sequence[str]
    weak: Sequence[WeakDimension]
    answered: Sequence[Answered]
    to_find_out: Sequence[Answered]
    then: Comparison | None

    @property
    def groups(self) -> Sequence[tuple[str, Sequence[Answered]]]:
        """All answers by dimension, those that aren't scored under an empty name."""
        return [(name, [*each]) for name, each in groupby(self.answered, key=lambda given: given.group)]


@dataclass(frozen=True, slots=True)
class AttachedChecks:
    """Those of one lead by id; None stands for one that can't be read. `latest` is the id of the one done last, or empty."""

    shown: Mapping[str, ShownCheck | None]
    latest: str

    @property
    def brief(self) -> ShownCheck | None:
        """What the call is prepared with."""
        return self.shown.get(self.latest)


def attached_checks(file: LeadFile) -> AttachedChecks:
    """All that came with a lead's enquiries, each beside the one before it."""
    results = {each.attached.id: each.attached for each in file.enquiries if each.attached}
    ordered = sorted(results.values(), key=lambda result: (result.at, result.id))
    taken = {result.id: _taken(result) for result in ordered}
    before = {now.id: taken[then.id] for then, now in pairwise(ordered)}
    return AttachedChecks(
        {id: _shown(each, before.get(id)) if each else None for id, each in taken.items()},
        ordered[-1].id if ordered else "",
    )


def first_questions(guide: CallGuide, asked: Sequence[str], check: ShownCheck) -> Sequence[str]:
    """How to open the call: from the answers that make the score, or from what is unsure where that is too much; what
    the guide asks of everybody (`asked`) comes after."""
    given = {each.id: each for each in check.answered}
    weak = [(id, None if given[id].unsure else given[id].answer) for id in dict.fromkeys(_weakest(check))]
    return [*opening_questions(guide, weak), *asked][:MOST_OPENINGS]


def _weakest(check: ShownCheck) -> Iterator[str]:
    """The ids of questions, that which is to be asked about first in front."""
    assessment = check.taken.assessment
    if not check.standing.one_level:
        yield from (each.id for each in check.to_find_out)
    yield from (reason.question for reason in assessment.reasons)
    yield from _by_contribution(assessment.contributions)


def _by_contribution(contributions: Mapping[str, float]) -> Sequence[str]:
    """Questions that add to the score, that which adds most in front."""
    return [id for id in sorted(contributions, key=lambda id: -contributions[id]) if contributions[id] > 0]


def _taken(result: AttachedResult) -> Taken | None:
    """The check with the definition that it was given under; None where either can't be read."""
    versions: CheckVersions = current_app.extensions["xinheng.health_checks"].versions
    kept: Kept | None = result.kept
    check = versions.of(kept.version) if kept else None
    if kept is None or check is None:
        return None
    try:
        assessment = stored_assessment(check, kept.answers, kept.result)
    except (KeyError, TypeError):  # of another kind than this program writes
        return None
    return Taken(check, kept.answers, assessment, kept.created_at)


def _shown(taken: Taken, before: Taken | None) -> ShownCheck:
    check, answers, assessment = taken.check, taken.answers, taken.assessment
    stands = standing(check, assessment)
    flags = shown_flags(check, answers, assessment.red_flags)
    given = answered(check, answers)
    by_id = {each.id: each for each in given}
    return ShownCheck(
        taken=taken,
        level=stands.shown_level.id if stands.shown_level else INSUFFICIENT,
        standing=stands,
        confidence=next(each.name for each in check.confidence if each.id == assessment.confidence),
        raised=bool(raised_by(stands, flags)),
        flags=flags,
        possible_flags=shown_flags(check, answers, assessment.possible_red_flags),
        prompts=[check.prompt(id).text for id in assessment.consistency],
        weak=_weak(taken, by_id),
        answered=given,
        to_find_out=[by_id[each.question] for each in assessment.to_find_out],
        then=compare(before, taken) if before else None,
    )


def _weak(taken: Taken, given: Mapping[str, Answered]) -> Sequence[WeakDimension]:
    """The worst dimensions, but none that is without a fault."""
    assessment, scored = taken.assessment, taken.check.scored
    ordered = _by_contribution(assessment.contributions)
    found = []
    for id in assessment.worst_dimensions[:_WORST]:
        answers = [given[each] for each in ordered if scored[each].dimension == id]
        if answers:
            score = shown_score(assessment.dimensions[id])
            found.append(WeakDimension(taken.check.dimension(id).name, score, answers[:_ANSWERS_EACH]))
    return found
