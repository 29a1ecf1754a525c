"""What stands on every page is there on each, and follows what was saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from xinheng.settings import Settings

pytestmark = pytest.mark.usefixtures("saved_files_are_seen")


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def footer(app: Flask) -> Callable[..., str]:
    def read(address: str = "/about", **place: str) -> str:
        page = app.test_client().get(address, environ_overrides=place).get_data(as_text=True)
        return page[page.index("<footer") : page.index("</footer>")]

    return read


def test_it_is_the_same_on_every_page(footer: Callable[..., str]) -> None:
    assert footer("/") == footer("/about") == footer("/consultation") == footer("/nowhere")


def test_a_saved_fact_of_the_company_stands_in_it(footer: Callable[..., str], settings: Settings) -> None:
    assert "400-000-0000" in footer()
    change(settings.content / "site.toml", "400-000-0000", "400-111-1111")
    assert "400-000-0000" not in footer()
    assert 'href="tel:400-111-1111"' in footer()


def test_a_page_that_was_taken_out_is_not_led_to(footer: Callable[..., str], settings: Settings) -> None:
    assert "/ai-statement" in footer()
    change(settings.content / "pages" / "ai-statement.md", "footer:", "# footer:")
    assert "/ai-statement" not in footer()


def test_below_another_address_it_leads_to_that_address(footer: Callable[..., str]) -> None:
    assert 'href="/articles/"' in footer()
    assert 'href="/below/articles/"' in footer(SCRIPT_NAME="/below")
    assert 'href="/articles/"' in footer()
