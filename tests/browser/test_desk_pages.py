"""Every page of the desk, on a desk and on a phone, in both colour schemes: valid, and nothing too wide, too small or
unreadable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Response, expect
from tests.browser.desk import Desk, desk_of
from tests.browser.pages import DESK_PAGES, Cast
from tests.browser.running import RunningSite
from tests.browser.test_html import html_faults

pytestmark = pytest.mark.browser

axe = Axe()
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
NOBODY_SIGNED_IN = {
    "sign-in",
    "sign-in refused",
    "session over",
    "code",
    "recovery",
    "no code at all",
    "join",
    "join, errors",
    "joined",
    "join, no link",
}
"""Pages that don't know whose language to speak: they are Chinese."""

Contexts = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def desk(site: RunningSite) -> Iterator[Desk]:
    with desk_of(site) as desk:
        yield desk


@pytest.fixture(scope="module")
def cast(desk: Desk) -> Cast:
    return Cast(desk)


@pytest.fixture(scope="module")
def english(desk: Desk) -> Cast:
    return Cast(desk, "en")


@pytest.fixture(scope="module")
def sources() -> dict[str, bytes]:
    """The pages' HTML, as it was answered to those who looked at them already."""
    return {}


SMALL_TARGETS = """() => {
  const small = [];
  for (const part of document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary")) {
    if (!part.checkVisibility({ visibilityProperty: true }) || part.disabled) continue;
    if (part.closest(".unseen, .skip, article, footer")) continue;  // not to be tapped, or the readers' page in a preview
    if (getComputedStyle(part).display === "inline" && part.tagName === "A") continue;  // as high as its sentence's line
    const box = (["checkbox", "radio"].includes(part.type) ? part.closest("label") : part).getBoundingClientRect();
    if (box.height < 43.5) small.push(`${part.tagName} ${part.className || part.name || part.closest("[class]").className} `
      + `${part.textContent.trim().slice(0, 12)} ${Math.round(box.height)}`);
  }
  return [...new Set(small)];
}"""


GAPS = """() => {
  const gaps = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (getComputedStyle(parentElement).whiteSpace.startsWith("pre")) continue;
    gaps.push(...(data.match(/.{0,6}[。；：！，]\\s+[\u3400-\u9fff“（《].{0,6}/g) || []));
  }
  return gaps;
}"""  # a line's end in a template is a space, which Chinese sentences don't have between them


def faults_of(page: Page, width: int) -> list[str]:
    """What is wrong with the open page."""
    faults = [f"a gap in {text!r}" for text in page.evaluate(GAPS)]
    wide = page.evaluate("document.scrollingElement.scrollWidth")
    if wide > width:
        faults.append(f"{wide} px wide")
    if width == 360:
        faults += page.evaluate(SMALL_TARGETS)
    found = axe.run(page)
    faults += [found.generate_report()] if found.violations_count else []
    page.emulate_media(color_scheme="dark")
    found = axe.run(page, options=CONTRAST)
    faults += ["dark: " + found.generate_report()] if found.violations_count else []
    page.emulate_media(color_scheme="light")
    return faults


def look_at(name: str, page: Page, cast: Cast) -> bytes:
    """Come to a page; its HTML as the server sent it."""
    answers: list[Response] = []
    page.on(
        "response", lambda answer: answers.append(answer) if answer.request.is_navigation_request() else None
    )
    DESK_PAGES[name](page, cast)
    return answers[-1].body()


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", DESK_PAGES)
def test_a_page_of_the_desk_has_no_fault(
    cast: Cast, context_at: Contexts, sources: dict[str, bytes], name: str, width: int
) -> None:
    page = context_at(width).new_page()
    sources[name] = look_at(name, page, cast)
    faults = faults_of(page, width)
    assert not faults, "\n".join(faults)


def test_every_page_of_the_desk_is_valid_html(
    cast: Cast, context_at: Contexts, sources: dict[str, bytes], tmp_path: Path
) -> None:
    for name in DESK_PAGES.keys() - sources.keys():  # all of them, where this test runs alone
        sources[name] = look_at(name, context_at(1280).new_page(), cast)
    faults = html_faults(sources, tmp_path)
    assert not faults, "\n".join(faults)


def test_a_bar_wider_than_a_phone_starts_where_one_is(cast: Cast, context_at: Contexts) -> None:
    page = context_at(360).new_page()
    for path in ("/desk/audit", "/desk/reports/spam"):
        cast.enter(page, path)
        for here in page.locator("nav [aria-current]").all():
            expect(here).to_be_in_viewport(ratio=1)


def test_in_english_no_page_of_the_desk_is_too_wide_for_a_phone(english: Cast, context_at: Contexts) -> None:
    page, wider = context_at(360).new_page(), {}
    for name, visit in DESK_PAGES.items():
        if name in NOBODY_SIGNED_IN:
            continue
        visit(page, english)
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans" if name == "preview" else "en")
        wide = page.evaluate("document.scrollingElement.scrollWidth")
        if wide > 360:
            wider[name] = wide
    assert wider == {}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_small_laptop_the_bar_is_one_row(
    desk: Desk, cast: Cast, context_at: Contexts, language: str
) -> None:
    """For who has most in it, in either language; however wide the screen is, nothing is out of sight."""
    page = context_at(1024).new_page()
    admin = desk.add("欧阳晓岚", "admin", "sales_lead", language=language)
    for width in (1024, 1200, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        cast.enter(page, "/desk/", admin)
        assert page.locator(".desk-bar").evaluate("bar => bar.clientHeight") < 60, width
        assert page.locator(".desk-bar nav").evaluate("nav => nav.scrollWidth <= nav.clientWidth"), width
        for part in page.locator(".desk-bar :is(nav a, .desk-bar__me > *)").all():
            expect(part).to_be_in_viewport(ratio=1)
