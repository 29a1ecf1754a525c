"""How each figure of the estimate came about: the formula in words, and the visitor's own numbers in it.

The numbers are those of the middle run: 不清楚 stands for its usual option, a band for its middle, parameters for their
middle column. The least and the most come about in the same way with the other columns. health-check.md §5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xinheng.health_check import estimate as rules
from xinheng.health_check.answers import Answers
from xinheng.health_check.assessment import Assessment
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.estimate import Facts
from xinheng.health_check.facts import facts_of, sales_known
from xinheng.health_check.figures import figures
from xinheng.health_check.scoring import chosen_options, scope_of


@dataclass(frozen=True, slots=True)
class Working:
    """`formula` in words, `numbers` in figures, and what comes of it. One without `result` explains a rate above it."""

    name: str
    formula: str
    numbers: str
    result: str


def workings(check: HealthCheck, answers: Answers, assessment: Assessment) -> Sequence[Working]:
    """A line for each figure and for each rate in it."""
    scope = scope_of(check, answers)
    chosen = chosen_options(scope, answers, "mid")
    facts = facts_of(check, chosen, assessment.dimensions, answers, "mid")
    unit = "万元" if sales_known(check, answers) else ""
    return _Lines(check, facts, assessment, unit, {each.key: each.about for each in figures(check, assessment, answers)}).all()  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Lines:
    check: HealthCheck
    facts: Facts
    assessment: Assessment
    unit: str
    about: dict[str, str]

    def all(self) -> Sequence[Working]:
        return [*self._owed(), *self._expected(), *self._stress(), *self._costs()]

    def _owed(self) -> Sequence[Working]:
        facts, owed, late = self.facts, self._amount("receivables"), self._amount("overdue")
        days = f"{_number(facts.dso)}天 ÷ {_number(self._value('days_basis'))}"
        cover = f"（1 − {_percent(facts.covered)} × {self._rate('insured_percentage')}）"
        at_risk = f"[{late} +（{owed} − {late}）× {_percent(facts.top_customer)}] × {cover}"
        return [
            self._line(
                "receivables", "应收账款", "年赊销额 × 回款天数 ÷ 一年的天数", f"{self._sales()} × {days}"
            ),
            self._line("overdue", "其中已逾期", "应收账款 × 逾期占比", f"{owed} × {_percent(facts.overdue)}"),
            self._line(
                "receivables_at_risk",
                "重点敞口",
                "[逾期 + 未到期 × 头号客户占比] ×（1 − 有保障的占比 × 赔付比例）",
                at_risk,
            ),
        ]

    def _expected(self) -> Sequence[Working]:
        facts, parameters = self.facts, self.check.parameters
        new = _percent(rules.new_sales_loss_rate(facts, parameters, "base"))
        old = _percent(rules.overdue_loss_rate(facts, parameters, "base"))
        control = _number(rules.control_factor(facts, parameters, "base"))
        claims = _percent(rules.covered_by_claims(facts, parameters, "base"))
        sums = f"（{self._sales()} × {new} + {self._amount('overdue')} × {old}）× {control} ×（1 − {claims}）"
        own = (
            f"贵公司近三年的坏账（{_percent(facts.history_rate)}）占{self._rate('history_credibility')}的分量"
        )
        others = f"其余看同类企业（{self._rate('prior_loss_rate')}起，按回款天数、行业和出口调整）"
        controls = "、".join(each.name for each in self.check.dimensions if each.control)
        least, most = (_number(self._value(f"control_factor_{end}")) for end in ("min", "max"))
        return [
            self._line(
                "expected_loss",
                "未来12个月预期损失",
                "（年赊销额 × 新增损失率 + 逾期 × 存量损失率）× 内控系数 ×（1 − 赔得回的占比）",
                sums,
            ),
            Working("新增损失率", f"{own}，{others}", new, ""),
            Working("存量损失率", "按欠款的账龄分档，越久越难收回，再按过往坏账调整", old, ""),
            Working("内控系数", f"{controls}加权平均{facts.control_score:.0f}分：0分取{least}，100分取{most}", control, ""),
        ]  # fmt: skip

    def _stress(self) -> Sequence[Working]:
        facts = self.facts
        covered = _percent(rules.covered_in_stress(facts, self.check.parameters, "base"))
        share, peak = _percent(facts.top_customer), _number(self._value("peak_exposure"))
        kept = f"（1 − {self._rate('stress_recovery')}）×（1 − {covered}）"
        loss = f"{self._amount('receivables')} × {share} × {peak} × {kept}"
        spent = f"[{self._sales()} ×（1 − {self._rate('margin')}）÷ 12]"
        left = f"{_number(facts.cash_months)}个月 − {self._amount('stress_loss')} ÷ {spent}"
        return [
            self._line(
                "stress_loss",
                "头号客户违约的损失",
                "应收账款 × 头号客户占比 × 峰值倍数 ×（1 − 可收回）×（1 − 赔得回的占比）",
                loss,
            ),
            self._line(
                "stress_runway_months",
                "违约后现金可撑",
                "现金可撑月数 − 损失 ÷ 每月支出，不小于0",
                left,
            ),
        ]

    def _costs(self) -> Sequence[Working]:
        recover = f"{self._amount('expected_loss')} ÷ {self._rate('margin')}"
        funding = f"{self._amount('receivables')} × {self._rate('funding_rate')}"
        return [
            self._line("sales_to_recover_expected_loss", "补回所需的销售额", "预期损失 ÷ 利润率", recover),
            self._line("funding_cost_per_year", "占用资金的年成本", "应收账款 × 资金利率", funding),
        ]

    def _line(self, key: str, name: str, formula: str, numbers: str) -> Working:
        return Working(name, formula, numbers, self.about[key])

    def _sales(self) -> str:
        return f"{_number(self.facts.credit_sales)}{self.unit}"

    def _amount(self, key: str) -> str:
        """As it is reckoned with, not as it is rounded in the end."""
        return f"{_number(float(getattr(self.assessment.estimate['mid'], key)))}{self.unit}"

    def _value(self, parameter: str) -> float:
        return float(getattr(self.check.parameters, parameter).base)

    def _rate(self, parameter: str) -> str:
        return _percent(self._value(parameter))


def _number(value: float) -> str:
    """At least three figures: 2301, 12.3, 0.951."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{share * 100:.3g}%"
