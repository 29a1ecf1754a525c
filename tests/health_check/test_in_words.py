"""All answers and what they came to, in words: nothing of a stored result is left out of its person's file."""

from __future__ import annotations

import json

import pytest
from tests.health_check.conftest import NOON
from tests.health_check.results import EXAMPLES, answers_of

from xinheng.assessments import Kept
from xinheng.health_check.assessment import assess
from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.in_words import in_words


def kept(check: HealthCheck, example: str) -> Kept:
    answers = answers_of(check, example)
    return Kept("1", check.hash, answers, assess(check, answers).as_json(), None, NOON, None)


@pytest.mark.parametrize("example", [*EXAMPLES, UNSURE])
def test_every_answer_is_there_and_no_key(check: HealthCheck, example: str) -> None:
    found = in_words(check, kept(check, example))
    assert len(found["答案"]) == (24 if "出口与国别风险" in found["各方面得分"] else 22)
    assert len(found["估算"]) == 8
    assert not any(key in json.dumps(found, ensure_ascii=False) for key in ("p30_50", "overdue_share", "RF3"))


def test_it_says_what_its_visitor_was_told(check: HealthCheck) -> None:
    found = in_words(check, kept(check, "P04"))
    assert (found["等级"], found["得分"]) == ("高", "54")
    assert found["红线"] == ["逾期占比超过三成，且有超过180天的老账。"]
    unsure = in_words(check, kept(check, UNSURE))
    assert (unsure["等级"], unsure["得分"]) == ("中等至高", "27–98")
    assert not any("约" in words for words in unsure["估算"].values())
