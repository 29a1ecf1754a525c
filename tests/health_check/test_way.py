"""What an answer is, where it leads, when a hint is given: no jumping ahead, nothing of a branch not taken."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.health_check.conftest import another_version, answer_for

from xinheng.health_check.counting import OVERVIEW
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.drafts import Draft
from xinheng.health_check.path import answers_on_path
from xinheng.health_check.way import (
    Given,
    Led,
    NotAnswered,
    amount_words,
    answer,
    others_of_prompt,
    place,
    prompt_to_show,
    read_answer,
    step_back,
    take_up,
)


def draft_of(check: HealthCheck, **answers: str) -> Draft:
    return Draft(check.hash, "", datetime(2026, 11, 22, tzinfo=UTC), dict(answers))


def answered(check: HealthCheck, until: str = OVERVIEW, **wanted: str) -> Draft:
    """A draft whose questions have an answer up to one."""
    draft, wanted = draft_of(check), {"export_share": "none"} | wanted
    while (here := place(check, draft.answers)) != until:
        draft.answers[here] = answer_for(check, here, wanted)
    return draft


def led(check: HealthCheck, draft: Draft, question: str, chosen: str, *, from_overview: bool = False) -> Led:
    return answer(check, draft, check.asked[question], Given(chosen), from_overview=from_overview)


def test_the_whole_way_leads_to_the_overview(check: HealthCheck) -> None:
    draft, here, seen = draft_of(check), "industry", []
    while here != OVERVIEW:
        seen.append(here)
        here = led(check, draft, here, answer_for(check, here, {})).step
    assert seen == list(check.asked)
    assert draft.newly_done == seen


@pytest.mark.parametrize(
    ("wanted", "step"),
    [
        ("top1", "top1"),
        ("dso", "dso"),
        ("top5", "top1"),
        ("export_terms", "top1"),
        ("nonsense", "top1"),
        ("", "top1"),
    ],
)
def test_nobody_jumps_ahead(check: HealthCheck, wanted: str, step: str) -> None:
    assert place(check, answered(check, "top1").answers, wanted) == step


def test_who_answered_all_is_led_to_the_overview_from_anywhere_else(check: HealthCheck) -> None:
    answers = answered(check).answers
    assert place(check, answers, "export_terms") == OVERVIEW
    assert place(check, answers, "coverage") == "coverage"


def test_after_going_back_each_next_question_comes_again(check: HealthCheck) -> None:
    draft = answered(check, "bad_debt")
    assert step_back(check, draft, check.asked["bad_debt"], Given("")) == "oldest"
    assert led(check, draft, "overdue_share", "le5").step == "oldest"


def test_going_back_keeps_what_was_chosen_and_asks_for_nothing(check: HealthCheck) -> None:
    draft = answered(check, "dso")
    assert step_back(check, draft, check.asked["dso"], Given("le30")) == "export_share"
    assert draft.answers["dso"] == "le30"
    assert step_back(check, draft, check.asked["industry"], Given("no such key")) == ""
    assert draft.answers["industry"] == "textile"


def test_a_change_leads_back_to_the_overview_unless_it_opens_a_branch(check: HealthCheck) -> None:
    draft = answered(check)
    assert led(check, draft, "top1", "le10", from_overview=True).step == OVERVIEW
    assert led(check, draft, "export_share", "gt50", from_overview=True).step == "export_terms"
    assert led(check, draft, "export_terms", "dp", from_overview=True).step == "country"
    assert led(check, draft, "country", "low", from_overview=True).step == OVERVIEW


def test_answers_of_a_branch_not_taken_are_kept_and_do_not_count(check: HealthCheck) -> None:
    draft = answered(check, export_share="gt50")
    led(check, draft, "export_share", "none", from_overview=True)
    assert draft.answers["country"] == "mixed"
    assert not {"export_terms", "country"} & set(answers_on_path(check, draft.answers))
    assert led(check, draft, "export_share", "lt20", from_overview=True).step == OVERVIEW


@pytest.mark.parametrize(
    ("given", "key", "value"),
    [
        (Given("lt500"), "credit_sales", "lt500"),
        (Given("", "4,200"), "credit_sales_wan", 4200.0),
        (Given("lt500", " ３５００.5 "), "credit_sales_wan", 3500.5),  # who fills both means the figure
        (Given("unsure", "  "), "credit_sales", "unsure"),
    ],
)
def test_sales_are_a_band_or_an_exact_amount(
    check: HealthCheck, given: Given, key: str, value: str | float
) -> None:
    assert read_answer(check, check.asked["credit_sales"], given, {}) == (key, value)


def test_one_takes_the_place_of_the_other(check: HealthCheck) -> None:
    draft = answered(check, "export_share")
    sales = check.asked["credit_sales"]
    answer(check, draft, sales, Given("", "4200"), from_overview=False)
    assert ("credit_sales" in draft.answers, draft.answers["credit_sales_wan"]) == (False, 4200)
    answer(check, draft, sales, Given("lt500", "4200"), from_overview=False)  # the figure stood there before
    assert (draft.answers["credit_sales"], "credit_sales_wan" in draft.answers) == ("lt500", False)


@pytest.mark.parametrize(
    ("question", "given", "words", "in_amount"),
    [
        ("dso", Given(""), "拿不准就选“不清楚 / 暂时说不准”", False),
        ("credit_sales", Given(""), "拿不准就选“不便透露 / 说不准”", False),
        ("industry", Given(""), "请先选一项", False),
        ("dso", Given("gone"), "选项有更新", False),
        ("dso", Given("", "4200"), "拿不准", False),
        ("credit_sales", Given("lt500", "很多"), "大于0的数字", True),
        ("credit_sales", Given("", "0"), "万元", True),
        ("credit_sales", Given("", "-3"), "万元", True),
    ],
)
def test_what_is_no_answer_says_what_to_do(
    check: HealthCheck, question: str, given: Given, words: str, in_amount: bool
) -> None:
    draft = answered(check, question)
    before = dict(draft.answers)
    with pytest.raises(NotAnswered, match=words) as told:
        answer(check, draft, check.asked[question], given, from_overview=False)
    assert told.value.in_amount is in_amount
    assert (draft.answers, draft.newly_done) == (before, [])


def test_a_hint_is_given_once_and_where_one_of_its_questions_is_answered(check: HealthCheck) -> None:
    draft = answered(check, "oldest", overdue_share="p30_50")
    assert led(check, draft, "oldest", "none") == Led("bad_debt", "C3")
    assert led(check, draft, "oldest", "none") == Led("bad_debt")
    assert led(check, draft, "overdue_share", "p15_30") == Led("oldest")
    draft = answered(check, "top5", top1="gt50")
    assert led(check, draft, "top5", "p30_50") == Led("correlated", "C1")
    assert led(check, draft, "correlated", "spread").prompt == ""


def test_a_hint_shows_only_where_it_holds(check: HealthCheck) -> None:
    draft = answered(check, overdue_share="p30_50", oldest="none")
    shown = prompt_to_show(check, draft.answers, "C3", "oldest")
    assert shown
    assert [each.id for each in others_of_prompt(check, "C3", "oldest")] == ["overdue_share"]
    assert prompt_to_show(check, draft.answers, "C3", "dso") is None
    assert prompt_to_show(check, draft.answers, "C1", "top1") is None
    assert prompt_to_show(check, draft.answers, "nonsense", "oldest") is None


def test_a_draft_goes_on_under_its_own_version_or_is_asked_what_is_new(check: HealthCheck) -> None:
    draft = answered(check, "top1")
    other = another_version(check, "2.0")
    assert take_up(draft, check, other) is check
    assert draft.version == check.hash
    draft.answers |= {"dso": "an option of before", "a_question_of_before": "yes"}
    assert take_up(draft, None, other) is other
    assert (draft.version, place(other, draft.answers)) == (other.hash, "dso")
    assert "overdue_share" in draft.answers
    assert "a_question_of_before" not in draft.answers


@pytest.mark.parametrize(
    ("amount", "words"), [(4200.0, "4200"), (0.5, "0.5"), (1e8, "100000000"), (None, ""), ("lt500", "")]
)
def test_an_amount_stands_in_its_field_as_it_was_typed(amount: float | str | None, words: str) -> None:
    assert amount_words(amount) == words
