"""What must hold between the parts of a definition when its file is read; sound_numbers.py has the estimate's part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from xinheng.health_check.definition import CONFIDENCES, LEVELS, UNSURE, HealthCheck, ScoredQuestion
from xinheng.health_check.sound_numbers import Found, unsound_numbers


def unsound(check: HealthCheck) -> Found:
    """Everything that doesn't fit."""
    for rule in _RULES:
        yield from rule(check)


def _twice(check: HealthCheck) -> Found:
    profile = [(f"profile.{place}.id", each.id) for place, each in enumerate(check.profile)]
    exact = [(f"profile.{place}.allow_number", each.allow_number) for place, each in enumerate(check.profile)]
    scored = [(f"questions.{place}.id", each.id) for place, each in enumerate(check.questions)]
    reasons = [
        (f"questions.{place}.reason.code", each.reason.code) for place, each in enumerate(check.questions)
    ]
    yield from _repeated([*profile, *(each for each in exact if each[1]), *scored])
    yield from _repeated(reasons)
    for name in ("dimensions", "consistency", "red_flags"):
        yield from _repeated(
            (f"{name}.{place}.id", each.id) for place, each in enumerate(getattr(check, name))
        )
    for name in ("profile", "questions"):
        for number, question in enumerate(getattr(check, name)):
            yield from _repeated(
                (f"{name}.{number}.options.{place}.key", option.key)
                for place, option in enumerate(question.options)
            )


def _repeated(named: Iterable[tuple[str, str]]) -> Found:
    seen: set[str] = set()
    for path, name in named:
        if name in seen:
            yield path, f"{name} 写了两次，应各不相同"
        seen.add(name)


def _levels(check: HealthCheck) -> Found:
    if [level.id for level in check.levels] != [*LEVELS]:
        yield "levels", f"应依次为 {'、'.join(LEVELS)}，各写一次"
    if check.levels and check.levels[0].starts != 0:
        yield "levels.0.from", "应为 0：评分从 0 起，不能有空档"
    for place, (lower, upper) in enumerate(pairwise(check.levels), start=1):
        if upper.starts <= lower.starts:
            yield f"levels.{place}.from", f"应大于上一档的 {lower.starts}"


def _confidence(check: HealthCheck) -> Found:
    if [each.id for each in check.confidence] != [*CONFIDENCES]:
        yield "confidence", f"应依次为 {'、'.join(CONFIDENCES)}，各写一次"
    limits = [each.max_unsure_share for each in check.confidence]
    for place, (lower, upper) in enumerate(pairwise(limits), start=1):
        if upper <= lower:
            yield f"confidence.{place}.max_unsure_share", f"应大于上一档的 {lower}"
    if limits and limits[-1] != 1:
        yield f"confidence.{len(limits) - 1}.max_unsure_share", "应为 1：全部答“不清楚”也要有一档，不能有空档"


def _weights(check: HealthCheck) -> Found:
    total = sum(dimension.weight for dimension in check.dimensions)
    if total != 100:
        yield "dimensions", f"各项 weight 加起来是 {total}，应为 100"
    known = [dimension.id for dimension in check.dimensions]
    for number, question in enumerate(check.questions):
        if question.dimension not in known:
            yield f"questions.{number}.dim", f"没有维度 {question.dimension}，应为 {'、'.join(known)}"
    for place, id in enumerate(known):
        of = {number: each for number, each in enumerate(check.questions) if each.dimension == id}
        total = sum(each.weight for each in of.values())
        if not of:
            yield f"dimensions.{place}", f"{id} 一道题也没有，应至少有一道"
        elif total != 100:
            ids = "、".join(each.id for each in of.values())
            yield f"questions.{max(of)}.weight", f"{id} 各题（{ids}）的 weight 加起来是 {total}，应为 100"


def _options(check: HealthCheck) -> Found:
    for number, question in enumerate(check.questions):
        path, points = f"questions.{number}.options", [option.points for option in question.options]
        for place, option in enumerate(question.options):
            if option.key == UNSURE:
                yield f"{path}.{place}.key", f"{UNSURE} 留给“不清楚”，请换一个"
            if place and option.points < points[place - 1]:
                yield f"{path}.{place}.points", f"从好到差，不能小于上一项的 {points[place - 1]}"
        yield from _unsure(f"questions.{number}.unsure", question)


def _unsure(path: str, question: ScoredQuestion) -> Found:
    stands = {"low": question.unsure.low, "mid": question.unsure.mid, "high": question.unsure.high}
    gone = {run: key for run, key in stands.items() if key not in question.by_key}
    for run, key in gone.items():
        yield f"{path}.{run}", f"没有选项 {key}，应为 {'、'.join(question.by_key)}"
    if gone:
        return
    ranks = [question.rank[key] for key in stands.values()]
    if ranks != sorted(ranks):
        yield path, "low、mid、high 应从好到差"
    if question.by_key[stands["low"]].points == question.by_key[stands["high"]].points:
        yield path, "low 和 high 的 points 应不同：不清楚就要有一段区间"


def _profile(check: HealthCheck) -> Found:
    for number, question in enumerate(check.profile):
        if question.default and question.default not in question.by_key:
            allowed = "、".join(question.by_key)
            yield f"profile.{number}.default", f"没有选项 {question.default}，应为 {allowed}"
        if question.allow_number and question.id != "credit_sales":
            yield f"profile.{number}.allow_number", "只有 credit_sales 可以直接填金额"


def _branches(check: HealthCheck) -> Found:
    """Only profile questions decide what is asked: they come first, so nothing that was answered falls away behind one."""
    options = {question.id: [*question.by_key] for question in check.profile}
    for number, dimension in enumerate(check.dimensions):
        path = f"dimensions.{number}.only_if_not"
        yield from _pointing_nowhere(path, dimension.only_if_not, options)
        if dimension.control and dimension.only_if_not:
            yield f"dimensions.{number}.control", "有 only_if_not 的维度不能算内控"
    if not any(dimension.control for dimension in check.dimensions):
        yield "dimensions", "至少有一项 control = true：内控系数要用"


def _conditions(check: HealthCheck) -> Found:
    options = {question.id: [*question.by_key] for question in check.questions}
    for number, flag in enumerate(check.red_flags):
        yield from _pointing_nowhere(f"red_flags.{number}.all", flag.all, options)
        if not flag.all and flag.runway_at_most is None:
            yield f"red_flags.{number}", "应写 all 或 runway_at_most"
    for number, prompt in enumerate(check.consistency):
        yield from _pointing_nowhere(f"consistency.{number}.at_least", prompt.at_least, options)
        yield from _pointing_nowhere(f"consistency.{number}.at_most", prompt.at_most, options)
        if not prompt.at_least and not prompt.at_most:
            yield f"consistency.{number}", "应写 at_least 或 at_most"
    known = [dimension.id for dimension in check.dimensions]
    for place, id in enumerate(check.reason_codes.listed_last):
        if id not in known:
            yield f"reason_codes.listed_last.{place}", f"没有维度 {id}，应为 {'、'.join(known)}"


def _pointing_nowhere(path: str, named: Mapping[str, str], options: Mapping[str, Sequence[str]]) -> Found:
    """Questions, and options of them, that aren't there."""
    for question, option in named.items():
        if question not in options:
            yield f"{path}.{question}", f"没有题目 {question}，应为 {'、'.join(options)}"
        elif option not in options[question]:
            yield f"{path}.{question}", f"没有选项 {option}，应为 {'、'.join(options[question])}"


_RULES: Final[Sequence[Callable[[HealthCheck], Found]]] = (
    _twice,
    _levels,
    _confidence,
    _weights,
    _options,
    _profile,
    _branches,
    _conditions,
    unsound_numbers,
)
