"""The desk as a member sees it who chose English: what is Chinese there is data, and says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from flask import Flask
from sqlalchemy import delete
from tests.desk.conftest import NOON, Clock, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import ask, ask_with_check, do, give
from werkzeug.test import TestResponse

from xinheng.audit.log import record
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.health_check.counting import Place, QuestionCount, Tally, day_of
from xinheng.leads.submission import Attribution, Touch
from xinheng.staff.models import User

pytestmark = pytest.mark.databases("sqlite")

HAN = re.compile(r"[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]")
NAMES = ("信衡", "周敏", "陈一凡", "等回话", "我的重点", "欧", "欧阳震华")
"""What an attribute or a title may hold, where no part can have a language of its own."""


@pytest.fixture
def me(staff: Staff, store: Database) -> Known:
    """A member with every role, who chose English."""
    member = staff("sales_lead", "editor", "privacy", "admin", name="周敏")
    with store.writing() as session:
        session.get_one(User, member.id).language = "en"
    return member


@pytest.fixture
def desk(client: DeskClient, me: Known, signed_in: SignedIn, clock: Clock) -> DeskClient:
    client.language = "en"
    return signed_in(client, me)


@pytest.fixture
def leads(app: Flask, store: Database, me: Known, staff: Staff) -> dict[str, str]:
    """One lead for each way in which a list or a page can speak of it."""
    slugs = list(app.extensions["xinheng.consultation"].article_slugs())
    searched = Touch("www.baidu.com", f"/articles/{slugs[0]}", {"utm_term": "货款", "utm_campaign": "秋季"})
    came = Attribution(f"/articles/{slugs[0]}", slugs[0], searched, Touch(path="/"), tuple(slugs[:6]))
    colleague = staff("sales", name="陈一凡")

    def asked(number: int, owner: Known | None = me, **changed: Any) -> str:
        given = {name: changed.pop(name) for name in ("follow_up_at", "status", "level") if name in changed}
        lead_id = ask(app, f"139 7462 58{number:02}", NOON - timedelta(days=3), **changed)
        return give(store, lead_id, owner, **given)

    made = {
        "late": asked(1, status="contacted", follow_up_at=NOON - timedelta(minutes=38), level="high"),
        "today": asked(2, status="contacted", follow_up_at=NOON + timedelta(hours=1), attribution=came),
        "first": asked(3, owner=None, name="", call_time=""),
        "stuck": asked(4, owner=colleague, status="contacted"),
        "lost": asked(5, details="我们用SAP系统，欠款80万。"),
        "again": asked(6, purposes=("callback", "marketing")),
    }
    ask(app, "021 6395 8427 转 801", NOON)
    ask(app, "139 7462 5806", NOON - timedelta(hours=2), need="other")
    return made


def left_in_chinese(answer: TestResponse) -> list[str]:
    """Chinese on a page that doesn't say that it is: texts, and attributes that somebody sees or hears."""
    document = html5lib.parse(answer.text, treebuilder="etree", namespaceHTMLElements=False)
    return [text for text in _unmarked(document, "") if HAN.search(without_names(text))]


def _unmarked(element: Element, language: str) -> Iterator[str]:
    language = element.get("lang", language)
    if language != "zh-Hans":
        yield from (element.get(name, "") for name in ("alt", "aria-label", "placeholder", "title"))
        yield from (text for name, text in element.items() if name.startswith("data-"))
        if element.tag == "title" or not HAN.search(element.text or ""):
            yield element.text or ""
        elif element.tag != "script":
            yield f"<{element.tag}> {element.text} …"  # even a name says that it is Chinese
    for child in element:
        yield from _unmarked(child, language)
        if language != "zh-Hans" and child.tail:
            yield f"… {child.tail}" if HAN.search(child.tail) else ""


def without_names(text: str) -> str:
    if text.startswith(("<", "…")):
        return text
    for name in sorted(NAMES, key=len, reverse=True):
        text = text.replace(name, "")
    return text


@pytest.mark.parametrize(
    "path",
    [
        *("/desk/", "/desk/leads", "/desk/leads?sort=priority", "/desk/leads?status=won", "/desk/leads?need=other"),
        *(f"/desk/leads?view={view}" for view in ("late", "first", "today", "stuck")),
        *("/desk/audit", "/desk/audit?since=2020-01-01&until=2020-01-02", "/desk/content", "/desk/me"),
        *("/desk/password", "/desk/second-factor", "/desk/again", "/desk/code/help"),
        *("/desk/leads/00000000000000000000000000000000", "/desk/nowhere"),
    ],
)  # fmt: skip
def test_a_page_is_in_english(
    path: str, desk: DeskClient, leads: dict[str, str], store: Database, store_keys: Keys, me: Known
) -> None:
    with store.writing() as session:
        record_some_of_all(session, store_keys, me, leads["late"])
    desk.send("/desk/views", name="我的重点", query="status=open")
    assert left_in_chinese(desk.get(path, headers={"User-Agent": "MicroMessenger iPhone"})) == []


def record_some_of_all(session: Any, keys: Keys, me: Known, lead_id: str) -> None:
    from xinheng.audit.models import ACTIONS

    details: list[dict[str, Any]] = [
        {"from": None, "to": me.id, "reason": "price", "count": 3, "masked": True},
        {"what": "note", "roles": ["sales", "admin"], "left": 3, "method": "recovery"},
    ]
    for place, action in enumerate(ACTIONS):
        kind, subject = (("lead", lead_id), ("staff", me.id), ("session", "x"), ("list", ""))[place % 4]
        record(
            session,
            keys,
            actor=(me.id, "", "system", "command", "gone")[place % 5],
            action=action,
            subject_kind=kind,
            subject_id=subject,
            detail=details[place % 2],
            now=NOON,
        )


@pytest.mark.parametrize("name", ["late", "today", "first", "stuck", "lost", "again"])
def test_a_lead_is_in_english(name: str, desk: DeskClient, leads: dict[str, str]) -> None:
    address = f"/desk/leads/{leads[name]}"
    assert left_in_chinese(desk.get(address)) == []
    revealed = desk.send(f"{address}/reveal")
    page = desk.get(address) if revealed.status_code == 303 else revealed
    assert "recorded in the audit log" in page.text
    assert left_in_chinese(page) == []


def test_what_happened_is_told_in_english(desk: DeskClient, leads: dict[str, str], me: Known) -> None:
    lead_id = leads["again"]
    for deed, fields in (
        ("notes", {"note": "财务下周回来", "connected": "y"}),
        ("wechat", {}),
        ("no-answer", {}),
        ("next", {"date": "2026-11-30", "time": "09:30", "step": "回电，对凭证"}),
        ("next", {"in": "none"}),
        ("owner", {"owner": "none"}),
        ("owner", {"owner": me.id}),
        ("status", {"status": "interested"}),
        ("status", {"status": "lost", "reason": "price"}),
    ):
        assert do(desk, lead_id, deed, **fields).status_code == 303
        page = desk.get(f"/desk/leads/{lead_id}")
        assert left_in_chinese(page) == []
        assert 'class="told told--done"' in page.text
    for told in (
        "Reached",
        "Added on WeChat",
        "No answer, next try:",
        "Next step: 30 Nov 09:30",
        "Back to unassigned",
    ):
        assert told in page.text
    assert re.search(r"Interested → Lost: Price", page.text)


@pytest.mark.parametrize(
    ("deed", "fields", "status"),
    [
        ("notes", {"note": ""}, 422),
        ("next", {"date": "2020-01-01"}, 422),
        ("next", {"date": "2040-01-01"}, 422),
        ("next", {"date": ""}, 422),
        ("next", {"date": "2026-11-30", "step": "长" * 61}, 422),
        ("status", {"status": "lost"}, 422),
        ("status", {"status": "won"}, 422),
        ("owner", {"owner": "nobody"}, 422),
        ("no-answer", {"version": "0"}, 409),
    ],
)
def test_an_error_is_told_in_english(
    deed: str, fields: dict[str, str], status: int, desk: DeskClient, leads: dict[str, str]
) -> None:
    answer = do(desk, leads["first"], deed, **fields)
    assert answer.status_code == status
    assert left_in_chinese(answer) == []


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        ("leads/bulk", {"do": "date"}, "Tick the leads to change first"),
        ("leads/bulk", {"do": "date", "date": "x", "lead": "late"}, "Choose a date, such as 2026-03-12"),
        ("leads/bulk", {"do": "status", "status": "lost", "lead": "late"}, "Choose a reason"),
        ("leads/bulk", {"do": "assign", "owner": "none", "lead": "late"}, "1 lead changed"),
        ("leads/bulk", {"do": "assign", "owner": "none", "lead": ["late", "today"]}, "2 leads changed"),
        ("views", {"name": "等回话"}, 'View &#34;<bdi lang="zh-Hans">等回话</bdi>&#34; saved'),
        ("views", {"name": ""}, "Give the view a name first"),
        ("audit/find", {"reference": "x"}, "No such reference"),
        ("audit/verify", {}, "Checked rows 1 to"),
    ],
)
def test_what_was_done_is_reported_in_english(
    path: str, fields: dict[str, Any], told: str, desk: DeskClient, leads: dict[str, str]
) -> None:
    chosen = fields.get("lead", [])
    ids = [leads[name] for name in ([chosen] if isinstance(chosen, str) else chosen)]
    desk.get(f"/desk/leads/{leads['late']}")
    answer = desk.send(f"/desk/{path}", **fields | ({"lead": ids} if ids else {}))
    page = desk.get(answer.location)
    assert told in page.text
    assert left_in_chinese(page) == []


def test_a_tampered_audit_is_told_in_english(
    desk: DeskClient, leads: dict[str, str], store: Database
) -> None:
    for lead_id in leads.values():
        desk.get(f"/desk/leads/{lead_id}")
    with store.writing() as session:
        connection = session.connection()
        connection.exec_driver_sql("DELETE FROM audit WHERE id = 2")
        connection.exec_driver_sql("UPDATE audit SET actor = 'x' WHERE id = 4")
    desk.get("/desk/audit")
    page = desk.get(desk.send("/desk/audit/verify").location)
    assert "Row 2: missing" in page.text
    assert left_in_chinese(page) == []


def test_a_preview_is_chinese_but_for_the_desks_own_words(desk: DeskClient) -> None:
    slug = re.findall(r'href="/desk/content/([a-z0-9-]+)"', desk.get("/desk/content").text)[0]
    desk.language = "zh-Hans"
    document = html5lib.parse(
        desk.get(f"/desk/content/{slug}").text, treebuilder="etree", namespaceHTMLElements=False
    )
    own = [each for each in document.iter() if each.get("lang") == "en"]
    assert own
    for each in own:
        assert not HAN.search("".join(each.itertext()))


def test_the_language_changes_with_the_next_page(desk: DeskClient) -> None:
    assert "Language" in desk.get("/desk/me").text
    desk.send("/desk/me/language", language="zh")
    desk.language = "zh-Hans"
    assert "界面语言" in desk.get("/desk/me").text
    desk.send("/desk/me/language", language="en")
    desk.language = "en"
    assert "Language" in desk.get("/desk/me").text


def test_a_draft_tells_its_time_in_english(desk: DeskClient, leads: dict[str, str]) -> None:
    desk.get(f"/desk/leads/{leads['late']}")
    kept = desk.put(
        f"/desk/leads/{leads['late']}/draft",
        data={"note": "财务"},
        headers={"X-CSRFToken": desk.token, "Sec-Fetch-Site": "same-origin", "Origin": desk.origin},
    )
    assert kept.get_json() == {"saved": "Today 12:00"}


def test_one_members_language_is_nobody_elses(
    desk: DeskClient, another_browser: Callable[[], DeskClient], staff: Staff, signed_in: SignedIn
) -> None:
    other = signed_in(another_browser(), staff("sales", name="陈一凡"))
    assert "Sign out" in desk.get("/desk/").text
    assert "退出" in other.get("/desk/").text
    assert "Sign out" in desk.get("/desk/").text


def test_a_health_check_keeps_its_own_words_in_an_english_page(desk: DeskClient, app: Flask) -> None:
    check = app.extensions["xinheng.health_check"]()
    worst: dict[str, str | float] = {each.id: each.options[-1].key for each in check.questions}
    unsure: dict[str, str | float] = dict.fromkeys(check.scored, "unsure")
    for answers in ({}, worst, unsure | {"overdue_share": "p30_50", "oldest": "none"}):
        lead_id = ask_with_check(app, answers=answers, details=f"附了自查{len(answers)}")
        assert left_in_chinese(desk.get(f"/desk/leads/{lead_id}")) == []
    page = desk.get(f"/desk/leads/{lead_id}").text
    for told in (
        "Too little known",
        "Possible red flags",
        "Attached before",
        "Answers that hardly fit together",
    ):
        assert told in page
    assert left_in_chinese(desk.get("/desk/leads?level=insufficient")) == []


def test_the_counts_of_the_health_check_are_told_in_english(desk: DeskClient, app: Flask) -> None:
    counters = app.extensions["xinheng.databases"].counters
    assert left_in_chinese(desk.get("/desk/health-check")) == []
    tally, version = Tally(), app.extensions["xinheng.health_check"]().hash
    tally.shown[Place(version, "industry", day_of(NOON))] = 40
    with counters.writing() as session:
        tally.add_to(session.connection())
    page = desk.get("/desk/health-check")
    with counters.writing() as session:
        session.execute(delete(QuestionCount))
    assert "Looking over all answers" in page.text
    assert left_in_chinese(page) == []
