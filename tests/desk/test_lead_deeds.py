"""What staff do on a lead's page: done and told, or refused beside the field with what was typed still there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select
from tests.desk.conftest import NOON, Clock, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import (
    HOUR,
    MINUTE,
    ask,
    do,
    give,
    notes_of,
    the_lead,
    version_on,
    words_on,
)
from werkzeug.test import TestResponse

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.models import LeadEvent
from xinheng.notices.outbox import Notice
from xinheng.staff.models import User

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def colleague(another_browser: Callable[[], DeskClient], wu: Known, signed_in: SignedIn) -> DeskClient:
    """吴凯's browser."""
    return signed_in(another_browser(), wu)


@pytest.fixture
def lead_id(app: Flask) -> str:
    return ask(app, at=NOON - HOUR)


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


def after(desk: DeskClient, answer: TestResponse) -> str:
    """What the page says that a deed ends on."""
    assert answer.status_code == 303
    return words_on(desk.get(answer.headers["Location"].partition("#")[0]))


def events(store: Database, lead_id: str, kind: str) -> list[LeadEvent]:
    with store.reading() as session:
        query = select(LeadEvent).where(LeadEvent.lead_id == lead_id, LeadEvent.kind == kind)
        return list(session.scalars(query))


def error_beside(answer: TestResponse, field: str) -> str:
    """The sentence that a field is described by."""
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text)
    assert re.search(rf'id="{field}"[^>]*aria-describedby="[^"]*{field}-error', answer.text)
    (said,) = re.findall(rf'id="{field}-error">.*?<span>(.*?)</span>', answer.text)
    return str(said)


# --- each deed ---


def test_a_note_is_taken_down(desk: DeskClient, store: Database, store_keys: Keys, lead_id: str) -> None:
    said = after(desk, do(desk, lead_id, "notes", note="  王会计说周五付。\r\n第二行  "))
    assert "记下了" in said
    assert "王会计说周五付。" in said
    assert "周敏" in said
    assert notes_of(store, store_keys, lead_id) == ["王会计说周五付。\n第二行"]
    assert the_lead(store, lead_id).status == "new"


def test_a_call_that_was_taken_is_a_contact(desk: DeskClient, store: Database, lead_id: str) -> None:
    said = after(desk, do(desk, lead_id, "notes", note="接了", connected="y"))
    assert "新线索 → 已联系" in said
    assert the_lead(store, lead_id).status == "contacted"


@pytest.mark.parametrize(
    ("note", "said"), [("", "请写一两句"), ("   ", "请写一两句"), ("一" * 2001, "最多2000字")]
)
def test_a_note_that_is_refused_stands_in_its_field(
    desk: DeskClient, store: Database, lead_id: str, note: str, said: str
) -> None:
    answer = do(desk, lead_id, "notes", note=note, connected="y")
    assert answer.status_code == 422
    assert said in error_beside(answer, "note")
    assert f">{note.strip()}</textarea>" in answer.text
    assert re.search(r'name="connected" value="y" checked', answer.text)
    assert the_lead(store, lead_id).version == 1


def test_nobody_took_the_call_and_the_next_try_is_as_proposed(
    desk: DeskClient, store: Database, lead_id: str
) -> None:
    proposed = re.findall(r"<small>下次 ([^<]+)</small>", desk.get(f"/desk/leads/{lead_id}").text)
    assert proposed == ["今天 15:00"]
    said = after(desk, do(desk, lead_id, "no-answer"))
    assert "已记未接通，下次今天 15:00再打" in said
    assert "未接通，下次 今天 15:00" in said
    lead = the_lead(store, lead_id)
    assert (lead.follow_up_at, lead.attempts, lead.queue) == (NOON + 3 * HOUR, 1, "planned")
    assert "下次 明天 10:00" in said


def test_one_click_for_wechat(desk: DeskClient, store: Database, lead_id: str) -> None:
    said = after(desk, do(desk, lead_id, "wechat"))
    assert "已加微信" in said
    assert the_lead(store, lead_id).status == "contacted"


@pytest.mark.parametrize(
    ("now", "days", "then"),
    [
        ("2026-11-23 12:00", "1", "2026-11-24 10:00"),
        ("2026-11-23 12:00", "3", "2026-11-26 10:00"),
        ("2026-11-23 12:00", "7", "2026-11-30 10:00"),
        ("2026-11-26 23:30", "1", "2026-11-27 10:00"),
        ("2026-11-27 00:10", "1", "2026-11-30 10:00"),
        ("2026-11-27 12:00", "1", "2026-11-30 10:00"),
        ("2026-11-27 12:00", "3", "2026-11-30 10:00"),
        ("2026-11-27 12:00", "7", "2026-12-04 10:00"),
        ("2026-11-28 12:00", "1", "2026-11-30 10:00"),
        ("2026-11-28 12:00", "7", "2026-12-07 10:00"),
        ("2026-12-31 12:00", "1", "2027-01-01 10:00"),
        ("2026-09-30 12:00", "1", "2026-10-08 10:00"),
        ("2026-10-09 12:00", "1", "2026-10-10 10:00"),
    ],
)
def test_a_quick_next_step_is_a_working_days_morning(
    client: DeskClient,
    store: Database,
    zhou: Known,
    signed_in: SignedIn,
    clock: Clock,
    lead_id: str,
    now: str,
    days: str,
    then: str,
) -> None:
    clock.moment = shanghai(now)
    answer = do(signed_in(client, zhou), lead_id, "next", **{"in": days, "step": " 回电 ", "date": "kaputt"})
    assert answer.status_code == 303
    assert the_lead(store, lead_id).follow_up_at == shanghai(then)


def test_a_next_step_is_planned_and_taken_away(
    desk: DeskClient, store: Database, store_keys: Keys, lead_id: str
) -> None:
    said = after(desk, do(desk, lead_id, "next", date="2026-11-25", time="15:30", step="回电，对凭证"))
    assert "下一步：11月25日 15:30" in said
    lead = the_lead(store, lead_id)
    assert (lead.follow_up_at, lead.open(store_keys, "next_step")) == (
        shanghai("2026-11-25 15:30"),
        "回电，对凭证",
    )
    do(desk, lead_id, "next", date="2026-11-25", time="", step="")
    assert the_lead(store, lead_id).follow_up_at == shanghai("2026-11-25 10:00")
    assert "已取消下一步" in after(desk, do(desk, lead_id, "next", **{"in": "none"}))
    assert the_lead(store, lead_id).follow_up_at is None


@pytest.mark.parametrize(
    ("date", "time", "said"),
    [
        ("2026-11-22", "10:00", "已经过去"),
        ("2026-11-23", "11:59", "已经过去"),
        ("0001-01-01", "10:00", "已经过去"),
        ("2028-11-30", "10:00", "最远可以排到两年以后"),
        ("9999-12-31", "10:00", "最远可以排到两年以后"),
        ("", "10:00", "请选一个日期"),
        ("31.12.2026", "", "请选一个日期"),
        ("2026-02-30", "", "请选一个日期"),
    ],
)
def test_a_date_that_cannot_be_is_refused_beside_the_field_and_what_was_typed_is_kept(
    desk: DeskClient, store: Database, lead_id: str, date: str, time: str, said: str
) -> None:
    answer = do(desk, lead_id, "next", date=date, time=time, step="回电，对凭证")
    assert answer.status_code == 422
    for value in (date, time, "回电，对凭证"):
        assert f'value="{value}"' in answer.text
    assert the_lead(store, lead_id).version == 1
    assert said in error_beside(answer, "next-date")


def test_a_plan_for_today_without_a_time_is_for_the_next_quarter(
    desk: DeskClient, store: Database, lead_id: str
) -> None:
    """At noon the day's usual ten o'clock is over: today means soon, as it does for several leads at once."""
    do(desk, lead_id, "next", date="2026-11-23", time="", step="回电")
    assert the_lead(store, lead_id).follow_up_at == NOON + 15 * MINUTE


def test_a_step_that_cannot_be_read_any_more_is_not_saved_as_words(
    desk: DeskClient, store: Database, store_keys: Keys, lead_id: str
) -> None:
    give(store, lead_id, None, follow_up_at=NOON + HOUR, next_step=b"broken")
    page = desk.get(f"/desk/leads/{lead_id}")
    assert '<input id="next-step" name="step" maxlength="60" value=""' in page.text
    do(desk, lead_id, "next", date="2026-11-25", time="09:00", step="对凭证")
    assert the_lead(store, lead_id).open(store_keys, "next_step") == "对凭证"


def test_a_time_that_is_none_is_said_too(desk: DeskClient, store: Database, lead_id: str) -> None:
    """Browsers without a field for times send what was typed."""
    answer = do(desk, lead_id, "next", date="2026-11-25", time="下午三点", step="回电")
    assert answer.status_code == 422
    assert 'value="下午三点"' in answer.text
    assert "时间" in error_beside(answer, "next-time")


def test_a_step_that_is_too_long_is_refused(desk: DeskClient, store: Database, lead_id: str) -> None:
    answer = do(desk, lead_id, "next", date="2026-11-25", step="一" * 61)
    assert answer.status_code == 422
    assert f'value="{"一" * 61}"' in answer.text
    assert "最多60字" in answer.text


def test_a_lead_is_moved_along_the_road(desk: DeskClient, store: Database, lead_id: str) -> None:
    for status in ("contacted", "interested", "proposal", "won"):
        assert "状态已改" in after(desk, do(desk, lead_id, "status", status=status))
        assert the_lead(store, lead_id).status == status


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        ("won", "", "现在的状态不能直接改成这个"),
        ("", "", "现在的状态不能直接改成这个"),
        ("invalid", "", "请选一个原因"),
        ("invalid", "price", "请选一个原因"),
    ],
)
def test_a_move_that_is_not_allowed_is_explained(
    desk: DeskClient, store: Database, lead_id: str, status: str, reason: str, said: str
) -> None:
    answer = do(desk, lead_id, "status", status=status, reason=reason)
    assert answer.status_code == 422
    assert said in words_on(answer)
    assert the_lead(store, lead_id).status == "new"


@pytest.mark.parametrize(
    ("deed", "fields"), [("no-answer", {}), ("next", {"in": "1"}), ("next", {"date": "2026-11-30"})]
)
def test_a_closed_lead_takes_no_call_and_no_plan_and_says_so(
    desk: DeskClient, store: Database, zhou: Known, lead_id: str, deed: str, fields: dict[str, str]
) -> None:
    give(store, lead_id, zhou, status="won")
    answer = do(desk, lead_id, deed, **fields)
    assert answer.status_code == 422
    assert the_lead(store, lead_id).version == 1


# --- handing over ---


def outbox(store: Database) -> list[str]:
    with store.reading() as session:
        return list(session.scalars(select(Notice.recipient).where(Notice.kind == "assigned")))


def test_a_lead_is_claimed_without_a_mail_to_oneself(
    desk: DeskClient, store: Database, zhou: Known, lead_id: str
) -> None:
    page = desk.get(f"/desk/leads/{lead_id}")
    assert "认领" in page.text
    said = after(desk, do(desk, lead_id, "owner", owner=zhou.id))
    assert "负责人：周敏" in said
    assert "交给周敏" in said
    assert "认领" not in said
    assert (the_lead(store, lead_id).owner_id, outbox(store)) == (zhou.id, [])


def test_a_lead_handed_to_a_colleague_is_told_and_out_of_sight(
    desk: DeskClient, colleague: DeskClient, store: Database, zhou: Known, wu: Known, lead_id: str
) -> None:
    give(store, lead_id, zhou)
    answer = do(desk, lead_id, "owner", owner=wu.id)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/")
    assert "已转给吴凯，您的列表里不再有这条线索" in words_on(desk.get("/desk/"))
    assert desk.get(f"/desk/leads/{lead_id}").status_code == 404
    assert outbox(store) == [wu.email]
    assert colleague.get(f"/desk/leads/{lead_id}").status_code == 200


def test_a_lead_is_given_back_to_all(
    desk: DeskClient, colleague: DeskClient, store: Database, zhou: Known, lead_id: str
) -> None:
    give(store, lead_id, zhou)
    assert "已放回未分配" in after(desk, do(desk, lead_id, "owner", owner="none"))
    assert colleague.get(f"/desk/leads/{lead_id}").status_code == 200
    assert outbox(store) == []


def test_a_lead_is_given_only_to_who_takes_leads(
    desk: DeskClient, store: Database, staff: Staff, lead_id: str
) -> None:
    gone = staff("sales", name="离职")
    with store.writing() as session:
        session.get_one(User, gone.id).active = False
    for owner in (staff("editor").id, gone.id, "", "f" * 32, "\x00"):
        answer = do(desk, lead_id, "owner", owner=owner)
        assert answer.status_code == 422
        assert "请选择交给谁" in error_beside(answer, "owner")
    assert the_lead(store, lead_id).owner_id is None
    assert "离职" not in desk.get(f"/desk/leads/{lead_id}").text


# --- two on one lead ---


def test_the_second_is_told_who_did_what_and_nothing_is_overwritten(
    desk: DeskClient, colleague: DeskClient, store: Database, store_keys: Keys, lead_id: str
) -> None:
    old = version_on(desk.get(f"/desk/leads/{lead_id}"))
    do(colleague, lead_id, "next", date="2026-11-24", time="09:30", step="吴凯去谈")
    do(colleague, lead_id, "status", status="contacted")
    answer = do(desk, lead_id, "next", version=old, date="2026-11-26", time="16:00", step="周敏去谈")
    assert answer.status_code == 409
    said = words_on(answer)
    assert "有人刚改过这条线索，您的修改还没有保存" in said
    assert "今天 12:00 吴凯 下一步：明天 09:30" in said
    assert "今天 12:00 吴凯 新线索 → 已联系" in said
    for typed in ("2026-11-26", "16:00", "周敏去谈"):
        assert f'value="{typed}"' in answer.text
    lead = the_lead(store, lead_id)
    assert (lead.follow_up_at, lead.open(store_keys, "next_step")) == (
        shanghai("2026-11-24 09:30"),
        "吴凯去谈",
    )
    again = desk.send(
        f"/desk/leads/{lead_id}/next",
        version=version_on(answer),
        date="2026-11-26",
        time="16:00",
        step="周敏去谈",
    )
    assert again.status_code == 303
    assert the_lead(store, lead_id).follow_up_at == shanghai("2026-11-26 16:00")


@pytest.mark.parametrize(
    ("deed", "fields"),
    [
        ("no-answer", {}),
        ("next", {"in": "1", "step": "回电"}),
        ("next", {"in": "none"}),
        ("status", {"status": "invalid", "reason": "test"}),
        ("owner", {"owner": "none"}),
    ],
)
def test_no_deed_overwrites_what_a_colleague_did(
    desk: DeskClient, colleague: DeskClient, store: Database, lead_id: str, deed: str, fields: dict[str, str]
) -> None:
    old = version_on(desk.get(f"/desk/leads/{lead_id}"))
    do(colleague, lead_id, "notes", note="我在打", connected="y")
    with store.reading() as session:
        before = len(session.scalars(select(LeadEvent.id)).all())
    answer = do(desk, lead_id, deed, version=old, **fields)
    assert answer.status_code == 409
    assert "吴凯 接通了" in words_on(answer)
    with store.reading() as session:
        assert len(session.scalars(select(LeadEvent.id)).all()) == before
    assert the_lead(store, lead_id).version == 2


def test_a_new_enquiry_meanwhile_is_told_too(
    desk: DeskClient, app: Flask, store: Database, lead_id: str
) -> None:
    old = version_on(desk.get(f"/desk/leads/{lead_id}"))
    ask(app, at=NOON, details="又想起一件事")
    answer = do(desk, lead_id, "no-answer", version=old)
    assert answer.status_code == 409
    assert "有人刚改过这条线索" in words_on(answer)
    assert "今天 12:00 提交咨询" in words_on(answer)


def test_that_nothing_was_saved_is_said_even_where_nothing_else_is_to_be_told(
    desk: DeskClient, colleague: DeskClient, store: Database, wu: Known, zhou: Known, lead_id: str
) -> None:
    """Giving a lead to whom it belongs leaves no event, but may make a new version."""
    give(store, lead_id, zhou)
    old = version_on(desk.get(f"/desk/leads/{lead_id}"))
    do(desk, lead_id, "owner", owner=zhou.id)
    answer = do(desk, lead_id, "no-answer", version=old)
    assert answer.status_code == 303 or "您的修改还没有保存" in words_on(answer)


@pytest.mark.parametrize("version", ["", "x", "-1", "1.0", "９", "99999999999999", "2"])
def test_without_the_version_it_showed_a_page_changes_nothing(
    desk: DeskClient, store: Database, lead_id: str, version: str
) -> None:
    assert do(desk, lead_id, "no-answer", version=version).status_code == 409
    assert the_lead(store, lead_id).version == 1


def test_notes_of_two_at_once_both_stand(
    desk: DeskClient, colleague: DeskClient, store: Database, store_keys: Keys, lead_id: str
) -> None:
    old = version_on(desk.get(f"/desk/leads/{lead_id}"))
    do(colleague, lead_id, "notes", note="吴的", version=old)
    assert do(desk, lead_id, "notes", note="周的", version=old).status_code == 303
    assert sorted(notes_of(store, store_keys, lead_id)) == ["吴的", "周的"]


def test_what_was_typed_is_not_lost_when_a_colleague_took_the_lead_meanwhile(
    desk: DeskClient, colleague: DeskClient, store: Database, wu: Known, lead_id: str
) -> None:
    """The lead is out of sight by now, the long note isn't: its writer can copy it."""
    old = version_on(desk.get(f"/desk/leads/{lead_id}"))
    do(colleague, lead_id, "owner", owner=wu.id)
    answer = do(desk, lead_id, "notes", version=old, note="王会计说周五前付一半，余下的月底。")
    assert answer.status_code == 404
    assert "王会计说周五前付一半，余下的月底。" in answer.text


# --- drafts ---


def test_a_draft_is_kept_for_nobody_elses_lead(
    desk: DeskClient, store: Database, wu: Known, lead_id: str
) -> None:
    give(store, lead_id, wu)
    desk.get("/desk/leads")
    for missing in (lead_id, "f" * 32):
        sent = {"csrf_token": desk.token, "note": "王会计"}
        assert desk.open(f"/desk/leads/{missing}/draft", method="PUT", data=sent).status_code == 404


def test_a_draft_longer_than_a_note_is_cut_and_an_empty_one_is_gone(
    desk: DeskClient, store: Database, lead_id: str
) -> None:
    desk.get(f"/desk/leads/{lead_id}")
    for text, shown in (("一" * 2500, "一" * 2000), ("  ", "")):
        sent = {"csrf_token": desk.token, "note": text}
        assert desk.open(f"/desk/leads/{lead_id}/draft", method="PUT", data=sent).status_code == 200
        assert f">{shown}</textarea>" in desk.get(f"/desk/leads/{lead_id}").text


def test_a_whole_morning(desk: DeskClient, store: Database, clock: Clock, zhou: Known, lead_id: str) -> None:
    """From the list to 成交, and back on nobody's list of what is due."""
    assert f"lead-{lead_id}" in desk.get("/desk/").text
    do(desk, lead_id, "owner", owner=zhou.id)
    do(desk, lead_id, "no-answer")
    clock.advance(minutes=20)
    do(desk, lead_id, "notes", note="接了，要报价", connected="y")
    for status in ("interested", "proposal", "won"):
        clock.advance(minutes=1)
        do(desk, lead_id, "status", status=status)
    assert f"lead-{lead_id}" not in desk.get("/desk/").text
    said = words_on(desk.get(f"/desk/leads/{lead_id}"))
    past = said[said.index("经过") :]
    order = [past.index(words) for words in ("方案中 → 成交", "接通了", "未接通", "交给周敏", "提交咨询")]
    assert order == sorted(order)
    assert the_lead(store, lead_id).retain_until > NOON + 20 * MINUTE


# --- pressed twice ---


@pytest.mark.parametrize(
    ("deed", "fields", "event"),
    [
        ("notes", {"note": "说周五付"}, "note"),
        ("notes", {"note": "说周五付", "connected": "y"}, "connected"),
        ("wechat", {}, "wechat"),
        ("no-answer", {}, "no_answer"),
        ("next", {"in": "1"}, "planned"),
        ("next", {"date": "2026-11-25", "time": "09:00", "step": "对凭证"}, "planned"),
        ("status", {"status": "contacted"}, "status"),
        ("status", {"status": "invalid", "reason": "test"}, "status"),
    ],
)
def test_a_button_pressed_twice_does_it_once(
    desk: DeskClient, store: Database, lead_id: str, deed: str, fields: dict[str, str], event: str
) -> None:
    version = version_on(desk.get(f"/desk/leads/{lead_id}"))
    for _ in range(2):
        assert do(desk, lead_id, deed, version=version, **fields).status_code == 303
    assert len(events(store, lead_id, event)) == 1
    assert "有人刚改过" not in words_on(desk.get(f"/desk/leads/{lead_id}"))


def test_what_is_not_the_same_is_done_twice(
    desk: DeskClient, store: Database, store_keys: Keys, clock: Clock, lead_id: str
) -> None:
    for note in ("说周五付", "说周六付"):
        do(desk, lead_id, "notes", note=note)
    clock.advance(minutes=2)
    do(desk, lead_id, "notes", note="说周六付")
    assert sorted(notes_of(store, store_keys, lead_id)) == ["说周五付", "说周六付", "说周六付"]
    for _ in range(2):
        do(desk, lead_id, "no-answer")
    assert the_lead(store, lead_id).attempts == 2


def test_another_plan_with_an_old_version_is_not_taken_for_the_same(
    desk: DeskClient, store: Database, lead_id: str
) -> None:
    version = version_on(desk.get(f"/desk/leads/{lead_id}"))
    do(desk, lead_id, "next", version=version, **{"in": "1"})
    assert do(desk, lead_id, "next", version=version, **{"in": "none"}).status_code == 409
    assert do(desk, lead_id, "next", version=version, **{"in": "3"}).status_code == 409


def test_the_same_by_a_colleague_is_no_second_press(
    desk: DeskClient, colleague: DeskClient, store: Database, lead_id: str
) -> None:
    version = version_on(desk.get(f"/desk/leads/{lead_id}"))
    do(colleague, lead_id, "no-answer", version=version)
    assert do(desk, lead_id, "no-answer", version=version).status_code == 409
    assert len(events(store, lead_id, "no_answer")) == 1
