"""Who is on duty: said by each of themselves, and by the sales leads of everybody; and the limits of claiming."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from tests.desk.conftest import NOON, Clock, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import DAY, HOUR, ask, do, give, rows_on, the_lead, words_on
from tests.leads.colleagues import shanghai
from werkzeug.test import TestResponse

from xinheng.db import Database
from xinheng.forms.assignment import AssignmentRules
from xinheng.leads.dealing import Dealing
from xinheng.leads.trail import Trail
from xinheng.staff.models import User

Recorded = Callable[[], list[tuple[str, str, str]]]
SetRules = Callable[..., None]


@pytest.fixture
def rules(app: Flask) -> Iterator[SetRules]:
    """Other rules than those that ship, as if the file had been saved."""
    shipped = app.extensions["xinheng.assignment_rules"]

    def put(**changed: object) -> None:
        made = AssignmentRules.model_validate(changed)
        app.extensions["xinheng.assignment_rules"] = lambda: made

    yield put
    app.extensions["xinheng.assignment_rules"] = shipped


@pytest.fixture
def lead_desk(client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock) -> DeskClient:
    """A sales lead's browser."""
    return signed_in(client, staff("sales_lead", name="李航"))


def member_of(store: Database, member: Known) -> User:
    with store.reading() as session:
        return session.get_one(User, member.id)


def lines_on(answer: TestResponse) -> dict[str, str]:
    """What the page says of each, by name."""
    parts = re.findall(r'<li id="member-[0-9a-f]+">(.*?)</details>', answer.text, re.DOTALL)
    texts = [" ".join(re.sub(r"<[^>]+>", " ", part).split()) for part in parts]
    return {text.partition(" ")[0]: text for text in texts}


# --- of oneself ---


def test_a_member_says_when_they_are_away_and_is_back_by_themselves(
    desk: DeskClient, store: Database, zhou: Known, recorded: Recorded, clock: Clock
) -> None:
    assert desk.send("/desk/me/duty", presence="until", back="2026-11-26").status_code == 303
    assert member_of(store, zhou).absent_until == shanghai("2026-11-26 00:00")
    page = desk.get("/desk/me")
    assert "不在岗，11月26日回来" in words_on(page)
    assert 'value="2026-11-26"' in page.text
    assert (zhou.id, "edit", zhou.id) in recorded()
    clock.moment = shanghai("2026-11-26 00:00")
    assert not member_of(store, zhou).absent_until > clock.moment  # type: ignore[operator]
    assert "不在岗，11月26日回来" not in words_on(desk.get("/desk/me"))


def test_a_member_goes_off_duty_and_on_again(desk: DeskClient, store: Database, zhou: Known) -> None:
    desk.send("/desk/me/duty", presence="off")
    assert not member_of(store, zhou).on_duty
    desk.send("/desk/me/duty", presence="on")
    found = member_of(store, zhou)
    assert (found.on_duty, found.absent_until) == (True, None)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "请选在岗或不在岗"),
        ({"presence": "maybe"}, "请选在岗或不在岗"),
        ({"presence": "until"}, "请选回来的日期"),
        ({"presence": "until", "back": "明天"}, "请选回来的日期"),
        ({"presence": "until", "back": "2026-11-23"}, "明天以后"),
        ({"presence": "until", "back": "2028-01-01"}, "一年以内"),
    ],
)
def test_what_cannot_be_so_is_refused_and_says_why(
    desk: DeskClient, store: Database, zhou: Known, fields: dict[str, str], says: str
) -> None:
    desk.get("/desk/me")
    desk.send("/desk/me/duty", **fields)
    assert says in words_on(desk.get("/desk/me"))
    assert member_of(store, zhou).on_duty


def test_who_works_no_leads_has_no_duty(client: DeskClient, staff: Staff, signed_in: SignedIn) -> None:
    assert 'id="duty"' not in signed_in(client, staff("editor")).get("/desk/me").text


# --- of everybody ---


def test_the_page_shows_who_is_there_and_what_they_have(
    lead_desk: DeskClient, app: Flask, store: Database, zhou: Known, wu: Known, rules: SetRules
) -> None:
    rules(way="round_robin", capacity=2, round_robin={"most_a_day": 5})
    for number in range(3):
        give(store, ask(app, f"1380013800{number}"), zhou)
    give(store, ask(app, "13800138009"), wu, follow_up_at=NOON - HOUR)
    with store.writing() as session:
        session.get_one(User, wu.id).on_duty = False
    page = lead_desk.get("/desk/duty")
    found = lines_on(page)
    assert list(found) == ["吴凯", "周敏", "李航"]
    assert "在岗" in found["周敏"]
    assert "进行中 2+ 最多2 满了" in found["周敏"]
    assert "不在岗" in found["吴凯"]
    assert "已逾期 1 待首次联系 0" in found["吴凯"]
    assert "待首次联系 3" in found["周敏"]
    assert "可以转给别人" in found["吴凯"]
    assert "不参加轮流" in found["李航"]
    assert "一人一天最多5条" in words_on(page)
    assert len(rows_on(lead_desk.get(f"/desk/leads?owner={wu.id}&view=late"))) == 1
    assert len(rows_on(lead_desk.get(f"/desk/leads?owner={zhou.id}&view=first"))) == 3
    linked = re.findall(r'href="(/desk/leads\?[^"]*view=[^"]*)"', page.text)
    assert sorted(linked) == sorted(
        [f"/desk/leads?owner={wu.id}&amp;view=late", f"/desk/leads?owner={zhou.id}&amp;view=first"]
    )


def test_a_sales_lead_says_for_somebody_else(
    lead_desk: DeskClient, store: Database, zhou: Known, recorded: Recorded
) -> None:
    lead_desk.get("/desk/duty")
    lead_desk.send(f"/desk/duty/{zhou.id}", presence="off", capacity="25")
    found = member_of(store, zhou)
    assert (found.on_duty, found.capacity) == (False, 25)
    assert [each[1:] for each in recorded() if each[1] == "edit"] == [("edit", zhou.id)] * 2
    lead_desk.send(f"/desk/duty/{zhou.id}", presence="off", capacity="")
    assert member_of(store, zhou).capacity is None


@pytest.mark.parametrize("capacity", ["-1", "many", "5001", "１２", "1.5"])
def test_a_capacity_that_is_no_number_changes_nothing(
    lead_desk: DeskClient, store: Database, zhou: Known, capacity: str
) -> None:
    lead_desk.get("/desk/duty")
    lead_desk.send(f"/desk/duty/{zhou.id}", presence="off", capacity=capacity)
    assert "整数" in words_on(lead_desk.get("/desk/duty"))
    assert member_of(store, zhou).on_duty


def test_nobody_says_for_who_takes_no_leads(lead_desk: DeskClient, staff: Staff) -> None:
    lead_desk.get("/desk/duty")
    assert lead_desk.send(f"/desk/duty/{staff('editor').id}", presence="off").status_code == 404


def test_what_lies_with_somebody_away_stands_among_what_needs_doing(
    lead_desk: DeskClient, app: Flask, store: Database, zhou: Known
) -> None:
    give(store, ask(app), zhou)
    assert "不在岗的人手上到期的 周敏" not in words_on(lead_desk.get("/desk/attention"))
    with store.writing() as session:
        session.get_one(User, zhou.id).on_duty = False
    said = words_on(lead_desk.get("/desk/attention"))
    assert "不在岗的人手上到期的" in said
    assert "周敏" in said


# --- on leads ---


def test_an_owner_who_is_away_is_marked_and_so_is_who_a_lead_may_go_to(
    desk: DeskClient, app: Flask, store: Database, zhou: Known, wu: Known
) -> None:
    lead_id = give(store, ask(app), zhou)
    with store.writing() as session:
        session.get_one(User, wu.id).on_duty = False
        session.get_one(User, zhou.id).absent_until = NOON + DAY
    assert "周敏 不在岗" in words_on(desk.get("/desk/leads"))
    page = words_on(desk.get(f"/desk/leads/{lead_id}"))
    assert "周敏 不在岗" in page
    assert "吴凯（不在岗）" in page


def test_a_claim_over_the_limit_says_what_to_do_and_changes_nothing(
    desk: DeskClient, app: Flask, store: Database, zhou: Known, rules: SetRules
) -> None:
    rules(way="pool", pool={"claims_a_day": 1})
    first, second = ask(app, "13800138001"), ask(app, "13800138002")
    assert do(desk, first, "owner", owner=zhou.id).status_code == 303
    answer = do(desk, second, "owner", owner=zhou.id)
    assert answer.status_code == 422
    assert "今天已经认领了1条，到了上限；明天再来，或请主管分配" in words_on(answer)
    assert the_lead(store, second).owner_id is None


def test_a_full_member_is_told_to_make_room(
    desk: DeskClient, app: Flask, store: Database, zhou: Known, rules: SetRules
) -> None:
    rules(way="pool", capacity=1)
    give(store, ask(app, "13800138001"), zhou)
    answer = do(desk, ask(app, "13800138002"), "owner", owner=zhou.id)
    assert "您手上最多1条进行中的线索，已经满了；先结束或转交几条再认领" in words_on(answer)


def test_of_several_the_rest_is_left_with_the_reason(
    desk: DeskClient, app: Flask, store: Database, zhou: Known, rules: SetRules
) -> None:
    rules(way="pool", pool={"claims_a_day": 2})
    ids = [ask(app, f"1380013800{number}") for number in range(3)]
    desk.get("/desk/leads")
    desk.send("/desk/leads/bulk", lead=ids, do="assign", owner=zhou.id)
    said = words_on(desk.get("/desk/leads"))
    assert "已改2条线索" in said
    assert "1条没有认领：今天已经认领了2条" in said


def test_the_timeline_tells_of_a_turn(
    desk: DeskClient, app: Flask, store: Database, zhou: Known, rules: SetRules, clock: Clock
) -> None:
    rules(way="round_robin")
    lead_id = ask(app)
    held = app.extensions
    Dealing(
        store,
        Trail(held["xinheng.keys"]),
        held["xinheng.assigner"],
        held["xinheng.assignment_rules"],
        held["xinheng.calendar"],
        site="https://x.example",
    ).deal(NOON)
    assert the_lead(store, lead_id).owner_id == zhou.id
    assert "按轮流分给周敏" in words_on(desk.get(f"/desk/leads/{lead_id}"))
