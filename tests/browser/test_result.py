"""A result in a real browser: tried with script and without, printed on two sheets, readable in the dark and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.browser.conftest import PageAt
from tests.browser.pages import send
from tests.browser.running import ROOT, RunningSite
from tests.browser.visitor import Scheme
from tests.health_check.results import answers_of, keep_in

from xinheng.crypto import load_keys
from xinheng.db import open_databases
from xinheng.health_check.definition import UNSURE
from xinheng.health_check.loader import load_health_check

pytestmark = pytest.mark.browser

Kept = Callable[..., str]
KINDS = ("P04", "P07", "B01", "B02", UNSURE)
SHEET = re.compile(rb"/Type\s*/Page[^s]")


@pytest.fixture
def kept(site: RunningSite) -> Kept:
    """A result on the running site; returns its address. `after` is an example that the same device did before."""

    def keep_one(example: str, *, after: str = "", **changed: str) -> str:
        check = load_health_check(ROOT / "forms", None)
        databases, keys = open_databases(site.data), load_keys(site.data / "keys")
        try:
            earlier = datetime.now(UTC) - timedelta(days=60)
            before = (
                keep_in(databases.leads, keys, check, answers_of(check, after), at=earlier)
                if after
                else ("",)
            )
            answers = answers_of(check, example, **changed)
            _, token = keep_in(databases.leads, keys, check, answers, previous=before[0] or None)
        finally:
            databases.dispose()
        return f"{site.origin}/health-check/results/{token}"

    return keep_one


def sheets(page: Page) -> int:
    return len(SHEET.findall(page.pdf(prefer_css_page_size=True)))


# --- another answer ---


def test_another_answer_moves_the_figures_without_a_reload(kept: Kept, page_at: PageAt) -> None:
    page = page_at(1280)
    address = kept("P04")
    page.goto(address)
    page.evaluate("window.stayed = true")
    page.locator("#if-oldest").select_option("61–90天")
    tried = page.locator("[data-tried]")
    expect(tried).to_contain_text("存在长账龄欠款：180天以上 → 61–90天")
    expect(tried).to_contain_text("1条红线解除")
    page.get_by_text("换别的").click()
    page.locator("#if-top1").select_option("10%以内")
    expect(tried).to_contain_text("头号客户占比偏高：20%–30% → 10%以内")
    assert page.url == f"{address}?if-oldest=d61_90&if-top1=le10"
    page.get_by_text("还原", exact=True).click()
    expect(tried).to_contain_text("选一个别的答案")
    assert page.url == address
    assert page.evaluate("window.stayed") is True


def test_without_script_the_button_does_the_same(kept: Kept, page_at: PageAt) -> None:
    page = page_at(360, script=False)
    page.goto(kept("P04"))
    page.locator("#if-oldest").select_option("61–90天")
    page.get_by_role("button", name="重新算").click()
    tried = page.locator("[data-tried]")
    expect(tried).to_contain_text("存在长账龄欠款：180天以上 → 61–90天")
    expect(tried).to_contain_text("高 → 偏高")
    page.get_by_role("link", name="还原").click()
    expect(tried).to_contain_text("选一个别的答案")


def test_what_was_tried_opens_again_with_its_address(kept: Kept, page_at: PageAt) -> None:
    page = page_at(1280, script=False)
    page.goto(kept("P04") + "?if-hold=block")
    expect(page.locator("#if-hold")).to_be_visible()
    expect(page.locator("[data-tried]")).to_contain_text("超额度仍继续发货")


# --- on paper ---


@pytest.mark.parametrize("example", ["P01", *KINDS])
def test_it_prints_on_two_sheets(kept: Kept, page_at: PageAt, example: str) -> None:
    page = page_at(1280)
    page.goto(kept(example))
    assert sheets(page) == 2


def test_with_much_unsure_and_one_before_it_prints_on_two_sheets(kept: Kept, page_at: PageAt) -> None:
    unsure = dict.fromkeys(("new_check", "limit", "dso", "ageing", "followup", "cash_months"), UNSURE)
    page = page_at(1280)
    page.goto(kept("P07", after="P04", top1="gt50", oldest="d180p", **unsure))
    assert sheets(page) == 2


def test_on_paper_it_says_whose_it_is_and_leaves_out_what_only_a_screen_can(
    kept: Kept, page_at: PageAt
) -> None:
    page = page_at(1280)
    page.goto(kept("P04", after="P08"))
    page.emulate_media(media="print")
    imprint = page.locator("p.print-only")
    expect(imprint).to_contain_text("信衡信用管理有限公司")
    expect(imprint).to_contain_text(re.compile(r"自查编号 HC-\w{5}-\w{5}"))
    expect(imprint).to_contain_text("问卷版本1.0")
    expect(imprint).to_contain_text("中等，31分")
    for screen_only in ("#what-if", "#consultation", ".result-tools", ".masthead__nav", ".kept", ".footer"):
        expect(page.locator(screen_only).first).to_be_hidden()
    for both in (".verdict", ".dimensions", ".money", ".disclaimer", "table"):
        expect(page.locator(both).first).to_be_visible()


# --- for everybody ---


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(kept: Kept, page_at: PageAt, scheme: Scheme, width: int) -> None:
    page = page_at(width, scheme=scheme)
    faults = []
    for address in (kept("P04"), kept(UNSURE), kept("P08", after="P04") + "?if-top1=le10&if-hold=block"):
        page.goto(address)
        page.locator("details").evaluate_all("(all) => all.forEach((each) => (each.open = true))")
        found = Axe().run(page)
        if found.violations_count:
            faults.append(found.generate_report())
    assert not faults, "\n".join(faults)


def test_nothing_is_wider_than_a_small_phone(kept: Kept, page_at: PageAt) -> None:
    page = page_at(360)
    for address in (*map(kept, KINDS), kept("P08", after="P04") + "?if-top1=gt50&if-hold=block"):
        page.goto(address)
        page.locator("details").evaluate_all("(all) => all.forEach((each) => (each.open = true))")
        assert page.evaluate("document.scrollingElement.scrollWidth") == 360


def test_the_result_goes_along_only_where_its_box_is_ticked(
    kept: Kept, site: RunningSite, page_at: PageAt
) -> None:
    page = page_at(360)
    address = kept("P04")
    page.goto(address)
    box = page.get_by_label("把这次自查的答案和结果附给顾问")
    expect(box).not_to_be_checked()
    box.check()
    send(page, site, phone="139 7462 5813")
    page.goto(address)
    expect(page.get_by_text("已经附在您的咨询里")).to_be_visible()
