"""Two checks of one device: what moved, and what was answered otherwise; never across rules that differ."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.health_check.conftest import NOON, Written
from tests.health_check.results import taken

from xinheng.health_check.comparison import Changed, Moved, comparable, compare
from xinheng.health_check.definition import UNSURE, HealthCheck

BEFORE = NOON - timedelta(days=60)


def test_it_tells_what_moved_and_which_answers_changed(check: HealthCheck) -> None:
    found = compare(
        taken(check, "P04", BEFORE), taken(check, "P04", oldest="d61_90", export_share="lt20", country="low")
    )
    assert (found.at, found.comparable) == (BEFORE, True)
    assert (found.then.score_words, found.then.level_words) == ("54", "高")
    assert found.now.level_words == "偏高"
    moved = {each.name: each for each in found.dimensions}
    assert moved["客户集中度"] == Moved("客户集中度", 55, 55)
    assert (moved["出口与国别风险"].then, moved["出口与国别风险"].now is None) == (None, False)
    changed = {each.question: each for each in found.answers}
    oldest = check.scored["oldest"].text
    assert changed[oldest] == Changed(oldest, "180天以上", "61–90天")
    assert changed[check.scored["country"].text].then == ""
    assert changed[check.scored["export_terms"].text] == Changed(
        check.scored["export_terms"].text, "", "不清楚"
    )


def test_the_same_answers_changed_nothing(check: HealthCheck) -> None:
    found = compare(taken(check, "P07", BEFORE), taken(check, "P07"))
    assert found.answers == []
    assert {(each.then, each.now) for each in found.dimensions if each.then != each.now} == set()


def test_what_was_unsure_is_compared_as_it_was_told(check: HealthCheck) -> None:
    found = compare(taken(check, UNSURE, BEFORE), taken(check, "P04"))
    assert (found.then.score_words, found.then.level_words) == ("27–98", "中等至高")
    assert found.now.score_words == "54"


def test_other_words_are_comparable_other_points_are_not(check: HealthCheck, written: Written) -> None:
    written.change("您的企业主要属于哪个行业？", "贵公司主要做哪一行？")
    assert comparable(check, written.load())
    written.change('version = "1.0"', 'version = "1.1"')
    later = written.load()
    assert not comparable(check, later)
    found = compare(taken(check, "P04", BEFORE), taken(later, "P04"))
    assert (found.comparable, found.version) == (False, "1.0")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("points = 15", "points = 16"),
        ("low = 0.053\nbase = 0.053\nhigh = 0.053", "low = 0.06\nbase = 0.06\nhigh = 0.06"),
        ("from = 25", "from = 26"),
        ("factor = 1.3", "factor = 1.2"),
        ('unsure = { low = "d31_60"', 'unsure = { low = "le30"'),
    ],
)
def test_rules_that_differ_are_not_comparable_whatever_they_are_called(
    check: HealthCheck, written: Written, old: str, new: str
) -> None:
    written.change(old, new)
    changed = written.load()
    assert changed.version == check.version
    assert not comparable(check, changed)
    assert not comparable(changed, check)
