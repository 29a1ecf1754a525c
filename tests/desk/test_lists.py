"""The list: filters, sorts, search and pages, and the same done to several, never to somebody else's."""

from __future__ import annotations

import json
import logging
import re
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select
from tests.databases import raw_bytes
from tests.desk.conftest import NOON, DeskClient, Known, SignedIn, Staff, empty
from tests.desk.leads_at_hand import (
    DAY,
    HOUR,
    MINUTE,
    NAME,
    PHONE,
    SECRETS,
    ask,
    give,
    reference_of,
    rows_on,
    the_lead,
    words_on,
)

from xinheng.audit.models import AuditRow
from xinheng.db import Database
from xinheng.form_versions import FormVersion
from xinheng.leads.models import LeadEvent
from xinheng.notices.outbox import Notice
from xinheng.staff.accounts import Accounts
from xinheng.staff.models import StaffSession
from xinheng.staff.permissions import RoleName

pytestmark = pytest.mark.usefixtures("clock")

ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def chief(client: DeskClient, staff: Staff, signed_in: SignedIn) -> DeskClient:
    return signed_in(client, staff("sales_lead", name="郑岚"))


def asked_in_turn(app: Flask, number: int) -> list[str]:
    """Leads that came one minute after the other, the newest last."""
    return [
        ask(app, phone=f"138001380{each:02}", at=NOON - DAY + each * MINUTE, name=f"客{each:02}")
        for each in range(number)
    ]


# --- what it shows ---


def test_the_newest_come_first_masked_and_linked(desk: DeskClient, app: Flask) -> None:
    ids = asked_in_turn(app, 3)
    answer = desk.get("/desk/leads")
    assert rows_on(answer) == ids[::-1]
    assert "客**" in answer.text
    assert f'href="/desk/leads/{ids[0]}"' in answer.text
    assert "138****8002" in answer.text
    for secret in (*SECRETS, "客02", "1380013800"):
        assert secret not in answer.text


def test_pages_go_on_and_back_over_all(desk: DeskClient, app: Flask, store: Database) -> None:
    ids = asked_in_turn(app, 43)
    first = desk.get("/desk/leads")
    assert rows_on(first) == ids[:2:-1]
    onward = unescape(re.findall(r'rel="next" href="([^"]+)"', first.text)[0])
    second = desk.get(onward)
    assert rows_on(second) == ids[2::-1]
    assert 'rel="next"' not in second.text
    back = unescape(re.findall(r'rel="prev" href="([^"]+)"', second.text)[0])
    assert rows_on(desk.get(back)) == rows_on(first)
    assert 'rel="prev"' not in desk.get(back).text


def test_a_page_behind_the_last_leads_back_to_the_first(desk: DeskClient, app: Flask) -> None:
    ask(app)
    answer = desk.get(f"/desk/leads?place=after.1.{ID}")
    assert rows_on(answer) == []
    assert "回到第一页" in answer.text


@pytest.mark.parametrize(
    "query",
    [
        f"sort=priority&place=after.9999999999999999.{ID}",
        f"sort=priority&place=before.-9999999999999999.{ID}",
        f"sort=due&place=after.9999999999999999.{ID}",
        f"place=before.-9999999999999999.{ID}",
        f"sort=priority&place=after.-.{ID}",
        "status=%00&owner=%00&need=%FF&since=0000-00-00",
        "view=x&sort=y&match=z&place=w",
        "page=2&page=3",
    ],
)
def test_whatever_stands_in_the_address_a_list_is_the_answer(
    desk: DeskClient, app: Flask, query: str
) -> None:
    ask(app)
    assert desk.get(f"/desk/leads?{query}").status_code == 200


def test_filters_are_kept_in_the_form_and_can_be_cleared(
    desk: DeskClient, app: Flask, store: Database, zhou: Known
) -> None:
    mine = give(store, ask(app, phone="13800138001", need="other"), zhou, status="contacted")
    ask(app, phone="13800138002")
    answer = desk.get(f"/desk/leads?status=contacted&need=other&owner={zhou.id}&sort=priority")
    assert rows_on(answer) == [mine]
    for chosen in ("contacted", "other", zhou.id, "priority"):
        assert f'<option value="{chosen}" selected>' in answer.text
    assert "清除筛选" in answer.text
    assert "没有符合的线索" in desk.get("/desk/leads?status=won").text


def test_a_salesperson_who_filters_for_a_colleague_gets_nothing(
    desk: DeskClient, app: Flask, store: Database, wu: Known
) -> None:
    give(store, ask(app), wu)
    assert rows_on(desk.get(f"/desk/leads?owner={wu.id}")) == []
    assert rows_on(desk.get("/desk/leads")) == []


def test_a_restricted_lead_is_in_no_list(chief: DeskClient, app: Flask, store: Database) -> None:
    lead_id = give(store, ask(app), None, restricted=True)
    for query in ("", "?status=new", "?owner=none", "?view=first", "?sort=priority"):
        assert rows_on(chief.get(f"/desk/leads{query}")) == []
    for typed in (PHONE, "5813", NAME, reference_of(store, lead_id)):
        answer = chief.send("/desk/search", q=typed)
        assert lead_id not in answer.headers["Location"]
        assert rows_on(chief.get(answer.headers["Location"])) == []


def test_the_list_remembers_where_one_was(desk: DeskClient, app: Flask, store: Database) -> None:
    ids = asked_in_turn(app, 3)
    desk.get("/desk/leads?status=new&sort=priority")
    page = desk.get(f"/desk/leads/{ids[1]}").text
    assert f'href="/desk/leads?status=new&amp;sort=priority#lead-{ids[1]}"' in page
    desk.get("/desk/leads")
    page = desk.get(f"/desk/leads/{ids[1]}").text
    assert f'rel="prev" href="/desk/leads/{ids[2]}"' in page
    assert f'rel="next" href="/desk/leads/{ids[0]}"' in page


# --- search ---


@pytest.mark.parametrize(
    "typed", [PHONE, "13974625813", "+86 139-7462-5813", "１３９７４６２５８１３", "5813", NAME, f" {NAME} "]
)
def test_a_person_is_found_and_what_was_typed_is_in_no_address(
    desk: DeskClient, app: Flask, store: Database, typed: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lead_id = ask(app)
    answer = desk.send("/desk/search", q=typed)
    assert re.fullmatch(
        r"/desk/leads\?match=(phone|last_four|name)\.[0-9a-f]{32}", answer.headers["Location"]
    )
    found = desk.get(answer.headers["Location"])
    assert rows_on(found) == [lead_id]
    for secret in SECRETS:
        assert secret not in found.text
        assert secret not in caplog.text


def test_a_reference_opens_its_lead(desk: DeskClient, app: Flask, store: Database) -> None:
    lead_id = ask(app)
    typed = reference_of(store, lead_id).lower().replace("-", " ")
    answer = desk.send("/desk/search", q=typed)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/desk/leads/{lead_id}")


@pytest.mark.parametrize("typed", [PHONE, "5813", NAME])
def test_somebody_elses_lead_is_not_found(
    desk: DeskClient, app: Flask, store: Database, wu: Known, typed: str
) -> None:
    give(store, ask(app), wu)
    found = desk.get(desk.send("/desk/search", q=typed).headers["Location"])
    assert rows_on(found) == []
    assert "没有查到" in found.text
    assert "别人负责的线索查不到" in found.text


def test_who_sees_all_is_not_told_of_somebody_elses(chief: DeskClient) -> None:
    found = words_on(chief.get(chief.send("/desk/search", q="5813").headers["Location"]))
    assert "没有查到" in found
    assert "别人负责的线索查不到" not in found


@pytest.mark.parametrize("typed", ["", "  ", "欧阳", "1397462", "a\x00b", "一" * 3000])
def test_what_finds_nobody_is_no_error(desk: DeskClient, app: Flask, typed: str) -> None:
    ask(app)
    answer = desk.send("/desk/search", q=typed)
    assert answer.status_code == 303
    assert desk.get(answer.headers["Location"]).status_code == 200


# --- several at once ---


def bulk(desk: DeskClient, ids: list[str], query: str = "", **fields: str) -> str:
    """Send the form below the list; returns what the list then says."""
    desk.get("/desk/leads")
    answer = desk.post(
        "/desk/leads/bulk", data={"csrf_token": desk.token, "lead": ids, "query": query, **fields}
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/desk/leads" + (f"?{query}" if query else "")
    return words_on(desk.get(answer.headers["Location"]))


def test_several_are_claimed_and_a_colleagues_is_not_touched(
    desk: DeskClient, app: Flask, store: Database, zhou: Known, wu: Known
) -> None:
    ids = asked_in_turn(app, 3)
    give(store, ids[2], wu)
    before = the_lead(store, ids[2])
    said = bulk(desk, ids, "status=open", do="assign", owner=zhou.id)
    assert "已改2条线索" in said
    assert "1条没有改" in said
    after = the_lead(store, ids[2])
    assert (after.version, after.owner_id, after.status) == (before.version, wu.id, "new")
    assert [the_lead(store, each).owner_id for each in ids[:2]] == [zhou.id, zhou.id]


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "status", "status": "contacted"},
        {"do": "status", "status": "invalid", "reason": "test"},
        {"do": "date", "date": "2026-11-30"},
        {"do": "assign", "owner": "none"},
    ],
)
def test_no_bulk_change_reaches_others_or_restricted_leads(
    desk: DeskClient, app: Flask, store: Database, zhou: Known, wu: Known, fields: dict[str, str]
) -> None:
    others, held = asked_in_turn(app, 2)
    give(store, others, wu)
    give(store, held, zhou, restricted=True)
    said = bulk(desk, [others, held, "f" * 32, "x"], **fields)
    assert "4条没有改" in said
    assert "已改" not in said, "nothing was done"
    for lead_id in (others, held):
        assert the_lead(store, lead_id).version == 1


def test_a_salesperson_does_not_hand_several_to_a_colleague(
    desk: DeskClient, app: Flask, store: Database, wu: Known
) -> None:
    ids = asked_in_turn(app, 2)
    assert "要由销售主管来做" in bulk(desk, ids, do="assign", owner=wu.id)
    assert [the_lead(store, each).owner_id for each in ids] == [None, None]


def test_a_sales_lead_does_and_the_new_owner_is_told(
    chief: DeskClient, app: Flask, store: Database, wu: Known
) -> None:
    ids = asked_in_turn(app, 2)
    assert "已改2条线索" in bulk(chief, ids, do="assign", owner=wu.id)
    with store.reading() as session:
        told = list(session.scalars(select(Notice.recipient).where(Notice.kind == "assigned")))
    assert told == [wu.email]


def test_nobody_is_given_leads_who_takes_none(
    chief: DeskClient, app: Flask, store: Database, staff: Staff
) -> None:
    ids = asked_in_turn(app, 1)
    for owner in (staff("editor").id, "f" * 32, "", "x\x00"):
        assert "请选择交给谁" in bulk(chief, ids, do="assign", owner=owner)
    assert the_lead(store, ids[0]).owner_id is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "请选择要做什么"),
        ({"do": "delete"}, "请选择要做什么"),
        ({"do": "status", "status": "new"}, "请选择要做什么"),
        ({"do": "status", "status": ""}, "请选择要做什么"),
        ({"do": "status", "status": "invalid"}, "请选一个原因"),
        ({"do": "status", "status": "invalid", "reason": "price"}, "请选一个原因"),
        ({"do": "status", "status": "won"}, "1条没有改"),
        ({"do": "date", "date": ""}, "请选一个日期"),
        ({"do": "date", "date": "明天"}, "请选一个日期"),
        ({"do": "date", "date": "2026-11-22"}, "已经过去"),
        ({"do": "date", "date": "9999-12-31"}, "最远可以排到两年以后"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_changes(
    desk: DeskClient, app: Flask, store: Database, fields: dict[str, str], said: str
) -> None:
    (lead_id,) = asked_in_turn(app, 1)
    assert said in bulk(desk, [lead_id], **fields)
    assert the_lead(store, lead_id).version == 1


def test_nothing_chosen_is_said(desk: DeskClient) -> None:
    assert "请先勾选" in bulk(desk, [], do="status", status="contacted")


def test_a_reason_left_chosen_does_not_stand_in_the_way_of_another_status(
    desk: DeskClient, app: Flask, store: Database
) -> None:
    """Status and reason are two selects beside each other: only 未成交 and 无效 have a use for the second."""
    (lead_id,) = asked_in_turn(app, 1)
    bulk(desk, [lead_id], do="status", status="contacted", reason="price")
    assert (the_lead(store, lead_id).status, the_lead(store, lead_id).reason) == ("contacted", "")


def test_a_date_for_several_is_its_morning_or_soon_today(
    desk: DeskClient, app: Flask, store: Database
) -> None:
    ids = asked_in_turn(app, 2)
    bulk(desk, ids[:1], do="date", date="2026-11-30")
    bulk(desk, ids[1:], do="date", date="2026-11-23")
    assert the_lead(store, ids[0]).follow_up_at == NOON + 7 * DAY - 2 * HOUR
    assert the_lead(store, ids[1]).follow_up_at == NOON + 15 * MINUTE


def test_a_long_search_leaves_nothing_behind(
    desk: DeskClient, app: Flask, store: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the session nor the audit, the outbox or a timeline ever holds whom somebody looked for."""
    caplog.set_level(logging.DEBUG)
    ask(app)
    for typed in (PHONE, NAME, "5813"):
        desk.get(desk.send("/desk/search", q=typed).headers["Location"])
    desk.send("/desk/views", name="我的", query="status=new")
    with store.reading() as session:
        held = repr(
            [
                [row.data for row in session.scalars(select(StaffSession))],
                [row.detail for row in session.scalars(select(AuditRow))],
                [(row.text, row.fault) for row in session.scalars(select(Notice))],
                [row.detail for row in session.scalars(select(LeadEvent))],
            ]
        )
    databases = app.extensions["xinheng.databases"]
    raw = raw_bytes(databases, getattr(databases.leads, "file", Path()).parent)
    for secret in SECRETS:
        assert secret not in held
        assert secret not in caplog.text
        assert secret.encode() not in raw


# --- who left, and what is gone ---


def test_leads_of_somebody_who_left_are_pointed_out_and_can_be_listed(
    chief: DeskClient, app: Flask, store: Database, accounts: Accounts, wu: Known, zhou: Known
) -> None:
    left, moved = asked_in_turn(app, 2)
    give(store, left, wu)
    give(store, moved, zhou)
    assert "已停用" not in words_on(chief.get("/desk/leads"))
    accounts.remove(wu.email)
    accounts.set_roles(zhou.email, [RoleName.EDITOR])
    page = chief.get("/desk/leads")
    assert f'<option value="{wu.id}">吴凯（已停用）</option>' in page.text
    assert f'<option value="{zhou.id}">周敏（不再接线索）</option>' in page.text
    assert rows_on(chief.get(f"/desk/leads?owner={wu.id}")) == [left]
    assert "吴凯 已停用" in words_on(chief.get(f"/desk/leads/{left}"))
    give(store, left, None)
    assert "吴凯" not in chief.get("/desk/leads").text


def test_a_need_that_the_form_no_longer_offers_keeps_its_words(
    desk: DeskClient, app: Flask, store: Database
) -> None:
    form = app.extensions["xinheng.consultation"].published()
    earlier = json.loads(form.model_dump_json())
    need = next(field for field in earlier["declaration"]["fields"] if field["name"] == "need")
    need["options"].append(need["options"][0] | {"key": "guarantee", "label": "保函和担保"})
    with store.writing() as session:
        session.add(FormVersion(version="0" * 16, form=json.dumps(earlier), published_at=NOON - DAY))
    lead_id = ask(app, need="guarantee", form_version="0" * 16)
    try:
        page = desk.get("/desk/leads")
        assert "保函和担保" in page.text
        assert rows_on(desk.get("/desk/leads?need=guarantee")) == [lead_id]
    finally:
        empty(app)
        with store.writing() as session:
            session.execute(delete(FormVersion).where(FormVersion.version == "0" * 16))
