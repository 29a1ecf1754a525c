"""No page has a fault that axe finds, in either colour scheme, on a desk or a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.browser.conftest import PageAt
from tests.browser.running import FORM, NOT_A_PHONE, RunningSite
from tests.browser.visitor import Scheme, fill, submit

pytestmark = pytest.mark.browser

ARTICLE = "/articles/dso-how-to-measure-and-lower"
axe = Axe()


def at(path: str) -> Callable[[Page, str], None]:
    def visit(page: Page, origin: str) -> None:
        page.goto(origin + path)

    return visit


def form_with_errors_of_the_server(page: Page, origin: str) -> None:
    page.goto(origin + "/consultation")
    fill(page, FORM | {"phone": NOT_A_PHONE})
    submit(page).click()
    expect(page.locator(".error-summary")).to_be_visible()


def form_with_errors_beside_fields(page: Page, origin: str) -> None:
    page.goto(origin + ARTICLE)
    submit(page).click()
    expect(page.locator(".field__error:visible")).to_have_count(4)


def thank_you(page: Page, origin: str) -> None:
    page.goto(origin + "/consultation")
    fill(page, FORM)
    submit(page).click()
    expect(page.locator(".thanks__reference")).to_be_visible()


def favourites_with_one(page: Page, origin: str) -> None:
    page.goto(origin + ARTICLE)
    page.locator("[data-favourite]").click()
    page.goto(origin + "/favourites")
    expect(page.locator("[data-kept-list] h2")).to_have_count(1)


PAGES: dict[str, Callable[[Page, str], None]] = {
    "home": at("/"),
    "list": at("/articles/"),
    "last page of the list": at("/articles/?page=2"),
    "category": at("/categories/receivables"),
    "article": at(ARTICLE),
    "consultation": at("/consultation"),
    "form with errors": form_with_errors_of_the_server,
    "errors beside fields": form_with_errors_beside_fields,
    "thank-you": thank_you,
    "search": at("/search"),
    "search with results": at("/search?q=坏账"),
    "search without results": at("/search?q=量子纠缠"),
    "favourites, empty": at("/favourites"),
    "favourites": favourites_with_one,
    "404": at("/no-such-page"),
    "about": at("/about"),
    "privacy": at("/privacy"),
    "AI statement": at("/ai-statement"),
}


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: RunningSite, page_at: PageAt, scheme: Scheme, width: int) -> None:
    page = page_at(width, scheme=scheme)
    faults = []
    for name, visit in PAGES.items():
        visit(page, site.origin)
        page.locator("h1").wait_for()
        found = axe.run(page)
        if found.violations_count:
            faults.append(f"{name}:\n{found.generate_report()}")
    assert not faults, "\n".join(faults)
