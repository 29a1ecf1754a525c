"""After a call the page asks what comes next, and takes no for an answer; who has no next step is shown so."""

from __future__ import annotations

import pytest
from flask import Flask
from tests.desk.conftest import NOON, DeskClient, Known
from tests.desk.leads_at_hand import DAY, HOUR, ask, do, give, the_lead, words_on

from xinheng.db import Database

QUESTION = "接下来什么时候再联系？"


@pytest.fixture
def lead_id(app: Flask, store: Database, zhou: Known) -> str:
    return give(store, ask(app), zhou)


@pytest.mark.parametrize(
    ("deed", "fields"),
    [
        ("notes", {"note": "王会计接的", "connected": "y"}),
        ("wechat", {}),
        ("status", {"status": "contacted"}),
    ],
)
def test_a_contact_that_leaves_nothing_planned_is_followed_by_the_question(
    desk: DeskClient, lead_id: str, deed: str, fields: dict[str, str]
) -> None:
    answer = do(desk, lead_id, deed, **fields)
    assert answer.headers["Location"] == f"/desk/leads/{lead_id}?then=next#ask-next"
    assert QUESTION in words_on(desk.get(answer.headers["Location"].partition("#")[0]))


def test_where_the_next_step_stands_or_nobody_was_talked_to_nothing_is_asked(
    desk: DeskClient, store: Database, lead_id: str, zhou: Known
) -> None:
    answer = do(desk, lead_id, "notes", note="先查一下")
    assert answer.headers["Location"] == f"/desk/leads/{lead_id}#timeline"
    give(store, lead_id, zhou, follow_up_at=NOON + DAY)
    answer = do(desk, lead_id, "notes", note="接了", connected="y")
    assert answer.headers["Location"] == f"/desk/leads/{lead_id}#timeline"
    assert QUESTION not in words_on(desk.get(f"/desk/leads/{lead_id}?then=next"))


def test_a_plan_that_is_past_is_asked_about_and_no_takes_it_away(
    desk: DeskClient, store: Database, lead_id: str, zhou: Known
) -> None:
    give(store, lead_id, zhou, status="contacted", follow_up_at=NOON - HOUR)
    answer = do(desk, lead_id, "notes", note="接了", connected="y")
    page = desk.get(answer.headers["Location"].partition("#")[0])
    assert QUESTION in words_on(page)
    do(desk, lead_id, "next", **{"in": "none"})
    assert the_lead(store, lead_id).queue == "stuck"


def test_no_is_an_answer_and_then_it_is_shown_as_having_none(
    desk: DeskClient, app: Flask, store: Database, lead_id: str, zhou: Known
) -> None:
    do(desk, lead_id, "wechat")
    page = desk.get(f"/desk/leads/{lead_id}")
    assert QUESTION not in words_on(page)
    assert "没有下一步" in words_on(page)
    for path in ("/desk/", "/desk/leads", "/desk/leads?view=stuck"):
        assert '<b class="tag tag--alert">没有下一步</b>' in desk.get(path).text


def test_who_waits_for_a_first_contact_is_not_said_to_lack_anything(desk: DeskClient, lead_id: str) -> None:
    assert "没有下一步" not in words_on(desk.get("/desk/leads"))
