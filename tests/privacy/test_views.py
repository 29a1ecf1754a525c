"""The public page: one form, one answer for everybody, a receipt that tells nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from tests.databases import a_writer_elsewhere
from werkzeug.test import TestResponse

from xinheng.db import Database
from xinheng.leads.models import Consent, Enquiry
from xinheng.privacy.models import PrivacyRequest
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
