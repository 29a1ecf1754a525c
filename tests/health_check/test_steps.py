"""How far one is, in words and on the bar; how much a question weighs."""

from __future__ import annotations

import pytest

from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.steps import Size, groups, minutes, most_points, size_of, way

HOME = {"industry": "food", "credit_sales": "lt500", "export_share": "none"}
ABROAD = HOME | {"export_share": "gt50"}


def test_the_bar_follows_the_branch(check: HealthCheck) -> None:
    home, abroad = way(check, HOME, "dso"), way(check, ABROAD, "dso")
    assert (home.number, home.total, home.answered, home.group) == (4, 22, 3, "账期与回款")
    assert abroad.total == 24
    assert home.done == home.weight == "13.64%"
    assert [*home.cuts] == [
        *("13.64%", "31.82%", "45.45%", "54.55%", "63.64%", "72.73%", "81.82%", "90.91%"),
    ]
    assert len(abroad.cuts) == 9


def test_going_back_moves_the_weight_and_leaves_what_is_done(check: HealthCheck) -> None:
    back = way(check, HOME, "industry")
    assert (back.number, back.weight, back.answered, back.done) == (1, "0.00%", 3, "13.64%")


@pytest.mark.parametrize(("questions", "expected"), [(0, 1), (1, 1), (5, 1), (6, 2), (18, 4), (22, 5)])
def test_how_long_it_takes(questions: int, expected: int) -> None:
    assert minutes(questions) == expected


def test_the_size_of_the_check_that_ships(check: HealthCheck) -> None:
    assert size_of(check) == Size(22, 24, 5)


def test_what_a_question_weighs_at_most(check: HealthCheck) -> None:
    share = check.asked["overdue_share"]
    assert most_points(check, HOME, share) == pytest.approx(22 * 0.35 / 0.92)
    assert most_points(check, ABROAD, share) == pytest.approx(7.7)
    assert most_points(check, HOME, check.asked["industry"]) is None


def test_questions_are_looked_over_by_what_they_are_about(check: HealthCheck) -> None:
    names = [group.name for group in groups(check, HOME)]
    assert names[:2] == ["基本情况", "账期与回款"]
    assert "出口与国别风险" not in names
    assert sum(len(group.questions) for group in groups(check, ABROAD)) == 24
