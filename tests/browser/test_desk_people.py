"""Joining the desk by a link, and leaving it with one's leads in good hands, as both sides see it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.desk import PASSWORD, Desk, Person, desk_of, set_up, sign_in
from tests.browser.running import RunningSite

pytestmark = pytest.mark.browser

Contexts = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def desk(site: RunningSite) -> Iterator[Desk]:
    with desk_of(site) as desk:
        yield desk


@pytest.fixture
def admin(desk: Desk, context_at: Contexts) -> Page:
    """An administrator's browser, on the list of members."""
    return desk.open(context_at(1280), desk.add("管理员", "admin"), "/desk/people")


def test_somebody_is_invited_sets_a_password_and_comes_in(
    desk: Desk, admin: Page, context_at: Contexts
) -> None:
    admin.get_by_role("link", name="邀请成员").click()
    admin.get_by_label("邮箱").fill("lin.xiaoxia@xinheng.example")
    admin.get_by_label("姓名").fill("林小夏")
    admin.get_by_label(re.compile("^销售 ")).check()
    admin.get_by_role("button", name="生成邀请链接").click()
    address = admin.locator(".person-link code").inner_text()
    admin.get_by_role("link", name="记好了，回到成员").click()
    row = admin.locator("tr", has_text="林小夏")
    expect(row.locator(".state")).to_contain_text("已邀请")

    theirs = context_at(360).new_page()  # on a phone
    theirs.goto(address)
    expect(theirs.get_by_label("显示的名字")).to_have_value("林小夏")
    theirs.get_by_label("密码", exact=True).fill("password")
    theirs.get_by_label("再写一次密码").fill("password")
    theirs.get_by_role("button", name="设好密码").click()
    expect(theirs.locator("#new-error")).to_be_visible()
    theirs.get_by_label("密码", exact=True).fill(PASSWORD)
    theirs.get_by_label("再写一次密码").fill(PASSWORD)
    theirs.get_by_role("button", name="设好密码").click()
    theirs.get_by_role("link", name="现在登录").click()
    sign_in(theirs, desk.origin, Person("", "lin.xiaoxia@xinheng.example", "林小夏"), path="")
    expect(theirs).to_have_url(desk.origin + "/desk/second-factor")
    set_up(theirs, Person("", "", ""))
    theirs.get_by_role("link", name="记好了，进工作台").click()
    expect(theirs.locator("h1")).to_have_text("今天要打的电话")

    again = context_at(1280).new_page()
    again.goto(address)
    expect(again.locator("h1")).to_have_text("这个链接已经用过了")
    admin.reload()
    expect(row.locator(".state")).to_have_text("在用")
    expect(row.locator(".factor")).to_contain_text("已设置")


def test_who_leaves_hands_the_leads_to_two_colleagues(desk: Desk, admin: Page, context_at: Contexts) -> None:
    leaver, wu, chen = (desk.add(name, "sales") for name in ("周小敏", "吴小凯", "陈小凡"))
    leads = [desk.lead(leaver) for _ in range(3)]
    theirs = desk.open(context_at(1280), leaver)

    admin.reload()
    admin.get_by_role("link", name="周小敏").click()
    admin.get_by_role("link", name="离开", exact=True).click()
    expect(admin.locator("legend")).to_have_text("他有3条进行中的线索，交给谁？")
    admin.get_by_role("button", name="交出线索，停用账号").click()
    expect(admin.locator("#to-error")).to_be_visible()
    admin.get_by_label("平分给几个人").check()
    admin.get_by_label("吴小凯").check()
    admin.get_by_label("陈小凡").check()
    admin.get_by_role("button", name="交出线索，停用账号").click()
    expect(admin.locator(".told").first).to_have_text("周小敏的账号已停用，各处都已退出")

    owners = [desk.stored(each).owner_id for each in leads]
    assert sorted(map(owners.count, (wu.id, chen.id))) == [1, 2]
    theirs.reload()
    expect(theirs).to_have_url(re.compile("/desk/sign-in"))
    sign_in(theirs, desk.origin, leaver, path="")
    expect(theirs.locator(".sign-in__told")).to_be_visible()
