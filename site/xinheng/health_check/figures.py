"""The estimate as it is shown: two significant figures, and never one without its range. health-check.md §5."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from xinheng.health_check.answers import Answers
from xinheng.health_check.assessment import Assessment
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.facts import sales_known

Unit = Literal["wan", "percent", "months"]
"""万元; % of the year's credit sales; months."""

SHOWN: Final = (
    ("receivables", "应收账款"),
    ("overdue", "其中已逾期"),
    ("receivables_at_risk", "重点敞口"),
    ("expected_loss", "未来12个月预期损失"),
    ("stress_loss", "头号客户违约的损失"),
    ("stress_runway_months", "头号客户违约后现金可撑"),
    ("sales_to_recover_expected_loss", "补回预期损失所需的销售额"),
    ("funding_cost_per_year", "应收账款占用资金的年成本"),
)
"""Fields of Estimate with their names, in the order in which they are shown."""

_LEAST_MONTHS: Final = 0.05
"""What rounds to 0.1: less would be written as no time at all."""
_LESS_THAN: Final = "不足"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the estimate. `least` and `most` are the ends of the range, `middle` what is most plausible."""

    key: str
    name: str
    unit: Unit
    least: float
    middle: float
    most: float

    @property
    def about(self) -> str:
        """约29万元, 不足0.1个月"""
        words = amount_words(self.middle, self.unit)
        return words if words.startswith(_LESS_THAN) else f"约{words}"

    @property
    def between(self) -> str:
        """16万–78万元, 1.0–1.5个月, 9800元–1.2万元; one amount where both ends look the same."""
        least, most = amount_words(self.least, self.unit), amount_words(self.most, self.unit)
        if least == most:
            return most
        if self.unit == "months":
            least = least.removesuffix("个月")
        elif least[-2] in "万亿" or most[-2] not in "万亿":
            least = least.removesuffix("元")
        return f"{least}–{most}"

    @property
    def words(self) -> str:
        """约29万元，估算区间16万–78万元"""
        return f"{self.about}，估算区间{self.between}"


def figures(check: HealthCheck, assessment: Assessment, answers: Answers) -> Sequence[Figure]:
    """All rows, in 万元, or in % of credit sales where these aren't known."""
    money: Unit = "wan" if sales_known(check, answers) else "percent"
    return [
        _figure(assessment, key, name, "months" if key.endswith("_months") else money) for key, name in SHOWN
    ]


def amount_words(amount: float, unit: Unit) -> str:
    """An amount in words, rounded to two significant figures, months to one decimal, no less than 0.1."""
    if unit == "months":
        return f"{amount:.1f}个月" if amount >= _LEAST_MONTHS else f"{_LESS_THAN}0.1个月"
    if unit == "percent":
        return f"{_plain(two_figures(amount))}%"
    rounded = two_figures(amount)
    if rounded >= 10_000:
        return f"{_plain(rounded / 10_000)}亿元"
    return f"{_plain(rounded)}万元" if rounded >= 1 else f"{_plain(two_figures(amount * 10_000))}元"


def two_figures(amount: float) -> float:
    """0.0346 → 0.035, 2464 → 2500."""
    if amount == 0:
        return 0.0
    return round(amount, 1 - math.floor(math.log10(abs(amount))))


def _figure(assessment: Assessment, key: str, name: str, unit: Unit) -> Figure:
    low, middle, high = (float(getattr(assessment.estimate[run], key)) for run in ("low", "mid", "high"))
    return Figure(key, name, unit, min(low, high), middle, max(low, high))


def _plain(number: float) -> str:
    """Without an exponent or zeros at the end."""
    return f"{number:.6f}".rstrip("0").rstrip(".")
