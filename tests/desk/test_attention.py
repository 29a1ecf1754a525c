"""需要处理: everybody sees what waits for them, in numbers that the pages behind bear out, and nothing of the others'."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select, update
from tests.desk.conftest import NOON, Clock, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import DAY, HOUR, PHONE, ask, do, give, rows_on

from xinheng.audit.models import AuditRow
from xinheng.db import Database
from xinheng.leads.spool import Spool
from xinheng.leads.submission import Submission
from xinheng.leads.verdict import Verdict
from xinheng.notices.outbox import Notice, enqueue
from xinheng.phones import parse_phone
from xinheng.privacy.receiving import Asked
from xinheng.staff.models import User


def matters(page: str) -> dict[str, int]:
    """What waits, by name, with how many."""
    found = re.findall(r'<data value="(\d+)">.*?matter__name">(?:<a[^>]*>)?([^<]+)', page, re.DOTALL)
    return {name.strip(): int(number) for number, name in found}


def clear(page: str) -> set[str]:
    """What was looked at and doesn't wait."""
    return set(re.findall(r"<li>([^<]+)</li>", page.partition('id="clear"')[2]))


@pytest.fixture
def hold(app: Flask) -> Callable[[], None]:
    """An enquiry that looks like spam."""

    def held() -> None:
        consultation = app.extensions["xinheng.consultation"]
        consultation.reception.desk.record(
            Submission(
                need="overdue",
                name="",
                phone=parse_phone("13974625819"),
                details="加我了解更多",
                call_time="",
                extra={},
                purposes=("callback",),
                form_version=consultation.published().version,
                verdict=Verdict(("trap",)),
            ),
            NOON - 3 * HOUR,
        )

    return held


def test_sales_see_their_own_leads_and_those_of_nobody(
    app: Flask, store: Database, desk: DeskClient, zhou: Known, wu: Known
) -> None:
    give(store, ask(app, "13974625801"), zhou, follow_up_at=NOON - HOUR)
    give(store, ask(app, "13974625802"), wu, follow_up_at=NOON - HOUR)
    ask(app, "13974625803")
    give(store, ask(app, "13974625804"), zhou, status="contacted")
    page = desk.get("/desk/attention").text
    assert matters(page) == {"已逾期": 1, "待首次联系": 1, "无下一步": 1, "未分配的线索": 1}
    assert "今天跟进" in clear(page)
    assert not {"隔离区", "没有发出的通知", "个人信息请求", "内容和表单里的错误"} & (
        clear(page) | set(matters(page))
    )


def test_late_responses_are_counted_and_urgent(app: Flask, desk: DeskClient, clock: Clock) -> None:
    ask(app)
    page = desk.get("/desk/attention").text
    assert "还没有到首次响应的期限" in page
    assert "matter--urgent" not in page
    ask(app, "13974625804", NOON - 4 * DAY)
    page = desk.get("/desk/attention").text
    assert "其中1条首次响应已超时" in page
    assert "matter--urgent" in page


def test_what_lies_with_who_is_away_is_the_sales_leads_to_hand_on(
    app: Flask,
    store: Database,
    client: DeskClient,
    staff: Staff,
    signed_in: SignedIn,
    wu: Known,
    clock: Clock,
) -> None:
    give(store, ask(app), wu, follow_up_at=NOON - HOUR)
    browser = signed_in(client, staff("sales_lead"))
    assert "不在岗的人手上到期的" in clear(browser.get("/desk/attention").text)
    with store.writing() as session:
        session.get_one(User, wu.id).on_duty = False
    page = browser.get("/desk/attention").text
    assert matters(page)["不在岗的人手上到期的"] == 1
    assert "吴凯" in page


def test_each_number_is_borne_out_by_the_page_behind_it(
    app: Flask, store: Database, desk: DeskClient, zhou: Known
) -> None:
    for number in range(3):
        give(store, ask(app, f"1397462580{number}"), zhou, follow_up_at=NOON - HOUR)
    ask(app, "13974625809")
    page = desk.get("/desk/attention").text
    shown = re.findall(r'<data value="(\d+)">.*?href="([^"]+)"', page, re.DOTALL)
    assert len(shown) == 3
    for number, address in shown:
        assert len(rows_on(desk.get(unescape(address)))) == int(number), address


def test_what_is_settled_is_gone(app: Flask, store: Database, desk: DeskClient, zhou: Known) -> None:
    lead_id = give(store, ask(app), zhou, status="contacted")
    assert matters(desk.get("/desk/attention").text) == {"无下一步": 1}
    do(desk, lead_id, "next", **{"in": "1"})
    page = desk.get("/desk/attention").text
    assert matters(page) == {}
    assert "都处理好了" in page
    assert {"无下一步", "未分配的线索", "已逾期"} <= clear(page)


def test_who_leads_sales_sees_the_quarantine_and_the_notices(
    app: Flask,
    store: Database,
    client: DeskClient,
    staff: Staff,
    signed_in: SignedIn,
    hold: Callable[[], None],
    clock: Clock,
) -> None:
    hold()
    with store.writing() as session:
        enqueue(session, kind="enquiry", reference="XH-00000-00001", text="新咨询", now=NOON)
        session.flush()
        session.execute(update(Notice).values(state="failed"))
    page = signed_in(client, staff("sales_lead")).get("/desk/attention").text
    found = matters(page)
    assert (found["隔离区"], found["没有发出的通知"]) == (1, 1)
    assert "最早的等了3小时" in page
    assert ("通知渠道" in found, "一个也没有启用" in page) == (False, True)  # said, without a number
    assert next(iter(found)) in {"隔离区", "没有发出的通知"}  # what is urgent stands first


def test_the_privacy_officer_sees_requests_with_the_day_they_are_due(
    app: Flask, client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    signed_in(client, staff("privacy"))
    assert "个人信息请求" in clear(client.get("/desk/attention").text)
    app.extensions["xinheng.privacy"].receive(Asked("access", parse_phone(PHONE), "", ""), NOON)
    page = client.get("/desk/attention").text
    assert matters(page) == {"个人信息请求": 1}
    assert "最早的一个" in page
    assert {"访问记录核对", "到期删除"} <= clear(page)


def test_a_changed_audit_is_said_to_who_may_look_into_it(
    store: Database,
    client: DeskClient,
    another_browser: Callable[[], DeskClient],
    staff: Staff,
    signed_in: SignedIn,
    clock: Clock,
) -> None:
    admin = staff("admin", second_factor=True)
    another_browser().sign_in(admin.email, "not the password")  # which is recorded
    signed_in(client, admin)
    assert "访问记录核对" in clear(client.get("/desk/attention").text)
    with store.writing() as session:
        first = session.scalars(select(AuditRow.id).order_by(AuditRow.id)).first()
        session.execute(update(AuditRow).where(AuditRow.id == first).values(action="export"))
    assert matters(client.get("/desk/attention").text)["访问记录核对"] >= 1


def test_the_editor_sees_what_is_wrong_with_content_and_nothing_of_persons(
    app: Flask, client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    ask(app)
    page = signed_in(client, staff("editor")).get("/desk/attention").text
    assert matters(page) == {}
    assert clear(page) == {"内容和表单里的错误"}


def test_an_enquiry_in_the_spool_is_counted(desk: DeskClient, spool: Spool, clock: Clock) -> None:
    (spool.folder / f"{'c' * 32}.aside").write_bytes(b"torn")
    assert matters(desk.get("/desk/attention").text)["打不开的咨询"] == 1
