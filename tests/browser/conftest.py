"""A real site, a real browser; and no page may complain in its console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.browser.install import chromium
from tests.browser.running import RunningSite, copy_of_site
from tests.browser.visitor import CHROMIUM, Complaints, Scheme, new_context


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """The shipped site with two workers; at the end it must end well, and its log must hold nothing typed."""
    running = RunningSite(copy_of_site(tmp_path_factory.mktemp("site")), workers=2)
    running.start()
    try:
        yield running
        running.stop()
    finally:
        running.kill()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    assert path, "no Chromium: run python tests/browser/install.py"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield launched
        launched.close()


@pytest.fixture
def context_at(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open browsers of visitors; at the end none of their pages may have complained."""
    opened: list[tuple[BrowserContext, Complaints]] = []

    def open_context(width: int, *, script: bool = True, scheme: Scheme = "light") -> BrowserContext:
        context = new_context(browser, width, script=script, scheme=scheme)
        context.set_default_timeout(10_000)
        opened.append((context, Complaints(context)))
        return context

    yield open_context
    for context, _ in opened:
        context.close()
    assert [complaint for _, complaints in opened for complaint in complaints.found] == []


class PageAt(Protocol):
    def __call__(self, width: int, *, script: bool = True, scheme: Scheme = "light") -> Page: ...


@pytest.fixture
def page_at(context_at: Callable[..., BrowserContext], site: RunningSite) -> PageAt:
    """Open a page of a new visitor's browser on the home page's origin; addresses are then `site.origin` + path."""

    def open_page(width: int, *, script: bool = True, scheme: Scheme = "light") -> Page:
        return context_at(width, script=script, scheme=scheme).new_page()

    return open_page
