"""Every kind of page and how a visitor comes to it; the way through the form to a reference."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from tests.browser.running import FORM, NOT_A_PHONE, RunningSite
from tests.browser.visitor import fill, submit

REFERENCE = re.compile(r"XH-[0-9A-Z]{5}-[0-9A-Z]{5}")
ARTICLE = "/articles/dso-how-to-measure-and-lower"


def arrived(page: Page) -> str:
    """The reference on the thank-you page, which must be the page that is open."""
    expect(page).to_have_url(re.compile(r"/consultation/XH-"))
    expect(page.locator("h1")).to_have_text("已收到您的咨询")
    shown = page.locator(".thanks__reference b").inner_text()
    assert REFERENCE.fullmatch(shown)
    assert page.url.endswith(shown)
    return shown


def send(page: Page, site: RunningSite, **changed: str) -> str:
    """Fill in the form of the open page, submit it, and return the reference."""
    words = FORM | changed
    site.typed.update(words[name] for name in ("name", "phone", "details"))
    fill(page, words)
    submit(page).click()
    return arrived(page)


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
