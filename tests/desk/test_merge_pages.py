"""Staff find duplicates on list and page, merge two, undo it, split one, and write down a company."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from tests.desk.conftest import NOON, Clock, DeskClient, Known, SignedIn
from tests.desk.leads_at_hand import (
    DAY,
    HOUR,
    MINUTE,
    SECRETS,
    ask,
    do,
    give,
    reference_of,
    the_lead,
    version_on,
    words_on,
)
from werkzeug.test import TestResponse

from xinheng.crypto import Keys
from xinheng.db import Database

SWITCHBOARD = "021-63958427"


@pytest.fixture
def two(app: Flask, store: Database, zhou: Known) -> tuple[str, str]:
    """Two of 周敏's behind one switchboard, in no order of their ids."""
    first = ask(app, SWITCHBOARD, NOON - 2 * DAY, name="陈女士", details="第一次问")
    second = ask(app, SWITCHBOARD + " 转 8", NOON - HOUR, name="老陈", details="第二次问", need="other")
    give(store, first, zhou, status="contacted", follow_up_at=NOON + DAY)
    give(store, second, zhou)
    return first, second


def merge_address(lead_id: str, other_id: str) -> str:
    return f"/desk/leads/{lead_id}/merge/{other_id}"


def fields_on(page: TestResponse) -> dict[str, str]:
    """What the page would send as it is: its versions, and what is ticked."""
    hidden = re.findall(r'<input type="hidden" name="((?:other_)?version)" value="(\d+)">', page.text)
    ticked = re.findall(r'name="(take_\w+)" value="(\w+)" checked', page.text)
    return dict(hidden) | dict(ticked)


def test_list_and_page_tell_of_a_duplicate_and_lead_to_it(desk: DeskClient, two: tuple[str, str]) -> None:
    rows = re.findall(r'<tr id="lead-(\w+)".*?</tr>', desk.get("/desk/leads").text, re.DOTALL)
    assert set(rows) == set(two)
    assert words_on(desk.get("/desk/leads")).count("可能重复") == 2
    page = desk.get(f"/desk/leads/{two[0]}")
    assert "同一座机" in page.text
    assert "老*" in page.text
    assert merge_address(*two) in page.text


def test_of_a_colleagues_lead_only_that_there_is_one_is_said(
    desk: DeskClient, store: Database, two: tuple[str, str], wu: Known
) -> None:
    give(store, two[1], wu)
    page = desk.get(f"/desk/leads/{two[0]}")
    assert "另有1条您看不到的线索，请找销售主管" in words_on(page)
    assert two[1] not in page.text
    assert "老*" not in page.text
    assert desk.get(merge_address(*two)).status_code == 404


def test_the_page_of_a_merge_shows_both_and_what_is_kept(desk: DeskClient, two: tuple[str, str]) -> None:
    page = desk.get(merge_address(*two))
    said = words_on(page)
    for each in ("陈**", "老*", "第一次来", "30天内可以撤销", "已联系", "新线索"):
        assert each in said
    assert not any(secret in page.text for secret in (*SECRETS, "陈女士", "老陈"))
    assert fields_on(page) == {
        "version": "1",
        "other_version": "1",
        "take_name": "mine",
        "take_need": "other",
        "take_status": "mine",
        "take_next": "mine",
    }


def test_opening_the_page_of_a_merge_is_recorded_for_both(
    desk: DeskClient, two: tuple[str, str], zhou: Known, recorded: Callable[[], list[tuple[str, str, str]]]
) -> None:
    desk.get(merge_address(*two))
    assert {(zhou.id, "view", each) for each in two} <= set(recorded())


def test_merged_and_undone_by_the_pages(
    desk: DeskClient,
    store: Database,
    store_keys: Keys,
    two: tuple[str, str],
    clock: Clock,
    zhou: Known,
    signed_in: SignedIn,
) -> None:
    fields = fields_on(desk.get(merge_address(*two))) | {"take_name": "other"}
    answer = desk.send(merge_address(*two), **fields)
    assert answer.headers["Location"] == f"/desk/leads/{two[0]}#ties"
    page = desk.get(f"/desk/leads/{two[0]}")
    assert "合并好了" in page.text
    assert "并入了另一条线索，1份咨询" in page.text
    for each in ("第一次问", "第二次问"):
        assert each in page.text
    lead = the_lead(store, two[0])
    assert (lead.open(store_keys, "name"), lead.need, lead.status) == ("老陈", "other", "contacted")
    moved = desk.get(f"/desk/leads/{two[1]}")
    assert (moved.status_code, moved.headers["Location"]) == (302, f"/desk/leads/{two[0]}")
    back = desk.get(merge_address(*two))
    assert (back.status_code, back.headers["Location"]) == (302, f"/desk/leads/{two[0]}")
    assert words_on(desk.get("/desk/leads")).count("可能重复") == 0
    clock.advance(days=3)
    signed_in(desk, zhou)
    undo = re.search(rf"/desk/leads/{two[0]}/merges/\w+/undo", page.text)
    assert undo is not None
    desk.send(undo[0], version=version_on(desk.get(f"/desk/leads/{two[0]}")))
    assert "又是两条线索了" in desk.get(f"/desk/leads/{two[0]}").text
    assert desk.get(f"/desk/leads/{two[1]}").status_code == 200
    assert the_lead(store, two[0]).open(store_keys, "name") == "陈女士"


def test_after_thirty_days_there_is_no_way_back(
    desk: DeskClient, two: tuple[str, str], clock: Clock, zhou: Known, signed_in: SignedIn
) -> None:
    desk.send(merge_address(*two), **fields_on(desk.get(merge_address(*two))))
    undo = re.search(r"/desk/leads/\w+/merges/\w+/undo", desk.get(f"/desk/leads/{two[0]}").text)
    assert undo is not None
    clock.advance(days=31)
    signed_in(desk, zhou)
    page = desk.get(f"/desk/leads/{two[0]}")
    assert undo[0] not in page.text
    answer = desk.send(undo[0], version=version_on(page))
    assert answer.status_code == 422
    assert "已经不能撤销" in answer.text


def test_a_change_meanwhile_is_told_and_the_choice_stays(
    desk: DeskClient, store: Database, two: tuple[str, str]
) -> None:
    fields = fields_on(desk.get(merge_address(*two))) | {"take_name": "other", "take_need": "mine"}
    do(desk, two[1], "status", status="contacted")
    answer = desk.send(merge_address(*two), **fields)
    assert answer.status_code == 409
    assert "还没有合并" in answer.text
    again = fields_on(answer)
    assert (again["take_name"], again["take_need"], again["other_version"]) == ("other", "mine", "2")
    assert desk.send(merge_address(*two), **again).status_code == 303


def test_pressed_twice_it_is_done_once_and_shown(desk: DeskClient, two: tuple[str, str]) -> None:
    fields = fields_on(desk.get(merge_address(*two)))
    for _ in range(2):
        answer = desk.send(merge_address(*two), **fields)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith(f"/desk/leads/{two[0]}")


def test_two_that_are_not_the_same_person_are_said_so_and_taken_back(
    desk: DeskClient, two: tuple[str, str]
) -> None:
    desk.get(f"/desk/leads/{two[0]}")
    desk.send(f"/desk/leads/{two[0]}/apart/{two[1]}")
    assert words_on(desk.get("/desk/leads")).count("可能重复") == 0
    page = desk.get(f"/desk/leads/{two[1]}")
    assert "认定和另一条不是同一人" in page.text
    desk.send(f"/desk/leads/{two[1]}/apart/{two[0]}", back="yes")
    assert words_on(desk.get("/desk/leads")).count("可能重复") == 2


def test_one_that_was_not_found_is_merged_by_its_reference(
    app: Flask, desk: DeskClient, store: Database, two: tuple[str, str], wu: Known
) -> None:
    third = ask(app, "13800138000", NOON - MINUTE, name="陈女士")
    desk.get(f"/desk/leads/{two[0]}")
    address = f"/desk/leads/{two[0]}/merge"
    answer = desk.send(address, reference=reference_of(store, third).lower())
    assert answer.headers["Location"] == merge_address(two[0], third)
    assert "请填写另一条线索的受理编号" in desk.send(address, reference=" ").text
    assert "就是这条线索" in desk.send(address, reference=reference_of(store, two[0])).text
    give(store, third, wu)
    assert "不归您看" in desk.send(address, reference=reference_of(store, third)).text


def test_a_company_is_written_down_and_a_change_meanwhile_keeps_what_was_typed(
    desk: DeskClient, store: Database, store_keys: Keys, two: tuple[str, str]
) -> None:
    do(desk, two[0], "company", company=" 华强实业有限公司 ")
    assert the_lead(store, two[0]).open(store_keys, "company") == "华强实业有限公司"
    assert "改了单位" in words_on(desk.get(f"/desk/leads/{two[0]}"))
    answer = do(desk, two[0], "company", company="华强集团", version="1")
    assert answer.status_code == 409
    assert 'value="华强集团"' in answer.text
    do(desk, two[0], "company", company="")
    assert the_lead(store, two[0]).company is None
    assert "去掉了单位" in words_on(desk.get(f"/desk/leads/{two[0]}"))


def test_split_by_the_page_what_was_said_goes_along(
    app: Flask, desk: DeskClient, store: Database, zhou: Known, clock: Clock, signed_in: SignedIn
) -> None:
    lead_id = ask(app, name="张三", details="张三问的")
    give(store, lead_id, zhou)
    clock.advance(hours=1)
    ask(app, at=clock.moment, name="李四", details="李四问的")
    clock.advance(minutes=5)
    signed_in(desk, zhou)
    do(desk, lead_id, "notes", note="答应李四明天回电")
    page = desk.get(f"/desk/leads/{lead_id}/split")
    assert "答应李四明天回电" in page.text
    assert "李四问的" in page.text
    chosen = re.findall(r'name="enquiry" value="(\w+)"', page.text)[0]
    sent = {"version": version_on(page), "enquiry": chosen}
    stale = desk.send(f"/desk/leads/{lead_id}/split", **sent | {"version": "1"})
    assert stale.status_code == 409
    assert f'value="{chosen}" checked' in stale.text
    answer = desk.send(f"/desk/leads/{lead_id}/split", **sent)
    new_id = answer.headers["Location"].split("/")[3].partition("#")[0]
    new, old = (desk.get(f"/desk/leads/{each}") for each in (new_id, lead_id))
    assert "答应李四明天回电" in new.text
    assert "答应李四明天回电" not in old.text
    for page, other in ((new, lead_id), (old, new_id)):
        assert f"/desk/leads/{other}" in page.text
        assert "同一手机" in page.text
    assert desk.send(f"/desk/leads/{lead_id}/split", **sent).headers["Location"].endswith(f"{new_id}#ties")


def test_a_split_of_nothing_or_of_everything_says_what_to_do(
    app: Flask, desk: DeskClient, store: Database, zhou: Known
) -> None:
    lead_id = ask(app, at=NOON - HOUR)
    ask(app, details="又问")
    give(store, lead_id, zhou)
    page = desk.get(f"/desk/leads/{lead_id}/split")
    address, version = f"/desk/leads/{lead_id}/split", version_on(page)
    assert "请勾选" in desk.send(address, version=version).text
    every = re.findall(r'name="enquiry" value="(\w+)"', page.text)
    assert "至少要留下一份" in desk.send(address, version=version, enquiry=every).text


def test_the_other_number_is_shown_with_the_first(
    app: Flask, desk: DeskClient, store: Database, zhou: Known, clock: Clock
) -> None:
    first, second = ask(app), ask(app, "13800138000", name=" ")
    for each in (first, second):
        give(store, each, zhou)
    desk.send(merge_address(first, second), **fields_on(desk.get(merge_address(first, second))))
    page = desk.get(f"/desk/leads/{first}")
    assert "另一个号码" in page.text
    assert "138****8000" in page.text
    assert "13800138000" not in page.text.replace(" ", "")
    clock.advance(minutes=1)
    desk.send(f"/desk/leads/{first}/reveal")
    assert "tel:+8613800138000" in desk.get(f"/desk/leads/{first}").text
