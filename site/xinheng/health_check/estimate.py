"""The estimate in money, always a range. health-check.md §5, whose numbers stand in the docstrings.

Money is in 万元, per year where it says so; where the sales aren't known it is in % of the year's credit sales, which
are taken as 100. Shares, rates and factors are fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xinheng.health_check.parameters import Column, Parameters


@dataclass(frozen=True, slots=True)
class Facts:
    """What the answers of one run say about the business.

    `credit_sales` 万元 a year, `dso` days, `cash_months` months, `control_score` 0 to 100 (weighted mean of the
    dimensions marked control). `overdue`, `top_customer`, `covered`, `export`, `history_rate` are shares; `ageing`
    are those of the overdue money in five bands of age; `stock`, `export_factor`, `industry_factor` are factors.
    """

    credit_sales: float
    dso: float
    overdue: float
    ageing: Sequence[float]
    stock: float
    history_rate: float
    top_customer: float
    covered: float
    cash_months: float
    control_score: float
    export: float
    export_factor: float
    industry_factor: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """One column of the estimate; `gross` is before what is covered. Months for the two runways."""

    credit_sales: float
    receivables: float
    overdue: float
    receivables_at_risk: float
    expected_loss_gross: float
    expected_loss: float
    expected_loss_pct_of_credit_sales: float
    sales_to_recover_expected_loss: float
    stress_loss_gross: float
    stress_loss: float
    cash_runway_months: float
    stress_runway_months: float
    funding_cost_per_year: float


def estimate(facts: Facts, parameters: Parameters, column: Column) -> Estimate:
    """All figures of one column."""
    owed = receivables(facts, parameters, column)
    gross = expected_loss_gross(facts, parameters, column)
    net = gross * (1 - covered_by_claims(facts, parameters, column))
    stress = stress_loss_gross(facts, parameters, column)
    return Estimate(
        credit_sales=facts.credit_sales,
        receivables=owed,
        overdue=owed * facts.overdue,
        receivables_at_risk=receivables_at_risk(facts, parameters, column),
        expected_loss_gross=gross,
        expected_loss=net,
        expected_loss_pct_of_credit_sales=net / facts.credit_sales * 100,
        sales_to_recover_expected_loss=net / parameters.margin.of(column),
        stress_loss_gross=stress,
        stress_loss=stress * (1 - covered_in_stress(facts, parameters, column)),
        cash_runway_months=facts.cash_months,
        stress_runway_months=stress_runway(facts, parameters, column),
        funding_cost_per_year=owed * parameters.funding_rate.of(column),
    )


def receivables(facts: Facts, parameters: Parameters, column: Column) -> float:
    """1. 应收账款 AR = S × DSO ÷ 365, 万元."""
    return facts.credit_sales * facts.dso / parameters.days_basis.of(column)


def receivables_at_risk(facts: Facts, parameters: Parameters, column: Column) -> float:
    """2. 重点敞口 RaR = [OD + (AR − OD) × c₁] × (1 − k·p), 万元."""
    owed = receivables(facts, parameters, column)
    overdue = owed * facts.overdue
    exposed = overdue + (owed - overdue) * facts.top_customer
    return exposed * (1 - facts.covered * parameters.insured_percentage.of(column))


def overdue_loss_rate(facts: Facts, parameters: Parameters, column: Column) -> float:
    """3. 存量逾期损失率 l = Σ ageing share_b × bucket_loss_b × stock factor."""
    buckets = (
        parameters.bucket_loss_1_30,
        parameters.bucket_loss_31_60,
        parameters.bucket_loss_61_90,
        parameters.bucket_loss_91_180,
        parameters.bucket_loss_180p,
    )
    lost = sum(share * loss.of(column) for share, loss in zip(facts.ageing, buckets, strict=True))
    return lost * facts.stock


def new_sales_loss_rate(facts: Facts, parameters: Parameters, column: Column) -> float:
    """4. 新增赊销损失率 r = z × r_hist + (1 − z) × r_prior × f_DSO × f_export × f_industry, of a year's sales."""
    credibility = parameters.history_credibility.of(column)
    longest, shortest = parameters.dso_factor_max.of(column), parameters.dso_factor_min.of(column)
    dso_factor = min(longest, max(shortest, facts.dso / parameters.dso_reference_days.of(column)))
    export_factor = 1 + facts.export * (facts.export_factor - 1)
    prior = parameters.prior_loss_rate.of(column) * dso_factor * export_factor * facts.industry_factor
    return credibility * facts.history_rate + (1 - credibility) * prior


def control_factor(facts: Facts, parameters: Parameters, column: Column) -> float:
    """5. 内控系数 m = 0.7 + 0.6 × C ÷ 100: from the one at control score 0 to the one at 100."""
    best, worst = parameters.control_factor_min.of(column), parameters.control_factor_max.of(column)
    return best + (worst - best) * facts.control_score / 100


def expected_loss_gross(facts: Facts, parameters: Parameters, column: Column) -> float:
    """6. 未来12个月预期信用损失 (S × r + OD × l) × m, before cover, 万元."""
    new = facts.credit_sales * new_sales_loss_rate(facts, parameters, column)
    overdue = receivables(facts, parameters, column) * facts.overdue
    old = overdue * overdue_loss_rate(facts, parameters, column)
    return (new + old) * control_factor(facts, parameters, column)


def covered_by_claims(facts: Facts, parameters: Parameters, column: Column) -> float:
    """The share k·p·q of a loss that claims bring back."""
    paid = parameters.insured_percentage.of(column) * parameters.claim_effectiveness.of(column)
    return facts.covered * paid


def stress_loss_gross(facts: Facts, parameters: Parameters, column: Column) -> float:
    """7. 头号客户违约 S × c₁ × DSO ÷ 365 × peak × (1 − recovery), before cover, 万元."""
    owed = receivables(facts, parameters, column) * facts.top_customer
    return owed * parameters.peak_exposure.of(column) * (1 - parameters.stress_recovery.of(column))


def covered_in_stress(facts: Facts, parameters: Parameters, column: Column) -> float:
    """7. The covered share if it is the top customer: p·q (low: it is the one insured), k·p·q (base), 0 (high)."""
    if column == "high":
        return 0.0
    if column == "base":
        return covered_by_claims(facts, parameters, column)
    paid = parameters.insured_percentage.of(column) * parameters.claim_effectiveness.of(column)
    return paid if facts.covered else 0.0


def stress_runway(facts: Facts, parameters: Parameters, column: Column) -> float:
    """8. 现金可撑月数 = months answered − SL ÷ [S × (1 − margin) ÷ 12], not below 0."""
    covered = covered_in_stress(facts, parameters, column)
    lost = stress_loss_gross(facts, parameters, column) * (1 - covered)
    spent = facts.credit_sales * (1 - parameters.margin.of(column)) / 12
    return max(0.0, facts.cash_months - lost / spent)
