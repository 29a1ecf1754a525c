"""What templates say with data."""

from __future__ import annotations

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
from tests.conftest import ROOT

from xinheng.app import create_app
from xinheng.settings import Settings


def test_a_saved_style_has_an_address_of_its_own_a_second_later(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=lambda: clock.now, now=100.0)
    monkeypatch.setattr("xinheng.filters.time", clock)
    own = settings.data / "own-static"
    shutil.copytree(ROOT / "static", own)
    site = create_app(replace(settings, static=own))
    client = site.test_client()

    def address() -> str:
        page = client.get("/").get_data(as_text=True)
        return "/static/css/base.css" + page.partition("/static/css/base.css")[2].partition('"')[0]

    before = address()
    (own / "css" / "base.css").write_text("body { color: red }", encoding="utf-8")
    clock.now += 1
    after = address()
    assert after != before
    assert client.get(after, buffered=True).data == b"body { color: red }"
    site.extensions["xinheng.databases"].dispose()
