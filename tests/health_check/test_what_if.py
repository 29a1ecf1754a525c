"""Another answer, tried: what changes is what the rules say of the changed answers, and the result stays as it is."""

from __future__ import annotations

from tests.health_check.results import taken

from xinheng.health_check.assessment import assess
from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.what_if import choosable, one_step_better, outcome, wanted_changes


def test_only_other_answers_that_are_offered_on_the_path_count(check: HealthCheck) -> None:
    answers = taken(check, "P04").answers
    wanted = {
        "top1": "le10",
        "dso": str(answers["dso"]),
        "oldest": "unsure",
        "hold": "sometimes",
        "country": "low",
        "industry": "food",
        "nonsense": "x",
        "": "",
    }
    assert wanted_changes(check, answers, wanted) == {"top1": "le10", "oldest": "unsure"}


def test_several_answers_at_once_come_to_what_the_rules_say(check: HealthCheck) -> None:
    found = taken(check, "P04")
    changed = {"oldest": "d61_90", "top1": "le10"}
    tried = outcome(check, found.answers, found.assessment, changed)
    then = assess(check, {**found.answers, **changed})
    assert (tried.now.score, tried.then.score) == (54, then.score_shown)
    assert (tried.now.level_words, tried.then.level_words) == ("高", check.level(then.level).name)
    assert (tried.lifted, tried.raised) == (["RF3"], [])
    loss = next(pair for pair in tried.figures if pair[0].key == "expected_loss")
    assert loss[1].middle < loss[0].middle
    assert [(each.now, each.then) for each in tried.changes] == [
        ("180天以上", "61–90天"),
        ("20%–30%", "10%以内"),
    ]


def test_a_worse_answer_raises_red_lines(check: HealthCheck) -> None:
    found = taken(check, "P08")
    tried = outcome(check, found.answers, found.assessment, {"bad_debt": "gt2"})
    assert tried.raised == ["RF5"]
    assert tried.then.score > tried.now.score


def test_each_reason_is_improved_by_one_step_and_all_together(check: HealthCheck) -> None:
    found = taken(check, "P04")
    steps = one_step_better(check, found.answers, found.assessment)
    assert [len(each.changes) for each in steps] == [1, 1, 1, 3]
    for step, reason in zip(steps, found.assessment.reasons, strict=False):
        won = found.assessment.score - reason.one_step_gain
        assert abs(step.then.score - won) <= 0.5
    assert steps[0].lifted == ["RF3"]
    assert steps[2].lifted == []
    assert steps[-1].then.score == 48


def test_an_unsure_answer_is_improved_over_what_it_usually_means(check: HealthCheck) -> None:
    found = taken(check, UNSURE)
    steps = one_step_better(check, found.answers, found.assessment)
    assert all(each.changes[0].now == "不清楚" for each in steps)
    assert steps[0].then.high < steps[0].now.high


def test_at_the_best_there_is_nothing_to_improve(check: HealthCheck) -> None:
    found = taken(check, "B01")
    assert one_step_better(check, found.answers, found.assessment) == []


def test_all_scored_questions_of_the_path_can_be_tried_the_reasons_first(check: HealthCheck) -> None:
    found = taken(check, "P04")
    shown = choosable(check, found.answers, found.assessment, {"top1": "le10"})
    assert [each.question.id for each in shown[:3]] == ["overdue_share", "oldest", "cash_months"]
    assert len(shown) == 19
    top = next(each for each in shown if each.question.id == "top1")
    assert (top.own, top.chosen, top.number) == ("p20_30", "le10", 8)
    assert [option.label for option in top.options][-1] == "不清楚"
