"""By when somebody must call, on the lists and the lead's page: what is due first comes first, what is late says so."""

from __future__ import annotations

import pytest
from flask import Flask
from tests.desk.conftest import NOON, Clock, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import DAY, HOUR, MINUTE, ask, do, give, rows_on, words_on
from tests.leads.colleagues import shanghai

from xinheng.db import Database
from xinheng.phones import parse_phone
from xinheng.privacy.receiving import Asked
from xinheng.staff.models import User


@pytest.fixture
def lead_id(app: Flask, store: Database, zhou: Known, clock: Clock) -> str:
    """Zhou Min's, of a Monday noon: overdue accounts are called within two hours."""
    return give(store, ask(app), zhou)


def test_what_is_due_first_comes_first_not_what_came_first(
    desk: DeskClient, app: Flask, clock: Clock
) -> None:
    slow = ask(app, phone="13800138001", at=NOON - HOUR, need="receivables")
    quick = ask(app, phone="13800138002", at=NOON, need="overdue")
    assert rows_on(desk.get("/desk/leads?view=first")) == [quick, slow]
    assert rows_on(desk.get("/desk/")) == [quick, slow]
    assert rows_on(desk.get("/desk/leads?view=first&sort=waiting")) == [slow, quick]


@pytest.mark.parametrize(("hour", "row"), [(17.9, "还剩26分钟"), (20, "明天 09:20前")])
def test_minutes_that_are_left_at_night_are_not_running(
    client: DeskClient,
    zhou: Known,
    signed_in: SignedIn,
    clock: Clock,
    app: Flask,
    store: Database,
    hour: float,
    row: str,
) -> None:
    at = NOON + 4 * HOUR + 20 * MINUTE
    give(store, ask(app, at=at), zhou)
    clock.moment = NOON + (hour - 12) * HOUR
    signed_in(client, zhou)
    assert row in words_on(client.get("/desk/leads?view=first"))


@pytest.mark.parametrize(
    ("later", "row", "page"),
    [
        (0 * MINUTE, "今天 14:00前", "首次响应 最晚今天 14:00 "),
        (100 * MINUTE, "还剩20分钟", "响应还剩20分钟"),
        (121 * MINUTE, "超时1分钟", "最晚今天 14:00，已超时1分钟"),
        (4 * HOUR, "超时2工时", "响应超时2工时"),
        (22 * HOUR, "超时5工时", "最晚昨天 14:00，已超时5工时"),
        (3 * DAY, "超时25工时", "响应超时25工时"),
        (9 * DAY, "超时6个工作日", "响应超时6个工作日"),
    ],
)
def test_how_it_stands_is_said_in_working_time(
    client: DeskClient,
    zhou: Known,
    signed_in: SignedIn,
    clock: Clock,
    lead_id: str,
    later: object,
    row: str,
    page: str,
) -> None:
    clock.moment = NOON + later  # type: ignore[operator]
    signed_in(client, zhou)
    for address in ("/desk/", "/desk/leads?view=first"):
        assert row in words_on(client.get(address))
    assert page in words_on(client.get(f"/desk/leads/{lead_id}"))


def test_a_plan_does_not_hide_that_nobody_has_called(
    client: DeskClient, zhou: Known, signed_in: SignedIn, clock: Clock, lead_id: str
) -> None:
    signed_in(client, zhou)
    do(client, lead_id, "next", date="2026-11-24", time="10:00", step="打")
    assert "明天 10:00" in words_on(client.get("/desk/leads"))
    clock.advance(hours=3)
    signed_in(client, zhou)
    assert "超时1工时" in words_on(client.get("/desk/leads"))


@pytest.mark.parametrize(
    ("later", "said"),
    [(HOUR, "首次响应 按时，今天 13:00"), (4 * HOUR, "首次响应 超时2工时，今天 16:00")],
)
def test_the_page_says_how_it_was_answered(
    client: DeskClient,
    zhou: Known,
    signed_in: SignedIn,
    clock: Clock,
    lead_id: str,
    later: object,
    said: str,
) -> None:
    clock.moment = NOON + later  # type: ignore[operator]
    do(signed_in(client, zhou), lead_id, "no-answer")
    assert said in words_on(client.get(f"/desk/leads/{lead_id}"))


def test_the_next_try_of_the_desk_knows_holidays(
    client: DeskClient, app: Flask, zhou: Known, signed_in: SignedIn, clock: Clock
) -> None:
    clock.moment = shanghai("2026-09-30 16:00")
    lead_id = ask(app, at=clock.moment)
    answer = do(signed_in(client, zhou), lead_id, "no-answer")
    assert "下次10月8日 10:00再打" in words_on(client.get(answer.location))


def test_a_request_about_ones_data_is_due_by_the_calendar(app: Flask) -> None:
    asked = Asked("access", parse_phone("13800138000"))
    receipt = app.extensions["xinheng.privacy"].receive(asked, shanghai("2026-09-15 10:00"))
    assert receipt.due_at == shanghai("2026-10-12 23:59:59")


def test_of_a_lead_of_before_nothing_is_said(
    desk: DeskClient, store: Database, zhou: Known, lead_id: str
) -> None:
    give(store, lead_id, zhou, first_response_due=None)
    assert "首次响应" not in words_on(desk.get(f"/desk/leads/{lead_id}"))
    assert "等了1分钟" in words_on(desk.get("/desk/leads?view=first"))


def test_in_english_too(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database, clock: Clock, lead_id: str
) -> None:
    jing = staff("sales_lead", name="何静")
    with store.writing() as session:
        session.get_one(User, jing.id).language = "en"
    clock.moment = NOON + DAY
    client.language = "en"
    signed_in(client, jing)
    assert "7 working hours late" in words_on(client.get("/desk/leads?view=first"))
