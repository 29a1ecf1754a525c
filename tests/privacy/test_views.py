"""The public page: one form, one answer for everybody, a receipt that tells nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from tests.databases import a_writer_elsewhere
from werkzeug.test import TestResponse

from xinheng.db import Database
from xinheng.leads.arrivals import Arrival
from xinheng.leads.models import Consent, Enquiry
from xinheng.limits import Limit
from xinheng.privacy.models import PrivacyRequest
from xinheng.privacy.pace import Pace
from xinheng.privacy.request_form import FIELDS

PAGE = "/privacy/request"


@pytest.fixture
def store(app: Flask) -> Database:
    held: Database = app.extensions["xinheng.databases"].leads
    return held


@pytest.fixture
def reference(client: FlaskClient, consultation: Callable[..., dict[str, str]]) -> str:
    answer = client.post("/consultation", data=consultation(marketing="yes"))
    return answer.headers["Location"].rpartition("/")[2]


def requests_in(store: Database) -> list[PrivacyRequest]:
    with store.reading() as session:
        return list(session.scalars(select(PrivacyRequest)))


def send(client: FlaskClient, **changed: str) -> TestResponse:
    fields = {"kind": "withdraw", "phone": "138 0013 8000", "reference": "", "words": ""}
    return client.post(PAGE, data=fields | changed)


def test_the_page_has_all_fields_and_can_be_cached(client: FlaskClient) -> None:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    assert "public" in answer.headers["Cache-Control"]
    for field in FIELDS:
        assert f'name="{field.name}"' in answer.text
        assert field.label in answer.text
    assert "checked" not in answer.text


def test_withdrawing_takes_one_form_as_consenting_did(
    client: FlaskClient, store: Database, reference: str
) -> None:
    answer = send(client, reference=reference)
    assert answer.status_code == 303
    with store.reading() as session:
        assert None not in session.scalars(select(Consent.withdrawn_at)).all()


def test_the_receipt_says_when_and_until_when(client: FlaskClient, store: Database, reference: str) -> None:
    place = send(client, reference=reference).headers["Location"]
    assert re.fullmatch(r"/privacy/request/SQ-[0-9A-Z]{5}-[0-9A-Z]{5}", place)
    answer = client.get(place)
    assert answer.status_code == 200
    assert place.rpartition("/")[2] in answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    for clear in ("138", "8000", reference):
        assert clear not in answer.text


def test_the_answer_is_the_same_whoever_asks(client: FlaskClient, reference: str) -> None:
    def seen(**fields: str) -> tuple[Any, ...]:
        first = send(client, **fields)
        page = client.get(first.headers["Location"])
        number = first.headers["Location"].rpartition("/")[2]
        told = page.text.replace(number, "SQ")
        told = re.sub(r"\d{4}-\d{2}-\d{2}[ T][\d:+]+|\d+年\d+月\d+日( \d+:\d+)?", "", told)
        return first.status_code, len(first.headers["Location"]), sorted(first.headers.keys()), told

    known = seen(reference=reference)
    assert known == seen(reference="") == seen(phone="139 7462 5813", reference=reference)
    assert known == seen(phone="139 7462 5813", reference="no such number")
    assert known == seen(kind="access")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": ""}, "kind"),
        ({"kind": "everything"}, "kind"),
        ({"phone": ""}, "phone"),
        ({"phone": "12345"}, "phone"),
        ({"kind": "correct"}, "words"),
        ({"kind": "complaint"}, "words"),
        ({"words": "字" * 501}, "words"),
        ({"words": "身份证11010519491231002X"}, "words"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    client: FlaskClient, store: Database, changed: dict[str, str], field: str
) -> None:
    answer = send(client, reference="XH-7K2M9-QPD4R", **changed)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert f'href="#{field}"' in answer.text
    assert "XH-7K2M9-QPD4R" in answer.text
    with store.reading() as session:
        assert session.scalars(select(PrivacyRequest)).all() == []


@pytest.mark.parametrize(
    "number", ["SQ-00000-00000", "SQ-0000-00000", "x", "SQ-00000-0000é", "XH-00000-00000"]
)
def test_a_receipt_that_there_is_none_of_is_not_found(client: FlaskClient, number: str) -> None:
    assert client.get(f"{PAGE}/{number}").status_code == 404


def test_a_busy_database_is_said_and_nothing_typed_is_lost(client: FlaskClient, store: Database) -> None:
    with a_writer_elsewhere(store, "privacy_requests", "audit_head"):
        answer = send(client, words="请尽快")
    assert answer.status_code == 503
    assert "请尽快" in answer.text
    assert "138 0013 8000" in answer.text


def test_the_thank_you_page_leads_here(client: FlaskClient, reference: str) -> None:
    assert f'href="{PAGE}"' in client.get(f"/consultation/{reference}").text


def test_the_typed_number_is_in_no_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, store: Database
) -> None:
    send(client, words="电话 13974625813")
    with a_writer_elsewhere(store, "privacy_requests", "audit_head"):
        send(client, words="电话 13974625813")
    assert "13974625813" not in caplog.text
    assert "8000" not in caplog.text.replace(":8000", "")
    with store.reading() as session:
        assert session.scalars(select(Enquiry)).all() == []


# --- where a browser doesn't say where the form comes from ---


def shown_fields(answer: TestResponse) -> dict[str, str]:
    """What a browser would send from the page that came back."""
    page = html5lib.parse(answer.text, namespaceHTMLElements=False)
    form = page.find(".//form[@action='/privacy/request']")
    fields = {each.get("name"): each.get("value", "") for each in form.iter("input")}
    fields |= {each.get("name"): (each.text or "").strip() for each in form.iter("textarea")}
    for each in form.iter("select"):
        chosen = [option.get("value", "") for option in each.iter("option") if "selected" in option.attrib]
        fields[each.get("name")] = chosen[0] if chosen else ""
    return fields


TYPED = {"kind": "correct", "phone": "138 0013 8000", "reference": "XH-7K2M9-QPD4R", "words": "姓改成欧阳"}


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}])
def test_an_old_web_view_confirms_and_is_heard(
    client: FlaskClient, store: Database, headers: dict[str, str]
) -> None:
    asked = client.post(PAGE, data=TYPED, headers=headers)
    assert asked.status_code == 403
    assert "还没有提交，请再点一次" in asked.text
    assert "no-store" in asked.headers["Cache-Control"]
    assert TYPED.items() <= shown_fields(asked).items()
    assert requests_in(store) == []
    assert client.post(PAGE, data=shown_fields(asked), headers=headers).status_code == 303
    assert [row.kind for row in requests_in(store)] == ["correct"]


def test_a_token_confirms_for_its_own_browser_only(client: FlaskClient, store: Database) -> None:
    asked = client.post(PAGE, data=TYPED, headers={"User-Agent": "one"})
    other = client.post(PAGE, data=shown_fields(asked), headers={"User-Agent": "other"})
    assert other.status_code == 403
    assert requests_in(store) == []


def test_once_confirmed_mistakes_are_mended_without_confirming_again(
    client: FlaskClient, store: Database
) -> None:
    asked = client.post(PAGE, data=TYPED | {"phone": "1"}, headers={})
    wrong = client.post(PAGE, data=shown_fields(asked), headers={})
    assert wrong.status_code == 422
    mended = shown_fields(wrong) | {"phone": "138 0013 8000"}
    assert client.post(PAGE, data=mended, headers={}).status_code == 303


# --- where too many come ---


@pytest.fixture
def paced(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests in ten minutes from one network."""
    counters = app.extensions["xinheng.databases"].counters
    with counters.writing() as session:
        session.execute(delete(Arrival))
    tight = Pace(counters, app.extensions["xinheng.keys"], Limit(2, 600))
    monkeypatch.setitem(app.extensions, "xinheng.pace", tight)


@pytest.mark.usefixtures("paced")
def test_over_the_limit_it_is_said_when_and_nothing_typed_is_lost(
    client: FlaskClient, store: Database
) -> None:
    assert [send(client, words=words).status_code for words in ("请撤回", "请尽快")] == [303, 303]
    answer = client.post(PAGE, data=TYPED)
    assert answer.status_code == 429
    assert 590 <= int(answer.headers["Retry-After"]) <= 600
    assert "请过10分钟再点" in answer.text
    assert "400-000-0000" in answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    assert TYPED.items() <= shown_fields(answer).items()
    assert len(requests_in(store)) == 2


@pytest.mark.usefixtures("paced")
def test_a_mistake_is_no_request_and_counts_nothing(client: FlaskClient) -> None:
    assert [send(client, phone="1").status_code for _ in range(3)] == [422] * 3
    assert send(client).status_code == 303


@pytest.mark.usefixtures("paced")
def test_being_over_the_limit_tells_nobody_who_is_known(client: FlaskClient, reference: str) -> None:
    def third(**fields: str) -> tuple[Any, ...]:
        answer = send(client, **fields)
        seen = re.sub(r'value="[^"]*"', "", answer.text)
        return answer.status_code, sorted(answer.headers.keys()), seen

    for _ in range(2):
        send(client, phone="139 7462 5813")
    assert third(reference=reference) == third(reference="") == third(phone="139 7462 5814")
