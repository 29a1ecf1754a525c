"""The whole result: the published vectors, what is 不清楚, and what is shown of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from xinheng.health_check.assessment import assess
from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.loader import stored_check

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
ABSOLUTE, RELATIVE = 0.0006, 1e-5
BY_ID = {each["id"]: each for each in VECTORS}
MONTHS_AND_PERCENT = {"expected_loss_pct_of_credit_sales", "cash_runway_months", "stress_runway_months"}


def answers_of(id: str, **changed: str | float) -> Mapping[str, str | float]:
    return {**BY_ID[id]["answers"], **changed}


def near(found: Any, expected: Any, *, money: bool = False) -> bool:
    """Equal, numbers within the published tolerances: relative for amounts, absolute for the rest."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            near(found[key], each, money=money and key not in MONTHS_AND_PERCENT)
            for key, each in expected.items()
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(near, found, expected))
    if isinstance(expected, float) and not isinstance(expected, bool):
        return bool(
            found == pytest.approx(expected, rel=RELATIVE if money else 0, abs=0 if money else ABSOLUTE)
        )
    return bool(found == expected)


# --- the published vectors ---


def test_there_are_vectors() -> None:
    assert [*BY_ID] == ["P01", "P02", "P03", "P04", "P05", "P06", "P07", "P08", "B01", "B02"]


@pytest.mark.parametrize("vector", VECTORS, ids=[*BY_ID])
def test_a_vector_holds_within_its_tolerances(check: HealthCheck, vector: Mapping[str, Any]) -> None:
    found = assess(check, vector["answers"]).as_json()
    assert found.keys() == vector["expected"].keys()
    for key, expected in vector["expected"].items():
        assert near(found[key], expected, money=key == "estimate"), key


@pytest.mark.parametrize("vector", VECTORS, ids=[*BY_ID])
def test_a_definition_that_was_stored_gives_the_same_result(
    check: HealthCheck, vector: Mapping[str, Any]
) -> None:
    again = stored_check(check.stored)
    assert assess(again, vector["answers"]) == assess(check, vector["answers"])


# --- what is 不清楚 ---


def test_nothing_answered_is_the_published_band(check: HealthCheck) -> None:
    found = assess(check, {"export_share": "none"})
    assert (round(found.score_low, 1), round(found.score_high, 1)) == (26.7, 98.3)
    assert (found.unsure_share, found.confidence, found.one_level) == (1.0, "insufficient", False)


def test_no_answer_counts_as_unsure(check: HealthCheck) -> None:
    given = answers_of("P07")
    without = {question: answer for question, answer in given.items() if answer != UNSURE}
    assert len(without) < len(given)
    assert assess(check, without) == assess(check, given)


def test_what_is_no_option_counts_as_unsure(check: HealthCheck) -> None:
    nonsense = assess(check, answers_of("P01", dso="forever", industry="piracy", gone="x"))
    assert nonsense == assess(check, answers_of("P01", dso=UNSURE, industry="other"))


def test_no_sales_are_a_hundred_so_that_amounts_are_percentages(check: HealthCheck) -> None:
    given = {key: answer for key, answer in answers_of("P08").items() if key != "credit_sales_wan"}
    for answers in (given, {**given, "credit_sales": UNSURE}):
        estimate = assess(check, answers).estimate
        assert [each.credit_sales for each in estimate.values()] == [100, 100, 100]
        assert estimate["mid"].expected_loss == pytest.approx(
            assess(check, answers_of("P08")).estimate["mid"].expected_loss_pct_of_credit_sales
        )


def test_an_exact_amount_comes_before_the_band(check: HealthCheck) -> None:
    both = assess(check, answers_of("P03", credit_sales_wan=2600))
    assert {each.credit_sales for each in both.estimate.values()} == {2600}


@pytest.mark.parametrize(
    ("unsure", "confidence", "one_level"),
    [
        ((), "good", True),
        (("paid_late", "correlated"), "good", True),
        (("overdue_share", "cash_months"), "fair", True),
        (("overdue_share", "cash_months", "dso", "oldest", "top1", "followup"), "weak", True),
        (
            (
                "overdue_share",
                "cash_months",
                "dso",
                "oldest",
                "top1",
                "followup",
                "ageing",
                "new_check",
                "limit",
            ),
            "insufficient",
            False,
        ),
    ],
)
def test_confidence_falls_with_what_is_unsure(
    check: HealthCheck, unsure: tuple[str, ...], confidence: str, one_level: bool
) -> None:
    found = assess(check, answers_of("B01", **dict.fromkeys(unsure, UNSURE)))
    assert (found.confidence, found.one_level) == (confidence, one_level)


def test_what_widens_the_band_most_is_to_be_found_out_first(check: HealthCheck) -> None:
    found = assess(check, answers_of("P07"))
    assert [each.question for each in found.to_find_out][:2] == ["overdue_share", "oldest"]
    band = found.score_high - found.score_low
    assert sum(each.width for each in found.to_find_out) == pytest.approx(band)
    widths = [each.width for each in found.to_find_out]
    assert widths == sorted(widths, reverse=True)
    assert assess(check, answers_of("P01")).to_find_out == []


# --- flags, levels, dimensions ---


def test_a_flag_is_certain_only_if_no_unsure_answer_is_needed_for_it(check: HealthCheck) -> None:
    sure = assess(check, answers_of("B01", overdue_share="p30_50", oldest="d180p"))
    assert (sure.red_flags, sure.possible_red_flags, sure.level) == (["RF3"], [], "high")
    unsure = assess(check, answers_of("B01", overdue_share="p30_50", oldest=UNSURE))
    assert (unsure.red_flags, unsure.possible_red_flags, unsure.level) == ([], ["RF3"], "low")
    assert (unsure.level_low, unsure.level_high) == ("low", "high")


def test_a_flag_leaves_the_score_as_it_is(check: HealthCheck) -> None:
    found = assess(check, answers_of("B01", bad_debt="gt2"))
    assert found.red_flags == ["RF5"]
    assert found.score_shown < 25
    assert found.level == "elevated"


def test_the_flag_of_the_runway_takes_the_base_case_of_each_run(check: HealthCheck) -> None:
    """P01's high column runs out of cash, its base case doesn't: no flag."""
    found = assess(check, answers_of("P01"))
    assert found.estimate["high"].stress_runway_months == 0
    assert "RF8" not in {*found.red_flags, *found.possible_red_flags}
    assert "RF8" in assess(check, answers_of("P02", cash_months=UNSURE)).possible_red_flags


def test_export_questions_never_count_without_exports(check: HealthCheck) -> None:
    stale = answers_of("P02", export_terms="oa60p", country="severe")
    assert assess(check, stale) == assess(check, answers_of("P02"))


def test_no_cover_alone_is_a_low_risk(check: HealthCheck) -> None:
    found = assess(check, answers_of("B01", coverage="none", security="never"))
    assert (round(found.score, 1), found.level) == (6.5, "low")


def test_the_worst_dimensions_come_first(check: HealthCheck) -> None:
    assert assess(check, answers_of("P05")).worst_dimensions[:3] == ["D3", "D9", "D4"]


def test_a_what_if_is_a_second_run(check: HealthCheck) -> None:
    before = assess(check, answers_of("P04"))
    after = assess(check, answers_of("P04", oldest="d91_180"))
    gain = next(each.one_step_gain for each in before.reasons if each.question == "oldest")
    assert before.score - after.score == pytest.approx(gain)
    assert (before.level, after.level) == ("high", "elevated")
    assert after.estimate["mid"].expected_loss < before.estimate["mid"].expected_loss
