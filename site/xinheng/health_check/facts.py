"""From the answers of one run to what the estimate reckons with, and which question gives which number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from xinheng.health_check.answers import Answers
from xinheng.health_check.definition import UNSURE, HealthCheck, ProfileOption, ProfileQuestion, Run
from xinheng.health_check.estimate import Facts
from xinheng.health_check.scoring import Chosen

PROFILE_NUMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "industry": ("factor",),
    "credit_sales": ("low", "mid", "high"),
    "export_share": ("value",),
}
SCORED_NUMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "dso": ("value",),
    "overdue_share": ("value",),
    "oldest": ("ageing",),
    "bad_debt": ("value", "stock"),
    "top1": ("value",),
    "cash_months": ("value",),
    "export_terms": ("value",),
    "country": ("value",),
    "coverage": ("value",),
}
"""The questions that the estimate needs, with the keys that each of their options must have."""
FALLING: Final = frozenset({"cash_months", "coverage"})
"""Where a worse answer has a smaller number; elsewhere it has a larger one, or the same."""


def facts_of(
    check: HealthCheck, chosen: Chosen, dimensions: Mapping[str, float], answers: Answers, run: Run
) -> Facts:
    """What the answers say about the business in one run. `dimensions`: scores 0 to 100 by id."""
    profile = {each.id: profile_option(each, answers) for each in check.profile}
    industry, export = profile["industry"], profile["export_share"]
    value = {question: option.value for question, option in chosen.items()}
    return Facts(
        credit_sales=credit_sales(check, answers, run),
        dso=value["dso"],
        overdue=value["overdue_share"],
        ageing=chosen["oldest"].ageing,
        stock=chosen["bad_debt"].stock,
        history_rate=value["bad_debt"],
        top_customer=value["top1"],
        covered=value["coverage"],
        cash_months=value["cash_months"],
        control_score=control_score(check, dimensions),
        export=export.value if export else 0.0,
        export_factor=value.get("country", 1.0) * value.get("export_terms", 1.0),
        industry_factor=industry.factor if industry else 1.0,
    )


def profile_option(question: ProfileQuestion, answers: Answers) -> ProfileOption | None:
    """The option answered, or the default; None where there is neither."""
    return question.by_key.get(str(answers.get(question.id))) or question.by_key.get(question.default)


def credit_sales(check: HealthCheck, answers: Answers, run: Run) -> float:
    """S, 万元 a year: the exact amount if it was given, else the end or middle of the band; 100 where it isn't known."""
    for key, question in check.number_keys.items():
        if question == "credit_sales" and key in answers:
            return float(answers[key])
    band = next(profile_option(each, answers) for each in check.profile if each.id == "credit_sales")
    if band is None:
        return 100.0
    return band.high if run == "high" else band.low if run == "low" else band.mid


def sales_known(check: HealthCheck, answers: Answers) -> bool:
    """Whether amounts are 万元; else they are % of credit sales."""
    exact = any(key in answers for key in check.number_keys)
    return exact or answers.get("credit_sales", UNSURE) != UNSURE


def control_score(check: HealthCheck, dimensions: Mapping[str, float]) -> float:
    """C, the weighted mean of the dimensions marked control, 0 to 100."""
    counted = [each for each in check.dimensions if each.control]
    return sum(each.weight * dimensions[each.id] for each in counted) / sum(each.weight for each in counted)
