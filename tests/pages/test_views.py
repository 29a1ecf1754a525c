"""The addresses that machines expect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import ORIGIN


def test_who_finds_a_weakness_is_told_where_to_report_it(client: FlaskClient, app: Flask) -> None:
    answer = client.get("/.well-known/security.txt")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    said = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert said["Contact"] == f"mailto:{app.extensions['xinheng.company']().email}"
    assert said["Canonical"] == f"{ORIGIN}/.well-known/security.txt"
    ahead = datetime.fromisoformat(said["Expires"]) - datetime.now(UTC)
    assert timedelta(days=30) < ahead < timedelta(days=366), "RFC 9116: less than a year"
