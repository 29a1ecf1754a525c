"""What the estimate needs of a definition: each number where it is used, and each running the way that losses do.

So a worse answer can never lower a loss, and the low column never passes the high one, whatever is written in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from math import isclose
from typing import Final

from xinheng.health_check.definition import (
    UNSURE,
    Choice,
    HealthCheck,
    ProfileQuestion,
    ScoredOption,
    ScoredQuestion,
)
from xinheng.health_check.facts import FALLING, PROFILE_NUMBERS, SCORED_NUMBERS
from xinheng.health_check.parameters import Parameters

Found = Iterator[tuple[str, str]]
"""Key paths, lists counted from 0, each with what was expected there."""

_SHARES: Final = frozenset({"overdue_share", "bad_debt", "top1", "coverage"})
_ALL_NUMBERS: Final = ("factor", "low", "mid", "high", "value", "ageing", "stock")
_LOWERING: Final = frozenset(
    {"days_basis", "dso_reference_days", "insured_percentage", "claim_effectiveness", "stress_recovery"}
)
"""The larger these are, the smaller is the loss."""
_FIXED: Final = frozenset({"history_credibility", "margin"})
"""One value: which of two gives the larger loss depends on the answers."""
_POSITIVE: Final = frozenset({"days_basis", "dso_reference_days", "margin"})
_NO_FRACTION: Final = frozenset(
    {
        *("days_basis", "dso_reference_days", "dso_factor_min", "dso_factor_max"),
        *("control_factor_min", "control_factor_max", "peak_exposure"),
    }
)
_ORDERED: Final = (
    ("dso_factor_min", "dso_factor_max"),
    ("control_factor_min", "control_factor_max"),
    ("bucket_loss_1_30", "bucket_loss_31_60"),
    ("bucket_loss_31_60", "bucket_loss_61_90"),
    ("bucket_loss_61_90", "bucket_loss_91_180"),
    ("bucket_loss_91_180", "bucket_loss_180p"),
)


def unsound_numbers(check: HealthCheck) -> Found:
    """Key paths, each with what was expected there."""
    yield from _used(check)
    for number, question in enumerate(check.questions):
        if question.id in SCORED_NUMBERS:
            yield from _running(f"questions.{number}.options", question)
    for number, each in enumerate(check.profile):
        if each.id == "credit_sales":
            yield from _sales(f"profile.{number}.options", each)
    yield from _parameters(check.parameters)


def _used(check: HealthCheck) -> Found:
    """Numbers where the estimate uses them, and nowhere else."""
    for list_name, needed in (("profile", PROFILE_NUMBERS), ("questions", SCORED_NUMBERS)):
        questions: Sequence[ProfileQuestion | ScoredQuestion] = getattr(check, list_name)
        for id in sorted(needed.keys() - {question.id for question in questions}):
            yield list_name, f"缺少题目 {id}，估算要用到它"
        for number, question in enumerate(questions):
            for place, option in enumerate(question.options):
                path = f"{list_name}.{number}.options.{place}"
                yield from _used_in(path, option, needed.get(question.id, ()))


def _used_in(path: str, option: Choice, needed: Sequence[str]) -> Found:
    for key in needed:
        if key not in option.model_fields_set:
            yield f"{path}.{key}", "缺少这一项，估算要用到它"
    for key in _ALL_NUMBERS:
        if key in option.model_fields_set and key not in needed:
            yield f"{path}.{key}", "估算用不到，请删去"


def _running(path: str, question: ScoredQuestion) -> Found:
    """A worse answer has no number that makes a loss smaller."""
    way = "大于" if question.id in FALLING else "小于"
    for place, (better, worse) in enumerate(pairwise(question.options), start=1):
        first, second = (worse, better) if question.id in FALLING else (better, worse)
        if second.value < first.value:
            yield f"{path}.{place}.value", f"从好到差，不能{way}上一项的 {better.value:g}"
        if worse.stock < better.stock:
            yield f"{path}.{place}.stock", f"从好到差，不能小于上一项的 {better.stock:g}"
        if any(later < sooner - 1e-9 for sooner, later in zip(_tails(better), _tails(worse), strict=True)):
            yield f"{path}.{place}.ageing", "从好到差，账龄不能比上一项短"
    for place, option in enumerate(question.options):
        if question.id in _SHARES and option.value > 1:
            yield f"{path}.{place}.value", "应为 0 到 1 的份额"
        if "ageing" in option.model_fields_set and not isclose(sum(option.ageing), 1, abs_tol=1e-9):
            yield f"{path}.{place}.ageing", f"五段加起来是 {sum(option.ageing):g}，应为 1"


def _tails(option: ScoredOption) -> Iterable[float]:
    """The shares later than each band of age."""
    return accumulate(reversed(option.ageing))


def _sales(path: str, question: ProfileQuestion) -> Found:
    """Bands that follow each other; 100 where nothing is known, so that amounts are percentages."""
    bands = {place: each for place, each in enumerate(question.options) if each.key != UNSURE}
    for place, band in bands.items():
        if not 0 < band.low <= band.mid <= band.high:
            yield f"{path}.{place}", "应有 0 < low ≤ mid ≤ high（万元）"
    for (_, before), (place, band) in pairwise(bands.items()):
        if band.low != before.high:
            yield f"{path}.{place}.low", f"应为上一档的 high {before.high:g}，不能有空档"
    unsure = question.by_key.get(UNSURE)
    if unsure is None or {unsure.low, unsure.mid, unsure.high} != {100}:
        yield path, f"要有 {UNSURE} 一项，low、mid、high 都是 100：金额按赊销额的百分比显示"


def _parameters(parameters: Parameters) -> Found:
    values = {name: _columns(parameters, name) for name in Parameters.model_fields}
    for name, (low, base, high) in values.items():
        yield from _parameter(f"parameters.{name}", name, (low, base, high))
    for smaller, larger in _ORDERED:
        if any(first > second for first, second in zip(values[smaller], values[larger], strict=True)):
            yield f"parameters.{larger}", f"每一栏都不能小于 {smaller}"


def _parameter(path: str, name: str, columns: tuple[float, float, float]) -> Found:
    low, base, high = columns
    if name in _FIXED and not low == base == high:
        yield path, "low、base、high 应相同"
    if name in _LOWERING and not low >= base >= high:
        yield path, "应有 low ≥ base ≥ high：low 一栏的损失小"
    if name not in _FIXED | _LOWERING and not low <= base <= high:
        yield path, "应有 low ≤ base ≤ high：low 一栏的损失小"
    if name in _POSITIVE and min(columns) <= 0:
        yield path, "应大于 0"
    if name not in _NO_FRACTION and max(columns) > 1:
        yield path, "应为 0 到 1 的比例"
    if name == "margin" and max(columns) == 1:
        yield path, "应小于 1"


def _columns(parameters: Parameters, name: str) -> tuple[float, float, float]:
    value = getattr(parameters, name)
    return value.low, value.base, value.high
