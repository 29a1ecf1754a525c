"""A working day at the desk and the weekend after it, which 调休 cuts short: nobody is forgotten, nobody is there twice,
and the figures say what happened."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from tests.browser.desk import Desk, desk_of, eventually, row_of
from tests.browser.moved_clock import MovedClock
from tests.browser.pages import send
from tests.browser.running import RunningSite, copy_of_site

from xinheng.settings import SHANGHAI

pytestmark = pytest.mark.browser

Contexts = Callable[..., BrowserContext]
ARTICLE = "/articles/ageing-report"
LANDLINE = "0571-8795 2260"


class Day:
    """The site on a day of its own, with those who work there."""

    def __init__(self, root: Path, site: RunningSite, clock: MovedClock, desk: Desk) -> None:
        self.root = root
        self.site = site
        self.desk = desk
        self._clock = clock
        self.zhou, self.wu = desk.add("周敏", "sales"), desk.add("吴凯", "sales")
        self.han = desk.add("韩雪", "sales_lead")

    def at(self, moment: str) -> None:
        """It is `moment` in Shanghai now: who was signed in isn't any more, and what is due is looked at."""
        self._clock.to(datetime.fromisoformat(moment).replace(tzinfo=SHANGHAI))
        outbox = self.site.outbox()
        os.kill(outbox, signal.SIGTERM)
        assert eventually(lambda: outbox not in self._outboxes())
        for person in (self.zhou, self.wu, self.han):
            self.desk.end_sessions(person)

    def told(self, lead: str) -> list[str]:
        """What staff were told of a lead, oldest first: the kinds of its notices."""
        query = (
            "SELECT DISTINCT outbox.kind FROM outbox JOIN enquiries ON enquiries.reference = outbox.reference"
            " WHERE enquiries.lead_id = ? ORDER BY outbox.created_at"
        )
        return [kind for (kind,) in self.site.rows(query, lead)]

    def told_since(self, lead: str, kind: str) -> str:
        """The moment (UTC) of the first notice of a kind."""
        query = (
            "SELECT min(outbox.created_at) FROM outbox JOIN enquiries ON enquiries.reference = outbox.reference"
            " WHERE enquiries.lead_id = ? AND outbox.kind = ?"
        )
        return str(self.site.rows(query, lead, kind)[0][0])

    def _outboxes(self) -> list[int]:
        try:
            return [self.site.outbox()]
        except ValueError:  # the old one is gone, and the new one not there yet
            return []


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    root = tmp_path / "site"
    root.mkdir()
    copy_of_site(root)
    article = root / "content" / "articles" / "ageing-report.md"
    article.write_text(
        re.sub(r"^published: .*", "published: 2026-03-02 10:05", article.read_text("utf-8"), flags=re.M)
    )
    clock = MovedClock(root, tmp_path / "jump")
    clock.to(datetime(2026, 9, 18, 9, 5, tzinfo=SHANGHAI))
    site = RunningSite(root, workers=2)
    site.start()
    try:
        with desk_of(site) as desk:
            yield Day(root, site, clock, desk)
        site.stop()
    finally:
        site.kill()


def test_three_leads_arrive_and_nobody_is_forgotten(day: Day, context_at: Contexts) -> None:
    called = one_arrives_in_the_morning(day, context_at)
    one_is_called(day, context_at, called)
    forgotten, doubled = two_arrive_in_the_afternoon(day)
    one_is_given_and_left_alone(day, context_at, forgotten)
    it_escalates_over_the_weekend(day, context_at, forgotten)
    the_duplicate_is_merged_undone_and_split(day, context_at, doubled)
    one_is_won(day, context_at, called)
    the_funnel_shows_it(day, context_at)
    an_export_is_made_and_opened(day, context_at)


def one_arrives_in_the_morning(day: Day, context_at: Contexts) -> str:
    """From a search, over an article."""
    page = context_at(360).new_page()
    with page.expect_response(f"**{ARTICLE}/reads"):
        page.goto(day.site.origin + ARTICLE, referer="https://www.baidu.com/s?wd=x")
    return day.desk.lead_of(send(page, day.site, name="张女士", phone=day.desk.new_phone()))


def two_arrive_in_the_afternoon(day: Day) -> tuple[str, str]:
    """One whom nobody will call, and one of a landline, who asks twice."""
    day.at("2026-09-18T16:30")
    forgotten = day.desk.lead(name="李先生", need="overdue")
    doubled = day.desk.lead(name="王经理", phone=LANDLINE, details="想问账期怎么谈")
    day.desk.lead(name="王经理", phone=f"{LANDLINE} 转 3", details="上午打过电话，再留一次")
    return forgotten, doubled


def one_is_called(day: Day, context_at: Contexts, lead: str) -> None:
    """周敏 takes it, and the person answers: in time."""
    page = day.desk.open(context_at(1280), day.zhou)
    row_of(page, lead).locator(".who a").click()
    page.get_by_role("button", name="认领").click()
    page.locator("#note").fill("接通了，下周一前给方案")
    page.get_by_label("接通了").check()
    page.get_by_role("button", name="记下").click()
    expect(page.locator("#main")).to_contain_text("下一步")
    page.goto(f"{day.desk.origin}/desk/leads/{lead}")
    expect(page.locator("#status [aria-current=step]")).to_have_text("已联系")
    expect(first_response(page)).to_contain_text("按时")


def one_is_given_and_left_alone(day: Day, context_at: Contexts, lead: str) -> None:
    """韩雪 gives it to 周敏 at half past four on Friday: two working hours end on Sunday at half past nine."""
    page = day.desk.open(context_at(1280), day.han, f"/desk/leads/{lead}")
    expect(first_response(page)).to_contain_text("9月20日 09:30")
    page.locator("#owner").select_option(label="周敏")
    page.get_by_role("button", name="转交").click()
    expect(page.locator(".told--done")).to_contain_text("周敏")


def it_escalates_over_the_weekend(day: Day, context_at: Contexts, lead: str) -> None:
    """Saturday is off and nobody is told anything; Sunday is worked in its place."""
    told = day.told(lead)
    day.at("2026-09-19T11:00")
    assert not eventually(lambda: day.told(lead) != told, within=5)
    day.at("2026-09-20T09:10")
    assert eventually(lambda: "due_soon" in day.told(lead))
    assert day.told_since(lead, "due_soon") >= "2026-09-20", (
        "nothing on Saturday, however late it was looked at"
    )
    day.at("2026-09-20T09:40")
    assert eventually(lambda: "late" in day.told(lead))
    page = day.desk.open(context_at(360), day.zhou, f"/desk/leads/{lead}")
    expect(first_response(page)).to_contain_text("已超时")
    page = day.desk.open(context_at(1280), day.han, "/desk/attention")
    expect(page.locator(".matter", has_text="待首次联系")).to_contain_text("其中3条首次响应已超时")
    day.at("2026-09-20T11:40")
    assert eventually(lambda: day.desk.stored(lead).owner_id == day.wu.id)
    page = day.desk.open(context_at(1280), day.wu)
    row_of(page, lead).locator(".who a").click()
    expect(page.locator("#timeline")).to_contain_text("首次响应超时")
    page.get_by_role("button", name="未接通").click()
    page.goto(f"{day.desk.origin}/desk/leads/{lead}")
    expect(first_response(page)).to_contain_text("超时2工时")


def the_duplicate_is_merged_undone_and_split(day: Day, context_at: Contexts, lead: str) -> None:
    page = day.desk.open(context_at(1280), day.han, "/desk/leads?status=open")
    expect(page.locator("#main tbody tr", has_text="可能重复")).to_have_count(2)
    page.goto(f"{day.desk.origin}/desk/leads/{lead}")
    merge(page)
    page.get_by_role("button", name="撤销合并").click()
    expect(page.locator(".told--done")).to_contain_text("又是两条线索了")
    expect(page.locator("#timeline")).not_to_contain_text("上午打过电话，再留一次")
    merge(page)
    page.get_by_role("link", name="拆成两条……").click()
    page.locator(".split-enquiry", has_text="上午打过电话").get_by_role("checkbox").check()
    page.get_by_role("button", name="拆成两条").click()
    expect(page.locator(".told--done")).to_contain_text("拆好了")
    page.goto(day.desk.origin + "/desk/leads")
    expect(page.locator("#main tbody tr")).to_have_count(4)


def merge(page: Page) -> None:
    page.locator("#ties").get_by_role("link", name="合并……").first.click()
    page.locator(".merge-form .button").click()
    expect(page.locator(".told--done")).to_contain_text("合并好了")
    expect(page.locator("#timeline")).to_contain_text("上午打过电话，再留一次")


def one_is_won(day: Day, context_at: Contexts, lead: str) -> None:
    page = day.desk.open(context_at(1280), day.zhou)
    for status in ("有意向", "方案中", "成交"):
        page.goto(f"{day.desk.origin}/desk/leads/{lead}")
        page.locator("#status").get_by_role("button", name=status, exact=True).click()
        expect(page.locator(".told--done")).to_have_text("状态已改")


def the_funnel_shows_it(day: Day, context_at: Contexts) -> None:
    """One read, four people who asked, two of them reached, one won; and the last figure leads to the lead."""
    page = day.desk.open(context_at(1280), day.han, "/desk/reports")
    steps = page.locator(".funnel li")
    shown = {
        step.locator("h2").inner_text(): step.locator(".funnel__number").inner_text() for step in steps.all()
    }
    assert shown == {
        "阅读文章": "1",
        "开始自查": "0",
        "做完自查": "0",
        "咨询": "4",
        "已联系": "1",
        "成交": "1",
    }
    steps.last.locator(".funnel__number a").click()
    expect(page.locator("#main tbody tr")).to_have_count(1)
    expect(page.locator("#main tbody tr .state")).to_have_text("成交")


def an_export_is_made_and_opened(day: Day, context_at: Contexts) -> None:
    """What the list shows, as a table: who made it and when, and the four people."""
    page = day.desk.open(context_at(1280), day.han, "/desk/leads")
    page.get_by_role("link", name="导出这些线索").click()
    page.get_by_label("为什么导出").fill("周会汇报")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="导出").click()
    sheet = openpyxl.load_workbook(BytesIO(downloading.value.path().read_bytes())).worksheets[0]
    assert str(sheet["A1"].value).startswith("韩雪于2026-09-20")
    names = [row[1].value for row in sheet.iter_rows(min_row=3) if row[1].value]
    assert sorted(names) == ["张**", "李**", "王**", "王**"]
    assert day.desk.recorded("export") == 1


def first_response(page: Page) -> Locator:
    return page.locator(".facts div", has_text="首次响应").locator("dd")
