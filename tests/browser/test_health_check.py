"""The whole health check in a real browser: by mouse, by keys alone, without script, on a phone, on two devices."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.browser.conftest import PageAt
from tests.browser.running import RunningSite
from tests.browser.test_small_screen import SMALL_TARGETS

pytestmark = pytest.mark.browser

HOME = [
    *(
        "industry",
        "credit_sales",
        "export_share",
        "dso",
        "overdue_share",
        "oldest",
        "bad_debt",
        "top1",
        "top5",
    ),
    *("correlated", "new_check", "review", "limit", "hold", "contract", "proof", "ageing", "followup"),
    *("cash_months", "paid_late", "coverage", "security"),
]
"""The questions of a business without exports."""
SECOND = {"export_share": 0}
"""Which answer is given: the second, but where it says otherwise."""
RESULT = re.compile(r"/health-check/results/[\w-]{22}$")

axe = Axe()


def begin(page: Page, site: RunningSite) -> None:
    page.goto(site.origin + "/health-check")
    page.get_by_role("button", name="开始自查").click()
    at(page, HOME[0])


def at(page: Page, step: str) -> None:
    """This step is open, and nothing else."""
    path = "answers" if step == "answers" else f"questions/{step}"
    expect(page).to_have_url(re.compile(rf"/health-check/{path}(\?.*)?$"))


def click(page: Page, question: str) -> None:
    page.locator(".answer").nth(SECOND.get(question, 1)).click()


def next_by_button(page: Page, question: str) -> None:
    page.locator(".answer input").nth(SECOND.get(question, 1)).check()
    page.get_by_role("button", name=re.compile("下一题|看看都答了什么")).click()


def steps() -> list[tuple[str, str]]:
    return list(zip(HOME, [*HOME[1:], "answers"], strict=True))


def test_by_mouse_with_back_at_every_step_and_nothing_for_axe_to_find(
    site: RunningSite, page_at: PageAt
) -> None:
    page = page_at(1280)
    begin(page, site)
    faults = []
    for number, (question, following) in enumerate(steps(), 1):
        expect(page.locator(".progress__words b")).to_have_text(f"第{number}题，共22题")
        found = axe.run(page)
        if found.violations_count:
            faults.append(f"{question}:\n{found.generate_report()}")
        click(page, question)
        at(page, following)
        if following == "answers":
            break
        page.get_by_role("button", name="上一题").click()
        at(page, question)
        expect(page.locator(".answer input").nth(SECOND.get(question, 1))).to_be_checked()
        page.get_by_role("button", name="下一题").click()
        at(page, following)
    expect(page.locator(".review > div")).to_have_count(22)
    assert not axe.run(page).violations_count
    page.get_by_role("link", name="改：从交货").click()
    page.locator(".answer").nth(0).click()
    at(page, "answers")
    page.get_by_role("button", name="看结果").click()
    expect(page).to_have_url(RESULT)
    assert not faults, "\n".join(faults)


def test_by_keys_alone(site: RunningSite, page_at: PageAt) -> None:
    page = page_at(1280)
    page.goto(site.origin + "/health-check")
    tab_to(page, "开始自查")
    page.keyboard.press("Enter")
    at(page, "industry")
    page.keyboard.press("ArrowDown")  # chooses and doesn't move on
    page.keyboard.press("ArrowDown")
    expect(page.locator(".answer input").nth(1)).to_be_checked()
    at(page, "industry")
    page.keyboard.press("Enter")
    at(page, "credit_sales")
    tab_to(page, "amount")
    page.keyboard.type("1234")  # digits are digits here
    page.keyboard.press("Enter")
    at(page, "export_share")
    page.keyboard.press("1")
    for question, following in steps()[3:]:
        at(page, question)
        page.keyboard.press("2")
        at(page, following)
    expect(page.locator(".review dd").nth(2)).to_have_text("1234万元")
    tab_to(page, "看结果")
    page.keyboard.press("Enter")
    expect(page).to_have_url(RESULT)


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until a control of this text or id has focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
        if focused == wanted:
            return
    raise AssertionError(f"no Tab leads to {wanted}")


def test_without_script_on_a_small_phone(site: RunningSite, page_at: PageAt) -> None:
    page = page_at(360, script=False)
    begin(page, site)
    page.get_by_role("button", name="下一题").click()  # nothing chosen
    expect(page.locator(".error-summary li")).to_have_text("请先选一项")
    expect(page.locator("#answer-error")).to_be_visible()
    for question, following in steps():
        at(page, question)
        next_by_button(page, question)
        at(page, following)
    page.get_by_role("link", name="先存着").click()
    expect(page.locator(".check-link__address")).to_have_value(re.compile(r"/health-check/resume/[\w-]{22}$"))
    expect(page.get_by_role("button", name="复制链接")).to_be_hidden()
    page.get_by_role("link", name="核对答案").click()
    page.get_by_role("button", name="看结果").click()
    expect(page).to_have_url(RESULT)
    expect(page.locator("[hidden]:visible")).to_have_count(0)  # what would do nothing isn't offered


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_too_wide_or_too_small_on_a_small_phone(
    site: RunningSite, page_at: PageAt, scheme: str
) -> None:
    """On every kind of page of the check, the empty answers among them; and axe finds nothing."""
    page = page_at(360, scheme="dark" if scheme == "dark" else "light")
    faults = []

    def look(name: str) -> None:
        width = page.evaluate("document.scrollingElement.scrollWidth")
        small = page.evaluate(SMALL_TARGETS)
        found = axe.run(page)
        if width > 360 or small or found.violations_count:
            faults.append(
                f"{name}: {width} {small}\n{found.generate_report() if found.violations_count else ''}"
            )

    for path in ("", "/method", "/questions/dso", "/resume/" + "0" * 22):
        page.goto(site.origin + "/health-check" + path)
        look(path)
    begin(page, site)
    page.get_by_role("button", name="下一题").click()
    expect(page.locator(".error-summary")).to_be_focused()
    look("nothing chosen")
    for question in HOME[:5]:
        if question == "credit_sales":
            page.fill("#amount", "很多")
            page.get_by_role("button", name="下一题").click()
            expect(page.locator("#amount-error")).to_be_visible()
            look("no amount")
        at(page, question)
        page.locator(".answer").nth(3 if question == "overdue_share" else SECOND.get(question, 1)).click()
    at(page, "oldest")
    page.locator(".answer").first.click()
    expect(page.locator(".check-hint")).to_be_focused()
    look("hint")
    page.get_by_role("link", name="先存着").click()
    look("saved")
    page.goto(page.locator(".check-link__address").input_value())
    look("resume")
    assert not faults, "\n".join(faults)


def test_a_break_another_device_another_branch_and_two_tabs(site: RunningSite, page_at: PageAt) -> None:
    first = page_at(1280)
    begin(first, site)
    for place in (1, 1, 3):  # exports: two more questions
        first.locator(".answer").nth(place).click()
    at(first, "dso")
    expect(first.locator(".progress__words b")).to_have_text("第4题，共24题")
    first.get_by_role("link", name="先存着").click()
    link = first.locator(".check-link__address").input_value()

    second = page_at(360)
    second.goto(link)
    second.get_by_role("button", name="在这个浏览器里接着答").click()
    at(second, "dso")
    for question in [*HOME[3:20], "export_terms", "country"]:
        at(second, question)
        click(second, question)
    at(second, "coverage")

    old = second.context.new_page()  # a tab at an early question, while the other goes on
    old.goto(site.origin + "/health-check/questions/export_share")
    click(second, "coverage")
    at(second, "security")
    old.locator(".answer").first.click()  # no exports, after all
    at(old, "dso")
    expect(old.locator(".progress__words b")).to_have_text("第4题，共22题")
    expect(old.locator(".answer input").nth(1)).to_be_checked()
    old.goto(site.origin + "/health-check/questions/country")  # of the branch that was left
    at(old, "security")
    click(second, "security")
    at(second, "answers")
    expect(second.locator(".review > div")).to_have_count(22)

    first.goto(site.origin + "/health-check")  # the first device sees where the other has come
    first.get_by_role("button", name="开始自查").click()
    expect(first.locator("h1")).to_have_text("已经存好，全部答完")
    first.get_by_role("link", name="核对答案").click()
    first.get_by_role("button", name="看结果").click()
    expect(first).to_have_url(RESULT)


def weeks_from(site: RunningSite, source: str) -> tuple[int, int]:
    """Checks begun and finished by visitors from a kind of place."""
    query = "SELECT coalesce(sum(begun), 0), coalesce(sum(finished), 0) FROM source_weeks WHERE source = ?"
    return tuple(site.rows(query, source, database="counters")[0])  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("referrer", "kind"),
    [
        ("https://www.baidu.com/s?wd=账龄", "search"),
        ("https://mp.weixin.qq.com/s/x", "social"),
        ("https://notbaidu.com/", "other"),
        ("", "direct"),
    ],
)
def test_a_check_is_counted_by_where_its_visit_came_from_and_by_the_article_read_last(
    site: RunningSite, page_at: PageAt, referrer: str, kind: str
) -> None:
    before = weeks_from(site, kind)
    page = page_at(1280)
    with page.expect_response(lambda answer: answer.url.endswith("/articles/ageing-report/reads")):
        page.goto(site.origin + "/articles/ageing-report", referer=referrer)
    begin(page, site)
    assert weeks_from(site, kind) == (before[0] + 1, before[1])
    query = "SELECT source, article FROM check_drafts ORDER BY touched_at DESC LIMIT 1"
    assert tuple(site.rows(query, database="counters")[0]) == (kind, "ageing-report")
