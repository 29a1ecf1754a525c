"""Whatever numbers a sound file holds, a worse answer never helps and what isn't known widens the band."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.conftest import ROOT
from tests.health_check.test_assessment_properties import at_least, flags, level, losses, width

from xinheng.health_check.assessment import RUNS, assess
from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.facts import FALLING
from xinheng.health_check.loader import load_health_check
from xinheng.health_check.parameters import Parameters
from xinheng.health_check.path import questions_on_path
from xinheng.health_check.soundness import unsound

SHIPPED = json.loads(load_health_check(ROOT / "forms", None).stored)
COLUMNS = ("low", "base", "high")
MOST = {"dso": 400.0, "cash_months": 24.0, "export_terms": 3.0, "country": 3.0}


@st.composite
def _sound_checks(draw: st.DrawFn) -> HealthCheck:
    """The questions that ship with other points, numbers and parameters that the rules allow."""
    data = copy.deepcopy(SHIPPED)
    for question in data["questions"]:
        _renumber(draw, question)
    for name in Parameters.model_fields:
        data["parameters"][name] |= _parameter(draw, name, data["parameters"][name])
    check = HealthCheck.model_validate(data)
    assume(not [*unsound(check)])
    return check


def _renumber(draw: st.DrawFn, question: dict[str, Any]) -> None:
    options = question["options"]
    points = sorted(draw(st.lists(st.integers(0, 100), min_size=len(options), max_size=len(options))))
    for option, each in zip(options, points, strict=True):
        option["points"] = each
    for key, most in (("value", MOST.get(question["id"], 1.0)), ("stock", 3.0)):
        if key in options[0]:
            numbers = st.lists(st.floats(0, most), min_size=len(options), max_size=len(options))
            ordered = sorted(draw(numbers), reverse=question["id"] in FALLING)
            for option, number in zip(options, ordered, strict=True):
                option[key] = number


def _parameter(draw: st.DrawFn, name: str, shipped: dict[str, Any]) -> dict[str, float]:
    """Each column a little smaller or larger, in the same order; steps so small that other orders mostly stay."""
    if name in {"days_basis", "history_credibility", "margin"}:
        return dict.fromkeys(COLUMNS, shipped["base"] * draw(st.floats(0.5, 1.5)))
    columns = [shipped[column] * draw(st.floats(0.8, 1.0)) for column in COLUMNS]
    ordered = sorted(columns, reverse=shipped["low"] > shipped["high"] or name == "dso_reference_days")
    return dict(zip(COLUMNS, ordered, strict=True))


@settings(deadline=None, max_examples=150)
@given(_sound_checks(), st.data())
def test_a_sound_check_keeps_its_promises(check: HealthCheck, data: st.DataObject) -> None:
    answers = {
        question: data.draw(st.sampled_from([*offered]), label=question)
        for question, offered in check.offered.items()
    }
    asked = [each for each in questions_on_path(check, answers) if each.id in check.scored]
    question = check.scored[data.draw(st.sampled_from(asked)).id]
    better, worse = sorted(data.draw(st.permutations(range(len(question.options))))[:2])
    before = assess(check, answers | {question.id: question.options[better].key})
    after = assess(check, answers | {question.id: question.options[worse].key})
    unsure = assess(check, answers | {question.id: UNSURE})
    assert flags(before) <= flags(after)
    assert level(before.level) <= level(after.level)
    assert width(unsure) > width(before)
    for name in ("score", "score_low", "score_high"):
        assert at_least(getattr(after, name), getattr(before, name)), name
    for run in RUNS:
        assert all(map(at_least, losses(after.estimate[run]), losses(before.estimate[run])))
    for smaller, larger in (("low", "mid"), ("mid", "high")):
        assert all(map(at_least, losses(unsure.estimate[larger]), losses(unsure.estimate[smaller])))
