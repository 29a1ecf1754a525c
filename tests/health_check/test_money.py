"""The estimate on one scale: nothing falls off it, and it says what it rests on."""

from __future__ import annotations

import pytest
from tests.health_check.results import EXAMPLES, taken

from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.money import money


@pytest.mark.parametrize("example", [*EXAMPLES, UNSURE])
def test_every_figure_is_shown_once_and_fits_the_scale(check: HealthCheck, example: str) -> None:
    found = taken(check, example)
    shown = money(check, found.answers, found.assessment)
    assert len(shown.rows) + len(shown.beside) == 8
    for row in shown.rows:
        assert 0 <= row.left <= row.middle <= row.left + row.width + 1e-9
        assert row.left + row.width <= 100 + 1e-9
    assert max(row.left + row.width for row in shown.rows) > 60, "the scale isn't much too long"
    assert [place for place, _ in shown.ticks] == [0, 25, 50, 75, 100]


@pytest.mark.parametrize(
    ("changed", "basis", "unit"),
    [
        ({}, "8000万元", "wan"),
        ({"credit_sales": "s2000_5000", "credit_sales_wan": ""}, "2000万–5000万元", "wan"),
        ({"credit_sales": "unsure", "credit_sales_wan": ""}, "", "percent"),
    ],
)
def test_it_says_which_sales_it_rests_on(
    check: HealthCheck, changed: dict[str, str], basis: str, unit: str
) -> None:
    found = taken(check, "P04", **changed)
    answers = {key: value for key, value in found.answers.items() if value}
    shown = money(check, answers, found.assessment)
    assert (shown.basis, shown.unit) == (basis, unit)


def test_the_ticks_are_round(check: HealthCheck) -> None:
    found = taken(check, "P04")
    assert [label for _, label in money(check, found.answers, found.assessment).ticks] == [
        *("0", "600", "1200", "1800", "2400")
    ]
