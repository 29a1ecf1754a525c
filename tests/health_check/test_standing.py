"""Score and level in words; where too much is unsure there is neither, only what they lie between."""

from __future__ import annotations

import pytest
from tests.health_check.results import taken

from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.standing import standing


@pytest.mark.parametrize(
    ("example", "score", "level", "raised"),
    [
        ("P04", "54", "高", True),
        ("P07", "59", "偏高", False),
        ("P08", "31", "中等", False),
        ("B01", "0", "较低", False),
        ("B02", "100", "高", False),
        (UNSURE, "27–98", "中等至高", False),
    ],
)
def test_where_a_result_stands(
    check: HealthCheck, example: str, score: str, level: str, raised: bool
) -> None:
    found = standing(check, taken(check, example).assessment)
    assert (found.score_words, found.level_words, found.raised) == (score, level, raised)


def test_a_band_is_told_only_where_something_is_unsure(check: HealthCheck) -> None:
    sure, unsure = (standing(check, taken(check, each).assessment) for each in ("P04", "P07"))
    assert (sure.sure, sure.band) == (True, "54")
    assert (unsure.sure, unsure.band) == (False, "49–70")


def test_a_level_that_both_ends_agree_on_may_be_told(check: HealthCheck) -> None:
    known = {"top1": "gt50", "oldest": "d180p", "industry": "other", "export_share": "none"}
    found = standing(check, taken(check, UNSURE, **known).assessment)
    assert not found.one_level
    assert found.shown_level == check.level("high")
    assert found.level_words == "高"
