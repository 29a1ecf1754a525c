"""A health check that came with an enquiry: the call brief it makes, its answers in words, then and now."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from sqlalchemy import event, select, update
from tests.desk.conftest import NOON, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import DAY, HOUR, PHONE, ask, ask_with_check, checked, give, words_on

from xinheng.assessments import Assessment
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.form_versions import FormVersion, publish_form
from xinheng.health_check.assessment import assess
from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.leads.models import Enquiry, Lead

pytestmark = pytest.mark.usefixtures("clock")

BAD: dict[str, str | float] = {
    "overdue_share": "p30_50",
    "oldest": "d180p",
    "dso": "gt120",
    "top1": "gt50",
    "top5": "gt90",
    "proof": "partial",
    "credit_sales_wan": 4235.5,
}
"""Raises RF1, RF3, RF6, and RF8 by the estimate; D1 and D2 are the worst dimensions."""


@pytest.fixture
def check(app: Flask) -> HealthCheck:
    found: HealthCheck = app.extensions["xinheng.health_check"]()
    return found


def page_of(desk: DeskClient, lead_id: str) -> str:
    return words_on(desk.get(f"/desk/leads/{lead_id}"))


def part(desk: DeskClient, lead_id: str, section: str) -> str:
    """What one section of the page says."""
    text = desk.get(f"/desk/leads/{lead_id}").text
    found = re.search(rf'<section [^>]*id="{section}".*?</section>', text, re.DOTALL)
    assert found, section
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def first_asked(desk: DeskClient, lead_id: str) -> list[str]:
    """What to ask first."""
    found = re.search(r"<h3>先问</h3><ol[^>]*>(.*?)</ol>", desk.get(f"/desk/leads/{lead_id}").text, re.DOTALL)
    assert found
    return re.findall(r"<li>(.*?)</li>", found[1])


# --- the brief ---


def test_the_brief_tells_level_and_band_the_two_worst_dimensions_and_red_flags(
    desk: DeskClient, app: Flask, check: HealthCheck
) -> None:
    lead_id = ask_with_check(app, at=NOON - HOUR, answers=BAD)
    brief = part(desk, lead_id, "call-guide")
    assert re.search(r"高 \d+分 ", brief)
    assert "只看分数是" in brief
    assert "碰到红线，升为高" in brief
    assert "把握：较高" in brief
    assert "今天 10:59自查，已过1小时" in brief
    assert "账期与回款" in brief
    assert f"{check.scored['overdue_share'].text} 30%–50%" in brief
    assert "客户集中度 80分" in brief
    assert f"{check.scored['top1'].text} 一半以上" in brief
    assert check.scored["proof"].text not in brief, "not of the two worst"
    assert check.red_flag("RF1").text in brief
    assert check.red_flag("RF6").text in brief
    assert check.red_flag("RF2").text not in brief
    assert "逾期账款跟进，今天 11:00提交，已过1小时" in brief


def test_the_brief_comes_before_the_message_and_the_reasons_before_the_brief(
    desk: DeskClient, app: Flask
) -> None:
    said = page_of(desk, ask_with_check(app, answers=BAD))
    order = [
        said.index(words)
        for words in ("自查风险高", "通话要点", "弱在哪里", "留言原文", "自查的回答", "经过 今天")
    ]
    assert order == sorted(order)


def test_the_call_opens_with_three_questions_from_the_weakest_answers(desk: DeskClient, app: Flask) -> None:
    """The reasons that the visitor was shown, in their order."""
    lead_id = ask_with_check(app, answers=BAD)
    asked = first_asked(desk, lead_id)
    assert len(asked) == 3
    assert "头号客户占销售额，您选的是“一半以上”" in asked[0]
    assert "“30%–50%”" in asked[1]
    assert "哪几家欠，各欠多少" not in " ".join(asked)


def test_where_little_is_weak_the_guide_asks_the_rest(desk: DeskClient, app: Flask) -> None:
    asked = first_asked(desk, ask_with_check(app, answers={"review": "never"}))
    assert "“基本不查”" in asked[0]
    assert asked[1] == "哪几家欠，各欠多少，到期日是哪天？"
    assert len(asked) == 3


def test_a_check_without_a_fault_names_no_weak_dimension(desk: DeskClient, app: Flask) -> None:
    lead_id = ask_with_check(app, answers={})
    brief = part(desk, lead_id, "call-guide")
    assert "较低 0分" in brief
    assert "弱在哪里" not in brief
    assert "红线" not in brief
    assert first_asked(desk, lead_id)[0] == "哪几家欠，各欠多少，到期日是哪天？"


def test_where_too_much_is_unsure_the_range_is_told_and_what_to_find_out_is_asked(
    desk: DeskClient, app: Flask, check: HealthCheck
) -> None:
    unsure: dict[str, str | float] = dict.fromkeys(check.scored, UNSURE)
    lead_id = ask_with_check(app, answers=unsure)
    brief = part(desk, lead_id, "call-guide")
    assert "信息不足 中等至高" in brief
    assert re.search(r"\d\d–\d\d分", brief)
    assert not re.search(r"（\d\d–\d\d）", brief), "no score in the middle"
    assert "把握：信息不足" in brief
    assert "“不清楚”的题太多" in brief
    assert "弱在哪里" not in brief, "it would be a guess"
    first = assess(check, unsure | {"industry": "building", "export_share": "none"}).to_find_out[0].question
    assert f"左右结果的在前 {check.scored[first].text}" in brief
    assert "可能的红线" in brief
    widest = "逾期占几成，您说暂时说不准", "买得多的那一家", "拖得久的是哪几笔"
    asked = first_asked(desk, lead_id)
    assert len(asked) == 3
    assert any(asked[0].startswith(each) for each in widest)
    assert "您选的是" not in " ".join(asked)
    assert "信息不足" in words_on(desk.get("/desk/leads?level=insufficient"))


def test_a_weak_answer_that_is_unsure_is_asked_about_as_such(desk: DeskClient, app: Flask) -> None:
    asked = first_asked(desk, ask_with_check(app, answers={"overdue_share": UNSURE}))
    assert asked[0].startswith("逾期占几成，您说暂时说不准")


def test_answers_that_hardly_fit_are_pointed_out(desk: DeskClient, app: Flask, check: HealthCheck) -> None:
    lead_id = ask_with_check(app, answers={"overdue_share": "p15_30"})
    assert check.prompt("C3").text in part(desk, lead_id, "call-guide")


def test_a_lead_without_a_check_keeps_its_guide(desk: DeskClient, app: Flask) -> None:
    lead_id = ask(app)
    said = page_of(desk, lead_id)
    assert said.index("留言原文") < said.index("通话要点")
    assert "自查" not in said
    assert first_asked(desk, lead_id)[0] == "哪几家欠，各欠多少，到期日是哪天？"


# --- the answers ---


def test_every_answer_stands_there_in_words_and_a_sum_is_not_taken_for_a_phone(
    desk: DeskClient, app: Flask, check: HealthCheck
) -> None:
    lead_id = ask_with_check(app, answers=BAD | {"credit_sales_wan": 12345678.0})
    said = part(desk, lead_id, "check-answers")
    assert f"全部22题的回答，按版本{check.version}" in said
    assert "12345678万元" in said
    for question in check.questions:
        assert (question.text in said) == (question.dimension != "D8")
    assert "企业情况，不计分" in said
    assert "现金流韧性" in said


def test_answers_are_told_in_the_words_of_the_version_they_were_given_under(
    desk: DeskClient, app: Flask, store: Database, check: HealthCheck
) -> None:
    """Whatever the definition says by now."""
    lead_id = ask_with_check(app, answers=BAD)
    old = check.stored.replace("一半以上", "过半").replace('"name":"高"', '"name":"很高"')
    publish_form(store, "0123456789abcdef", old.replace('"version":"1.0"', '"version":"0.9"'))
    with store.writing() as session:
        session.execute(update(Assessment).values(version="0123456789abcdef"))
    brief = part(desk, lead_id, "call-guide")
    assert "很高" in brief
    assert "您选的是“过半”" in brief
    assert "按版本0.9" in part(desk, lead_id, "check-answers")
    with store.writing() as session:
        session.execute(update(Assessment).values(version=check.hash))
        session.delete(session.get_one(FormVersion, "0123456789abcdef"))


# --- several ---


def test_of_several_checks_the_latest_is_the_brief_and_the_timeline_tells_then_and_now(
    desk: DeskClient, app: Flask, check: HealthCheck
) -> None:
    ask_with_check(app, at=NOON - 9 * DAY, answers={"top1": "p30_50"})
    ask(app, at=NOON - 5 * DAY, details="没有附自查")
    lead_id = ask_with_check(app, at=NOON - HOUR, answers=BAD, details="又来问")
    brief, past = part(desk, lead_id, "call-guide"), part(desk, lead_id, "timeline")
    assert re.search(r"上次附的（11月14日）： 较低 6分 → 高 \d\d分", brief)
    assert "您选的是“一半以上”" in brief
    assert past.count("附自查结果：") == 2
    assert f"改了{len(BAD)}题的回答" in past
    assert f"{check.scored['top1'].text} 30%–50% → 一半以上" in past
    assert past.count("全部22题的回答") == 1, "those of the latest stand above"


def test_checks_by_rules_that_score_otherwise_are_not_compared(
    desk: DeskClient, app: Flask, store: Database, check: HealthCheck
) -> None:
    ask_with_check(app, at=NOON - 9 * DAY, answers={"top1": "p30_50"})
    publish_form(store, "fedcba9876543210", check.stored.replace('"version":"1.0"', '"version":"0.8"'))
    with store.writing() as session:
        session.execute(update(Assessment).values(version="fedcba9876543210"))
    lead_id = ask_with_check(app, answers=BAD, details="又来问")
    assert "是按版本0.8做的，分数不能比" in part(desk, lead_id, "call-guide")
    with store.writing() as session:
        session.execute(update(Assessment).values(version=check.hash))
        session.delete(session.get_one(FormVersion, "fedcba9876543210"))


def test_the_check_done_last_counts_whichever_was_attached_last(desk: DeskClient, app: Flask) -> None:
    old = checked(app, NOON - 30 * DAY, top1="gt50")
    ask_with_check(app, at=NOON - DAY, answers={})
    purposes = ("callback", "attach_assessment")
    lead_id = ask(app, details="又来问", purposes=purposes, assessment=old)
    assert "较低 0分" in part(desk, lead_id, "call-guide")


# --- what can't be read ---


@pytest.mark.parametrize("fault", ["key", "version", "kind"])
def test_a_check_that_cannot_be_read_stops_nothing(
    desk: DeskClient, app: Flask, store: Database, store_keys: Keys, fault: str
) -> None:
    lead_id = ask_with_check(app, answers=BAD)
    with store.writing() as session:
        row = session.scalars(select(Assessment)).one()
        if fault == "key":
            row.answers = b"\1\1rubbish"
        elif fault == "version":
            publish = FormVersion(version="0" * 16, form="[]", published_at=NOON)
            session.add(publish)
            session.flush()
            row.version = publish.version
        else:
            row.seal(store_keys, "result", json.dumps({"level": "high"}))
    said = page_of(desk, lead_id)
    assert said.count("附了自查结果，但读不出来") == 2
    assert "两家客户拖欠" in said
    assert first_asked(desk, lead_id)[0] == "哪几家欠，各欠多少，到期日是哪天？"
    if fault == "version":
        with store.writing() as session:
            session.delete(session.scalars(select(Assessment)).one())
            session.flush()
            session.delete(session.get_one(FormVersion, "0" * 16))


def test_a_check_that_is_gone_is_not_told_of(desk: DeskClient, app: Flask, store: Database) -> None:
    lead_id = ask_with_check(app, answers=BAD)
    with store.writing() as session:
        session.delete(session.scalars(select(Assessment)).one())
    assert "附自查结果" not in page_of(desk, lead_id)


# --- who may, and at what cost ---


def test_a_check_is_seen_by_whom_the_lead_is_seen_by(
    desk: DeskClient, app: Flask, store: Database, wu: Known, signed_in: SignedIn, staff: Staff
) -> None:
    lead_id = ask_with_check(app, answers=BAD)
    give(store, lead_id, wu)
    assert desk.get(f"/desk/leads/{lead_id}").status_code == 404
    chief = signed_in(desk, staff("sales_lead"))
    assert "弱在哪里" in page_of(chief, lead_id)


def test_the_answers_are_in_no_record_and_no_repr(desk: DeskClient, app: Flask, store: Database) -> None:
    from xinheng.leads.file import open_file
    from xinheng.leads.scope import Scope

    lead_id = ask_with_check(app, answers=BAD)
    with store.reading() as session:
        file = open_file(
            session, app.extensions["xinheng.keys"], Scope("", everyone=True), lead_id, revealed=True
        )
    assert "gt120" not in repr(file)
    assert PHONE not in repr(file)


def statements(app: Flask, desk: DeskClient, lead_id: str) -> int:
    """How many questions a page asks the database of leads, once it was opened."""
    asked: list[str] = []
    engine = app.extensions["xinheng.databases"].leads.engine
    desk.get(f"/desk/leads/{lead_id}")

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    desk.get(f"/desk/leads/{lead_id}")
    event.remove(engine, "before_cursor_execute", count)
    return len([each for each in asked if "FROM" in each])


def test_a_check_costs_one_question_more_and_none_where_there_is_none(desk: DeskClient, app: Flask) -> None:
    plain, with_check = ask(app, "13800138000"), ask_with_check(app, answers=BAD)
    assert statements(app, desk, with_check) == statements(app, desk, plain) + 1


# --- in lists ---


@pytest.mark.parametrize(
    ("answers", "level", "name"),
    [({}, "low", "较低"), ({"top1": "gt50", "oldest": "d91_180"}, "high", "高")],
)
def test_lists_have_the_levels_words_and_find_them(
    desk: DeskClient, app: Flask, store: Database, answers: dict[str, str | float], level: str, name: str
) -> None:
    lead_id = ask_with_check(app, answers=answers)
    plain = ask(app, "13800138000")
    with store.reading() as session:
        assert session.get_one(Lead, lead_id).level == level
        assert session.scalars(select(Enquiry.assessment_id).where(Enquiry.lead_id == plain)).one() is None
    for address in ("/desk/", f"/desk/leads?level={level}"):
        text = desk.get(address).text
        assert re.search(rf'<span class="level level--{level}"><svg.*?</svg>{name}</span>', text)
    assert f'<option value="{level}" selected>{name}</option>' in text
    assert f"lead-{plain}" not in text
    assert f"lead-{lead_id}" not in desk.get("/desk/leads?level=none").text
