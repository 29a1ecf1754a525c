"""Spam in a real browser: the proof of work under our own content policy, and traps that no person meets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.pages import arrived, send
from tests.browser.running import FORM, RunningSite, copy_of_site
from tests.browser.visitor import fill, submit

pytestmark = pytest.mark.browser

Contexts = Callable[..., BrowserContext]
MOST = 4
FRESH_STAMP = """async () => {
  const answer = await fetch("/consultation/stamp");
  document.querySelector("[name=stamp]").value = (await answer.json()).stamp;
}"""


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site whose limits are used up."""
    site = RunningSite(
        copy_of_site(tmp_path_factory.mktemp("crowded")), XINHENG_LIMITS=f"all={MOST}/1h text=99/1h"
    )
    site.start()
    try:
        for number in range(MOST):
            assert site.post_form(phone=f"139 0016 {number:04}").reference
        yield site
        site.stop()
    finally:
        site.kill()


def verdict(site: RunningSite, reference: str) -> tuple[str, list[str]]:
    (row,) = site.rows("SELECT state, suspicion FROM enquiries WHERE reference = ?", reference)
    return row["state"], json.loads(row["suspicion"])


@pytest.mark.parametrize("path", ["/consultation", "/articles/dso-how-to-measure-and-lower"])
def test_who_types_in_a_crowd_passes_by_a_proof_that_nobody_sees(
    crowded: RunningSite, context_at: Contexts, path: str
) -> None:
    page = context_at(360).new_page()
    page.goto(crowded.origin + path)
    reference = send(page, crowded, phone="139 7462 5813", details=f"在{path}填的，想谈谈账期")
    assert verdict(crowded, reference) == ("accepted", [])


def test_without_script_it_is_kept_and_the_visitor_sees_what_everybody_sees(
    crowded: RunningSite, context_at: Contexts
) -> None:
    page = context_at(360, script=False).new_page()
    page.goto(crowded.origin + "/consultation")
    reference = send(page, crowded, phone="139 7462 5814", details="没有脚本")
    assert verdict(crowded, reference) == ("quarantined", ["all"])


def test_who_is_done_at_once_is_taken_for_a_robot_and_thanked(
    crowded: RunningSite, context_at: Contexts
) -> None:
    page = context_at(1280).new_page()
    page.goto(crowded.origin + "/consultation")
    crowded.typed.add("不到三秒")
    fill(page, FORM | {"details": "不到三秒"})
    expect(page.locator("[name=stamp]")).not_to_have_value("")
    page.evaluate(FRESH_STAMP)  # however slow the machine was
    submit(page).click()
    state, reasons = verdict(crowded, arrived(page))
    assert (state, reasons[0]) == ("quarantined", "too_quick")


def test_a_form_with_words_in_it_asks_for_no_stamp(crowded: RunningSite, context_at: Contexts) -> None:
    page = context_at(1280).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(crowded.origin + "/consultation")
    page.evaluate("document.querySelector('textarea').value = '浏览器替我留着的'")
    page.locator("[name=name]").focus()
    expect(page.locator("[name=submission_id]")).not_to_have_value("")
    assert not [url for url in asked if url.endswith("/stamp")]


@pytest.mark.parametrize("width", [360, 1280])
def test_nobody_sees_or_reaches_the_traps(crowded: RunningSite, context_at: Contexts, width: int) -> None:
    page: Page = context_at(width).new_page()
    page.goto(crowded.origin + "/consultation")
    for name in ("subject", "homepage"):
        box = page.locator(f"[name={name}]").bounding_box()
        assert box
        assert box["x"] + box["width"] < 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("[name=need]").focus()
    reached = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.name || ''"))
    assert {"phone", "details"} <= reached
    assert not {"subject", "homepage"} & reached
    assert 'textbox "请勿填写' not in page.locator("form[data-consultation]").aria_snapshot()
