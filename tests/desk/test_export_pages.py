"""Taking leads away: recorded first, masked unless a sales lead asks, only what one may see, and never a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import unquote

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import delete, select
from tests.databases import allow_inserts, refuse_inserts
from tests.desk.conftest import NOON, Clock, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import DAY, MINUTE, NAME, SECRETS, ask, give, reference_of, words_on
from werkzeug.test import TestResponse

from xinheng.audit.models import AuditHead, AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.exports import Export, Exports
from xinheng.leads.models import Lead

REASON = "周会汇报上月线索"


@pytest.fixture
def zhou(staff: Staff) -> Known:
    return staff("sales", name="周敏")


@pytest.fixture
def desk(client: DeskClient, zhou: Known, signed_in: SignedIn, clock: Clock) -> DeskClient:
    """A salesperson's browser."""
    signed_in(client, zhou)
    client.get("/desk/leads/export")
    return client


@pytest.fixture
def boss(client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock) -> DeskClient:
    """A sales lead's browser."""
    signed_in(client, staff("sales_lead", name="李航"))
    client.get("/desk/leads/export")
    return client


def export(desk: DeskClient, query: str = "", **fields: str) -> TestResponse:
    sent = {"format": "csv", "reason": REASON} | fields
    answer = desk.send(f"/desk/leads/export{'?' if query else ''}{query}", **sent)
    answer.get_data()
    answer.close()  # as a server does when all is sent
    return answer


def table(answer: TestResponse) -> list[list[str]]:
    """A CSV's rows, the line above and the headings first."""
    assert answer.mimetype == "text/csv", answer.text
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def exported(answer: TestResponse) -> set[str]:
    """The references of the leads in a CSV."""
    return {row[0] for row in table(answer)[2:]}


def rows_of_audit(store: Database) -> list[AuditRow]:
    with store.reading() as session:
        return list(session.scalars(select(AuditRow).where(AuditRow.action == "export")))


# --- what is in it ---


def test_a_file_says_whose_it_is_and_what(app: Flask, desk: DeskClient, zhou: Known, store: Database) -> None:
    lead = give(store, ask(app), zhou, status="contacted", follow_up_at=NOON + DAY)
    answer = export(desk, "status=contacted")
    head, headings, row = table(answer)
    assert head == [
        "周敏于2026-11-23 12:00导出，共1条；筛选：负责人 我的，状态 已联系；姓名和电话已打码。含个人信息，请勿外传，用完删除。"
    ]
    assert headings[:4] == ["受理编号", "姓名", "电话", "状态"]
    assert row[:7] == [
        reference_of(store, lead),
        "欧**",
        "139****5813",
        "已联系",
        "",
        "周敏",
        "逾期账款跟进",
    ]
    assert row[-4:] == ["1", "2026-11-23 12:00", "2026-11-23 12:00", "2026-11-24 12:00"]
    assert answer.content_length == len(answer.data)
    name = re.search(r"filename\*=UTF-8''(\S+)$", answer.headers["Content-Disposition"])
    assert name
    assert unquote(name[1]) == "线索-20261123-1200-周敏.csv"


def test_who_asked_again_while_late_is_due_since_then_as_in_the_list(
    app: Flask, desk: DeskClient, zhou: Known, store: Database
) -> None:
    lead = ask(app, at=NOON - 70 * DAY)
    give(store, lead, zhou, status="contacted", follow_up_at=NOON - 63 * DAY)
    ask(app, at=NOON - 20 * MINUTE, details="又有一家。")
    (row,) = table(export(desk))[2:]
    assert row[-4:] == ["2", "2026-09-14 12:00", "2026-11-23 11:40", "2026-11-23 11:40"]


def test_excel_gets_the_same(app: Flask, desk: DeskClient, zhou: Known, store: Database) -> None:
    lead = give(store, ask(app), zhou)
    answer = export(desk, format="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0]
    assert "共1条" in str(sheet["A1"].value)
    assert [cell.value for cell in sheet[3]][:3] == [reference_of(store, lead), "欧**", "139****5813"]
    assert sheet["K3"].value == datetime(2026, 11, 23, 12, 0)  # noqa: DTZ001 (a cell of Excel knows no zone)


def test_nothing_is_in_it_that_nobody_was_shown(
    app: Flask, desk: DeskClient, zhou: Known, store: Database
) -> None:
    give(store, ask(app), zhou)
    text = export(desk).data.decode()
    assert not any(secret in text for secret in SECRETS)
    assert "拖欠" not in text  # what somebody wrote to us stays here


def test_a_sales_lead_may_ask_for_names_and_numbers(app: Flask, boss: DeskClient, store: Database) -> None:
    ask(app)
    ask(app, phone="021-63958427 转 8866", name="=1+1")
    found = {row[1]: row[2] for row in table(export(boss, full="yes"))[2:]}
    assert found == {NAME: "139 7462 5813", "'=1+1": "021-6395 8427 转 8866"}
    assert "姓名和电话是完整的" in table(export(boss, full="yes"))[0][0]
    assert [row.detail["masked"] for row in rows_of_audit(store)] == [False, False]


def test_a_phone_is_a_text_to_every_spreadsheet(app: Flask, boss: DeskClient) -> None:
    for number in range(3):
        ask(app, phone=f"1380013800{number}")
    for _, _, phone, *_ in table(export(boss, full="yes"))[2:]:
        with pytest.raises(ValueError, match="could not convert"):
            float(phone)


def test_nobody_else_gets_whole_numbers(app: Flask, desk: DeskClient, zhou: Known, store: Database) -> None:
    give(store, ask(app), zhou)
    assert export(desk, full="yes").status_code == 403
    assert rows_of_audit(store) == []
    assert "不打码" not in desk.get("/desk/leads/export").text


# --- which leads ---


def test_a_salesperson_takes_away_their_own_and_nobody_elses(
    app: Flask, desk: DeskClient, staff: Staff, zhou: Known, store: Database
) -> None:
    wu = staff("sales", name="吴凯")
    mine = give(store, ask(app, phone="13800138000"), zhou)
    give(store, ask(app, phone="13800138001"), wu)
    give(store, ask(app, phone="13800138002"), None)
    for query in ("", "owner=none", f"owner={wu.id}", f"owner={zhou.id}"):
        assert exported(export(desk, query)) == {reference_of(store, mine)}


def test_a_sales_lead_takes_away_what_the_list_shows(
    app: Flask, boss: DeskClient, staff: Staff, store: Database
) -> None:
    wu = staff("sales", name="吴凯")
    theirs = give(store, ask(app, phone="13800138001"), wu)
    nobodys = give(store, ask(app, phone="13800138002"), None, status="contacted")
    both = {reference_of(store, each) for each in (theirs, nobodys)}
    assert exported(export(boss)) == both
    assert exported(export(boss, f"owner={wu.id}")) == {reference_of(store, theirs)}
    assert exported(export(boss, "status=contacted&place=after.1.0")) == {reference_of(store, nobodys)}


def test_who_is_restricted_is_in_no_export(app: Flask, boss: DeskClient, store: Database) -> None:
    left = ask(app, phone="13800138001")
    give(store, ask(app, phone="13800138002"), None, restricted=True)
    assert exported(export(boss)) == {reference_of(store, left)}


def test_who_is_restricted_while_a_file_is_made_is_left_out(
    app: Flask, boss: DeskClient, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [ask(app, phone=f"1380013800{number}") for number in range(2)]
    recorded = Exports.record

    def restrict_then(*arguments: object) -> None:
        recorded(*arguments)  # type: ignore[arg-type]
        give(store, ids[0], None, restricted=True)

    monkeypatch.setattr(Exports, "record", restrict_then)
    rows = table(export(boss))
    assert [row[0] for row in rows[2:]] == [
        reference_of(store, ids[1]),
        "另有1条在导出的这一会儿被限制、删除或转交，没有导出",
    ]


def test_an_export_keeps_the_lists_order(app: Flask, boss: DeskClient, store: Database) -> None:
    ids = [ask(app, phone=f"1380013800{number}", at=NOON - number * DAY) for number in range(3)]
    newest = [reference_of(store, each) for each in ids]
    assert [row[0] for row in table(export(boss))[2:]] == newest
    assert [row[0] for row in table(export(boss, "sort=waiting"))[2:]] == newest[::-1]


# --- how many ---


def test_too_many_are_refused_with_what_to_do(
    app: Flask, boss: DeskClient, store: Database, store_keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "xinheng.exports", Exports(store, store_keys, 2))
    ids = [ask(app, phone=f"1380013800{number}") for number in range(3)]
    page = words_on(boss.get("/desk/leads/export"))
    assert "超过2条" in page
    assert "分成几次" in page
    assert export(boss).status_code == 422
    assert rows_of_audit(store) == []
    give(store, ids[0], None, status="contacted")
    assert exported(export(boss, "status=contacted")) == {reference_of(store, ids[0])}


def test_nothing_is_no_file(boss: DeskClient, store: Database) -> None:
    assert "没有可以导出的线索" in boss.get("/desk/leads/export").text
    assert export(boss).status_code == 422
    assert rows_of_audit(store) == []


# --- written down first ---


def test_who_took_what_away_and_why_stands_in_the_audit(
    app: Flask,
    desk: DeskClient,
    zhou: Known,
    store: Database,
    store_keys: Keys,
    staff: Staff,
    signed_in: SignedIn,
    another_browser: Callable[[], DeskClient],
) -> None:
    give(store, ask(app), zhou)
    export(desk, "status=open&need=overdue", format="xlsx")
    (row,) = rows_of_audit(store)
    assert (row.actor, row.subject_kind) == (zhou.id, "list")
    assert row.detail == {"count": 1, "filters": ["status", "need"], "format": "xlsx", "masked": True}
    with store.reading() as session:
        (kept,) = session.scalars(select(Export))
        assert (kept.id, kept.open(store_keys, "reason")) == (row.subject_id, REASON)
        assert REASON.encode() not in kept.reason
    officer = signed_in(another_browser(), staff("privacy", name="罗真"))
    assert f"为什么：{REASON}" in words_on(officer.get("/desk/audit"))


def test_what_a_report_counted_is_said_in_the_file_and_in_the_audit(
    app: Flask, desk: DeskClient, zhou: Known, store: Database
) -> None:
    give(store, ask(app), zhou)
    asked = "came_since=2020-01-06&came_until=2099-01-01&sort=came"
    text = export(desk, asked, format="csv").get_data(as_text=True)
    assert "第一次咨询从2020-01-06起" in text.splitlines()[0]
    (row,) = rows_of_audit(store)
    assert row.detail["filters"] == ["came_since", "came_until"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"reason": ""}, "请写明为什么导出"),
        ({"reason": " 汇 报 "}, "请写明为什么导出"),
        ({"reason": "因" * 101}, "最多100字"),
        ({"reason": "给 138 0013 8000 回电"}, "这里不要写电话"),
        ({"format": "json"}, "请选一种格式"),
        ({"format": ""}, "请选一种格式"),
    ],
)
def test_without_a_reason_or_a_format_there_is_no_file(
    app: Flask, desk: DeskClient, zhou: Known, store: Database, fields: dict[str, str], says: str
) -> None:
    give(store, ask(app), zhou)
    answer = export(desk, "status=open", **fields)
    assert (answer.status_code, says in answer.text) == (422, True)
    assert "/desk/leads/export?status=open" in answer.text
    assert rows_of_audit(store) == []


def test_what_cannot_be_written_down_is_not_given_out(
    app: Flask, desk: DeskClient, zhou: Known, store: Database
) -> None:
    give(store, ask(app), zhou)
    refuse_inserts(store, "audit")
    try:
        answer = export(desk)
    finally:
        allow_inserts(store, "audit")
    assert (answer.status_code, "这次没有导出来" in answer.text) == (503, True)
    assert REASON in answer.text
    with store.writing() as session:
        session.execute(delete(AuditHead))
    assert export(desk).status_code == 503
    with store.reading() as session:
        assert session.scalars(select(Export)).all() == []


def test_a_full_disk_gives_no_half_file(
    app: Flask, desk: DeskClient, zhou: Known, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(store, ask(app), zhou)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("xinheng.leads.made_files.tempfile.mkdtemp", full)
    assert export(desk).status_code == 503


def test_two_at_once_are_not_made(app: Flask, desk: DeskClient, zhou: Known, store: Database) -> None:
    give(store, ask(app), zhou)
    with app.extensions["xinheng.made_files"].turn():
        answer = export(desk)
    assert (answer.status_code, "另一份导出正在生成" in answer.text) == (503, True)
    assert f'value="{REASON}"' in answer.text, "nothing is typed twice"
    assert rows_of_audit(store) == []
    assert export(desk).status_code == 200


# --- only by whoever is really there ---


def test_the_password_must_have_been_given_in_the_last_five_minutes(
    app: Flask, desk: DeskClient, zhou: Known, store: Database, clock: Clock
) -> None:
    give(store, ask(app), zhou)
    clock.advance(minutes=4, seconds=59)
    assert export(desk).status_code == 200
    clock.advance(seconds=1)
    answer = export(desk, "status=open")
    assert (answer.status_code, REASON in answer.text) == (401, True), "nothing that was typed is lost"
    again = desk.send("/desk/again", next="/desk/leads/export?status=open", kept=REASON, password="wrong")
    assert (again.status_code, REASON in again.text) == (422, True)
    assert 'value="/desk/leads/export?status=open"' in again.text
    answer = desk.get("/desk/leads/export?status=open")
    assert unquote(answer.headers["Location"]) == "/desk/again?next=/desk/leads/export?status=open"
    assert len(rows_of_audit(store)) == 1


def test_the_list_leads_to_the_export_of_what_it_shows(
    app: Flask, desk: DeskClient, zhou: Known, store: Database
) -> None:
    give(store, ask(app), zhou, status="contacted")
    assert 'href="/desk/leads/export?status=contacted"' in desk.get("/desk/leads?status=contacted").text
    page = words_on(desk.get("/desk/leads/export?status=contacted"))
    assert "负责人 我的，状态 已联系" in page
    assert "1条" in page


def test_a_lead_that_cannot_be_read_any_more_is_in_it_all_the_same(
    app: Flask, boss: DeskClient, store: Database
) -> None:
    lead = ask(app)
    with store.writing() as session:
        session.get_one(Lead, lead).name = b"nothing"
    (row,) = table(export(boss, full="yes"))[2:]
    assert row[1] == "（无法解密：密钥不符）"
