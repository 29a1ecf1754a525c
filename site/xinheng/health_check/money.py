"""The estimate as it is drawn: amounts on one scale, and what isn't an amount one owes or loses beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xinheng.health_check.answers import Answers
from xinheng.health_check.assessment import Assessment
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.facts import sales_known
from xinheng.health_check.figures import Figure, Unit, figures
from xinheng.health_check.wording import words_of

NOTES: Final[Mapping[str, str]] = {
    "receivables": "年赊销额里还没有收回来的",
    "overdue": "已经过了约定付款日的",
    "receivables_at_risk": "逾期，加上压在头号客户身上的未到期款",
    "stress_loss": "按它占用的应收、峰值和可收回的比例",
    "expected_loss": "已经逾期的，加上新赊出去的",
    "funding_cost_per_year": "应收账款每年的利息",
}
"""Amounts that are drawn on one scale, with what each is, in the order in which they are shown."""

BESIDE: Final[Mapping[str, str]] = {
    "stress_runway_months": "其他客户都按时付，现金和额度还能用多久",
    "sales_to_recover_expected_loss": "用这些销售额的利润，才补得回一年的预期损失",
}

_STEPS: Final = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A figure and its place on the scale, in percent; `left` and `width` of its range, `middle` of its middle."""

    figure: Figure
    note: str
    left: float
    width: float
    middle: float


@dataclass(frozen=True, slots=True)
class Money:
    """`ticks`: places on the scale in percent, with their labels. `basis`: the credit sales it all rests on."""

    rows: Sequence[Row]
    beside: Sequence[tuple[Figure, str]]
    ticks: Sequence[tuple[int, str]]
    unit: Unit
    basis: str


def money(check: HealthCheck, answers: Answers, assessment: Assessment) -> Money:
    """All figures of a result."""
    found = {each.key: each for each in figures(check, assessment, answers)}
    drawn = [found[key] for key in NOTES]
    step = _step(max(each.most for each in drawn))
    scale = 100 / (step * _PARTS)
    return Money(
        rows=[
            Row(
                each,
                NOTES[each.key],
                each.least * scale,
                (each.most - each.least) * scale,
                each.middle * scale,
            )
            for each in drawn
        ],
        beside=[(found[key], note) for key, note in BESIDE.items()],
        ticks=[(100 * place // _PARTS, f"{step * place:.10g}") for place in range(_PARTS + 1)],
        unit=drawn[0].unit,
        basis=sales_words(check, answers),
    )


def sales_words(check: HealthCheck, answers: Answers) -> str:
    """The year's credit sales as they were answered; empty where they aren't known."""
    if not sales_known(check, answers):
        return ""
    return words_of(check, answers, check.asked["credit_sales"])


def _step(most: float) -> float:
    """A round step, of which four reach beyond this amount."""
    wanted = max(most, 1e-6) / _PARTS
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in _STEPS if step * power >= wanted * (1 - 1e-9))
