"""The visitor's road: from an article through the form to a reference number, in every way people take it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from tests.browser.conftest import PageAt
from tests.browser.pages import arrived, send
from tests.browser.running import FORM, NOT_A_PHONE, RunningSite
from tests.browser.visitor import error_of, fill, submit, typed

pytestmark = pytest.mark.browser

ARTICLE = "/articles/customer-overdue-first-30-days"
REQUIRED = ("need", "phone", "details", "consent")
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script on", "script off"])


def test_a_reader_mends_mistakes_beside_the_fields_and_gets_a_reference(
    site: RunningSite, page_at: PageAt
) -> None:
    before = site.enquiries()
    page = page_at(1280)
    page.goto(site.origin + ARTICLE)
    fill(page, {"phone": "12"})
    page.locator("#details").focus()
    expect(page.locator(".field__error:visible")).to_have_count(0)  # nobody is told off before the first try

    submit(page).click()
    for name in REQUIRED:
        expect(error_of(page, name)).to_be_visible()
        expect(page.locator(f"#{name}")).to_have_attribute("aria-invalid", "true")
        expect(page.locator(f"#{name}")).to_have_attribute(
            "aria-describedby", re.compile(rf"\b{name}-error\b")
        )
    expect(page.locator("#need")).to_be_focused()
    assert page.url == site.origin + ARTICLE

    fill(page, {name: value for name, value in FORM.items() if name != "details"})
    page.locator("#details").focus()
    for name in ("need", "phone", "consent"):
        expect(error_of(page, name)).to_be_hidden()
        expect(page.locator(f"#{name}")).not_to_have_attribute("aria-invalid", "true")
    expect(error_of(page, "details")).to_be_visible()

    fill(page, FORM)
    submit(page).click()
    assert site.rows("SELECT article FROM enquiries WHERE reference LIKE ?", stored_form(arrived(page)))[0][0]
    assert site.enquiries() == before + 1


def stored_form(reference: str) -> str:
    """A shown reference as a pattern of the stored one, which may have no hyphens."""
    return "%".join(reference)


def test_what_only_the_server_knows_comes_back_with_a_summary_and_all_that_was_typed(
    site: RunningSite, page_at: PageAt
) -> None:
    page = page_at(1280)
    page.goto(site.origin + ARTICLE)
    words = FORM | {"phone": NOT_A_PHONE}
    fill(page, words)
    submit(page).click()

    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile("^错误："))
    message = summary.locator("li").inner_text()
    assert "例如" in message
    expect(error_of(page, "phone")).to_have_text(message)
    assert typed(page) == words | {"consent": True}

    summary.get_by_role("link", name=message).click()
    expect(page.locator("#phone")).to_be_focused()
    fill(page, {"phone": FORM["phone"]})
    submit(page).click()
    row = stored(site, arrived(page))
    assert row["article"] == ARTICLE.rpartition("/")[2], "the article isn't lost by the way round"


def test_without_script_the_server_says_what_is_missing_and_the_link_leads_to_the_field(
    site: RunningSite, page_at: PageAt
) -> None:
    before = site.enquiries()
    page = page_at(360, script=False)
    page.goto(site.origin + ARTICLE)
    words = FORM | {"phone": "", "consent": ""}
    fill(page, words)
    submit(page).click()

    expect(page.locator(".error-summary li")).to_have_count(2)
    assert typed(page) == words | {"consent": False}
    for name in ("phone", "consent"):
        link = page.locator(f'.error-summary a[href="#{name}"]')
        expect(error_of(page, name)).to_have_text(link.inner_text())
        link.click()
        expect(page.locator(f"#{name}")).to_be_focused()
        expect(page.locator(f"#{name}")).to_be_in_viewport()

    assert site.enquiries() == before
    fill(page, {"phone": "139 0013 8001", "consent": "yes"})
    site.typed.add("139 0013 8001")
    submit(page).click()
    row = stored(site, arrived(page))
    assert row["article"] == ARTICLE.rpartition("/")[2]
    assert site.enquiries() == before + 1


def stored(site: RunningSite, reference: str) -> dict[str, str]:
    """The enquiry's row."""
    found = site.rows("SELECT * FROM enquiries WHERE reference LIKE ?", stored_form(reference))
    assert len(found) == 1
    return dict(found[0])


@SCRIPT
def test_a_double_click_makes_one_enquiry(site: RunningSite, page_at: PageAt, script: bool) -> None:
    before = site.enquiries()
    page = page_at(1280, script=script)
    page.goto(site.origin + "/consultation")
    words = FORM | {"details": f"双击提交，脚本{script}"}
    site.typed.add(words["details"])
    fill(page, words)
    submit(page).dblclick()
    arrived(page)
    assert site.enquiries() == before + 1


@SCRIPT
def test_reloading_the_thank_you_page_shows_the_same_reference_and_sends_nothing(
    site: RunningSite, page_at: PageAt, script: bool
) -> None:
    page = page_at(360, script=script)
    page.goto(site.origin + "/consultation")
    reference = send(page, site, details=f"重新加载，脚本{script}")
    before = site.enquiries()
    page.reload()
    assert arrived(page) == reference
    assert site.enquiries() == before
    for word in (FORM["name"], FORM["phone"], "重新加载"):
        expect(page.locator("body")).not_to_contain_text(word)


@SCRIPT
def test_back_and_the_same_words_again_is_the_same_enquiry(
    site: RunningSite, page_at: PageAt, script: bool
) -> None:
    before = site.enquiries()
    page = page_at(1280, script=script)
    page.goto(site.origin + ARTICLE)
    reference = send(page, site, details=f"退回再交，脚本{script}")
    page.go_back()
    expect(submit(page)).to_have_text(re.compile("提交，等顾问回电"))
    submit(page).click()  # the browser has put back what was typed
    assert arrived(page) == reference
    assert site.enquiries() == before + 1


def test_back_and_the_same_words_typed_again_is_the_same_enquiry(site: RunningSite, page_at: PageAt) -> None:
    before = site.enquiries()
    page = page_at(1280)
    page.goto(site.origin + "/consultation")
    reference = send(page, site, details="退回重写一遍")
    page.go_back()
    fill(page, {"details": "退回"})
    assert send(page, site, details="退回重写一遍") == reference
    assert site.enquiries() == before + 1


@SCRIPT
def test_back_and_other_words_is_a_second_enquiry(site: RunningSite, page_at: PageAt, script: bool) -> None:
    before = site.enquiries()
    page = page_at(1280, script=script)
    page.goto(site.origin + ARTICLE)
    reference = send(page, site, details=f"第一件事，脚本{script}")
    page.go_back()
    assert send(page, site, details=f"第二件事，脚本{script}") != reference
    assert site.enquiries() == before + 2


@SCRIPT
def test_two_browsers_on_one_cached_page_make_two_enquiries(
    site: RunningSite, context_at: Callable[..., BrowserContext], script: bool
) -> None:
    """A cache between us and them gives both the very same bytes."""
    before = site.enquiries()
    address = site.origin + ARTICLE
    contexts = [context_at(1280, script=script), context_at(360, script=script)]
    cached = contexts[0].request.get(address)
    references = set()
    for context, phone in zip(contexts, ("137 0013 8001", "137 0013 8002"), strict=True):
        context.route(address, lambda route: answer_from_cache(route, cached))
        page = context.new_page()
        page.goto(address)
        references.add(send(page, site, phone=phone, details=f"同一缓存页，脚本{script}"))
    assert len(references) == 2
    assert site.enquiries() == before + 2


def answer_from_cache(route: Route, cached: object) -> None:
    if route.request.method == "GET":
        route.fulfill(response=cached)  # type: ignore[arg-type]
    else:
        route.continue_()


def test_two_browsers_with_the_same_words_and_phone_are_two_where_script_tells_them_apart(
    site: RunningSite, page_at: PageAt
) -> None:
    references = set()
    for width in (1280, 360):
        page = page_at(width)
        page.goto(site.origin + "/consultation")
        references.add(send(page, site, details="同样的话，两台设备"))
    assert len(references) == 2


def test_the_whole_form_works_from_the_keyboard_with_focus_always_seen(
    site: RunningSite, page_at: PageAt
) -> None:
    page = page_at(1280)
    page.goto(site.origin + "/consultation")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    expect(page.get_by_role("link", name="跳到正文")).to_be_in_viewport()
    page.keyboard.press("Enter")
    for name, keys in [
        ("need", ["ArrowDown"]),
        ("name", [*FORM["name"]]),
        ("phone", [*FORM["phone"]]),
        ("details", [*"只用键盘。"]),
        ("call_time", ["ArrowDown"]),
    ]:
        tab_to(page, page.locator(f"#{name}"))
        for key in keys:
            page.keyboard.press(key) if len(key) > 1 else page.keyboard.insert_text(key)
    tab_to(page, page.locator("#consent"))
    page.keyboard.press("Space")
    tab_to(page, submit(page))
    page.keyboard.press("Enter")
    arrived(page)


def tab_to(page: Page, target: Locator, most: int = 4) -> None:
    """Press Tab until the target has focus, at most a few times; each stop shows that it has it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        expect(focused).to_have_css("outline-style", "solid")
        expect(focused).to_have_css("outline-width", "3px")
        if target.evaluate("element => element === document.activeElement"):
            return
    expect(target).to_be_focused()


def test_with_the_keyboard_a_mistake_takes_focus_to_the_first_wrong_field(
    site: RunningSite, page_at: PageAt
) -> None:
    page = page_at(1280)
    page.goto(site.origin + "/consultation")
    fill(page, {"need": "overdue"})
    page.locator("#name").press("Enter")
    expect(page.locator("#phone")).to_be_focused()


def test_the_id_is_made_in_the_browser_and_not_before_someone_writes(
    site: RunningSite, page_at: PageAt
) -> None:
    for path in (ARTICLE, "/consultation"):
        html = site.get(path).text
        field = re.search(r'<input[^>]*name="submission_id"[^>]*>', html)
        assert field
        assert 'value=""' in field.group()
        page = page_at(360)
        page.goto(site.origin + path)
        hidden = page.locator("[name=submission_id]")
        expect(hidden).to_have_value("")
        page.locator("#phone").focus()
        expect(hidden).to_have_value(re.compile("^[0-9a-f]{32}$"))


def test_an_enquiry_tells_from_which_article_it_came_and_which_were_read(
    site: RunningSite, page_at: PageAt
) -> None:
    page = page_at(1280)
    with page.expect_response("**/articles/ageing-report/reads"):
        page.goto(
            site.origin + "/articles/ageing-report?utm_source=weixin&utm_campaign=march",
            referer="https://www.baidu.com/s?wd=secret",
        )
    with page.expect_response(f"**{ARTICLE}/reads"):
        page.goto(site.origin + ARTICLE, referer=site.origin + "/articles/ageing-report")
    reference = send(page, site, details="看了两篇文章再来问")

    row = stored(site, reference)
    assert row["page"] == ARTICLE
    assert row["article"] == "customer-overdue-first-30-days"
    assert json.loads(row["articles_read"]) == ["customer-overdue-first-30-days", "ageing-report"]
    first = json.loads(row["first_touch"])
    assert first == {
        "host": "www.baidu.com",
        "path": "/articles/ageing-report",
        "utm": {"utm_source": "weixin", "utm_campaign": "march"},
    }
    assert "secret" not in str(row)


@SCRIPT
def test_every_consent_is_stored_as_it_was_ticked(site: RunningSite, page_at: PageAt, script: bool) -> None:
    page = page_at(360, script=script)
    page.goto(site.origin + "/consultation")
    expect(page.locator("#consent")).not_to_be_checked()
    expect(page.locator("#marketing")).not_to_be_checked()
    reference = send(page, site, details=f"只同意回电，脚本{script}")
    query = "SELECT purpose FROM consents WHERE enquiry_id = ?"
    assert [row[0] for row in site.rows(query, stored(site, reference)["id"])] == ["callback"]
