"""The desk from the keyboard alone: nothing out of reach, focus always seen, letters typed stay letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.desk import Desk, Person, desk_of, row_of, tab_to
from tests.browser.running import RunningSite

pytestmark = pytest.mark.browser

Contexts = Callable[..., BrowserContext]
LEADS = 14  # more than a low window shows


@pytest.fixture(scope="module")
def desk(site: RunningSite) -> Iterator[Desk]:
    with desk_of(site) as desk:
        yield desk


@pytest.fixture(scope="module")
def seller(desk: Desk) -> Person:
    """A salesperson with enough leads to scroll."""
    person = desk.add("周敏", "sales")
    for _ in range(LEADS):
        desk.lead(person)
    return person


def own_list(desk: Desk, person: Person) -> str:
    return f"/desk/leads?owner={person.id}"


def test_from_the_sign_in_to_a_written_note_without_a_mouse(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    page = context_at(1280).new_page()
    page.goto(desk.origin + "/desk/sign-in")
    expect(page.locator("#email")).to_be_focused()
    page.keyboard.type(seller.email)
    tab_to(page, page.locator("#password"), 1)
    page.keyboard.type(seller.password)
    tab_to(page, page.locator(".sign-in__go"), 1)
    page.keyboard.press("Enter")
    page.locator(".set-up").wait_for()
    tab_to(page, page.get_by_role("button", name="以后再说"), 12)
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text("今天要打的电话")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    expect(page.get_by_role("link", name="跳到正文")).to_be_in_viewport()
    page.keyboard.press("Enter")
    tab_to(page, page.locator("[data-row] .who a").first, 16)
    page.keyboard.press("Enter")

    page.locator(".quote").wait_for()
    tab_to(page, page.get_by_role("button", name="查看号码"), 16)
    page.keyboard.press("Enter")
    page.locator("#contact .phone a").wait_for()
    tab_to(page, page.locator("#contact .phone a"), 16)
    tab_to(page, page.locator("#note"), 16)
    text = "jkx/? 记下来，下周再谈"
    desk.site.typed.add(text)
    page.keyboard.insert_text(text)
    tab_to(page, page.get_by_label("这次接通了"), 1)
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="记下来"), 1)
    page.keyboard.press("Enter")
    expect(page.locator(".told--done")).to_have_text("记下了")
    expect(page.locator("#timeline")).to_contain_text(text)


def test_j_and_k_walk_the_rows_x_ticks_and_enter_opens(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    page = desk.open(context_at(1280), seller, own_list(desk, seller))
    names, rows = page.locator("[data-row] .who a"), page.locator("[data-row]")
    page.keyboard.press("k")  # up from nowhere is the first
    expect(names.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(names.nth(2)).to_be_focused()
    expect(names.nth(2)).to_have_css("outline-style", "solid")
    page.keyboard.press("k")
    expect(names.nth(1)).to_be_focused()
    expect(page.locator("[data-row][aria-selected=true]")).to_have_count(1)
    page.keyboard.press("x")
    expect(rows.nth(1).locator("input")).to_be_checked()
    expect(page.locator("[data-row] :checked")).to_have_count(1)
    page.keyboard.press("x")
    expect(page.locator("[data-row] :checked")).to_have_count(0)
    for _ in range(LEADS + 3):
        page.keyboard.press("j")
    expect(names.last).to_be_focused()  # the last stays the last
    page.keyboard.press("k")
    address = names.nth(LEADS - 2).get_attribute("href")
    page.keyboard.press("Enter")
    expect(page).to_have_url(desk.origin + str(address))


def test_back_in_the_list_one_is_at_the_row_one_came_from(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    page = desk.open(context_at(1280), seller, own_list(desk, seller))
    for _ in range(10):
        page.keyboard.press("j")
    row = str(page.locator("[data-row][aria-selected=true]").get_attribute("id"))
    page.keyboard.press("Enter")
    page.locator(".desk-back a").click()
    expect(page).to_have_url(f"{desk.origin}{own_list(desk, seller)}#{row}")
    expect(page.locator(f"#{row} .who a")).to_be_focused()
    expect(page.locator(f"#{row}")).to_be_in_viewport()
    page.keyboard.press("j")
    expect(page.locator("[data-row] .who a").nth(10)).to_be_focused()


def test_slash_searches_and_what_is_typed_there_is_text(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    phone = desk.new_phone()
    lead = desk.lead(seller, phone=phone)
    page = desk.open(context_at(1280), seller, own_list(desk, seller))
    page.keyboard.press("/")
    find = page.locator("#find")
    expect(find).to_be_focused()
    expect(find).to_have_value("")  # the key that opened it isn't typed
    page.keyboard.type("jxk/?")
    expect(find).to_have_value("jxk/?")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(find).not_to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("[data-row] .who a").first).to_be_focused()

    page.keyboard.press("/")
    page.keyboard.press("Control+a")
    page.keyboard.type("+86 " + phone.replace(" ", "-"))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("查到的线索")
    expect(row_of(page, lead)).to_be_visible()
    assert phone[-4:] not in page.url


def test_the_question_mark_opens_the_keys_and_escape_closes_them(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    page = desk.open(context_at(1280), seller, own_list(desk, seller))
    page.keyboard.press("j")
    page.keyboard.press("?")
    keys = page.locator("#keys")
    expect(keys).to_be_visible()
    for key in ("j", "k", "Enter", "x", "/", "?"):
        expect(keys.locator("kbd", has_text=key).first).to_be_visible()
    page.keyboard.press("j")  # nothing moves behind it
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(page.locator("[data-row] .who a").first).to_be_focused()
    page.locator("[data-keys]").press("Enter")
    expect(keys).to_be_visible()
    page.keyboard.press("Enter")  # its button has focus
    expect(keys).to_be_hidden()
    expect(page.locator("[data-keys]")).to_be_focused()


@pytest.mark.parametrize("key", ["j", "k", "x", "/", "?"])
def test_letters_in_fields_stay_letters(desk: Desk, seller: Person, context_at: Contexts, key: str) -> None:
    lead = desk.site.rows("SELECT id FROM leads WHERE owner_id = ?", seller.id)[0][0]
    page = desk.open(context_at(1280), seller, f"/desk/leads/{lead}")
    for field in ("#note", "#next-step", "#find"):
        page.locator(field).focus()
        page.keyboard.press("End")
        page.keyboard.press(key)
        expect(page.locator(field)).to_be_focused()
        assert page.locator(field).input_value().endswith(key)
    page.locator("#note").fill("")


COVERED = """() => {
  const bar = document.querySelector(".bulk"), focused = document.activeElement, box = focused.getBoundingClientRect();
  if (focused === document.body || bar.contains(focused)) return "";
  const seen = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return bar.contains(seen) ? focused.closest("tr")?.id ?? focused.textContent.trim() : "";
}"""


@pytest.mark.parametrize(("width", "height"), [(1280, 600), (360, 740), (360, 480)])
def test_the_bar_for_ticked_rows_never_covers_what_has_focus(
    desk: Desk, seller: Person, context_at: Contexts, width: int, height: int
) -> None:
    page = desk.open(context_at(width), seller, own_list(desk, seller))
    page.set_viewport_size({"width": width, "height": height})
    page.keyboard.press("j")
    page.keyboard.press("x")
    covered = [press(page, key) for key in ["Tab"] * (2 * LEADS) + ["Shift+Tab"] * 6 + ["j"] * 4]
    assert [told for told in covered if told] == []


def press(page: Page, key: str) -> str:
    """Press a key; what has focus now, if the bar lies over it."""
    page.keyboard.press(key)
    return str(page.evaluate(COVERED))


def test_why_a_lead_comes_first_is_shown_by_focus_pointer_and_touch_and_escape_puts_it_away(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    page = desk.open(context_at(1280), seller, own_list(desk, seller))
    line, words = page.locator(".why__line").first, page.locator(".why__all").first
    expect(words).to_be_hidden()
    page.locator(".who a").first.focus()
    tab_to(page, line, 1)
    expect(words).to_be_visible()
    expect(words).to_contain_text("为什么排在前面")
    page.keyboard.press("Escape")
    expect(words).to_be_hidden()
    page.keyboard.press("Tab")
    line.hover()
    expect(words).to_be_visible()
    words.hover()
    expect(words).to_be_visible()
    page.keyboard.press("Escape")
    expect(words).to_be_hidden()
    page.mouse.move(0, 0)
    line.hover()
    expect(words).to_be_visible()


def test_why_a_lead_comes_first_is_shown_without_script_too(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    page = desk.open(context_at(360, script=False), seller, own_list(desk, seller))
    page.locator(".why__line").first.click()
    expect(page.locator(".why__all").first).to_be_visible()
