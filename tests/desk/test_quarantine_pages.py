"""隔离区: for whoever leads sales; masked, noted, released once or called spam, one by one or several."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update
from tests.desk.conftest import NOON, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import MINUTE, NAME, SECRETS, ask, rows_on, words_on
from tests.leads.conftest import BROWSER_ID

from xinheng.audit.models import AuditRow
from xinheng.db import Database
from xinheng.desk import words
from xinheng.leads.models import Enquiry
from xinheng.leads.submission import Submission
from xinheng.leads.verdict import REASONS, Verdict
from xinheng.phones import parse_phone

pytestmark = pytest.mark.usefixtures("clock")

PAGE = "/desk/quarantine"
SPAM = f"{PAGE}?state=spam"


@pytest.fixture
def han(staff: Staff) -> Known:
    return staff("sales_lead", name="韩梅")


@pytest.fixture
def desk(client: DeskClient, han: Known, signed_in: SignedIn) -> DeskClient:
    return signed_in(client, han)


@pytest.fixture
def hold(app: Flask, store: Database) -> Callable[..., str]:
    """A held enquiry of a numbered visitor; returns its id."""

    def held(number: int = 1, reasons: tuple[str, ...] = ("trap",)) -> str:
        consultation = app.extensions["xinheng.consultation"]
        done = consultation.reception.desk.record(
            Submission(
                need="overdue",
                name=NAME,
                phone=parse_phone(f"1397462{5812 + number}"),
                details=f"第{number}份，打 13974625813 或 021 6395 8427。",
                call_time="",
                extra={},
                purposes=("callback",),
                form_version=consultation.published().version,
                typed_id=f"{number:032x}",
                verdict=Verdict(reasons),  # type: ignore[arg-type]
            ),
            NOON,
        )
        with store.reading() as session:
            return str(session.scalars(select(Enquiry.id).where(Enquiry.reference == done.reference)).one())

    return held


def held_on(answer: object) -> list[str]:
    """The ids of the enquiries of a page, from top to bottom."""
    return re.findall(r'<li class="held__one" id="held-([0-9a-f]{32})"', answer.text)  # type: ignore[attr-defined]


def states(store: Database) -> list[str]:
    with store.reading() as session:
        return list(session.scalars(select(Enquiry.state).order_by(Enquiry.id)))


def test_every_reason_has_words() -> None:
    assert set(words.SUSPICION) == set(REASONS)


def test_a_page_says_why_and_hides_who(
    desk: DeskClient, hold: Callable[..., str], store: Database, han: Known
) -> None:
    held = hold(reasons=("links", "odd_phone"))
    page = desk.get(PAGE)
    assert held_on(page) == [held]
    said = words_on(page)
    for shown in (
        "欧**",
        "139****5813",
        "第1份，打",
        "链接多，或链接在姓名里",
        "像随手填的号码",
        "逾期账款跟进",
        "XH-",
    ):
        assert shown in said
    assert not any(secret in page.text for secret in SECRETS)
    with store.reading() as session:
        row = session.scalars(select(AuditRow).order_by(AuditRow.id.desc())).first()
    assert row
    assert (row.actor, row.action, row.detail) == (han.id, "view", {"what": "quarantine", "count": 1})


def test_the_navigation_counts_what_waits_and_only_for_whoever_may_look(
    app: Flask, desk: DeskClient, hold: Callable[..., str], staff: Staff, signed_in: SignedIn,
    another_browser: Callable[[], DeskClient],
) -> None:  # fmt: skip
    assert PAGE not in desk.get("/desk/leads").text
    for number in range(1, 4):
        hold(number)
    found = desk.get("/desk/leads").text
    assert re.search(rf'<a href="{PAGE}">隔离区 <data value="3">3</data>', found)
    assert rows_on(desk.get("/desk/leads")) == []
    sales = signed_in(another_browser(), staff("sales", name="吴凯"))
    assert PAGE not in sales.get("/desk/leads").text
    assert sales.get(PAGE).status_code == 403
    assert sales.send(PAGE, do="release", enquiry="f" * 32).status_code == 403


@pytest.mark.parametrize("spam", [False, True])
def test_a_reference_searched_for_leads_to_its_place_here(
    desk: DeskClient, hold: Callable[..., str], store: Database, staff: Staff, signed_in: SignedIn,
    another_browser: Callable[[], DeskClient], spam: bool,
) -> None:  # fmt: skip
    ids = [hold(number) for number in (1, 2, 3)]
    if spam:
        desk.get(PAGE)
        desk.send(PAGE, spam=ids[1])
    with store.reading() as session:
        reference = session.get_one(Enquiry, ids[1]).reference
    desk.get("/desk/leads")
    answer = desk.send("/desk/search", q=reference.lower())
    place = answer.headers["Location"]
    assert place.startswith(SPAM if spam else f"{PAGE}?before=")
    assert place.endswith(f"#held-{ids[1]}")
    assert reference not in place
    page = desk.get(place)
    assert held_on(page)[0] == ids[1]
    assert "还在隔离区" in words_on(page)
    sales = signed_in(another_browser(), staff("sales", name="吴凯"))
    sales.get("/desk/leads")
    assert PAGE not in sales.send("/desk/search", q=reference).headers["Location"]


def test_what_its_person_withdrew_is_not_here_any_more(
    desk: DeskClient, hold: Callable[..., str], store: Database
) -> None:
    held = hold()
    with store.writing() as session:
        session.execute(update(Enquiry).values(state="withdrawn"))
        reference = session.get_one(Enquiry, held).reference
    assert "隔离区是空的" in words_on(desk.get(PAGE))
    desk.send(PAGE, release=held)
    assert "1份已经处理过" in words_on(desk.get(PAGE))
    assert rows_on(desk.get("/desk/leads")) == []
    assert PAGE not in desk.send("/desk/search", q=reference).headers["Location"]


def test_not_spam_makes_a_lead_once(desk: DeskClient, hold: Callable[..., str], store: Database) -> None:
    held = hold()
    desk.get(PAGE)
    answer = desk.send(PAGE, release=held)
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    page = desk.get(PAGE)
    assert "已放行1份，进了线索" in words_on(page)
    assert "隔离区是空的" in words_on(page)
    (lead_id,) = rows_on(desk.get("/desk/leads"))
    assert "从隔离区放行 韩梅" in words_on(desk.get(f"/desk/leads/{lead_id}"))
    desk.send(PAGE, release=held)
    assert "1份已经处理过" in words_on(desk.get(PAGE))
    assert rows_on(desk.get("/desk/leads")) == [lead_id]
    assert states(store) == ["accepted"]


def test_spam_stays_out_and_can_be_taken_back(
    desk: DeskClient, hold: Callable[..., str], store: Database
) -> None:
    held = hold()
    desk.get(PAGE)
    desk.send(PAGE, spam=held)
    assert "1份记为垃圾" in words_on(desk.get(PAGE))
    assert states(store) == ["spam"]
    page = desk.get(SPAM)
    assert held_on(page) == [held]
    assert "30天" in words_on(page)
    assert 'name="spam"' not in page.text
    answer = desk.send(PAGE, release=held, state="spam")
    assert answer.headers["Location"] == SPAM
    assert len(rows_on(desk.get("/desk/leads"))) == 1


def test_several_at_once(desk: DeskClient, hold: Callable[..., str], store: Database) -> None:
    ids = [hold(number) for number in range(1, 6)]
    desk.get(PAGE)
    desk.send(PAGE, do="release", enquiry=ids[:2])
    desk.send(PAGE, do="spam", enquiry=[*ids[1:4], "x", "f" * 32])
    said = words_on(desk.get(PAGE))
    for part in ("已放行2份，进了线索", "2份记为垃圾", "2份已经处理过"):
        assert part in said
    assert states(store) == ["accepted", "accepted", "spam", "spam", "quarantined"]
    desk.send(PAGE, do="release")
    assert "请先勾选要处理的咨询" in words_on(desk.get(PAGE))


def test_pages_go_on_by_key(desk: DeskClient, hold: Callable[..., str]) -> None:
    ids = [hold(number) for number in range(1, 43)]
    first = desk.get(PAGE)
    assert held_on(first) == ids[:1:-1]
    older = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert older
    assert held_on(desk.get(older[1])) == ids[1::-1]
    assert "回到第一页" in words_on(desk.get(f"{PAGE}?before={ids[0]}"))
    assert held_on(desk.get(f"{PAGE}?before=zzz&state=nothing")) == ids[:1:-1]


def test_one_that_cannot_be_read_is_shown_and_stays(
    desk: DeskClient, hold: Callable[..., str], store: Database
) -> None:
    held = hold()
    with store.writing() as session:
        session.execute(update(Enquiry).values(phone=b"\x01" * 40))
    assert "无法解密" in words_on(desk.get(PAGE))
    desk.send(PAGE, release=held)
    assert "1份打不开" in words_on(desk.get(PAGE))
    assert states(store) == ["quarantined"]


def test_the_audit_names_what_was_called_spam(
    desk: DeskClient, hold: Callable[..., str], staff: Staff, signed_in: SignedIn,
    another_browser: Callable[[], DeskClient], app: Flask,
) -> None:  # fmt: skip
    held = hold()
    ask(app, at=NOON - MINUTE, typed_id=BROWSER_ID)
    desk.get(PAGE)
    desk.send(PAGE, spam=held)
    said = words_on(signed_in(another_browser(), staff("privacy", name="高岚")).get("/desk/audit"))
    reference = re.search(r"XH-\w{5}-\w{5}", words_on(desk.get(SPAM)))
    assert reference
    assert reference[0] in said
    assert "内容：隔离区 改为：是垃圾" in said
