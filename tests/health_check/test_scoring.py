"""Points, weights, levels and the middle, by hand."""

from __future__ import annotations

import pytest

from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.scoring import (
    chosen_options,
    confidence_of,
    contributions,
    dimension_scores,
    level_of,
    middles,
    scope_of,
    score,
    shown_score,
    to_find_out,
    unsure_share,
)

HOME = {"export_share": "none"}


def every(check: HealthCheck, place: int) -> dict[str, str]:
    """The same place in the options of every question, all asked."""
    return {"export_share": "gt50"} | {each.id: each.options[place].key for each in check.questions}


@pytest.mark.parametrize(("place", "expected"), [(0, 0.0), (1, 26.0), (-1, 100.0)])
def test_a_uniform_profile_has_the_published_score(check: HealthCheck, place: int, expected: float) -> None:
    answers = every(check, place)
    scope = scope_of(check, answers)
    found = score(contributions(scope, chosen_options(scope, answers, "mid")))
    assert round(found, 1) == expected


def test_weights_are_scaled_where_a_dimension_is_left_out(check: HealthCheck) -> None:
    home, abroad = scope_of(check, HOME), scope_of(check, {"export_share": "lt20"})
    assert home.shares["D1"] == pytest.approx(22 / 92)
    assert abroad.shares["D1"] == pytest.approx(22 / 100)
    assert "D8" not in home.shares
    for scope in (home, abroad):
        assert sum(scope.shares.values()) == pytest.approx(1)
        assert sum(map(scope.weight, scope.questions)) == pytest.approx(1)


def test_a_dimension_is_the_weighted_mean_of_its_questions(check: HealthCheck) -> None:
    answers = every(check, 0) | {"dso": "d61_90", "overdue_share": "gt50"}
    scope = scope_of(check, answers)
    found = dimension_scores(scope, chosen_options(scope, answers, "mid"))
    assert found["D1"] == pytest.approx(0.25 * 40 + 0.35 * 100)
    assert sum(found.values()) == found["D1"]


def test_unsure_means_another_option_in_each_run(check: HealthCheck) -> None:
    scope = scope_of(check, HOME)
    for answers in ({"dso": UNSURE}, {}, {"dso": "gone"}):
        keys = [chosen_options(scope, answers, run)["dso"].key for run in ("low", "mid", "high")]
        assert keys == ["d31_60", "d61_90", "gt120"]


@pytest.mark.parametrize(
    ("exact", "shown"),
    [(0.0, 0), (44.49, 44), (44.5, 45), (44.49999999999999, 45), (24.4999, 24), (100.0, 100)],
)
def test_a_score_is_shown_rounded_half_up_whatever_its_last_bit(exact: float, shown: int) -> None:
    assert shown_score(exact) == shown


@pytest.mark.parametrize(
    ("exact", "level"),
    [(0, "low"), (24.4, "low"), (24.5, "moderate"), (44.4, "moderate"), (44.5, "elevated"), (64.5, "high"), (100, "high")],
)  # fmt: skip
def test_the_level_follows_the_shown_score(check: HealthCheck, exact: float, level: str) -> None:
    assert level_of(check, exact, []) == level


def test_a_level_is_raised_to_the_highest_floor_and_never_lowered(check: HealthCheck) -> None:
    assert level_of(check, 10, ["elevated", "high", "low"]) == "high"
    assert level_of(check, 90, ["elevated"]) == "high"


def test_the_unsure_share_is_by_weight(check: HealthCheck) -> None:
    answers = every(check, 0)
    scope = scope_of(check, answers)
    assert unsure_share(scope, answers) == 0
    assert unsure_share(scope, answers | {"dso": UNSURE}) == pytest.approx(0.22 * 0.25)
    assert unsure_share(scope, {}) == pytest.approx(1)


@pytest.mark.parametrize(
    ("share", "confidence"),
    [(0, "good"), (0.1, "good"), (0.1 + 1e-15, "good"), (0.11, "fair"), (0.3, "fair"), (0.5, "weak"), (0.51, "insufficient"), (1, "insufficient")],
)  # fmt: skip
def test_confidence_is_taken_from_the_share(check: HealthCheck, share: float, confidence: str) -> None:
    assert confidence_of(check, share) == confidence


def test_the_middle_lies_between_two_options_where_their_number_is_even(check: HealthCheck) -> None:
    found = middles(check)
    assert found.keys() == {each.id for each in check.dimensions}
    assert found["D3"] == pytest.approx(0.6 * (30 + 65) / 2 + 0.4 * (30 + 70) / 2)
    assert found["D2"] == pytest.approx(0.55 * 40 + 0.25 * 50 + 0.2 * (35 + 70) / 2)


def test_what_to_find_out_has_the_points_of_its_band(check: HealthCheck) -> None:
    scope = scope_of(check, HOME)
    found = to_find_out(scope, {each.id: each.options[0].key for each in check.questions} | {"top1": UNSURE})
    assert [each.question for each in found] == ["top1"]
    assert found[0].width == pytest.approx(14 / 92 * 0.55 * (100 - 15))
