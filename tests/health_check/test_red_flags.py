"""Red flags of one run, and prompts that only ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.red_flags import prompts, raised
from xinheng.health_check.scoring import chosen_options, scope_of

ABROAD = {"export_share": "lt20"}


@pytest.mark.parametrize(
    ("answers", "flags"),
    [
        ({}, []),
        ({"top1": "gt50", "oldest": "d91_180"}, ["RF1"]),
        ({"top1": "gt50", "oldest": "d180p"}, ["RF1"]),
        ({"top1": "p30_50", "oldest": "d180p"}, []),
        ({"overdue_share": "gt50"}, ["RF2"]),
        ({"overdue_share": "p30_50", "oldest": "d180p"}, ["RF3"]),
        ({"cash_months": "lt1", "overdue_share": "p30_50"}, ["RF4"]),
        ({"bad_debt": "gt2"}, ["RF5"]),
        ({"oldest": "d180p", "proof": "poor"}, ["RF6"]),
        ({"country": "severe", "export_terms": "oa60", "coverage": "c1", **ABROAD}, ["RF7"]),
        ({"country": "severe", "export_terms": "oa60", "coverage": "c1", "export_share": "none"}, []),
        ({"country": "severe", "export_terms": "oa60", "coverage": "c20", **ABROAD}, []),
        ({"cash_months": "lt1", "paid_late": "now"}, ["RF9"]),
    ],
)
def test_a_flag_needs_every_answer_at_least_so_bad(
    check: HealthCheck, answers: Mapping[str, str], flags: Sequence[str]
) -> None:
    best = {each.id: each.options[0].key for each in check.questions} | answers
    chosen = chosen_options(scope_of(check, best), best, "mid")
    assert raised(check, chosen, 1.0) == flags


def test_a_runway_of_nothing_is_a_flag(check: HealthCheck) -> None:
    best = {each.id: each.options[0].key for each in check.questions}
    chosen = chosen_options(scope_of(check, best), best, "mid")
    assert raised(check, chosen, 0.0) == ["RF8"]
    assert raised(check, chosen, 0.01) == []


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ({"top1": "gt50", "top5": "p30_50"}, ["C1"]),
        ({"top1": "gt50", "top5": "le30"}, ["C1", "C2"]),
        ({"top1": "p30_50", "top5": "le30"}, ["C2"]),
        ({"top1": "p30_50", "top5": "p30_50"}, []),
        ({"overdue_share": "p15_30", "oldest": "none"}, ["C3"]),
        ({"overdue_share": "p15_30", "oldest": "d1_30"}, []),
        ({"overdue_share": "p5_15", "oldest": "none"}, []),
        ({"overdue_share": UNSURE, "oldest": "none"}, []),
        ({"overdue_share": "gt50"}, []),
        ({"overdue_share": "gt50", "oldest": "gone"}, []),
        ({}, []),
    ],
)
def test_a_prompt_asks_about_two_answers_that_hardly_fit(
    check: HealthCheck, answers: Mapping[str, str], asked: Sequence[str]
) -> None:
    assert prompts(check, answers) == asked
