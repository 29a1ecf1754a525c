"""What the estimate reckons with: three values each, `low` for the smaller loss. health-check.md §5."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

Column = Literal["low", "base", "high"]
Value = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Unit = Literal["天", "%", "倍"]
Trust = Literal["已核实", "中等", "较弱", "经验判断", "待核对"]
"""How sure a parameter is: from a published figure, near to some, hardly, by experience, still to be looked up."""


class Range(_Declared):
    """One parameter; `low` gives the smaller loss, `high` the larger. `unit` is how it is shown: % of 1.

    `name`, `basis` and `trust` stand on the page that explains the score.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    unit: Unit
    basis: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    trust: Trust
    low: Value
    base: Value
    high: Value

    def of(self, column: Column) -> float:
        return self.high if column == "high" else self.low if column == "low" else self.base


class Parameters(_Declared):
    """Rates, shares and factors are fractions of 1; money never stands here."""

    days_basis: Range
    dso_reference_days: Range
    dso_factor_min: Range
    dso_factor_max: Range
    bucket_loss_1_30: Range
    bucket_loss_31_60: Range
    bucket_loss_61_90: Range
    bucket_loss_91_180: Range
    bucket_loss_180p: Range
    history_credibility: Range
    prior_loss_rate: Range
    control_factor_min: Range
    control_factor_max: Range
    insured_percentage: Range
    claim_effectiveness: Range
    peak_exposure: Range
    stress_recovery: Range
    margin: Range
    funding_rate: Range
