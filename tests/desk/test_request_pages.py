"""The privacy officer's queue: who asks is proved, then the request is carried out; all of it recorded first."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from tests.databases import refuse_inserts
from tests.desk.conftest import NOON, Clock, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import NAME, PHONE, ask, give, reference_of, the_lead

from xinheng.audit.models import AuditRow
from xinheng.audit.verify import verify
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.housekeeping import LastRun
from xinheng.leads.merges import set_apart
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.spool import Spool, Spooled
from xinheng.leads.submission import Submission
from xinheng.leads.tombstones import Tombstone
from xinheng.leads.verdict import Verdict
from xinheng.notices.outbox import Notice
from xinheng.phones import parse_phone
from xinheng.privacy.forgetting import forget
from xinheng.privacy.models import PrivacyRequest
from xinheng.privacy.person_file import safe_cell
from xinheng.privacy.receiving import Asked

SECRETS = ("13974625813", "139 7462", "7462 5813", "欧阳震华")


@pytest.fixture
def lead_id(app: Flask) -> str:
    return ask(app)


@pytest.fixture
def filed(app: Flask, store: Database) -> Callable[..., str]:
    """A request as the public page takes it; returns its id."""

    def make(kind: Any = "access", phone: str = PHONE, reference: str = "", words: str = "") -> str:
        receipt = app.extensions["xinheng.privacy"].receive(
            Asked(kind, parse_phone(phone), reference, words), NOON
        )
        with store.reading() as session:
            return session.scalars(
                select(PrivacyRequest.id).where(PrivacyRequest.receipt == receipt.number)
            ).one()

    return make


@pytest.fixture
def officer(client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock) -> Known:
    member = staff("privacy", name="何静")
    signed_in(client, member)
    return member


@pytest.fixture
def proved(app: Flask, store: Database, lead_id: str, filed: Callable[..., str]) -> Callable[..., str]:
    """A request whose phone fits its reference."""
    return lambda kind="access", **more: filed(kind, reference=reference_of(store, lead_id), **more)


def stored(store: Database, request_id: str) -> PrivacyRequest:
    with store.reading() as session:
        return session.get_one(PrivacyRequest, request_id)


def recorded(store: Database, actor: str) -> list[tuple[str, str, dict[str, Any]]]:
    with store.reading() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.actor == actor).order_by(AuditRow.id))
        return [(row.action, row.subject_kind, row.detail) for row in rows]


def send(client: DeskClient, request_id: str, deed: str, **fields: str) -> Any:
    return client.send(f"/desk/requests/{request_id}/{deed}", **fields)


# --- the queue ---


def test_the_queue_is_their_first_page_with_what_is_due_first(
    client: DeskClient, officer: Known, filed: Callable[..., str], clock: Clock
) -> None:
    filed("delete")
    assert client.get("/desk/").headers["Location"] == "/desk/requests"
    page = client.get("/desk/requests")
    assert "还有21天" in page.text
    assert "还没确认本人" in page.text
    for secret in SECRETS:
        assert secret not in page.text
    assert "逾期" not in page.text


def test_what_is_past_its_day_is_marked_and_told_on_every_page(
    client: DeskClient, officer: Known, filed: Callable[..., str], clock: Clock, signed_in: SignedIn
) -> None:
    filed("delete")
    clock.advance(days=23)
    signed_in(client, officer)
    assert "逾期2天" in client.get("/desk/requests").text
    assert "有1项个人信息请求已经逾期" in client.get("/desk/audit").text


def test_without_a_request_the_page_says_so(client: DeskClient, officer: Known) -> None:
    assert "没有待办的请求" in client.get("/desk/requests").text


def test_deletion_that_stands_still_is_told(client: DeskClient, officer: Known, store: Database) -> None:
    with store.writing() as session:
        session.merge(LastRun(id=1, ran_at=NOON, refused_at=NOON))
    assert "到期删除停下了" in client.get("/desk/requests").text
    with store.writing() as session:
        session.merge(LastRun(id=1, ran_at=NOON, refused_at=None))
    assert "到期删除停下了" not in client.get("/desk/requests").text


# --- one request ---


def test_opening_a_request_is_recorded_and_shows_no_number(
    client: DeskClient, officer: Known, lead_id: str, filed: Callable[..., str], store: Database
) -> None:
    request_id = filed("correct", words="新电话 13974625813，请改")
    page = client.get(f"/desk/requests/{request_id}")
    assert recorded(store, officer.id) == [("view", "request", {})]
    assert "请改" in page.text
    for secret in SECRETS:
        assert secret not in page.text
    assert "139****5813" in page.text


def test_the_number_is_shown_once_and_recorded_first(
    client: DeskClient, officer: Known, lead_id: str, filed: Callable[..., str], store: Database
) -> None:
    request_id = filed("correct", words="新电话 13974625813，请改")
    page = client.get(send(client, request_id, "reveal").headers["Location"])
    assert "139 7462 5813" in page.text
    assert "13974625813，请改" in page.text
    assert recorded(store, officer.id)[0] == ("reveal", "request", {})
    assert "139 7462 5813" not in client.get(f"/desk/requests/{request_id}").text


def test_what_can_not_be_recorded_is_not_shown(
    client: DeskClient, officer: Known, proved: Callable[..., str], store: Database
) -> None:
    request_id = proved()
    refuse_inserts(store, "audit")
    try:
        assert client.get(f"/desk/requests/{request_id}").status_code in {500, 503}
        answer = send(client, request_id, "file", format="json")
        assert answer.status_code in {500, 503}
        assert "欧阳" not in answer.text
    finally:
        from tests.databases import allow_inserts

        allow_inserts(store, "audit")


def test_whose_phone_is_not_here_is_not_to_be_called(
    client: DeskClient, officer: Known, filed: Callable[..., str]
) -> None:
    request_id = filed("delete", phone="138 0013 8000")
    assert "库里没有这个电话" in client.get(f"/desk/requests/{request_id}").text


def test_calling_back_proves_who_it_is(
    client: DeskClient, officer: Known, lead_id: str, filed: Callable[..., str], store: Database
) -> None:
    request_id = filed("delete")
    for deed in ("file", "delete", "restrict", "correct"):
        assert send(client, request_id, deed, format="json", name="王").status_code == 422
    assert send(client, request_id, "proof", record=lead_id).status_code == 303
    assert stored(store, request_id).proof == "call"
    with store.reading() as session:
        theirs = session.scalars(select(Enquiry.id).where(Enquiry.lead_id == lead_id)).all()
    assert stored(store, request_id).enquiry_id in theirs
    assert ("request", "request", {"what": "verified"}) in recorded(store, officer.id)


def test_only_a_lead_of_the_typed_phone_can_be_proved(
    app: Flask, client: DeskClient, officer: Known, filed: Callable[..., str], store: Database
) -> None:
    other = ask(app, phone="138 0013 8000")
    request_id = filed("delete")
    for wrong in (other, "f" * 32, "", "x"):
        assert send(client, request_id, "proof", record=wrong).status_code == 422
    assert stored(store, request_id).proof == ""


# --- carrying out ---


def test_a_person_gets_all_that_is_kept_of_them(
    app: Flask, client: DeskClient, officer: Known, proved: Callable[..., str], store: Database, lead_id: str
) -> None:
    request_id = proved()
    answer = send(client, request_id, "file", format="json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="personal-data.json"'
    assert "no-store" in answer.headers["Cache-Control"]
    data = json.loads(answer.text)
    (lead,) = data["线索"]
    assert (lead["姓名"], lead["电话"]) == (NAME, "+8613974625813")
    (enquiry,) = lead["咨询"]
    assert enquiry["您的电话"] == PHONE
    assert enquiry["同意"][0]["用途"] == "callback"
    assert enquiry["受理编号"] == reference_of(store, lead_id)
    assert recorded(store, officer.id) == [("export", "lead", {"format": "json", "masked": False})]


def test_the_table_of_a_person_is_safe_in_a_spreadsheet(
    client: DeskClient, officer: Known, proved: Callable[..., str]
) -> None:
    answer = send(client, proved(), "file", format="csv")
    assert answer.text.startswith("\ufeff")
    rows = dict(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows["线索/1/姓名"] == NAME
    assert rows["线索/1/电话"] == "'+8613974625813"


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@x", "\t=1", "\r=1", " =1", "\u3000=1", "\n=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert safe_cell("王会计 = 1") == "王会计 = 1"
    assert safe_cell("") == ""


@pytest.mark.parametrize("deed", ["file", "delete"])
def test_a_file_and_a_deletion_ask_for_the_password_again(
    client: DeskClient, officer: Known, proved: Callable[..., str], clock: Clock, store: Database, deed: str
) -> None:
    request_id = proved()
    clock.advance(minutes=11)
    answer = send(client, request_id, deed, format="json")
    assert answer.headers["Location"] == f"/desk/again?next=/desk/requests/{request_id}"
    assert stored(store, request_id).closed_at is None
    client.get(answer.headers["Location"])
    assert (
        client.send("/desk/again", password=officer.password, next=f"/desk/requests/{request_id}").status_code
        == 302
    )
    assert send(client, request_id, deed, format="json").status_code in {200, 303}


def test_a_deletion_leaves_nothing_of_the_person_and_ends_the_request(
    client: DeskClient,
    officer: Known,
    proved: Callable[..., str],
    store: Database,
    store_keys: Keys,
    lead_id: str,
) -> None:
    request_id = proved("delete", words="我是欧阳震华")
    assert send(client, request_id, "delete").status_code == 303
    row = stored(store, request_id)
    assert (row.outcome, row.closed_by) == ("deleted", officer.id)
    assert (row.phone, row.phone_index, row.reference, row.words) == (None,) * 4
    with store.reading() as session:
        assert session.scalars(select(Lead)).all() == []
        assert session.scalars(select(Enquiry)).all() == []
        assert session.scalars(select(Tombstone.reason).where(Tombstone.id == lead_id)).all() == ["request"]
    assert ("delete", "lead", {"reason": "request"}) in recorded(store, officer.id)
    assert verify(store, store_keys).whole
    assert "已删除" in client.get(f"/desk/requests/{request_id}").text


def test_nothing_is_deleted_while_an_enquiry_of_the_number_is_still_to_come(
    spool: Spool,
    client: DeskClient,
    officer: Known,
    proved: Callable[..., str],
    store: Database,
    lead_id: str,
) -> None:
    request_id = proved("delete")
    late = Submission(
        need="other",
        name="",
        phone=parse_phone(PHONE),
        details="",
        call_time="",
        extra={},
        purposes=("callback",),
        form_version="v",
    )
    spool.put("5f" * 16, Spooled(late, NOON))
    assert send(client, request_id, "delete").status_code == 303
    assert "还有一份咨询没有入库" in client.get(f"/desk/requests/{request_id}").text
    assert stored(store, request_id).closed_at is None
    assert the_lead(store, lead_id)


def test_a_restricted_lead_is_in_no_list_and_comes_back_when_released(
    client: DeskClient,
    officer: Known,
    proved: Callable[..., str],
    store: Database,
    lead_id: str,
    staff: Staff,
    signed_in: SignedIn,
    another_browser: Callable[[], DeskClient],
) -> None:
    request_id = proved("restrict")
    boss = signed_in(another_browser(), staff("sales_lead"))
    assert send(client, request_id, "restrict", restricted="yes").status_code == 303
    assert (the_lead(store, lead_id).restricted, the_lead(store, lead_id).queue) == (True, "held")
    with store.reading() as session:
        assert set(session.scalars(select(Notice.state))) == {"void"}, "it is told to nobody any more"
    assert boss.get(f"/desk/leads/{lead_id}").status_code == 404
    assert lead_id not in boss.get("/desk/leads").text + boss.get("/desk/").text
    assert send(client, request_id, "restrict", restricted="no").status_code == 303
    assert lead_id in boss.get("/desk/leads").text
    assert [each[2] for each in recorded(store, officer.id) if each[0] == "restrict"] == [
        {"what": "restricted"},
        {"what": "unrestricted"},
    ]


def test_a_corrected_lead_is_found_by_its_new_name_and_number(
    client: DeskClient,
    officer: Known,
    proved: Callable[..., str],
    store: Database,
    store_keys: Keys,
    lead_id: str,
) -> None:
    request_id = proved("correct")
    assert send(client, request_id, "correct", name="欧阳振华", phone="13800138000").status_code == 303
    lead = the_lead(store, lead_id)
    assert (lead.open(store_keys, "name"), lead.open(store_keys, "phone")) == ("欧阳振华", "+8613800138000")
    assert lead.phone_index == store_keys.blind_index("phone", "+8613800138000")
    assert lead.last_four_index == store_keys.blind_index("last_four", "8000")
    assert lead.name_index == store_keys.blind_index("name", "欧阳振华")
    assert "已更正" in client.get(f"/desk/requests/{request_id}").text


@pytest.mark.parametrize(("name", "phone"), [("", "13800138000"), ("字" * 41, ""), ("王", "12")])
def test_a_wrong_correction_changes_nothing(
    client: DeskClient,
    officer: Known,
    proved: Callable[..., str],
    store: Database,
    lead_id: str,
    name: str,
    phone: str,
) -> None:
    request_id = proved("correct")
    answer = send(client, request_id, "correct", name=name, phone=phone)
    assert answer.status_code == 422
    assert 'id="correct-error"' in answer.text
    assert the_lead(store, lead_id).version == 1


def test_a_refusal_needs_its_reason(
    client: DeskClient, officer: Known, proved: Callable[..., str], store: Database, store_keys: Keys
) -> None:
    request_id = proved("delete")
    answer = send(client, request_id, "close", outcome="refused", answer="  ")
    assert answer.status_code == 422
    assert 'id="close-error"' in answer.text
    assert stored(store, request_id).closed_at is None
    assert send(client, request_id, "close", outcome="refused", answer="合同还在履行").status_code == 303
    row = stored(store, request_id)
    assert (row.outcome, row.open(store_keys, "answer")) == ("refused", "合同还在履行")
    assert ("request", "request", {"what": "refused"}) in recorded(store, officer.id)


@pytest.mark.parametrize("kind", ["delete", "access", "withdraw", "correct"])
def test_a_request_is_not_done_while_nobody_knows_who_asks(
    client: DeskClient, officer: Known, lead_id: str, filed: Callable[..., str], store: Database, kind: str
) -> None:
    request_id = filed(kind)
    answer = send(client, request_id, "close", outcome="done")
    assert answer.status_code == 422
    assert 'id="close-error"' in answer.text
    assert stored(store, request_id).closed_at is None
    assert send(client, request_id, "close", outcome="done", answer="打过去，本人说不用了").status_code == 303
    assert stored(store, request_id).outcome == "done"


def test_a_deletion_is_not_done_while_everything_is_there(
    client: DeskClient, officer: Known, proved: Callable[..., str], store: Database
) -> None:
    request_id = proved("delete")
    assert "还没有删除" in send(client, request_id, "close", outcome="done").text
    assert stored(store, request_id).closed_at is None


@pytest.mark.parametrize(("kind", "phone"), [("delete", "137 0000 0000"), ("complaint", PHONE)])
def test_of_whom_nothing_is_here_and_who_complains_nothing_more_is_wanted(
    client: DeskClient, officer: Known, lead_id: str, filed: Callable[..., str], kind: str, phone: str
) -> None:
    assert send(client, filed(kind, phone=phone), "close", outcome="done").status_code == 303


def test_a_number_written_in_an_answer_is_covered_like_any_other(
    client: DeskClient, officer: Known, proved: Callable[..., str]
) -> None:
    request_id = proved("access")
    send(client, request_id, "close", outcome="done", answer="已打 139 7462 5813 答复")
    page = client.get(f"/desk/requests/{request_id}").text
    assert "已打 ****13 答复" in page
    assert not any(secret in page for secret in SECRETS)


def test_what_has_ended_is_not_changed_any_more(
    client: DeskClient, officer: Known, proved: Callable[..., str], store: Database, lead_id: str
) -> None:
    request_id = proved("access")
    assert send(client, request_id, "close", outcome="done").status_code == 303
    for deed in ("delete", "restrict", "correct", "close", "proof", "file"):
        answer = send(client, request_id, deed, outcome="done", name="王", format="json", record=lead_id)
        assert answer.status_code == 303, deed
    assert the_lead(store, lead_id).version == 1
    assert "已经办结" in client.get(f"/desk/requests/{request_id}").text


def test_a_withdrawal_that_was_carried_out_waits_for_a_look(
    client: DeskClient, officer: Known, proved: Callable[..., str]
) -> None:
    request_id = proved("withdraw")
    assert "已自动生效" in client.get("/desk/requests").text
    assert "撤回已经生效" in client.get(f"/desk/requests/{request_id}").text


def test_a_withdrawal_of_short_messages_stands_on_the_leads_timeline(
    client: DeskClient,
    lead_id: str,
    proved: Callable[..., str],
    staff: Staff,
    signed_in: SignedIn,
) -> None:
    proved("stop_marketing")
    signed_in(client, staff("sales"))
    assert "撤回了短信提醒的同意" in client.get(f"/desk/leads/{lead_id}").text


# --- all records of one person ---


@pytest.fixture
def held(app: Flask, store: Database) -> str:
    """An enquiry of the same mobile in quarantine; its id."""
    consultation = app.extensions["xinheng.consultation"]
    submission = Submission(
        need="overdue",
        name=NAME,
        phone=parse_phone(PHONE),
        details="请联系我",
        call_time="",
        extra={},
        purposes=("callback",),
        form_version=consultation.published().version,
        verdict=Verdict(("trap",)),
    )
    done = consultation.reception.desk.record(submission, NOON)
    with store.reading() as session:
        return session.scalars(select(Enquiry.id).where(Enquiry.reference == done.reference)).one()


def test_what_waits_in_quarantine_can_be_proved_given_held_back_and_deleted(
    client: DeskClient, officer: Known, held: str, filed: Callable[..., str], store: Database
) -> None:
    request_id = filed("delete")
    page = client.get(f"/desk/requests/{request_id}")
    assert f'<input type="hidden" name="record" value="{held}">' in page.text
    assert "隔离区" in page.text
    assert not any(secret in page.text for secret in SECRETS)
    assert send(client, request_id, "proof", record=held).status_code == 303
    assert "不更正" in client.get(f"/desk/requests/{request_id}").text
    assert send(client, request_id, "correct", name="王").status_code == 422
    data = json.loads(send(client, request_id, "file", format="json").text)
    assert (data["线索"], data["还没有进线索的咨询"][0]["状态"]) == ([], "quarantined")
    assert send(client, request_id, "restrict", restricted="yes").status_code == 303
    page = client.get(f"/desk/requests/{request_id}").text
    assert "已限制处理" in page
    assert 'value="no"' in page
    assert 'value="yes"' not in page
    assert send(client, request_id, "delete").status_code == 303
    with store.reading() as session:
        assert session.scalars(select(Enquiry)).all() == []
    assert "他的信息已经删除" in client.get(f"/desk/requests/{request_id}").text
    assert [each[:2] for each in recorded(store, officer.id) if each[1] == "enquiry"] == [
        ("export", "enquiry"),
        ("restrict", "enquiry"),
        ("delete", "enquiry"),
    ]


def test_the_page_lists_all_that_a_deed_reaches(
    app: Flask, client: DeskClient, officer: Known, proved: Callable[..., str], held: str, lead_id: str,
    store: Database,
) -> None:  # fmt: skip
    give(store, lead_id, None, restricted=True)
    ask(app, at=NOON + timedelta(minutes=20))
    page = client.get(f"/desk/requests/{proved('delete')}").text
    (listed,) = re.findall(r'<ul class="records">(.*?)</ul>', page, re.DOTALL)
    assert listed.count("<li>") == 3
    assert listed.count("欧**") == 3
    assert ("已限制处理" in listed, "隔离区" in listed) == (True, True)


def test_behind_a_landline_the_officer_chooses_whose_it_is(
    app: Flask, client: DeskClient, officer: Known, filed: Callable[..., str]
) -> None:
    ids = {ask(app, phone="021-63958427", details=f"第{number}份") for number in (1, 2)}
    page = client.get(f"/desk/requests/{filed('access', phone='021-63958427')}").text
    assert set(re.findall(r'type="radio" name="record" value="([0-9a-f]{32})"', page)) == ids
    assert "可能有几个人" in page
    assert len(set(re.findall(r"XH-[0-9A-Z]{5}-[0-9A-Z]{5}", page))) == 2


def test_of_a_mobile_that_two_people_share_the_officer_chooses_whose_it_is(
    app: Flask, client: DeskClient, officer: Known, filed: Callable[..., str], lead_id: str, store: Database
) -> None:
    give(store, lead_id, None, restricted=True)
    ids = {lead_id, other := ask(app, at=NOON + timedelta(minutes=20), name="李四")}
    with store.writing() as session:
        set_apart(session, lead_id, other, officer.id, NOON)
    request_id = filed("access")
    page = client.get(f"/desk/requests/{request_id}").text
    assert set(re.findall(r'type="radio" name="record" value="([0-9a-f]{32})"', page)) == ids
    send(client, request_id, "proof", record=lead_id)
    (listed,) = re.findall(
        r'<ul class="records">(.*?)</ul>', client.get(f"/desk/requests/{request_id}").text, re.DOTALL
    )
    assert (listed.count("<li>"), reference_of(store, lead_id) in listed) == (1, True)


def test_a_withdrawn_enquiry_can_not_be_given_back(
    client: DeskClient, officer: Known, held: str, filed: Callable[..., str], store: Database
) -> None:
    with store.reading() as session:
        reference = session.get_one(Enquiry, held).reference
    page = client.get(f"/desk/requests/{filed('withdraw', reference=reference)}").text
    assert "撤回已经生效" in page
    assert "已撤回同意" in page
    assert "解除限制" not in page
    assert 'value="yes"' not in page


# --- what stays of a request ---


def test_half_a_year_after_its_end_a_request_holds_nothing_personal(
    client: DeskClient, officer: Known, proved: Callable[..., str], store: Database
) -> None:
    request_id = proved("access", words="快点")
    send(client, request_id, "close", outcome="done", answer="已寄")
    with store.writing() as session:
        forget(session, NOON + timedelta(days=179))
    assert stored(store, request_id).words
    with store.writing() as session:
        forget(session, NOON + timedelta(days=181))
    row = stored(store, request_id)
    assert (row.phone, row.phone_index, row.reference, row.words, row.answer) == (None,) * 5
    assert client.get(f"/desk/requests/{request_id}").status_code == 200
    with store.writing() as session:
        session.execute(update(PrivacyRequest).values(closed_at=NOON - timedelta(days=1100)))
        forget(session, NOON)
    with store.reading() as session:
        assert session.get(PrivacyRequest, request_id) is None


def test_an_open_request_forgets_nothing(filed: Callable[..., str], store: Database, app: Flask) -> None:
    request_id = filed("access")
    with store.writing() as session:
        forget(session, NOON + timedelta(days=4000))
    assert stored(store, request_id).phone
