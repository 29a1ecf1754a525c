"""What load balancers are told: a site stays in use while either the database or the spool takes enquiries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.databases import a_writer_elsewhere
from tests.leads.conftest import a_spool_that_is_gone

from xinheng import disk
from xinheng.db import Databases
from xinheng.disk import Line
from xinheng.leaving import Leaving
from xinheng.pages import health

ANSWERS = {"ok": 200, "degraded": 200, "unavailable": 503, "leaving": 503}

EVERYTHING = Line(1.0, 1 << 62)
"""What no disk with a file on it has free."""

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ASKED_AGAIN_AFTER", -1.0)
    monkeypatch.setattr(health, "WITHIN", 0.05)


@contextmanager
def refusing(databases: Databases) -> Iterator[None]:
    with a_writer_elsewhere(databases.leads, "alembic_version_leads"):
        yield


def assert_told(client: FlaskClient, state: str) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()) == (ANSWERS[state], {"status": state})
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/healthz").get_json() == {"status": "ok"}


def test_where_both_take_enquiries_it_is_ready(client: FlaskClient) -> None:
    assert_told(client, "ok")


def test_while_only_the_spool_takes_them_it_stays_in_use(client: FlaskClient, databases: Databases) -> None:
    with refusing(databases):
        assert_told(client, "degraded")
    assert_told(client, "ok")


def test_while_only_the_database_takes_them_it_stays_in_use(client: FlaskClient, app: Flask) -> None:
    with a_spool_that_is_gone(app):
        assert_told(client, "degraded")
    assert_told(client, "ok")


def test_where_neither_takes_them_it_is_not_ready(
    client: FlaskClient, app: Flask, databases: Databases
) -> None:
    with refusing(databases), a_spool_that_is_gone(app):
        assert_told(client, "unavailable")
    assert_told(client, "ok")


def test_little_room_is_told_before_there_is_none(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "LITTLE", EVERYTHING)
    assert_told(client, "degraded")


def test_asking_costs_the_reserve_nothing(client: FlaskClient, app: Flask) -> None:
    folder: Path = app.extensions["xinheng.spool"].folder
    before = sorted(folder.iterdir())
    for _ in range(5):
        client.get("/readyz")
    assert sorted(folder.iterdir()) == before


def test_who_asks_without_end_is_answered_from_memory(
    client: FlaskClient, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ASKED_AGAIN_AFTER", 60.0)
    assert_told(client, "ok")
    with refusing(databases):
        assert_told(client, "ok")


def test_told_to_stop_it_is_not_ready_and_ends_each_connection(client: FlaskClient, app: Flask) -> None:
    leaving: Leaving = app.extensions["xinheng.leaving"]
    assert "Connection" not in client.get("/about").headers
    leaving.announce()
    assert_told(client, "leaving")
    answer = client.get("/about")
    assert (answer.status_code, answer.headers["Connection"]) == (200, "close")


def test_only_who_asks_for_readiness_is_waited_for(client: FlaskClient, app: Flask) -> None:
    leaving: Leaving = app.extensions["xinheng.leaving"]
    client.get("/healthz")
    assert not leaving.watched
    client.get("/readyz")
    assert leaving.watched
