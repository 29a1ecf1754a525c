"""Each formula of the estimate against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.estimate import (
    Facts,
    control_factor,
    covered_in_stress,
    estimate,
    expected_loss_gross,
    new_sales_loss_rate,
    overdue_loss_rate,
    receivables,
    receivables_at_risk,
    stress_loss_gross,
    stress_runway,
)
from xinheng.health_check.parameters import Column, Parameters

FACTS = Facts(
    credit_sales=3650,
    dso=70,
    overdue=0.2,
    ageing=(0.5, 0.5, 0, 0, 0),
    stock=1.5,
    history_rate=0.01,
    top_customer=0.25,
    covered=0.5,
    cash_months=4,
    control_score=50,
    export=0.5,
    export_factor=1.2,
    industry_factor=1.1,
)


@pytest.fixture
def parameters(check: HealthCheck) -> Parameters:
    return check.parameters


def test_receivables_are_sales_times_days(parameters: Parameters) -> None:
    assert receivables(FACTS, parameters, "base") == pytest.approx(700)


def test_what_is_at_risk_is_overdue_or_hangs_on_the_top_customer(parameters: Parameters) -> None:
    assert receivables_at_risk(FACTS, parameters, "base") == pytest.approx(
        (140 + 560 * 0.25) * (1 - 0.5 * 0.9)
    )


def test_the_loss_on_what_is_overdue_grows_with_its_age(parameters: Parameters) -> None:
    assert overdue_loss_rate(FACTS, parameters, "base") == pytest.approx((0.01 + 0.025) * 1.5)
    assert overdue_loss_rate(FACTS, parameters, "high") == pytest.approx((0.02 + 0.045) * 1.5)
    old = replace(FACTS, ageing=(0, 0, 0, 0, 1), stock=1)
    assert overdue_loss_rate(old, parameters, "base") == 0.5


def test_the_loss_on_new_sales_weighs_history_with_what_is_usual(parameters: Parameters) -> None:
    usual = 0.005 * 1.0 * (1 + 0.5 * 0.2) * 1.1
    assert new_sales_loss_rate(FACTS, parameters, "base") == pytest.approx(0.5 * 0.01 + 0.5 * usual)


@pytest.mark.parametrize(
    ("dso", "factor"), [(10, 0.6), (42, 0.6), (70, 1.0), (105, 1.5), (126, 1.8), (400, 1.8)]
)
def test_the_days_factor_has_two_ends(parameters: Parameters, dso: float, factor: float) -> None:
    facts = replace(FACTS, dso=dso, history_rate=0, export=0, industry_factor=1)
    assert new_sales_loss_rate(facts, parameters, "base") == pytest.approx(0.5 * 0.005 * factor)


@pytest.mark.parametrize(("control", "factor"), [(0, 0.7), (50, 1.0), (100, 1.3)])
def test_good_controls_lower_the_loss(parameters: Parameters, control: float, factor: float) -> None:
    assert control_factor(replace(FACTS, control_score=control), parameters, "base") == pytest.approx(factor)


def test_the_expected_loss_is_of_new_sales_and_of_what_is_overdue(parameters: Parameters) -> None:
    rate, old = 0.5 * 0.01 + 0.5 * 0.005 * 1.1 * 1.1, 0.0525
    assert expected_loss_gross(FACTS, parameters, "base") == pytest.approx(3650 * rate + 140 * old)
    found = estimate(FACTS, parameters, "base")
    assert found.expected_loss == pytest.approx(found.expected_loss_gross * (1 - 0.5 * 0.9 * 0.85))
    assert found.expected_loss_pct_of_credit_sales == pytest.approx(found.expected_loss / 36.5)
    assert found.sales_to_recover_expected_loss == pytest.approx(found.expected_loss / 0.053)
    assert found.funding_cost_per_year == pytest.approx(28)


def test_the_top_customers_default_takes_a_peak_of_what_it_owes(parameters: Parameters) -> None:
    assert stress_loss_gross(FACTS, parameters, "base") == pytest.approx(700 * 0.25 * 1.2 * 0.9)


@pytest.mark.parametrize(
    ("column", "covered", "share"),
    [
        ("low", 0.5, 0.95 * 0.95),
        ("low", 0.0, 0.0),
        ("base", 0.5, 0.5 * 0.9 * 0.85),
        ("base", 0.0, 0.0),
        ("high", 0.85, 0.0),
    ],
)
def test_whether_the_top_customer_is_the_one_covered_is_not_known(
    parameters: Parameters, column: Column, covered: float, share: float
) -> None:
    found = covered_in_stress(replace(FACTS, covered=covered), parameters, column)
    assert found == pytest.approx(share)


def test_the_runway_is_what_cash_lasts_after_that(parameters: Parameters) -> None:
    lost = 189 * (1 - 0.5 * 0.9 * 0.85)
    assert stress_runway(FACTS, parameters, "base") == pytest.approx(4 - lost / (3650 * 0.947 / 12))
    assert stress_runway(replace(FACTS, cash_months=0.1), parameters, "high") == 0


@pytest.mark.parametrize("column", ["low", "base", "high"])
def test_the_runway_does_not_depend_on_how_large_the_business_is(
    parameters: Parameters, column: Column
) -> None:
    small, large = (replace(FACTS, credit_sales=sales) for sales in (0.0001, 1e8))
    assert stress_runway(small, parameters, column) == pytest.approx(stress_runway(large, parameters, column))
