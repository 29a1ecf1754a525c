"""The box that attaches a result: where there is one, never ticked, kept while a form is mended, and never in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from tests.leads.conftest import NOON
from tests.leads.test_views import document, post, shown_fields, stored

from xinheng.assessments import Assessment, keep
from xinheng.crypto import Keys
from xinheng.db import Databases
from xinheng.form_versions import FormVersion
from xinheng.leads.models import Consent, Enquiry, Lead
from xinheng.leads.views import shown_form

Fields = Callable[..., dict[str, str]]
RESULT = {"level": "elevated", "level_low": "elevated", "level_high": "elevated", "confidence": "fair"}


@pytest.fixture
def token(databases: Databases, keys: Keys) -> str:
    with databases.leads.writing() as session:
        if session.get(FormVersion, "check") is None:
            session.add(FormVersion(version="check", form="{}", published_at=NOON))
            session.flush()
        given: dict[str, Any] = {"answers": {}, "result": RESULT, "previous_id": None, "now": NOON}
        return keep(session, keys, version="check", **given)[1]


def boxes(page: Any) -> list[str | None]:
    return [each.get("name") for each in page.iter("input") if each.get("type") == "checkbox"]


@pytest.mark.parametrize("address", ["/consultation", "/articles/ageing-report"])
def test_other_pages_have_neither_box_nor_field(client: FlaskClient, address: str) -> None:
    page = document(client.get(address))
    assert "attach_assessment" not in boxes(page)
    assert "assessment" not in {each.get("name") for each in page.iter("input")}


def test_a_result_brings_the_box_unticked_above_the_notice(app: Flask, token: str) -> None:
    with app.test_request_context("/"):
        shown = shown_form(assessment=token)
        text = app.jinja_env.get_template("components/consultation.html").module.form(shown)  # type: ignore[attr-defined]
    page = str(text)
    assert f'name="assessment" type="hidden" value="{token}"' in page
    box = page.partition('id="attach_assessment"')[2].partition(">")[0]
    assert box
    assert "checked" not in box
    assert "required" not in box
    assert page.index('id="attach_assessment"') < page.index('class="notice"') < page.index('id="marketing"')


def test_a_form_with_errors_keeps_the_tick_and_the_result(
    client: FlaskClient, databases: Databases, consultation: Fields, token: str
) -> None:
    page = post(client, consultation(attach_assessment="yes", assessment=token, phone="12"))
    assert page.status_code == 422
    mended = shown_fields(page) | {"phone": "138 0013 8000"}
    assert (mended["attach_assessment"], mended["assessment"]) == ("yes", token)
    assert post(client, mended).status_code == 303
    (enquiry,), (result,), (lead,) = (stored(databases, each) for each in (Enquiry, Assessment, Lead))
    assert (enquiry.assessment_id, result.retain_until, lead.level) == (result.id, None, "elevated")


def test_an_unticked_form_keeps_the_offer_and_sends_nothing(
    client: FlaskClient, databases: Databases, consultation: Fields, token: str
) -> None:
    page = post(client, consultation(assessment=token, phone="12"))
    fields = shown_fields(page)
    assert "attach_assessment" not in fields
    assert fields["assessment"] == token
    assert "attach_assessment" in boxes(document(page))
    assert post(client, fields | {"phone": "138 0013 8000"}).status_code == 303
    assert [each.assessment_id for each in stored(databases)] == [None]


@pytest.mark.parametrize(
    "token", ["", "no", "x" * 4000, "'; DROP TABLE assessments; --", "\0" * 22, "长" * 22]
)
def test_whatever_stands_in_the_field_costs_no_enquiry(
    client: FlaskClient, databases: Databases, consultation: Fields, token: str
) -> None:
    assert post(client, consultation(attach_assessment="yes", assessment=token)).status_code == 303
    assert [each.assessment_id for each in stored(databases)] == [None]
    with databases.leads.reading() as session:
        assert session.scalars(select(Consent.purpose)).all() == ["callback"]
