"""A day at the desk: from a visitor's enquiry to a won lead, two people at one lead, and what isn't one's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browser.desk import (
    Desk,
    Person,
    desk_of,
    eventually,
    give_code,
    row_of,
    set_up,
    sign_in,
    view_counts,
)
from tests.browser.pages import send
from tests.browser.running import RunningSite, copy_of_site
from tests.browser.visitor import Complaints, new_context
from tests.conftest import ROOT

from xinheng.leads.moves import next_try
from xinheng.settings import SHANGHAI
from xinheng.working_days import load_working_days

CALENDAR = load_working_days(ROOT / "content")

pytestmark = pytest.mark.browser

Contexts = Callable[..., BrowserContext]
ARTICLE = "/articles/customer-overdue-first-30-days"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site of this module's own, so that its lists hold nothing else."""
    running = RunningSite(copy_of_site(tmp_path_factory.mktemp("desk")), workers=2)
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


@pytest.fixture(scope="module")
def other(desk: Desk) -> Person:
    return desk.add("李强", "sales")


@pytest.fixture(scope="module")
def chief(desk: Desk) -> Person:
    return desk.add("王主管", "sales_lead")


def test_an_enquiry_becomes_due_and_is_worked_until_it_is_won(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    page = desk.open(context_at(1280), seller)
    before = view_counts(page)
    lead, phone = somebody_asks(desk, context_at)

    page.goto(desk.origin + "/desk/")
    assert view_counts(page) == before | {"待首次联系": before["待首次联系"] + 1}
    row = row_of(page, lead)
    expect(row.locator(".owner")).to_have_text("未分配")
    row.locator(".who a").click()
    check_what_was_asked(page)

    shown = phone.replace(" ", "")
    assert phone[-4:] in page.locator("#contact .phone").inner_text()
    assert shown not in re.sub(r"\s", "", page.content())
    page.get_by_role("button", name="查看号码").click()
    expect(page.locator("#contact .phone a")).to_have_attribute("href", re.compile(rf"^tel:(\+86)?{shown}$"))
    assert desk.recorded("reveal", lead) == 1
    expect(page.get_by_role("button", name="未接通")).to_be_visible()

    page.get_by_role("button", name="认领").click()
    expect(page.locator(".told--done")).to_have_text("负责人：周敏")
    expect(page.locator("#contact .phone a")).to_be_visible()  # its owner's for the day
    nobody_answers(desk, page, lead)
    note_survives_a_reload(page)

    plan_for_tomorrow(page)
    page.goto(desk.origin + "/desk/")
    assert view_counts(page)["待首次联系"] == before["待首次联系"]
    for status in ("有意向", "方案中", "成交"):
        page.goto(f"{desk.origin}/desk/leads/{lead}")
        page.locator("#status").get_by_role("button", name=status, exact=True).click()
        expect(page.locator(".told--done")).to_have_text("状态已改")
        expect(page.locator("#status [aria-current=step]")).to_have_text(status)
    expect(page.get_by_role("button", name="未接通")).to_have_count(0)
    check_timeline(page)

    page.goto(desk.origin + "/desk/")
    assert view_counts(page) == before
    page.goto(desk.origin + "/desk/leads?status=won")
    expect(row_of(page, lead).locator(".state")).to_have_text("成交")


def somebody_asks(desk: Desk, context_at: Contexts) -> tuple[str, str]:
    """A visitor comes from a search, reads two articles and sends the form on the second."""
    page, phone = context_at(360).new_page(), desk.new_phone()
    with page.expect_response("**/articles/ageing-report/reads"):
        page.goto(desk.origin + "/articles/ageing-report", referer="https://www.baidu.com/s?wd=secret")
    with page.expect_response(f"**{ARTICLE}/reads"):
        page.goto(desk.origin + ARTICLE, referer=desk.origin + "/articles/ageing-report")
    reference = send(
        page, desk.site, name="吴女士", phone=phone, details="三家客户拖了半年，想请人上门对账。"
    )
    return desk.lead_of(reference), phone


def check_what_was_asked(page: Page) -> None:
    """The enquiry stands on the lead's page, with where it came from."""
    expect(page.locator(".quote")).to_have_text("三家客户拖了半年，想请人上门对账。")
    facts = page.locator(".lead-grid__main .facts")
    expect(facts.get_by_role("link").first).to_have_attribute("href", ARTICLE)
    read = facts.locator("ul a")
    assert [link.get_attribute("href") for link in read.all()] == [ARTICLE, "/articles/ageing-report"]
    expect(facts).to_contain_text("www.baidu.com")
    expect(facts).to_contain_text("上午")
    expect(page.locator("body")).not_to_contain_text("secret")


def nobody_answers(desk: Desk, page: Page, lead: str) -> None:
    """One click, and the next try is planned."""
    earliest = next_try(1, datetime.now(UTC), CALENDAR)
    page.get_by_role("button", name="未接通").click()
    expect(page.locator(".told--done")).to_contain_text("已记未接通")
    latest = next_try(1, datetime.now(UTC), CALENDAR)
    planned = f"{page.locator('#next-date').input_value()} {page.locator('#next-time').input_value()}"
    assert planned in {f"{each.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" for each in (earliest, latest)}
    assert desk.stored(lead).attempts == 1


def note_survives_a_reload(page: Page) -> None:
    """What is typed stays as a draft; written down, it is on the timeline and no draft any more."""
    text = "接通了，王会计管账，周四前把账龄表发过来。"
    page.locator("#note").fill(text)
    expect(page.locator("[data-draft-state]")).to_contain_text("草稿，")
    page.reload()
    expect(page.locator("#note")).to_have_value(text)
    page.get_by_label("这次接通了").check()
    page.get_by_role("button", name="记下来").click()
    expect(page.locator(".told--done")).to_have_text("记下了")
    expect(page.locator("#note")).to_have_value("")
    expect(page.locator("#timeline")).to_contain_text(text)
    expect(page.locator("#status [aria-current=step]")).to_have_text("已联系")


def plan_for_tomorrow(page: Page) -> None:
    page.locator("#next-date").fill(f"{datetime.now(SHANGHAI) + timedelta(days=1):%Y-%m-%d}")
    page.locator("#next-time").fill("15:00")
    page.locator("#next-step").fill("回电，对账龄表")
    page.locator("#next").get_by_role("button", name="保存").click()
    expect(page.locator(".told--done")).to_have_text("下一步：明天 15:00")
    expect(page.locator("#next-step")).to_have_value("回电，对账龄表")


def check_timeline(page: Page) -> None:
    """All that was done, the newest first; taking the call and what it made of the status are one deed."""
    told = page.locator("#timeline li b").all_inner_texts()
    assert re.sub(r" .*", "", told[6]) == "未接通，下次"
    assert told[:4] == ["方案中 → 成交", "有意向 → 方案中", "已联系 → 有意向", "下一步：明天 15:00"]
    assert set(told[4:6]) == {"新线索 → 已联系", "接通了"}
    assert told[7:] == ["交给周敏", "提交咨询"]
    times = page.locator("#timeline time").evaluate_all("all => all.map((time) => time.dateTime)")
    assert times == sorted(times, reverse=True)


def test_the_number_is_masked_again_for_who_does_not_own_the_lead(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    lead = desk.lead()
    page = desk.open(context_at(360), seller, f"/desk/leads/{lead}")
    page.get_by_role("button", name="查看号码").click()
    expect(page.locator("#contact .phone a")).to_be_visible()
    page.goto(f"{desk.origin}/desk/leads/{lead}")
    expect(page.get_by_role("button", name="查看号码")).to_be_visible()
    expect(page.locator("#contact .phone a")).to_have_count(0)


def test_two_tabs_on_one_lead_the_second_is_told_and_overwrites_nothing(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    lead = desk.lead(seller)
    context = context_at(1280)
    first = desk.open(context, seller, f"/desk/leads/{lead}")
    second = desk.open(context, seller, f"/desk/leads/{lead}")
    first.locator("#next-step").fill("先发报价")
    first.locator("#next").get_by_role("button", name="三天后").click()
    expect(first.locator(".told--done")).to_contain_text("下一步：")
    planned = desk.stored(lead).follow_up_at

    tomorrow = f"{datetime.now(SHANGHAI) + timedelta(days=1):%Y-%m-%d}"
    second.locator("#next-date").fill(tomorrow)
    second.locator("#next-step").fill("约上门时间")
    second.locator("#next").get_by_role("button", name="保存").click()
    told = second.locator(".error-summary")
    expect(told).to_be_focused()
    expect(told).to_contain_text("有人刚改过这条线索")
    expect(told.locator("li")).to_have_count(1)
    expect(told.locator("li")).to_contain_text("周敏 下一步：")
    expect(second.locator("#next-date")).to_have_value(tomorrow)
    expect(second.locator("#next-step")).to_have_value("约上门时间")
    assert desk.opened(lead, "next_step") == "先发报价"
    assert desk.stored(lead).follow_up_at == planned

    second.locator("#next").get_by_role("button", name="保存").click()
    expect(second.locator(".told--done")).to_have_text("下一步：明天 10:00")
    assert desk.opened(lead, "next_step") == "约上门时间"


def test_a_quick_day_pressed_on_an_old_page_loses_no_typed_step(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    lead = desk.lead(seller)
    page = desk.open(context_at(1280), seller, f"/desk/leads/{lead}")
    desk.assign(desk.lead(seller), seller)  # another lead's change is none of this one's
    meanwhile = desk.open(page.context, seller, f"/desk/leads/{lead}")
    meanwhile.get_by_role("button", name="未接通").click()
    expect(meanwhile.locator(".told--done")).to_contain_text("已记未接通")
    page.locator("#next-step").fill("寄资料，再打电话")
    page.locator("#next").get_by_role("button", name="明天").click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("#next-step")).to_have_value("寄资料，再打电话")


def test_a_note_typed_a_moment_before_another_button_is_pressed_still_stands_there(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    lead = desk.lead(seller)
    page = desk.open(context_at(1280), seller, f"/desk/leads/{lead}")
    for button, told in (("未接通", "已记未接通"), ("明天", "下一步："), ("已联系", "状态已改")):
        text = f"{button}之前正写到一半"
        page.locator("#note").fill(text)
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.locator(".told--done")).to_contain_text(told)
        expect(page.locator("#note")).to_have_value(text)


def test_two_people_on_one_lead_know_of_each_other_and_both_notes_stay(
    desk: Desk, seller: Person, chief: Person, context_at: Contexts
) -> None:
    lead = desk.lead(seller)
    mine = desk.open(context_at(1280), seller, f"/desk/leads/{lead}")
    theirs = desk.open(context_at(1280), chief, f"/desk/leads/{lead}")
    expect(theirs.locator(".beside")).to_contain_text("周敏")
    expect(theirs.locator(".beside")).to_contain_text("打电话前先问一声")

    theirs.locator("#note").fill("老客户介绍来的，报价可以松一点。")
    expect(theirs.locator("[data-draft-state]")).to_contain_text("存下")
    mine.locator("#status").get_by_role("button", name="已联系").click()
    expect(mine.locator(".told--done")).to_have_text("状态已改")
    theirs.locator("#status").get_by_role("button", name="已联系").click()
    expect(theirs.locator(".error-summary")).to_contain_text("周敏 新线索 → 已联系")
    expect(theirs.locator("#note")).to_have_value("老客户介绍来的，报价可以松一点。")
    theirs.get_by_role("button", name="记下来").click()
    expect(theirs.locator(".told--done")).to_have_text("记下了")

    mine.locator("#note").fill("下周一带合同过去。")
    mine.get_by_role("button", name="记下来").click()
    for text in ("老客户介绍来的，报价可以松一点。", "下周一带合同过去。"):
        expect(mine.locator("#timeline")).to_contain_text(text)


def test_the_lead_of_a_colleague_is_not_there(
    desk: Desk, seller: Person, other: Person, context_at: Contexts
) -> None:
    foreign, own = desk.lead(other, details="别人的线索，不该看到"), desk.lead(seller)
    version = desk.stored(foreign).version
    page = desk.open(context_at(1280), seller, f"/desk/leads/{own}")
    answer = page.goto(f"{desk.origin}/desk/leads/{foreign}")
    assert answer
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text("没有这一页，或者不归您看")
    expect(page.locator(".desk-bar").get_by_role("link", name="全部线索")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("别人的线索")

    for button in ("查看号码", "未接通", "记下来"):  # one's own page, sent to the colleague's address
        page.goto(f"{desk.origin}/desk/leads/{own}")
        page.locator("#note").fill("写到别人那里")
        page.locator("main form").evaluate_all(
            "(forms, ids) => forms.forEach((form) => { form.action = form.action.replace(...ids); })",
            [own, foreign],
        )
        page.get_by_role("button", name=button).click()
        expect(page.locator("h1")).to_have_text("没有这一页，或者不归您看")
    assert desk.stored(foreign).version == version
    assert desk.recorded("reveal", foreign) == desk.recorded("view", foreign) == 0
    assert (
        desk.site.rows("SELECT * FROM lead_events WHERE staff_id = ? AND lead_id = ?", seller.id, foreign)
        == []
    )


def test_a_colleagues_id_among_the_ticked_ones_changes_nothing_of_theirs(
    desk: Desk, seller: Person, other: Person, context_at: Contexts
) -> None:
    foreign, own = desk.lead(other), desk.lead(seller)
    version = desk.stored(foreign).version
    page = desk.open(context_at(1280), seller, "/desk/leads?owner=" + seller.id)
    expect(row_of(page, foreign)).to_have_count(0)
    row_of(page, own).locator("input").check()
    page.locator(f"[data-bulk] input[name=lead]:not([value='{own}'])").first.evaluate(
        "(box, id) => { box.value = id; box.checked = true; }", foreign
    )
    page.locator("#bulk-owner").select_option(label="放回未分配")
    page.get_by_role("button", name="分配", exact=True).click()
    expect(page.locator(".told--done")).to_have_text("已改1条线索")
    expect(page.locator(".told--error")).to_have_text("1条没有改：状态不允许，或不归您")
    assert desk.stored(own).owner_id is None
    assert (desk.stored(foreign).owner_id, desk.stored(foreign).version) == (other.id, version)


def test_no_text_is_lost_when_the_session_ends_while_a_note_is_typed(desk: Desk, browser: Browser) -> None:
    person = desk.add("赵倩", "sales")
    lead = desk.lead(person)
    context = new_context(browser, 1280)
    complaints = Complaints(context)
    page = desk.open(context, person, f"/desk/leads/{lead}")
    page.locator("#note").fill("财务说下周三打款。")
    expect(page.locator("[data-draft-state]")).to_contain_text("存下")
    desk.end_sessions(person)
    page.locator("#note").press_sequentially("要对方补盖章的对账单。")
    expect(page.locator("[data-draft-state]")).to_have_text("草稿没有存上：请先不要关掉这一页")
    page.get_by_role("button", name="记下来").click()

    expect(page.get_by_role("alert")).to_contain_text("登录已过期")
    expect(page.locator("#typed")).to_have_value(re.compile("财务说下周三打款。要对方补盖章的对账单。"))
    sign_in(page, desk.origin, person, "")
    page.get_by_role("button", name="以后再说").click()
    page.goto(f"{desk.origin}/desk/leads/{lead}")
    expect(page.locator("#note")).to_have_value("财务说下周三打款。")
    expect(page.locator("[data-draft-state]")).to_contain_text("存下")
    told = [text for text in complaints.found if f"/leads/{lead}/draft" not in text]
    assert told == []  # that a draft was refused with 401 is what the page itself has said
    context.close()


def test_after_signing_in_again_one_is_back_at_the_lead(desk: Desk, context_at: Contexts) -> None:
    person = desk.add("钱进", "sales")
    lead = desk.lead(person)
    page = desk.open(context_at(360), person, "/desk/second-factor")
    set_up(page, person)
    page.goto(f"{desk.origin}/desk/leads/{lead}")
    desk.end_sessions(person)
    page.get_by_role("button", name="未接通").click()
    expect(page.get_by_role("alert")).to_contain_text("登录已过期")
    sign_in(page, desk.origin, person, "")
    assert person.phone
    give_code(page, person.phone.next_code())
    expect(page).to_have_url(f"{desk.origin}/desk/leads/{lead}")
    assert desk.stored(lead).attempts == 0


def test_without_script_the_desk_works(desk: Desk, context_at: Contexts) -> None:
    person = desk.add("孙立", "sales")
    lead = desk.lead(person, name="没有脚本的人")
    page = context_at(360, script=False).new_page()
    sign_in(page, desk.origin, person)
    page.get_by_role("button", name="以后再说").click()
    page.locator(".desk-bar").get_by_role("link", name="全部线索").click()
    filters = page.locator(".filters")
    filters.locator("[name=owner]").select_option(label="我的")
    filters.locator("[name=status]").select_option("won")
    filters.get_by_role("button", name="筛选").click()
    expect(page.locator(".nothing h2")).to_have_text("没有符合的线索")
    filters.locator("[name=status]").select_option("new")
    filters.get_by_role("button", name="筛选").click()
    expect(page.locator("[data-row]")).to_have_count(1)

    page.locator("#find").fill("没有脚本的人")
    page.locator("#find").press("Enter")
    row_of(page, lead).locator(".who a").click()
    page.get_by_role("button", name="查看号码").click()
    expect(page.locator("#contact .phone a")).to_be_visible()
    page.locator("#note").fill("没有脚本也能记。")
    page.get_by_role("button", name="记下来").click()
    expect(page.locator("#timeline")).to_contain_text("没有脚本也能记。")
    page.locator("#next").get_by_role("button", name="明天").click()
    expect(page.locator(".told--done")).to_contain_text("下一步：")
    page.locator("#status").get_by_role("button", name="已联系").click()
    expect(page.locator("#status [aria-current=step]")).to_have_text("已联系")
    page.locator("#status summary", has_text="未成交").click()
    page.locator("#reason-lost").select_option(label="价格谈不拢")
    page.get_by_role("button", name="改为未成交").click()
    expect(page.locator(".road-left")).to_have_text("未成交：价格谈不拢")


def test_a_link_in_a_mail_leads_who_is_signed_in_to_the_lead(
    desk: Desk, seller: Person, context_at: Contexts
) -> None:
    lead = desk.lead(seller)
    context = context_at(1280)
    page = desk.open(context, seller)
    context.route(
        "http://mail.example/*",
        lambda route: route.fulfill(
            content_type="text/html; charset=utf-8",
            body=f"<title>信</title><p><a href='{desk.origin}/desk/leads/{lead}'>查看</a>",
        ),
    )
    page.goto("http://mail.example/inbox")
    answers: list[str] = []
    page.on("response", lambda answer: answers.append(answer.url))
    page.get_by_role("link", name="查看").click()
    expect(page.locator(".quote")).to_be_visible()
    expect(page).to_have_url(f"{desk.origin}/desk/leads/{lead}")
    assert answers.count(page.url) == 2  # the first time without the cookie, which is for our own pages only


def test_a_link_leads_to_the_lead_by_way_of_the_sign_in_also_where_the_second_factor_is_put_off(
    desk: Desk, context_at: Contexts
) -> None:
    person = desk.add("郑好", "sales")
    lead = desk.lead(person)
    page = context_at(360).new_page()
    page.goto(f"{desk.origin}/desk/leads/{lead}")
    sign_in(page, desk.origin, person, "")
    page.get_by_role("button", name="以后再说").click()
    expect(page).to_have_url(f"{desk.origin}/desk/leads/{lead}")


def test_opening_a_lead_that_was_handed_over_is_seen_by_the_one_who_handed_it(
    desk: Desk, seller: Person, other: Person, context_at: Contexts
) -> None:
    lead = desk.lead(seller)
    page = desk.open(context_at(1280), seller, f"/desk/leads/{lead}")
    page.locator("#owner").select_option(label="李强")
    page.get_by_role("button", name="转交").click()
    expect(page).to_have_url(desk.origin + "/desk/")  # no longer one's own
    expect(page.locator(".told--done")).to_have_text("已转给李强，您的列表里不再有这条线索")
    waiting = "SELECT count(*) FROM outbox WHERE kind = 'assigned' AND recipient = ?"
    assert eventually(lambda: desk.site.rows(waiting, other.email)[0][0] == 1)
    theirs = desk.open(context_at(360), other)
    row_of(theirs, lead).locator(".who a").click()
    expect(theirs.locator("#timeline li b").first).to_have_text("交给李强")
