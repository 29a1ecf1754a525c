"""The first page: what is due, of whom, the first few of each, with counts that are links."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from tests.desk.conftest import NOON, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import DAY, HOUR, MINUTE, SECRETS, ask, give, rows_on, words_on
from tests.leads.colleagues import plain_lead, put_leads

from xinheng.db import Database

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def due(app: Flask, store: Database, zhou: Known, wu: Known) -> dict[str, str]:
    """One lead of each kind, and one of a colleague."""
    kinds = {
        "late": (zhou, {"status": "contacted", "follow_up_at": NOON - 3 * HOUR}),
        "first": (None, {}),
        "today": (zhou, {"status": "contacted", "follow_up_at": NOON + 3 * HOUR}),
        "stuck": (zhou, {"status": "interested"}),
        "tomorrow": (zhou, {"status": "contacted", "follow_up_at": NOON + DAY}),
        "closed": (zhou, {"status": "won"}),
        "others": (wu, {}),
        "held": (zhou, {"restricted": True}),
    }
    return {
        kind: give(store, ask(app, phone=f"1380013800{number}", at=NOON - HOUR), owner, **values)
        for number, (kind, (owner, values)) in enumerate(kinds.items())
    }


def counts(desk: DeskClient, address: str = "/desk/") -> dict[str, str]:
    found = re.findall(
        r'href="/desk/leads\?view=(\w+)"[^>]*>[^<]*<data value="\d+">(\S+)</data>', desk.get(address).text
    )
    return dict(found)


def test_the_page_opens_on_what_is_due(desk: DeskClient, due: dict[str, str]) -> None:
    answer = desk.get("/desk/")
    assert rows_on(answer) == [due["late"], due["first"], due["today"], due["stuck"]]
    assert counts(desk) == {"late": "1", "first": "1", "today": "1", "stuck": "1"}
    said = words_on(answer)
    for words in (
        "11月23日 周一 12:00",
        "迟3小时",
        "等了1小时",
        "今天 15:00",
        "没有下一步",
        "已逾期",
        "无下一步",
    ):
        assert words in said


def test_a_sales_lead_sees_everybodys(
    client: DeskClient, staff: Staff, signed_in: SignedIn, due: dict[str, str], wu: Known, zhou: Known
) -> None:
    signed_in(client, staff("sales_lead", name="郑岚"))
    assert set(rows_on(client.get("/desk/"))) == {
        due[each] for each in ("late", "first", "today", "stuck", "others")
    }
    assert rows_on(client.get(f"/desk/?owner={wu.id}")) == [due["others"]]
    assert counts(client, "/desk/?owner=none") == {"late": "0", "first": "1", "today": "0", "stuck": "0"}


@pytest.mark.parametrize(
    ("owner", "kinds"), [("none", ["first"]), ("me", ["late", "today", "stuck"]), ("wu", [])]
)
def test_one_looks_at_ones_own_or_at_nobodys(
    desk: DeskClient, due: dict[str, str], zhou: Known, wu: Known, owner: str, kinds: list[str]
) -> None:
    chosen = {"me": zhou.id, "wu": wu.id}.get(owner, owner)
    assert rows_on(desk.get(f"/desk/?owner={chosen}")) == [due[kind] for kind in kinds]


@pytest.mark.parametrize("status", ["new", "contacted", "proposal"])
def test_who_asks_again_while_late_keeps_the_place_and_is_late_since_then(
    desk: DeskClient, app: Flask, store: Database, zhou: Known, status: str
) -> None:
    """What was planned two months ago isn't what they wait for."""
    old, other = (ask(app, phone=f"1380013800{number}", at=NOON - 70 * DAY) for number in range(2))
    give(store, old, zhou, status=status, follow_up_at=NOON - 63 * DAY)
    give(store, other, zhou, status="contacted", follow_up_at=NOON - 2 * HOUR)
    ask(app, phone="13800138000", at=NOON - 20 * MINUTE, details="又有一家。")
    page = desk.get("/desk/")
    assert rows_on(page) == [old, other]
    said = words_on(page)
    assert ("迟20分钟 原定9月21日；又来咨询了，请回电" in said, "63天" in said) == (True, False)
    lead = desk.get(f"/desk/leads/{old}").text
    assert re.findall(r'name="(?:date|time)" type="\w+" value="([^"]*)"', lead) == ["2026-11-23", "11:40"]


def test_who_asks_again_before_the_planned_day_is_due_at_once(
    desk: DeskClient, app: Flask, store: Database, zhou: Known
) -> None:
    lead = give(store, ask(app, at=NOON - DAY), zhou, status="contacted", follow_up_at=NOON + 7 * DAY)
    ask(app, at=NOON - 20 * MINUTE, details="又有一家。")
    assert counts(desk)["late"] == "1"
    page = desk.get("/desk/leads?view=late")
    assert rows_on(page) == [lead]
    assert "迟20分钟 又来咨询了，请回电" in words_on(page)


def test_no_more_than_eight_of_each_with_a_way_to_all(desk: DeskClient, app: Flask, store: Database) -> None:
    for number in range(9):
        ask(app, phone=f"1380013800{number}")
    answer = desk.get("/desk/")
    assert len(rows_on(answer)) == 8
    assert "看全部" in answer.text
    assert counts(desk)["first"] == "9"
    assert len(rows_on(desk.get("/desk/leads?view=first"))) == 9


def test_beyond_999_it_is_only_said_that_there_are_more(
    desk: DeskClient, app: Flask, store: Database, zhou: Known
) -> None:
    shown = [ask(app, phone=f"1380013800{number}") for number in range(8)]
    put_leads(store, [plain_lead(id=f"f{number:031x}") for number in range(992)])
    assert sorted(rows_on(desk.get("/desk/"))) == sorted(shown)
    assert counts(desk)["first"] == "999+"
    assert "999+条" in desk.get("/desk/").text


def test_with_nothing_due_it_says_so(desk: DeskClient) -> None:
    answer = desk.get("/desk/")
    assert rows_on(answer) == []
    assert "今天没有要打的电话" in answer.text


def test_what_is_personal_is_masked(desk: DeskClient, due: dict[str, str]) -> None:
    answer = desk.get("/desk/")
    assert "欧**" in answer.text
    assert "138****8001" in answer.text
    for secret in (*SECRETS, "1380013800", "138 0013"):
        assert secret not in answer.text


def test_a_lead_of_nobody_that_was_called_in_vain_says_so(
    desk: DeskClient, app: Flask, store: Database, zhou: Known
) -> None:
    give(store, ask(app), zhou, attempts=1, follow_up_at=NOON + HOUR)
    assert "再打一次" in desk.get("/desk/").text
