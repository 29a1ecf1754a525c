"""Reading: what is kept, counted, copied, found, unfolded and printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.conftest import PageAt
from tests.browser.running import RunningSite

pytestmark = pytest.mark.browser

SLUG = "dso-how-to-measure-and-lower"
ARTICLE = f"/articles/{SLUG}"
NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
"""
HIDDEN = """
Object.defineProperty(Document.prototype, "visibilityState", { configurable: true, get: () => window.seen ?? "hidden" });
"""
SHOW = """() => {
  window.seen = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def stop_clock(context: BrowserContext) -> None:
    """Time goes on only where a test says so, however slow the machine is."""
    now = datetime.now(UTC)
    context.clock.install(time=now)
    context.clock.pause_at(now + timedelta(seconds=1))


def keep(page: Page) -> None:
    with page.expect_response(lambda response: response.url.endswith("/favourite")) as answer:
        page.locator("[data-favourite]").click()
    assert answer.value.ok


def kept_on_devices(site: RunningSite, slug: str) -> int:
    query = "SELECT count(*) FROM favourites WHERE article = ?"
    return int(site.rows(query, slug, database="counters")[0][0])


def test_a_kept_article_stands_on_the_list_until_it_is_dropped(site: RunningSite, page_at: PageAt) -> None:
    before = kept_on_devices(site, SLUG)
    page = page_at(360)
    page.goto(site.origin + ARTICLE)
    title = page.locator("h1").inner_text()
    button = page.get_by_role("button", name="收藏")
    expect(button).to_have_attribute("aria-pressed", "false")
    keep(page)
    expect(page.get_by_role("button", name="已收藏")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-status]")).to_have_text("已收藏，共1篇")
    assert kept_on_devices(site, SLUG) == before + 1

    page.goto(site.origin + "/articles/ageing-report")
    keep(page)
    for _ in range(2):  # and it survives a reload
        page.goto(site.origin + "/favourites")
        expect(page.locator("[data-kept-list] h2")).to_have_count(2)
    expect(page.locator("[data-kept-list] h2").last).to_have_text(title)  # what was kept last comes first
    page.reload()
    expect(page.locator("[data-kept-list] h2")).to_have_count(2)

    page.get_by_role("link", name=title).click()
    keep(page)
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-status]")).to_have_text("已取消收藏")
    assert kept_on_devices(site, SLUG) == before
    page.goto(site.origin + "/favourites")
    expect(page.locator("[data-kept-list] h2")).to_have_count(1)


def test_keeping_twice_on_one_device_counts_once(site: RunningSite, page_at: PageAt) -> None:
    before = kept_on_devices(site, "shipping-hold")
    page = page_at(1280)
    page.goto(site.origin + "/articles/shipping-hold")
    for _ in range(3):
        keep(page)
    assert kept_on_devices(site, "shipping-hold") == before + 1


def test_an_empty_list_says_how_to_fill_it(site: RunningSite, page_at: PageAt) -> None:
    for script in (True, False):
        page = page_at(360, script=script)
        page.goto(site.origin + "/favourites")
        expect(page.locator("[data-kept-list]")).to_contain_text("还没有收藏")
        expect(page.get_by_role("link", name="去看文章")).to_be_visible()


def test_where_the_browser_keeps_nothing_pages_work_and_promise_nothing(
    site: RunningSite, context_at: Callable[..., BrowserContext]
) -> None:
    context = context_at(360)
    context.add_init_script(NO_STORAGE)
    page = context.new_page()
    for path in ("/", "/favourites", "/consultation", ARTICLE):
        page.goto(site.origin + path)
        expect(page.locator("h1")).to_be_visible()
    page.locator("[data-favourite]").click()
    expect(page.locator("[data-favourite]")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-status]")).not_to_have_text("")
    expect(page.locator("[data-status]")).not_to_contain_text("已收藏")
    page.locator("#phone").focus()
    expect(page.locator("[name=submission_id]")).to_have_value(re.compile("^[0-9a-f]{32}$"))


def test_without_script_there_are_no_buttons_that_do_nothing(site: RunningSite, page_at: PageAt) -> None:
    page = page_at(360, script=False)
    page.goto(site.origin + ARTICLE)
    expect(page.locator(".byline")).to_be_visible()
    expect(page.locator(".byline button:visible")).to_have_count(0)


def test_a_read_counts_once_after_three_seconds_in_sight(
    site: RunningSite, context_at: Callable[..., BrowserContext]
) -> None:
    slug = "repayment-plan"
    before = site.reads(slug)
    context = context_at(1280)
    stop_clock(context)
    sent: list[str] = []
    context.on(
        "request", lambda request: sent.append(request.url) if request.url.endswith("/reads") else None
    )
    page = context.new_page()
    page.goto(f"{site.origin}/articles/{slug}")
    page.clock.run_for(2_500)
    assert sent == []
    with page.expect_response("**/reads"):
        page.clock.run_for(600)
    shown = page.locator(f".byline [data-reads={slug}]")
    expect(shown).to_have_text(str(before + 1))
    flushed(page, site, slug, before + 1)

    with page.expect_response("**/reads"):
        page.reload()
        page.clock.run_for(3_100)
    expect(shown).to_have_text(re.compile(rf"^({before + 1}|{before + 2})$"))  # held ones are not decided yet
    page.wait_for_timeout(1_500)  # a flush later
    assert site.reads(slug) == before + 1
    page.goto(site.origin + "/articles/")
    other = context_at(1280).new_page()
    other.goto(f"{site.origin}/articles/{slug}")
    expect(other.locator(f".byline [data-reads={slug}]")).to_have_text(str(before + 1))


def flushed(page: Page, site: RunningSite, slug: str, reads: int) -> None:
    """Wait until the stored count is the number expected."""
    for _ in range(50):
        if site.reads(slug) == reads:
            return
        page.wait_for_timeout(100)
    assert site.reads(slug) == reads


def test_a_page_opened_in_the_background_counts_when_it_has_been_looked_at(
    site: RunningSite, context_at: Callable[..., BrowserContext]
) -> None:
    context = context_at(1280)
    stop_clock(context)
    context.add_init_script(HIDDEN)
    sent: list[str] = []
    context.on(
        "request", lambda request: sent.append(request.url) if request.url.endswith("/reads") else None
    )
    page = context.new_page()
    page.goto(f"{site.origin}/articles/overdue-collection-ladder")
    page.clock.run_for(60_000)
    assert sent == []
    page.evaluate(SHOW)
    with page.expect_response("**/reads"):
        page.clock.run_for(3_100)


def test_a_list_shows_the_count_of_now_not_that_of_the_cache(site: RunningSite, page_at: PageAt) -> None:
    page = page_at(360)
    with page.expect_response("**/read-counts?*") as answer:
        page.goto(site.origin + "/articles/")
    for slug, reads in answer.value.json().items():
        expect(page.locator(f"[data-reads={slug}]")).to_have_text(f"{reads:,}")


def test_the_copied_link_is_the_articles_own_address(
    site: RunningSite, context_at: Callable[..., BrowserContext]
) -> None:
    context = context_at(1280)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site.origin}{ARTICLE}?utm_source=weixin&from=timeline")
    page.get_by_role("button", name="复制链接").click()
    expect(page.get_by_role("button", name="已复制")).to_be_visible()
    expect(page.locator("[data-status]")).to_have_text("链接已复制")
    assert page.evaluate("() => navigator.clipboard.readText()") == site.origin + ARTICLE


def test_every_entry_of_the_contents_leads_to_its_heading(site: RunningSite, page_at: PageAt) -> None:
    for width in (360, 1280):
        page = page_at(width)
        page.goto(site.origin + ARTICLE)
        entries = page.locator(".toc a[href^='#']")
        assert entries.count() > 3
        for entry in entries.all():
            entry.click()
            heading = page.locator(f'[id="{(entry.get_attribute("href") or "")[1:]}"]')
            expect(heading).to_have_text(entry.inner_text())
            expect(heading).to_be_in_viewport()


def test_a_note_leads_to_its_source_and_back(site: RunningSite, page_at: PageAt) -> None:
    page = page_at(360)
    page.goto(site.origin + ARTICLE)
    page.locator('.text a[href="#source-1"]').first.click()
    expect(page.locator("#source-1")).to_be_in_viewport()
    page.locator('#source-1 a[href="#cite-1"]').click()
    expect(page.locator("#cite-1")).to_be_in_viewport()


def test_a_question_opens_to_its_answer_with_a_tap_and_with_the_keyboard(
    site: RunningSite, page_at: PageAt
) -> None:
    for script in (True, False):
        page = page_at(360, script=script)
        page.goto(site.origin + ARTICLE)
        questions = page.locator(".faq details")
        assert questions.count() >= 3
        expect(questions.first).to_have_js_property("open", True)  # it shows that there is something to open
        for question, way in ((questions.nth(1), "tap"), (questions.last, "keyboard")):
            answer = question.locator("> :not(summary)").first
            expect(answer).to_be_hidden()
            summary = question.locator("summary")
            if way == "tap":
                summary.tap()
            else:
                summary.press("Enter")
            expect(answer).to_be_visible()


def test_search_finds_a_word_of_two_characters_without_script(site: RunningSite, page_at: PageAt) -> None:
    page = page_at(1280, script=False)
    page.goto(site.origin + "/")
    page.get_by_role("searchbox", name="搜索文章").fill("坏账")
    page.get_by_role("button", name="搜索").click()
    expect(page.locator("h1")).to_have_text("“坏账”")
    rows = page.locator(".article-list > li")
    assert rows.count() > 0
    expect(page.get_by_role("status")).to_have_text(f"找到{rows.count()}篇。")
    expect(rows.first.locator("mark").first).to_have_text("坏账")
    rows.first.get_by_role("heading").get_by_role("link").click()
    expect(page.locator("article")).to_contain_text("坏账")


def test_search_that_finds_nothing_offers_other_ways(site: RunningSite, page_at: PageAt) -> None:
    page = page_at(360)
    page.goto(site.origin + "/search?q=量子纠缠")
    expect(page.get_by_role("status")).to_have_text("没有找到。")
    expect(page.get_by_role("searchbox", name="搜什么")).to_have_value("量子纠缠")
    expect(page.get_by_role("navigation", name="栏目").get_by_role("link").first).to_be_visible()


def test_on_paper_an_article_has_its_label_and_answers_and_no_form(
    site: RunningSite, page_at: PageAt
) -> None:
    page = page_at(1280)
    page.goto(site.origin + ARTICLE)
    page.emulate_media(media="print")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".ai-label").first).to_be_visible()
    expect(page.locator(".ai-label").last).to_be_visible()
    expect(page.locator(".sources")).to_be_visible()
    for part in (".consult", ".phone-bar", ".masthead__nav", ".masthead__search", ".byline__tools", ".toc"):
        expect(page.locator(part)).to_be_hidden()
    for answer in page.locator(".faq details > :not(summary)").all():
        expect(answer).to_be_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
