"""Spam as the site meets it: nobody is refused, everybody gets the same answer, what is odd is kept apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from tests.conftest import ROOT, CheckingClient
from tests.databases import a_writer_elsewhere, raw_bytes

from xinheng.app import create_app
from xinheng.db import Databases
from xinheng.leads.models import Enquiry
from xinheng.limits import Limit, Limits
from xinheng.settings import Settings

Form = Callable[..., dict[str, str]]
GREETING = "/consultation/stamp"


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """A small site with tight limits."""
    limits = Limits(address=Limit(4, 600), phone=Limit(2, 86_400), all=Limit(8, 3600))
    app = create_app(replace(settings, limits=limits))
    app.test_client_class = CheckingClient
    yield app
    app.extensions["xinheng.reads"].stop()
    app.extensions["xinheng.databases"].dispose()


@pytest.fixture
def fields(consultation: Form) -> Form:
    """The numbered visitor's form: another id, phone and text each."""

    def made(number: int = 1, **changed: str) -> dict[str, str]:
        plain = {
            "phone": f"1397462{number:04d}",
            "submission_id": f"{number:032x}",
            "details": f"第{number}份咨询",
        }
        return consultation(**plain | changed)

    return made


def kept(databases: Databases) -> list[tuple[str, list[str]]]:
    """State and reasons of what is stored, in order."""
    with databases.leads.reading() as session:
        rows = session.execute(select(Enquiry.state, Enquiry.suspicion).order_by(Enquiry.id))
        return [(row.state, row.suspicion) for row in rows]


def send(client: FlaskClient, form: dict[str, str], address: str = "203.0.113.7") -> str:
    """Send a form; returns where the thank-you page is, which must be there."""
    answer = client.post("/consultation", data=form, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 303
    thanks = answer.headers["Location"]
    assert "已收到您的咨询" in client.get(thanks).text
    return str(thanks)


@pytest.mark.parametrize("trap", ["subject", "homepage"])
def test_a_filled_trap_gets_the_answer_that_everybody_gets(
    client: FlaskClient, fields: Form, databases: Databases, settings: Settings, trap: str
) -> None:
    send(client, fields(1, **{trap: "https://trap-filled.example"}))
    assert kept(databases) == [("quarantined", ["trap"])]
    assert b"trap-filled" not in raw_bytes(databases, settings.data)


def test_the_traps_are_out_of_sight_by_their_place_and_out_of_reach(client: FlaskClient) -> None:
    page = client.get("/consultation").text
    traps = re.search(r'<div class="beside" aria-hidden="true">(.*?)</div>', page, re.DOTALL)
    assert traps
    inputs = re.findall(r"<input[^>]*>", traps[1])
    assert len(inputs) == traps[1].count("请勿填写") == 2
    assert all('tabindex="-1"' in each and 'autocomplete="off"' in each for each in inputs)
    css = (ROOT / "static" / "css" / "form.css").read_text(encoding="utf-8")
    rule = re.search(r"\.beside \{([^}]*)\}", css)
    assert rule
    assert "left: -200vw" in rule[1]
    assert not re.search(r"display|visibility|opacity", rule[1])


def test_a_greeting_is_for_one_visitor_and_in_no_cache(client: FlaskClient) -> None:
    answer = client.get(GREETING)
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.get_json()) == {"stamp"}
    assert client.get("/consultation/XH-00000-00000").status_code == 404


def test_without_a_stamp_nothing_is_thought_and_a_forged_or_hasty_one_is(
    client: FlaskClient, fields: Form, databases: Databases
) -> None:
    stamp = client.get(GREETING).get_json()["stamp"]
    for number, sent in enumerate(("", "1.forged", stamp)):
        send(client, fields(number, stamp=sent))
    assert kept(databases) == [
        ("accepted", []),
        ("quarantined", ["forged_stamp"]),
        ("quarantined", ["too_quick"]),
    ]


def test_a_form_that_comes_back_keeps_its_stamp(client: FlaskClient, fields: Form) -> None:
    answer = client.post("/consultation", data=fields(phone="1", stamp="s.x", proof="p"))
    assert answer.status_code == 422
    assert 'name="stamp" type="hidden" value="s.x"' in answer.text
    assert 'name="proof" type="hidden" value="p"' in answer.text


def test_nobody_is_refused_for_being_many_behind_one_address(
    client: FlaskClient, fields: Form, databases: Databases
) -> None:
    thanks = [send(client, fields(number), f"203.0.113.{number}") for number in range(6)]
    assert len(set(thanks)) == 6
    assert kept(databases) == [("accepted", [])] * 4 + [("quarantined", ["address"])] * 2


def test_a_repeat_is_answered_as_it_was_whatever_the_limits_say_now(
    client: FlaskClient, fields: Form, databases: Databases
) -> None:
    first = send(client, fields(0))
    for number in range(1, 6):
        send(client, fields(number))
    before = kept(databases)
    assert send(client, fields(0)) == first
    assert send(client, fields(0, subject="x")) == first
    assert kept(databases) == before


def test_a_proof_is_asked_for_while_many_come_and_not_before(client: FlaskClient, fields: Form) -> None:
    def asked(address: str) -> bool:
        return "challenge" in client.get(GREETING, environ_base={"REMOTE_ADDR": address}).get_json()

    assert not asked("203.0.113.7")
    for number in range(2):
        send(client, fields(number))
    assert asked("203.0.113.99")
    assert not asked("203.0.114.7")
    challenge = client.get(GREETING, environ_base={"REMOTE_ADDR": "203.0.113.7"}).get_json()["challenge"]
    assert challenge["parameters"]["algorithm"] == "PBKDF2/SHA-256"
    assert challenge["signature"]


def test_what_failed_to_be_counted_is_stored_as_any_other(
    client: FlaskClient, fields: Form, databases: Databases
) -> None:
    for number in range(3):
        send(client, fields(number))
    with a_writer_elsewhere(databases.counters, "arrivals"):
        send(client, fields(3))
    send(client, fields(4))
    assert kept(databases) == [("accepted", [])] * 5


def test_the_verdict_is_not_for_the_visitor_to_set(
    client: FlaskClient, fields: Form, databases: Databases
) -> None:
    send(client, fields(subject="x", state="accepted", suspicion="[]", verdict="clean", lead_id="0" * 32))
    assert kept(databases) == [("quarantined", ["trap"])]
