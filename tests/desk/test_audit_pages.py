"""The audit as a page: who may read it, what it tells and what it never tells, and the button that checks it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update
from tests.conftest import OWN_PAGE
from tests.desk.conftest import DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import words_on
from werkzeug.test import TestResponse

from xinheng.audit.log import record
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.desk import audit_pages
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent
from xinheng.phones import parse_phone
from xinheng.privacy.receiving import Asked

LATE = datetime(2026, 11, 23, 15, 59, 58, tzinfo=UTC)
"""23:59:58 in Shanghai."""


@pytest.fixture
def privacy(staff: Staff) -> Known:
    return staff("privacy", name="方雨桐")


@pytest.fixture
def seller(staff: Staff) -> Known:
    return staff("sales", name="周敏")


@pytest.fixture
def officer(client: DeskClient, privacy: Known, signed_in: SignedIn) -> DeskClient:
    """The privacy officer's browser."""
    return signed_in(client, privacy)


Write = Callable[..., None]


@pytest.fixture
def write(store: Database, store_keys: Keys, seller: Known) -> Write:
    """Record something; without words, that the salesperson was shown a number late in the evening."""

    def written(**changed: Any) -> None:
        plain: dict[str, Any] = {"actor": seller.id, "action": "reveal", "now": LATE}
        with store.writing() as session:
            record(session, store_keys, **plain | changed)

    return written


@pytest.fixture
def enquiry(app: Flask, store: Database, consultation: Callable[..., dict[str, str]]) -> Enquiry:
    """An enquiry that a visitor sent."""
    sent = app.test_client().post(
        "/consultation", data=consultation(), base_url=app.config["ORIGIN"], headers=OWN_PAGE
    )
    assert sent.status_code == 303
    with store.reading() as session:
        return session.scalars(select(Enquiry)).one()


def rows(answer: TestResponse) -> list[list[str]]:
    """The table's cells as they are read."""
    body = re.search(r"<tbody>(.*?)</tbody>", answer.text, re.DOTALL)
    found = re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL) if body else []
    return [
        [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in found
    ]


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


# --- who may read it ---


@pytest.mark.parametrize(
    ("roles", "status"),
    [
        (("privacy",), 200),
        (("admin",), 200),
        (("admin", "sales_lead"), 200),
        (("sales",), 403),
        (("sales_lead",), 403),
        (("editor",), 403),
    ],
)
def test_privacy_and_administrators_read_it(
    client: DeskClient, staff: Staff, signed_in: SignedIn, roles: tuple[str, ...], status: int
) -> None:
    signed_in(client, staff(*roles))
    assert client.get("/desk/audit").status_code == status
    assert client.send("/desk/audit/verify").status_code == (303 if status == 200 else 403)
    assert client.send("/desk/audit/find").status_code == (303 if status == 200 else 403)


@pytest.mark.parametrize("path", ["/desk/audit/verify", "/desk/audit/find"])
def test_a_form_without_its_token_does_nothing(officer: DeskClient, path: str) -> None:
    assert officer.post(path, data={"reference": "x"}).status_code in {400, 403}


def test_nobody_signed_in_is_asked_to_sign_in(client: DeskClient) -> None:
    answer = client.get("/desk/audit")
    assert answer.status_code in {302, 303}
    assert "/desk/sign-in" in answer.headers["Location"]


# --- what it tells ---


def test_an_empty_record_says_what_will_stand_here(officer: DeskClient) -> None:
    answer = officer.get("/desk/audit")
    assert rows(answer) == []
    assert "还没有记录" in answer.text


def test_a_row_says_in_words_who_did_what_when_to_which_lead(
    officer: DeskClient, write: Write, enquiry: Enquiry, seller: Known
) -> None:
    write(subject_kind="lead", subject_id=enquiry.lead_id)
    write(
        action="assign", subject_kind="lead", subject_id=enquiry.lead_id, detail={"from": "", "to": seller.id}
    )
    newest, oldest = rows(officer.get("/desk/audit"))
    assert oldest[:4] == ["1", "2026-11-23 23:59:58", "周敏", "查看号码"]
    assert oldest[4].startswith(enquiry.reference)
    assert newest[3] == "换负责人"
    assert newest[5] == "原来：无 改为：周敏"


SAID = [
    ({"actor": "", "action": "sign_in_failed"}, "未登录的人", "登录失败", ""),
    ({"actor": "system", "action": "delete", "detail": {"count": 3}}, "系统", "删除", "数量：3"),
    (
        {
            "actor": "command",
            "action": "role_changed",
            "detail": {"from": ["sales"], "to": ["admin", "editor"]},
        },
        "命令行",
        "改了角色",
        "原来：销售 改为：管理员、编辑",
    ),
    ({"actor": f"{1:032x}", "detail": {"masked": True}}, "不在名单里的账号", "查看号码", "打码：是"),
    (
        {"actor": "system", "action": "edit", "detail": {"what": "new-code"}},
        "系统",
        "修改",
        "内容：new-code",
    ),
]


@pytest.mark.parametrize(("told", "who", "what", "detail"), SAID)
def test_whoever_acts_and_whatever_it_was_has_words(
    officer: DeskClient, write: Write, told: dict[str, Any], who: str, what: str, detail: str
) -> None:
    write(**told)
    ((_, _, said_who, said_what, _, said_detail),) = rows(officer.get("/desk/audit"))
    assert (said_who, said_what, said_detail) == (who, what, detail)


def test_nothing_of_the_visitor_stands_there(officer: DeskClient, write: Write, enquiry: Enquiry) -> None:
    write(subject_kind="lead", subject_id=enquiry.lead_id)
    shown = words_on(officer.get("/desk/audit"))  # an address of a style sheet may hold any digits
    assert enquiry.reference in shown
    assert not any(each in shown for each in ("张三丰", "张*", "138", "8000 ", "八十万"))


def test_the_privacy_officer_gets_no_way_to_a_lead(
    officer: DeskClient, write: Write, enquiry: Enquiry
) -> None:
    write(subject_kind="lead", subject_id=enquiry.lead_id)
    assert "/desk/leads/" not in officer.get("/desk/audit").text


def test_who_may_see_all_leads_gets_one(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database, write: Write, enquiry: Enquiry
) -> None:
    write(subject_kind="lead", subject_id=enquiry.lead_id)
    signed_in(client, staff("admin", "sales_lead"))
    assert f'href="/desk/leads/{enquiry.lead_id}"' in client.get("/desk/audit").text
    with store.writing() as session:
        session.get_one(Lead, enquiry.lead_id).restricted = True
    assert "/desk/leads/" not in client.get("/desk/audit").text


def test_a_lead_that_is_gone_is_said_to_be(officer: DeskClient, write: Write) -> None:
    write(subject_kind="lead", subject_id=f"{9:032x}")
    assert rows(officer.get("/desk/audit"))[0][4].startswith("线索，已不在库里")


# --- narrowed, and a page at a time ---


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", 4),
        ("?actor=nobody", 1),
        ("?actor=system", 1),
        ("?action=reveal", 2),
        ("?since=2026-11-24", 1),
        ("?until=2026-11-23", 3),
        ("?since=2026-11-24&until=2026-11-24&action=reveal", 1),
        ("?subject=00000000000000000000000000000009", 1),
        ("?action=unknown&since=soon&until=9999-12-31&before=-1&after=x", 4),
        ("?since=2027-01-01", 0),
    ],
)
def test_filters_narrow_and_what_is_none_counts_for_nothing(
    officer: DeskClient, write: Write, query: str, shown: int
) -> None:
    write()
    write(actor="", action="sign_in_failed")
    write(actor="system", action="view", subject_kind="lead", subject_id=f"{9:032x}")
    write(now=LATE + timedelta(seconds=2))
    answer = officer.get(f"/desk/audit{query}")
    assert len(rows(answer)) == shown
    if not shown:
        assert "没有符合的记录" in answer.text


def test_a_filter_stays_chosen_and_can_be_cleared(officer: DeskClient, write: Write) -> None:
    write()
    answer = officer.get("/desk/audit?action=reveal&since=2026-11-23").text
    assert '<option value="reveal" selected>' in answer
    assert 'name="since" value="2026-11-23"' in answer
    assert "清除筛选" in answer


def test_a_reference_leads_to_the_rows_of_its_lead(
    officer: DeskClient, write: Write, enquiry: Enquiry
) -> None:
    write(subject_kind="lead", subject_id=enquiry.lead_id)
    write(subject_kind="lead", subject_id=f"{9:032x}")
    officer.get("/desk/audit")
    answer = officer.send("/desk/audit/find", reference=f" {enquiry.reference.lower()} ")
    assert enquiry.reference not in answer.headers["Location"]
    found = officer.get(answer.headers["Location"])
    assert len(rows(found)) == 1
    assert f"只看：{enquiry.reference}" in plain(found.text)


@pytest.mark.parametrize("gone", [False, True])
def test_a_reference_without_a_lead_leads_to_the_rows_of_its_enquiry(
    officer: DeskClient, write: Write, enquiry: Enquiry, store: Database, gone: bool
) -> None:
    with store.writing() as session:
        session.execute(delete(LeadEvent))
        session.execute(update(Enquiry).values(lead_id=None, state="spam"))
    write(action="edit", subject_kind="enquiry", subject_id=enquiry.id)
    officer.get("/desk/audit")
    answer = officer.send("/desk/audit/find", reference=enquiry.reference)
    if gone:
        with store.writing() as session:
            session.execute(delete(Consent))
            session.execute(delete(Enquiry))
    found = officer.get(answer.headers["Location"])
    assert len(rows(found)) == 1
    assert f"只看：{'咨询，已不在库里' if gone else enquiry.reference}" in plain(found.text)


@pytest.mark.parametrize(
    ("kind", "subject"), [("request", "个人信息请求"), ("list", "线索列表"), ("lead", "线索，已不在库里")]
)
def test_what_was_opened_is_said_beside_it(
    officer: DeskClient, write: Write, kind: str, subject: str
) -> None:
    write(action="view", subject_kind=kind, subject_id=f"{9:032x}" if kind != "list" else "")
    (row,) = rows(officer.get("/desk/audit"))
    assert row[3] == "打开"
    assert row[4].startswith(subject)


def test_a_request_is_told_by_its_number_and_its_rows_stand_alone(
    officer: DeskClient, app: Flask, write: Write
) -> None:
    """Whoever checks an answer against the record has to know which request a row is of."""
    asked = [Asked("access", parse_phone(phone)) for phone in ("138 0013 8000", "138 0013 8001")]
    one, other = (app.extensions["xinheng.privacy"].receive(each, LATE).number for each in asked)
    page = officer.get("/desk/audit")
    assert one in page.text
    assert other in page.text
    (only,) = re.findall(rf'href="(/desk/audit\?subject=\w+)">[^<]*<span class="unseen"> {one}<', page.text)
    narrowed = officer.get(only)
    assert f"只看：{one}" in narrowed.text
    assert other not in narrowed.text


@pytest.mark.parametrize("typed", ["", "XH-AAAAA-AAAAA", "13800138000", "张三丰"])
def test_what_is_no_reference_is_told_and_repeated_nowhere(officer: DeskClient, typed: str) -> None:
    officer.get("/desk/audit")
    answer = officer.send("/desk/audit/find", reference=typed)
    assert answer.headers["Location"].endswith("/desk/audit")
    told = officer.get("/desk/audit").text
    assert "没有这个受理编号" in told
    assert not typed or typed not in told.replace("XH-7K2M9-QPD4R", "")


def link(answer: TestResponse, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', answer.text)
    return unescape(found[1]) if found else ""


def test_pages_join_in_both_directions_and_keep_the_filter(
    officer: DeskClient, store: Database, store_keys: Keys, seller: Known
) -> None:
    with store.writing() as session:
        for number in range(120):
            told = {"actor": seller.id, "action": "export", "now": LATE, "detail": {"count": number}}
            record(session, store_keys, **told)  # type: ignore[arg-type]
    first = officer.get("/desk/audit?action=export")
    second = officer.get(link(first, "next"))
    third = officer.get(link(second, "next"))
    counts = [[row[5] for row in rows(page)] for page in (first, second, third)]
    assert [each for page in counts for each in page] == [f"数量：{number}" for number in range(119, -1, -1)]
    assert [len(each) for each in counts] == [50, 50, 20]
    assert "action=export" in urlsplit(link(second, "next")).query
    assert (link(first, "prev"), link(third, "next")) == ("", "")
    assert [row[5] for row in rows(officer.get(link(third, "prev")))] == counts[1]
    past = officer.get("/desk/audit?before=1&action=export")
    assert "这一页没有记录" in past.text
    assert 'href="/desk/audit?action=export"' in past.text


# --- the check ---


def checked(officer: DeskClient) -> str:
    officer.get("/desk/audit")
    answer = officer.send("/desk/audit/verify")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/audit")
    return plain(officer.get("/desk/audit").text)


def test_the_page_says_what_was_checked(officer: DeskClient, write: Write) -> None:
    assert "没有什么要核对的" in checked(officer)
    write()
    write()
    assert "核对了第 1 到 2 条：都是原样" in checked(officer)


def test_a_changed_row_is_named(officer: DeskClient, write: Write, store: Database) -> None:
    for _ in range(4):
        write()
    with store.writing() as session:
        session.execute(text("UPDATE audit SET actor = 'system' WHERE id = 2"))
    told = checked(officer)
    assert "从第 1 条起核对了4条，有问题：第 2 条被改过。" in told
    assert "docs/audit.md" in told


def test_of_many_breaks_some_are_named_and_the_rest_counted(
    officer: DeskClient, write: Write, store: Database
) -> None:
    for _ in range(20):
        write()
    with store.writing() as session:
        session.execute(text("UPDATE audit SET actor = 'system' WHERE id % 2 = 0"))
    told = checked(officer)
    assert "第 10 条被改过" in told
    assert "第 12 条被改过" not in told
    assert "另有5处" in told


def test_only_the_newest_rows_are_checked_and_the_page_says_so(
    officer: DeskClient, write: Write, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_pages, "NEWEST", 3)
    for _ in range(5):
        write()
    with store.writing() as session:
        session.execute(text("UPDATE audit SET actor = 'system' WHERE id = 1"))
    assert "核对了第 3 到 5 条：都是原样" in checked(officer)
