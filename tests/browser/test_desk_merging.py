"""Duplicates at the desk: two leads become one and two again, one becomes two; with a script and without, on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.desk import Desk, Person, desk_of, tab_to
from tests.browser.running import RunningSite, copy_of_site

pytestmark = pytest.mark.browser

Contexts = Callable[..., BrowserContext]
KINDS = pytest.mark.parametrize(
    ("width", "script"),
    [(1280, True), (360, True), (360, False)],
    ids=["desk", "phone", "phone without script"],
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site of this module's own, so that its lists hold nothing else."""
    running = RunningSite(copy_of_site(tmp_path_factory.mktemp("merging")), workers=2)
    running.start()
    try:
        yield running
        running.stop()
    finally:
        running.kill()


@pytest.fixture(scope="module")
def desk(running: RunningSite) -> Iterator[Desk]:
    with desk_of(running) as desk:
        yield desk


@pytest.fixture(scope="module")
def seller(desk: Desk) -> Person:
    return desk.add("周敏", "sales")


def open_lead(desk: Desk, page: Page, person: Person, lead_id: str) -> None:
    desk.open(page.context, person, f"/desk/leads/{lead_id}", page)


@KINDS
def test_two_leads_of_one_landline_are_merged_and_taken_apart_again(
    desk: Desk, seller: Person, context_at: Contexts, width: int, script: bool
) -> None:
    phone = f"021-6395{1000 + width + script}"
    kept = desk.lead(seller, phone=phone, name="陈女士", details="第一次问")
    other = desk.lead(seller, phone=f"{phone} 转 8", name="老陈", details="第二次问")
    page = context_at(width, script=script).new_page()
    open_lead(desk, page, seller, kept)
    expect(page.locator("#ties")).to_contain_text("同一座机")
    page.locator("#ties").get_by_role("link", name="合并……").first.click()
    page.get_by_role("group", name="称呼").get_by_label("老*").check()
    page.locator(".merge-form .button").click()
    expect(page.locator(".told--done")).to_contain_text("合并好了")
    expect(page.locator("#timeline")).to_contain_text("第一次问")
    expect(page.locator("#timeline")).to_contain_text("第二次问")
    assert desk.opened(kept, "name") == "老陈"
    page.goto(f"{desk.origin}/desk/leads/{other}")
    expect(page).to_have_url(f"{desk.origin}/desk/leads/{kept}")
    page.get_by_role("button", name="撤销合并").click()
    expect(page.locator(".told--done")).to_contain_text("又是两条线索了")
    assert [desk.opened(each, "name") for each in (kept, other)] == ["陈女士", "老陈"]
    page.get_by_role("button", name="不是同一人").first.click()
    expect(page.locator("#ties h3").first).to_have_text("不是同一人")
    assert desk.recorded("merge", kept) == desk.recorded("unmerge", kept) == 1


@KINDS
def test_two_people_behind_one_mobile_are_split(
    desk: Desk, seller: Person, context_at: Contexts, width: int, script: bool
) -> None:
    phone = desk.new_phone()
    for name in ("张先生", "李女士"):
        lead_id = desk.lead(seller, phone=phone, name=name, details=f"{name}问的")
    page = context_at(width, script=script).new_page()
    open_lead(desk, page, seller, lead_id)
    page.get_by_role("link", name="拆成两条……").click()
    page.get_by_role("button", name="拆成两条").click()
    expect(page.get_by_role("alert")).to_contain_text("请勾选")
    page.get_by_label("李**").check()
    page.get_by_role("button", name="拆成两条").click()
    expect(page.locator(".told--done")).to_contain_text("拆好了")
    expect(page.locator("h1")).to_have_text("李**")
    expect(page.locator("#timeline")).not_to_contain_text("张先生问的")
    page.locator("#ties li a").first.click()
    expect(page.locator("h1")).to_have_text("张**")
    expect(page.locator("#ties")).to_contain_text("同一手机")
    assert desk.lead(phone=phone, name="李女士", details="又来了") != lead_id


def test_a_merge_is_chosen_and_made_with_the_keyboard(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    kept, other = (desk.lead(seller, name=name) for name in ("陈女士", "老陈"))
    page = context_at(1280).new_page()
    desk.open(page.context, seller, f"/desk/leads/{kept}/merge/{other}", page)
    mine = page.get_by_role("group", name="称呼").locator("input").first
    mine.focus()
    page.keyboard.press("ArrowDown")
    theirs = page.get_by_role("group", name="称呼").locator("input").nth(1)
    expect(theirs).to_be_checked()
    tab_to(page, page.locator(".merge-form .button"), most=12)
    page.keyboard.press("Enter")
    expect(page.locator(".told--done")).to_contain_text("合并好了")
    assert desk.opened(kept, "name") == "老陈"


def test_a_colleague_who_changes_one_meanwhile_stops_the_merge_and_the_choice_stays(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    kept, other = (desk.lead(seller, name=name) for name in ("陈女士", "老陈"))
    page = context_at(1280).new_page()
    desk.open(page.context, seller, f"/desk/leads/{kept}/merge/{other}", page)
    page.get_by_role("group", name="称呼").get_by_label("老*").check()
    desk.assign(other, desk.add("李强", "sales"))
    desk.assign(other, seller)
    page.locator(".merge-form .button").click()
    expect(page.locator(".error-summary")).to_contain_text("还没有合并")
    expect(page.get_by_role("group", name="称呼").get_by_label("老*")).to_be_checked()
    page.locator(".merge-form .button").click()
    expect(page.locator(".told--done")).to_contain_text("合并好了")
