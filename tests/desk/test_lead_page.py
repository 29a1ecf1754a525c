"""One lead's page: everything that helps to call, nothing personal before it was shown, and who looks is recorded."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from tests.databases import allow_inserts, raw_bytes, refuse_inserts
from tests.desk.conftest import NOON, Clock, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import (
    DAY,
    DETAILS,
    HOUR,
    MINUTE,
    NAME,
    PHONE,
    SECRETS,
    ask,
    do,
    give,
    reference_of,
    the_lead,
    words_on,
)
from werkzeug.test import TestResponse

from xinheng.audit.models import HEAD, AuditHead, AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.drafts import save_draft
from xinheng.leads.models import Draft, LeadEvent
from xinheng.leads.submission import Attribution, Touch
from xinheng.notices.outbox import Notice
from xinheng.staff.models import StaffSession

pytestmark = pytest.mark.usefixtures("clock")

Recorded = Callable[[], list[tuple[str, str, str]]]
SHOWN = ("139 7462 5813", "tel:+8613974625813", NAME)


@pytest.fixture
def lead_id(app: Flask) -> str:
    """A lead of nobody, that came an hour ago."""
    return ask(app, at=NOON - HOUR)


def open_page(desk: DeskClient, lead_id: str) -> TestResponse:
    return desk.get(f"/desk/leads/{lead_id}")


def reveal(desk: DeskClient, lead_id: str) -> TestResponse:
    """Press 查看号码, and follow where it leads."""
    answer = desk.send(f"/desk/leads/{lead_id}/reveal")
    return desk.get(answer.headers["Location"].partition("#")[0]) if answer.status_code == 303 else answer


def assert_masked(answer: TestResponse) -> None:
    for secret in (*SECRETS, "tel:"):
        assert secret not in answer.text, secret


# --- what it tells ---


def test_the_page_opens_with_why_to_call(desk: DeskClient, app: Flask) -> None:
    library = app.extensions["xinheng.library"].current()
    slug = next(iter(library.by_slug))
    came = Attribution(
        page=f"/articles/{slug}",
        article=slug,
        first=Touch("www.baidu.com", f"/articles/{slug}", {}),
        articles_read=(slug,),
    )
    lead_id = ask(app, at=NOON - HOUR, attribution=came)
    answer = open_page(desk, lead_id)
    said = words_on(answer)
    for words in (
        "有逾期账款要跟进",
        "逾期账款跟进",
        "上午 9:00–12:00",
        "已过1小时",
        library.by_slug[slug].title,
        "新线索",
        "未分配",
        "两家客户拖欠",
    ):
        assert words in said
    assert said.index("有逾期账款要跟进") < said.index("两家客户拖欠") < said.index("经过")


def test_the_page_offers_only_the_moves_that_are_allowed(
    desk: DeskClient, store: Database, lead_id: str, zhou: Known
) -> None:
    def offered() -> set[str]:
        page = open_page(desk, lead_id).text
        buttons = re.findall(r'<button name="status" value="(\w+)"([^>]*)>', page)
        leaving = re.findall(r'<input type="hidden" name="status" value="(\w+)">', page)
        return {name for name, rest in buttons if "disabled" not in rest} | set(leaving)

    assert offered() == {"contacted", "invalid"}
    give(store, lead_id, zhou, status="interested")
    assert offered() == {"contacted", "proposal", "lost", "invalid"}
    give(store, lead_id, zhou, status="lost", reason="price")
    assert offered() == {"contacted"}
    page = open_page(desk, lead_id).text
    assert "价格谈不拢" in page
    assert "/next" not in page
    assert "/no-answer" not in page


def test_texts_that_look_like_html_are_texts(desk: DeskClient, app: Flask) -> None:
    lead_id = ask(app, details="<script>alert(1)</script><b>粗", name="<i>斜", extra={"<u>": "<s>线"})
    page = open_page(desk, lead_id).text
    for tag in ("<script>alert", "<b>粗", "<i>", "<u>", "<s>"):
        assert tag not in page
    assert "&lt;b&gt;粗" in page


# --- masked, and shown ---


def test_before_it_was_shown_nothing_personal_is_on_the_page(desk: DeskClient, lead_id: str) -> None:
    answer = open_page(desk, lead_id)
    assert_masked(answer)
    for masked in ("139****5813", "欧**", "****13"):
        assert masked in answer.text


def test_to_its_owner_the_number_stays_open_that_day_and_not_the_next(
    desk: DeskClient, store: Database, clock: Clock, zhou: Known, lead_id: str
) -> None:
    give(store, lead_id, zhou)
    assert_masked(open_page(desk, lead_id))
    answer = desk.send(f"/desk/leads/{lead_id}/reveal")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/desk/leads/{lead_id}#contact"
    for hours in (0, 0.4, 0.4):
        clock.advance(hours=hours)
        page = open_page(desk, lead_id).text
        for shown in (*SHOWN, DETAILS):
            assert shown in page
    clock.moment = NOON


def test_the_owners_day_ends_at_midnight_in_shanghai(
    client: DeskClient, store: Database, clock: Clock, zhou: Known, signed_in: SignedIn, lead_id: str
) -> None:
    clock.moment = NOON + 11 * HOUR + 50 * MINUTE
    desk = signed_in(client, zhou)
    give(store, lead_id, zhou)
    reveal(desk, lead_id)
    clock.advance(minutes=9)
    assert NAME in open_page(desk, lead_id).text
    clock.advance(minutes=2)
    assert_masked(open_page(desk, lead_id))


def test_to_others_it_is_shown_once_and_on_that_leads_page_only(
    app: Flask, desk: DeskClient, store: Database, staff: Staff, lead_id: str
) -> None:
    another = ask(app, "13512345678")
    answer = desk.send(f"/desk/leads/{lead_id}/reveal")
    assert answer.status_code == 303
    page = desk.get(answer.headers["Location"])
    for shown in SHOWN:
        assert shown in page.text
    assert_masked(open_page(desk, lead_id))
    assert_masked(desk.get("/desk/leads"))
    assert_masked(desk.get("/desk/"))
    desk.send(f"/desk/leads/{lead_id}/reveal")
    assert "13512345678" not in desk.get(f"/desk/leads/{another}").text
    assert_masked(open_page(desk, lead_id))


def test_a_colleague_who_may_see_the_lead_is_not_shown_what_its_owner_was(
    desk: DeskClient,
    another_browser: Callable[[], DeskClient],
    store: Database,
    staff: Staff,
    signed_in: SignedIn,
    zhou: Known,
    lead_id: str,
) -> None:
    give(store, lead_id, zhou)
    reveal(desk, lead_id)
    chief = signed_in(another_browser(), staff("sales_lead", name="郑岚"))
    assert_masked(open_page(chief, lead_id))
    give(store, lead_id, None)
    assert_masked(open_page(desk, lead_id))


def test_a_shown_name_is_in_no_title_and_no_address(
    desk: DeskClient, store: Database, zhou: Known, lead_id: str
) -> None:
    for owner in (None, zhou):
        give(store, lead_id, owner)
        answer = reveal(desk, lead_id)
        assert NAME in answer.text
        (title,) = re.findall(r"<title>(.*?)</title>", answer.text, re.DOTALL)
        assert reference_of(store, lead_id) in title
        addresses = re.findall(r'(?:href|action|data-draft)="(?!tel:)([^"]*)"', answer.text)
        for secret in SECRETS:
            assert secret not in title
            assert not any(secret in address for address in addresses)


def test_an_extension_is_shown_with_the_number_and_dialled(desk: DeskClient, app: Flask) -> None:
    lead_id = ask(app, phone="021-63958427 转 8866")
    assert "8866" not in open_page(desk, lead_id).text
    page = reveal(desk, lead_id).text
    assert 'href="tel:+862163958427,8866"' in page
    assert "转 8866" in page


def test_what_is_shown_stays_out_of_every_record(
    desk: DeskClient, app: Flask, store: Database, zhou: Known, lead_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    give(store, lead_id, zhou)
    reveal(desk, lead_id)
    do(desk, lead_id, "notes", note=f"打了 {PHONE}，{NAME}接的", connected="y")
    do(desk, lead_id, "next", date="2026-11-24", step=f"打 13974625813 找{NAME}")
    do(desk, lead_id, "no-answer")
    do(desk, lead_id, "status", status="interested")
    desk.open(
        f"/desk/leads/{lead_id}/draft",
        method="PUT",
        data={"csrf_token": desk.token, "note": f"{NAME} {PHONE}"},
    )
    with store.reading() as session:
        held = repr(
            [
                [row.data for row in session.scalars(select(StaffSession))],
                [(row.action, row.detail) for row in session.scalars(select(AuditRow))],
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


# --- who looked ---


def test_every_opening_and_every_showing_is_recorded(
    desk: DeskClient, store: Database, zhou: Known, lead_id: str, recorded: Recorded
) -> None:
    open_page(desk, lead_id)
    desk.send(f"/desk/leads/{lead_id}/reveal")
    assert recorded() == [(zhou.id, "view", lead_id), (zhou.id, "reveal", lead_id)]


def test_a_page_that_comes_back_within_ten_minutes_is_one_opening(
    desk: DeskClient,
    another_browser: Callable[[], DeskClient],
    signed_in: SignedIn,
    zhou: Known,
    wu: Known,
    clock: Clock,
    lead_id: str,
    recorded: Recorded,
) -> None:
    open_page(desk, lead_id)
    clock.advance(minutes=9)
    open_page(desk, lead_id)
    open_page(signed_in(another_browser(), wu), lead_id)
    clock.advance(minutes=2)
    open_page(desk, lead_id)
    assert [row[:2] for row in recorded()] == [(zhou.id, "view"), (wu.id, "view"), (zhou.id, "view")]


def test_an_enquiry_that_came_meanwhile_is_acknowledged_at_once(
    desk: DeskClient, app: Flask, store: Database, clock: Clock, lead_id: str
) -> None:
    open_page(desk, lead_id)
    ask(app, at=NOON + MINUTE, details="又来问")
    clock.advance(minutes=2)
    open_page(desk, lead_id)
    with store.reading() as session:
        assert session.scalars(select(Notice.state)).all() == ["seen", "seen"]


def test_what_is_not_found_is_not_recorded_as_seen(
    desk: DeskClient, store: Database, wu: Known, lead_id: str, recorded: Recorded
) -> None:
    give(store, lead_id, wu)
    assert open_page(desk, lead_id).status_code == 404
    assert desk.send(f"/desk/leads/{lead_id}/reveal").status_code == 404
    assert [row for row in recorded() if row[1] in {"view", "reveal"}] == []


@pytest.mark.parametrize("fault", ["head", "insert"])
def test_what_cannot_be_recorded_is_not_shown(
    desk: DeskClient, store: Database, zhou: Known, clock: Clock, lead_id: str, fault: str
) -> None:
    give(store, lead_id, zhou)
    open_page(desk, lead_id)
    if fault == "insert":
        refuse_inserts(store, "audit")
    else:
        with store.writing() as session:
            session.execute(delete(AuditHead))
    try:
        answer = desk.send(f"/desk/leads/{lead_id}/reveal")
        assert answer.status_code == 503
        assert_masked(answer)
        assert "没有显示号码" in answer.text
        assert "139****5813" in answer.text
        clock.advance(minutes=11)  # since when an opening is one of its own
        again = desk.get(f"/desk/leads/{lead_id}")
        assert again.status_code == 503
        assert_masked(again)
        assert DETAILS[:4] not in again.text
    finally:
        if fault == "insert":
            allow_inserts(store, "audit")
        else:
            with store.writing() as session:
                session.add(AuditHead(id=HEAD, last_id=0, chain=b""))
                session.execute(delete(AuditRow))
    assert NAME in reveal(desk, lead_id).text


def test_who_else_was_there_a_moment_ago_is_named(
    desk: DeskClient,
    another_browser: Callable[[], DeskClient],
    signed_in: SignedIn,
    wu: Known,
    clock: Clock,
    lead_id: str,
) -> None:
    assert "也打开过" not in words_on(open_page(desk, lead_id))
    other = signed_in(another_browser(), wu)
    assert "周敏 今天 12:00也打开过这条线索" in words_on(open_page(other, lead_id))
    clock.advance(minutes=9)
    assert "吴凯 今天 12:00也打开过这条线索" in words_on(open_page(desk, lead_id))
    clock.advance(minutes=20)
    assert "也打开过" not in words_on(open_page(other, lead_id))


# --- its notices ---


def test_opening_a_lead_acknowledges_its_notices(
    desk: DeskClient, app: Flask, store: Database, zhou: Known, wu: Known, lead_id: str
) -> None:
    elsewhere = ask(app, phone="13800138000")
    with store.writing() as session:
        first = session.scalars(select(Notice).where(Notice.reference == reference_of(store, lead_id))).one()
        for member in (zhou, wu):
            session.add(
                Notice(
                    kind="assigned",
                    reference=first.reference,
                    text="x",
                    recipient=member.email,
                    due_at=NOON,
                    created_at=NOON,
                )
            )
    open_page(desk, lead_id)
    with store.reading() as session:
        found = {(row.reference, row.recipient): row for row in session.scalars(select(Notice))}
    mine, other = reference_of(store, lead_id), reference_of(store, elsewhere)
    assert {place: row.state for place, row in found.items()} == {
        (mine, ""): "seen",
        (mine, zhou.email): "seen",
        (mine, wu.email): "waiting",
        (other, ""): "waiting",
    }
    assert found[mine, ""].acknowledged_at == NOON


def test_looking_at_the_list_acknowledges_nothing(desk: DeskClient, store: Database, lead_id: str) -> None:
    desk.get("/desk/")
    desk.get("/desk/leads")
    with store.reading() as session:
        assert session.scalars(select(Notice.state)).all() == ["waiting"]


# --- what was being typed ---


def test_a_draft_stands_in_the_page_again_for_its_writer(
    desk: DeskClient,
    another_browser: Callable[[], DeskClient],
    signed_in: SignedIn,
    wu: Known,
    lead_id: str,
) -> None:
    open_page(desk, lead_id)
    kept = desk.open(
        f"/desk/leads/{lead_id}/draft", method="PUT", data={"csrf_token": desk.token, "note": "王会计说"}
    )
    assert kept.get_json() == {"saved": "今天 12:00"}
    assert ">王会计说</textarea>" in open_page(desk, lead_id).text
    assert "草稿，今天 12:00 存下" in open_page(desk, lead_id).text
    assert "王会计说" not in open_page(signed_in(another_browser(), wu), lead_id).text
    do(desk, lead_id, "notes", note="王会计说周五付")
    assert "草稿" not in words_on(open_page(desk, lead_id)).replace("草稿没有存上", "")


def test_a_draft_that_no_longer_opens_does_not_close_the_page(
    desk: DeskClient, store: Database, store_keys: Keys, zhou: Known, lead_id: str
) -> None:
    """After a wrong restore of the keys, what can be read is shown."""
    with store.writing() as session:
        save_draft(session, store_keys, lead_id, zhou.id, "王会计", NOON)
        session.execute(update(Draft).values(text=b"\x01\x01" + b"x" * 40))
    assert open_page(desk, lead_id).status_code == 200


# --- the plan in the form ---


def test_a_number_in_the_next_step_survives_that_the_form_is_saved_as_it_stands(
    desk: DeskClient, store: Database, store_keys: Keys, zhou: Known, lead_id: str, clock: Clock
) -> None:
    """The masked step must not be written over the step: the day is changed, the number stays."""
    give(store, lead_id, zhou)
    do(desk, lead_id, "next", date="2026-11-24", time="10:00", step="打 021-63958427 找王会计")
    page = open_page(desk, lead_id).text
    (shown,) = re.findall(r'name="step" maxlength="60" value="([^"]*)"', page)
    assert "63958427" not in page
    do(desk, lead_id, "next", date="2026-11-25", time="10:00", step=shown)
    assert the_lead(store, lead_id).follow_up_at == NOON + 2 * DAY - 2 * HOUR
    assert the_lead(store, lead_id).open(store_keys, "next_step") == "打 021-63958427 找王会计"


def test_the_plan_stands_in_its_form(desk: DeskClient, store: Database, zhou: Known, lead_id: str) -> None:
    do(desk, lead_id, "next", date="2026-11-24", time="15:30", step="回电，对凭证")
    page = open_page(desk, lead_id).text
    for value in ("2026-11-24", "15:30", "回电，对凭证"):
        assert f'value="{value}"' in page
