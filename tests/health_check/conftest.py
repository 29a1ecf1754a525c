"""What tests of the health check share: the one that ships and a copy to write mistakes into, drafts, and a visitor."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import CHROME, OWN_PAGE, ROOT
from werkzeug.test import TestResponse

from xinheng.crypto import Keys, load_keys
from xinheng.db import Databases
from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.drafts import Drafts
from xinheng.health_check.loader import HEALTH_CHECK, load_health_check, stored_check

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PERSON = OWN_PAGE | {"User-Agent": CHROME}


@dataclass
class Written:
    """A health check of the test's own."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / HEALTH_CHECK

    def load(self) -> HealthCheck:
        return load_health_check(self.folder, None)

    def change(self, old: str, new: str) -> None:
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="session")
def check() -> HealthCheck:
    return load_health_check(ROOT / "forms", None)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    shutil.copy(ROOT / "forms" / HEALTH_CHECK, tmp_path)
    return Written(tmp_path)


@pytest.fixture
def draft_keys(tmp_path: Path) -> Keys:
    return load_keys(tmp_path / "draft-keys")


@pytest.fixture
def drafts(opened: Databases, draft_keys: Keys) -> Drafts:
    return Drafts(opened.counters, draft_keys)


def another_version(check: HealthCheck, version: str) -> HealthCheck:
    """The same questions under another name, which is another hash."""
    return stored_check(check.stored.replace(f'"version":"{check.version}"', f'"version":"{version}"'))


def answer_for(check: HealthCheck, question: str, wanted: Mapping[str, str]) -> str:
    """What is wanted, or else the second option: no hint is given to who answers so."""
    keys = [key for key in check.offered[question] if key != UNSURE]
    return wanted.get(question, keys[min(1, len(keys) - 1)])


class Visitor:
    """A browser on the site, which keeps its cookie; `page` is the answer to what it did last."""

    def __init__(self, client: FlaskClient, check: HealthCheck) -> None:
        self.client = client
        self.check = check
        self.page: TestResponse

    def get(self, address: str) -> TestResponse:
        self.page = self.client.get(address, headers=PERSON)
        return self.page

    def post(self, address: str, data: Mapping[str, str] | None = None, **headers: str) -> TestResponse:
        self.page = self.client.post(address, data=dict(data or {}), headers=PERSON | headers)
        return self.page

    def start(self, **fields: str) -> str:
        """Begin; returns the question that is asked."""
        self.post("/health-check/start", fields)
        return self.at()

    def at(self) -> str:
        """Where the last answer leads: a question, or `answers`, or another page of the check."""
        assert self.page.status_code == 303, self.page.text
        return self.page.headers["Location"].partition("?")[0].rpartition("/")[2]

    def answer(self, question: str, chosen: str = "", **fields: str) -> str:
        """Answer a question; returns where that leads."""
        self.post(f"/health-check/questions/{question}", {"answer": chosen, "go": "next"} | fields)
        return self.at() if self.page.status_code == 303 else ""

    def answer_until(self, step: str, **wanted: str) -> None:
        """Begin, and answer whatever is asked up to a step."""
        here = self.start()
        while here != step:
            here = self.answer(here, answer_for(self.check, here, {"export_share": "none"} | wanted))

    def token(self) -> str:
        cookie = self.client.get_cookie("check", domain="127.0.0.1", path="/health-check")
        return cookie.value if cookie else ""


@pytest.fixture
def visitor(client: FlaskClient, app: Flask) -> Visitor:
    return Visitor(client, app.extensions["xinheng.health_check"]())


@pytest.fixture
def another(client: FlaskClient, app: Flask) -> Visitor:
    """The same site in another browser."""
    return Visitor(app.test_client(), app.extensions["xinheng.health_check"]())
