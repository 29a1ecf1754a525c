"""Whom to call first: points and reasons from rules that marketers write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import ROOT

from xinheng.company import load_company
from xinheng.documents import BadDocument
from xinheng.forms.loader import load_consultation
from xinheng.forms.needs import offered_needs
from xinheng.forms.priority import (
    PRIORITY,
    Condition,
    Freshness,
    LeadFacts,
    PriorityRules,
    Rule,
    load_priority,
)

NEEDS = ("receivables", "overdue")
RULE = '[[rules]]\nwhen = { need = ["overdue"] }\npoints = 30\nwords = "有逾期账款"\n'


@pytest.fixture(scope="module")
def shipped_needs() -> Sequence[str]:
    form = load_consultation(ROOT / "forms", load_company(ROOT / "content"))
    return offered_needs(form.declaration)


@pytest.fixture(scope="module")
def shipped(shipped_needs: Sequence[str]) -> PriorityRules:
    return load_priority(ROOT / "forms", shipped_needs)


def faults_of(folder: Path, text: str) -> Sequence[str]:
    """What is said about a file with this text, without its path and line."""
    file = folder / PRIORITY
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadDocument) as raised:
        load_priority(folder, NEEDS)
    assert {fault.file for fault in raised.value.faults} == {file}
    return [str(fault).partition(": ")[2] for fault in raised.value.faults]


def rule(points: int, words: str = "话", **when: Any) -> Rule:
    return Rule(when=Condition(**when), points=points, words=words)


# --- one condition ---


@pytest.mark.parametrize(
    ("when", "facts", "holds"),
    [
        ({"need": ("overdue",)}, LeadFacts(need="overdue"), True),
        ({"need": ("receivables", "overdue")}, LeadFacts(need="overdue"), True),
        ({"need": ("overdue",)}, LeadFacts(need="other"), False),
        ({"need": ("overdue",)}, LeadFacts(), False),
        ({"level": ("high", "elevated")}, LeadFacts(level="elevated"), True),
        ({"level": ("low",)}, LeadFacts(level=""), False),
        ({"source": ("search",)}, LeadFacts(source="search"), True),
        ({"source": ("search",)}, LeadFacts(source="own"), False),
        ({"details_at_least": 40}, LeadFacts(details=39), False),
        ({"details_at_least": 40}, LeadFacts(details=40), True),
        ({"articles_at_least": 3}, LeadFacts(articles=2), False),
        ({"articles_at_least": 3}, LeadFacts(articles=3), True),
        ({"enquiries_at_least": 2}, LeadFacts(), False),
        ({"enquiries_at_least": 2}, LeadFacts(enquiries=2), True),
        ({"channel": ("partner", "ad")}, LeadFacts(channel="ad"), True),
        ({"channel": ("partner",)}, LeadFacts(), False),
        ({"answers_at_least": 2}, LeadFacts(answers=1), False),
        ({"answers_at_least": 2}, LeadFacts(answers=2), True),
        ({"named": True}, LeadFacts(), False),
        ({"named": True}, LeadFacts(named=True), True),
        ({"call_time": True}, LeadFacts(), False),
        ({"call_time": True}, LeadFacts(call_time=True), True),
        ({"named": False, "need": ("overdue",)}, LeadFacts(need="overdue", named=True), True),
        ({"need": ("overdue",), "details_at_least": 40}, LeadFacts(need="overdue", details=40), True),
        ({"need": ("overdue",), "details_at_least": 40}, LeadFacts(need="overdue", details=1), False),
        ({"need": ("overdue",), "details_at_least": 40}, LeadFacts(need="other", details=40), False),
    ],
)
def test_a_condition_holds_where_all_that_it_says_holds(
    when: dict[str, Any], facts: LeadFacts, holds: bool
) -> None:
    assert Condition(**when).holds(facts) is holds


# --- all rules ---

RULES = PriorityRules(
    rules=(
        rule(10, "留了称呼", named=True),
        rule(30, "有逾期账款", need=("overdue",)),
        rule(10, "约了时间", call_time=True),
    )
)


@pytest.mark.parametrize(
    ("facts", "points", "why"),
    [
        (LeadFacts(), 0, []),
        (LeadFacts(named=True), 10, ["留了称呼"]),
        (LeadFacts(named=True, need="overdue"), 40, ["有逾期账款", "留了称呼"]),
        (LeadFacts(named=True, call_time=True), 20, ["留了称呼", "约了时间"]),
        (
            LeadFacts(named=True, call_time=True, need="overdue"),
            50,
            ["有逾期账款", "留了称呼", "约了时间"],
        ),
    ],
)
def test_points_add_up_and_reasons_come_weightiest_first_then_as_written(
    facts: LeadFacts, points: int, why: list[str]
) -> None:
    assert RULES.points(facts) == points
    assert [each.words for each in RULES.why(facts)] == why


# --- freshness ---

THREE_A_DAY = RULES.model_copy(update={"freshness": Freshness(points_per_day=3)})
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def test_a_day_takes_off_what_the_file_says() -> None:
    standing = THREE_A_DAY.standing(LeadFacts(need="overdue"), NOON - days(4), NOON)
    assert ([each.words for each in standing.rules], standing.aged, standing.total) == (
        ["有逾期账款"],
        12,
        18,
    )


def test_without_freshness_age_takes_nothing_off_and_the_points_alone_count() -> None:
    assert RULES.standing(LeadFacts(), NOON - days(400), NOON).aged == 0
    assert RULES.rank(LeadFacts(named=True), NOON) == RULES.rank(LeadFacts(named=True), NOON - days(400))


@pytest.mark.parametrize(
    ("older", "days_older", "newer"),
    [
        (LeadFacts(), 0.01, LeadFacts()),
        (LeadFacts(named=True), 3.4, LeadFacts()),
        (LeadFacts(need="overdue"), 10.1, LeadFacts()),
    ],
)
def test_the_newer_comes_first_where_age_takes_off_more_than_the_rules_give(
    older: LeadFacts, days_older: float, newer: LeadFacts
) -> None:
    assert THREE_A_DAY.rank(older, NOON - days(days_older)) < THREE_A_DAY.rank(newer, NOON)


def test_the_weightier_stays_first_as_long_as_age_takes_off_less() -> None:
    assert THREE_A_DAY.rank(LeadFacts(need="overdue"), NOON - days(9.9)) > THREE_A_DAY.rank(LeadFacts(), NOON)


points = st.builds(
    LeadFacts, need=st.sampled_from(["", "overdue"]), named=st.booleans(), call_time=st.booleans()
)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(points, moments, points, moments, st.integers(0, 800), st.integers(0, 20))
def test_what_is_shown_and_what_is_sorted_by_agree_on_every_day(
    one: LeadFacts, at: datetime, other: LeadFacts, when: datetime, later: int, per_day: int
) -> None:
    rules = RULES.model_copy(update={"freshness": Freshness(points_per_day=per_day)})
    now = max(at, when) + days(later)
    apart = rules.standing(one, at, now).total - rules.standing(other, when, now).total
    assert (
        abs(apart - (rules.rank(one, at) - rules.rank(other, when)) / 1000) <= 1.01
    )  # shown in whole points


def test_a_rank_fits_the_column_for_centuries() -> None:
    most = PriorityRules(rules=[rule(100, named=True)] * 40, freshness=Freshness(points_per_day=20))
    assert most.rank(LeadFacts(named=True), datetime(2300, 1, 1, tzinfo=UTC)) < 2**31


def test_rules_have_another_version_where_they_rank_otherwise() -> None:
    assert RULES.version == PriorityRules.model_validate(RULES.model_dump()).version
    assert RULES.version != THREE_A_DAY.version


# --- what ships ---


def test_what_ships_names_only_needs_that_the_form_offers(shipped: PriorityRules) -> None:
    assert shipped.rules


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (LeadFacts(level="high"), LeadFacts(level="elevated")),
        (LeadFacts(need="overdue"), LeadFacts(need="receivables")),
        (LeadFacts(need="receivables"), LeadFacts(need="other")),
        (LeadFacts(need="other", enquiries=2), LeadFacts(need="other")),
        (LeadFacts(need="other", details=200), LeadFacts(need="other", details=4)),
    ],
)
def test_the_shipped_rules_put_the_more_pressing_first(
    shipped: PriorityRules, first: LeadFacts, then: LeadFacts
) -> None:
    assert shipped.points(first) > shipped.points(then)


def test_the_shipped_rules_give_a_reason_for_every_need_but_other(
    shipped: PriorityRules, shipped_needs: Sequence[str]
) -> None:
    unexplained = [need for need in shipped_needs if not shipped.why(LeadFacts(need=need))]
    assert unexplained == ["credit_policy", "other"]


# --- the README ---


MODELS = (PriorityRules, Freshness, Rule, Condition)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_explained_in_the_readme(
    model: type[PriorityRules | Freshness | Rule | Condition],
) -> None:
    readme = (ROOT / "forms" / "README.md").read_text(encoding="utf-8")
    section = readme.partition(f"`{PRIORITY}`\n")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| `([a-z_]+)` \|.{8,}\|$", section, re.MULTILINE)
    assert set(model.model_fields) <= set(explained)
    assert len(explained) == len({key for each in MODELS for key in each.model_fields})


# --- what is refused ---


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('["overdue"]', '["gone"]', "rules.0.when.need.0：consultation.toml 没有需求 gone，应为 receivables、overdue"),
        ('["overdue"]', '["overdue", "gone"]', "rules.0.when.need.1：consultation.toml 没有需求 gone"),
        ('["overdue"]', '"overdue"', "rules.0.when.need：应为列表"),
        ('need = ["overdue"]', "", "rules.0.when：when 里至少写一个条件"),
        ('need = ["overdue"]', "named = false", "rules.0.when：when 里至少写一个条件"),
        ('need = ["overdue"]', 'level = ["worst"]', "rules.0.when.level.0：应为 low、moderate、elevated、high、insufficient"),
        ('need = ["overdue"]', 'source = ["baidu"]', "rules.0.when.source.0：应为 search、social、direct、own、other"),
        ('need = ["overdue"]', "details_at_least = -1", "rules.0.when.details_at_least：不能小于 0"),
        ('need = ["overdue"]', "weekday = 1", "rules.0.when.weekday：没有这个键"),
        ('when = { need = ["overdue"] }\n', "", "rules.0.when：缺少这一项"),
        ('need = ["overdue"]', 'channel = ["baidu"]', "rules.0.when.channel.0：应为 ad、email、message、social、offline、partner"),
        (RULE, f"{RULE}[freshness]\npoints_per_day = 21\n", "freshness.points_per_day：不能大于 20"),
        (RULE, f"{RULE}[freshness]\nper_hour = 1\n", "freshness.per_hour：没有这个键"),
        ("points = 30", "points = 0", "rules.0.points：不能小于 1"),
        ("points = 30", "points = 101", "rules.0.points：不能大于 100"),
        ("points = 30", 'points = "many"', "rules.0.points：应为整数"),
        ("points = 30\n", "", "rules.0.points：缺少这一项"),
        ('"有逾期账款"', '" "', "rules.0.words：不能为空"),
        ('"有逾期账款"', f'"{"话" * 21}"', "rules.0.words：最多 20 个字"),
        ("points = 30", "points = 30\ncolour = 1", "rules.0.colour：没有这个键"),
        (RULE, "", "rules：缺少这一项"),
        (RULE, "rules = []", "rules：至少要有 1 项"),
        (RULE, RULE * 41, "rules：最多 40 项"),
        (RULE, "[[rules]", "TOML 写法有误"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_key_and_what_was_expected(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in RULE
    assert faults_of(tmp_path, RULE.replace(old, new))[0].startswith(says)


def test_a_wrong_rule_is_not_also_said_to_be_missing(tmp_path: Path) -> None:
    assert faults_of(tmp_path, RULE.replace("30", "0")) == ["rules.0.points：不能小于 1"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDocument, match=f"{PRIORITY}: 缺少这个文件"):
        load_priority(tmp_path, NEEDS)


def test_where_the_form_itself_is_not_known_no_need_is_refused(tmp_path: Path) -> None:
    (tmp_path / PRIORITY).write_text(RULE.replace("overdue", "gone"), encoding="utf-8")
    assert load_priority(tmp_path, None).points(LeadFacts(need="gone")) == 30
