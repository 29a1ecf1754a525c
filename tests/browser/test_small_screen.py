"""On a small phone: nothing too wide, nothing too small to tap, nothing in the way."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import PageAt
from tests.browser.pages import send
from tests.browser.running import ROOT, RunningSite
from tests.browser.visitor import submit

pytestmark = pytest.mark.browser

ARTICLE = "/articles/customer-overdue-first-30-days"
REQUIRED = ("need", "phone", "details", "consent")
EVERY_PAGE = [
    "/",
    "/articles/",
    "/categories/receivables",
    "/consultation",
    "/health-check",
    "/health-check/method",
    "/search",
    "/search?q=坏账",
    "/search?q=量子纠缠",
    "/favourites",
    "/about",
    "/privacy",
    "/ai-statement",
    "/no-such-page",
    *(f"/articles/{file.stem}" for file in sorted((ROOT / "content" / "articles").glob("*.md"))),
]


def test_nothing_is_wider_than_a_small_phone(site: RunningSite, page_at: PageAt) -> None:
    page = page_at(360)
    wider = {}
    for path in EVERY_PAGE:
        page.goto(site.origin + path)
        width = page.evaluate("document.scrollingElement.scrollWidth")
        if width > 360:
            wider[path] = width
    assert wider == {}


SMALL_TARGETS = """() => {
  const parts = "nav a, nav button, .masthead a, .phone-bar a, form a, form button, form select, form textarea, "
    + "form input:not([type=hidden], [type=checkbox], [type=radio]), form label.tick, form label.answer, .error-summary a, .byline__tools button, .button";
  const small = [];
  for (const part of document.querySelectorAll(parts)) {
    if (!part.checkVisibility({ visibilityProperty: true })) continue;
    if (getComputedStyle(part).display === "inline") continue;  // a link in a sentence is as high as its line
    const box = part.getBoundingClientRect();
    if (box.height < 43.5) small.push(`${part.className || part.parentElement.className || part.parentElement.parentElement.className} ${part.textContent.trim().slice(0, 12)} ${Math.round(box.height)}`);
  }
  return small;
}"""


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/articles/",
        ARTICLE,
        "/consultation",
        "/search?q=坏账",
        "/search",
        "/favourites",
        "/no-such-page",
    ],
)
def test_what_one_taps_on_a_phone_is_a_thumb_high(site: RunningSite, page_at: PageAt, path: str) -> None:
    page = page_at(360)
    page.goto(site.origin + path)
    small = page.evaluate(SMALL_TARGETS)
    assert not small, "\n".join(small)


def test_a_reference_of_the_widest_letters_stands_on_one_line_of_a_phone(
    site: RunningSite, page_at: PageAt
) -> None:
    page = page_at(360)
    page.goto(site.origin + "/consultation")
    send(page, site, details="编号要抄得下来")
    reference = page.locator(".thanks__reference b")
    widest = reference.evaluate(
        "(b) => { b.textContent = 'XH-WMWMW-WMWMW'; return b.scrollWidth - b.clientWidth; }"
    )
    lines = reference.evaluate(
        "(b) => Math.round(b.offsetHeight / parseFloat(getComputedStyle(b).lineHeight))"
    )
    assert (widest, lines) == (0, 1)


def test_the_links_of_the_error_summary_are_a_thumb_high(site: RunningSite, page_at: PageAt) -> None:
    page = page_at(360, script=False)
    page.goto(site.origin + "/consultation")
    submit(page).click()
    expect(page.locator(".error-summary li")).to_have_count(len(REQUIRED))
    small = page.evaluate(SMALL_TARGETS)
    assert not small, "\n".join(small)


@pytest.mark.parametrize("height", [740, 420], ids=["whole screen", "above a keyboard"])
def test_the_phone_bar_never_covers_a_field_one_types_in(
    site: RunningSite, page_at: PageAt, height: int
) -> None:
    page = page_at(360)
    page.set_viewport_size({"width": 360, "height": height})
    page.goto(site.origin + ARTICLE)
    bar = page.locator(".phone-bar")
    expect(bar).to_be_in_viewport()
    for name in ("need", "name", "phone", "details", "call_time", "consent"):
        field = page.locator(f"#{name}")
        field.focus()
        expect(field).to_be_in_viewport()
        over, below = bar.bounding_box(), field.bounding_box()
        assert over is not None
        assert below is not None
        assert over["y"] + over["height"] <= below["y"] or over["y"] >= below["y"] + below["height"], name


def test_the_phone_bar_leads_to_the_form(site: RunningSite, page_at: PageAt) -> None:
    page = page_at(360)
    page.goto(site.origin + ARTICLE)
    page.locator(".phone-bar").get_by_role("link", name="预约咨询").click()
    expect(page.locator("#consultation-title")).to_be_in_viewport()


BEHIND_THE_BAR = """() => {
  const bar = document.querySelector(".phone-bar");
  const focused = document.activeElement;
  const box = focused.getBoundingClientRect();
  const seen = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return !bar.contains(focused) && bar.contains(seen) ? focused.textContent.trim() : "";
}"""


def test_the_phone_bar_never_covers_what_has_focus(site: RunningSite, page_at: PageAt) -> None:
    page = page_at(360)
    page.goto(site.origin + ARTICLE)
    covered = []
    for _ in range(40):  # from the masthead through contents, notes, questions and sources
        page.keyboard.press("Tab")
        covered.append(page.evaluate(BEHIND_THE_BAR))
    assert [text for text in covered if text] == []
