"""Getting into the desk as in production: the printed password, one's own, the phone's six digits, and lost phones."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator

import pytest
import segno
from passlib.totp import TOTP
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.desk import (
    PASSWORD,
    Authenticator,
    Desk,
    Person,
    desk_of,
    first_account,
    give_code,
    set_up,
    sign_in,
)
from tests.browser.running import RunningSite, copy_of_site

pytestmark = pytest.mark.browser

Contexts = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site with the settings of production and a company that is no sample. Only https is missing."""
    root = copy_of_site(tmp_path_factory.mktemp("production"))
    company = root / "content" / "site.toml"
    company.write_text(company.read_text("utf-8").replace("sample = true", "sample = false"), "utf-8")
    running = RunningSite(root, workers=2, XINHENG_ENV="production", XINHENG_LIMITS="")
    running.start()
    try:
        yield running
        running.stop()
    finally:
        running.kill()


@pytest.fixture(scope="module")
def desk(production: RunningSite) -> Iterator[Desk]:
    with desk_of(production) as desk:
        yield desk


@pytest.fixture
def member(desk: Desk, context_at: Contexts) -> Person:
    """A salesperson with an authenticator and recovery codes, signed in nowhere."""
    person = desk.add("周敏", "sales")
    page = context_at(1280).new_page()
    sign_in(page, desk.origin, person)
    set_up(page, person)
    page.get_by_role("button", name="退出").click()
    return person


def test_the_first_account_comes_in_by_its_own_password_and_its_phone(
    production: RunningSite, desk: Desk, context_at: Contexts
) -> None:
    person = first_account(production)
    page = context_at(1280).new_page()
    sign_in(page, desk.origin, person, "/desk/leads?status=won")

    expect(page.locator("h1")).to_have_text("设一个自己的密码")
    page.goto(desk.origin + "/desk/leads")
    expect(page).to_have_url(desk.origin + "/desk/password")  # nothing else opens before
    change_password(page, person.password, "admin-admin")
    expect(page.locator("#new-error")).to_be_visible()
    change_password(page, person.password, PASSWORD)

    expect(page).to_have_url(desk.origin + "/desk/second-factor")
    expect(page.get_by_role("button", name="以后再说")).to_have_count(0)
    page.goto(desk.origin + "/desk/leads")
    expect(page).to_have_url(desk.origin + "/desk/second-factor")
    check_picture(page, person.email)
    set_up(page, person)
    assert len(set(person.codes)) == 10
    page.get_by_role("link", name="记好了，进工作台").click()

    expect(page).to_have_url(desk.origin + "/desk/")
    expect(page.locator("h1")).to_have_text("今天要打的电话")
    expect(page.locator(".banner")).to_have_count(0)  # nothing is left to be done


def change_password(page: Page, present: str, new: str) -> None:
    page.locator("#present").fill(present)
    page.locator("#new").fill(new)
    page.locator("#repeated").fill(new)
    page.get_by_role("button", name="换成新密码").click()


def check_picture(page: Page, email: str) -> None:
    """The picture, as it is drawn on the screen, says what the key under it says."""
    page.locator(".set-up__key summary").click()
    key = page.locator(".set-up__key code").inner_text()
    issuer = "信衡工作台"
    code = segno.make(TOTP(key=key).to_uri(label=email, issuer=issuer), error="m", micro=False)
    side = code.symbol_size(border=4)[0]
    drawn = dark_squares(page, page.locator("svg.qr").screenshot(), side)
    assert drawn == [[bool(square) for square in line] for line in code.matrix_iter(border=4)]


def dark_squares(page: Page, picture: bytes, side: int) -> list[list[bool]]:
    """A picture of a code as squares, looked at in the middle of each; on an empty page, which has no policy."""
    blank = page.context.new_page()
    found: list[list[bool]] = blank.evaluate(
        """async ([source, side]) => {
          const image = new Image();
          image.src = source;
          await image.decode();
          const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
          canvas.drawImage(image, 0, 0);
          const { data } = canvas.getImageData(0, 0, image.width, image.height);
          const place = (at, length) => Math.floor((at + .5) * length / side);
          const dark = (x, y) => data[4 * (place(y, image.height) * image.width + place(x, image.width))] < 128;
          return Array.from({ length: side }, (_, y) => Array.from({ length: side }, (_, x) => dark(x, y)));
        }""",
        ["data:image/png;base64," + base64.b64encode(picture).decode(), side],
    )
    blank.close()
    return found


def test_signing_out_leaves_nothing_to_go_back_to(desk: Desk, member: Person, context_at: Contexts) -> None:
    lead = desk.lead(member, details="退出以后不能再看")
    page = come_in(context_at, desk, member)
    page.goto(f"{desk.origin}/desk/leads/{lead}")
    expect(page.locator(".quote")).to_have_text("退出以后不能再看")
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(desk.origin + "/desk/sign-in")
    page.go_back()
    expect(page.locator("#email")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("退出以后不能再看")


def come_in(context_at: Contexts, desk: Desk, person: Person, path: str = "/desk/") -> Page:
    """Sign in with password and code in a new browser."""
    page = context_at(1280).new_page()
    sign_in(page, desk.origin, person, path)
    give_code(page, phone_of(person).next_code())
    expect(page).to_have_url(desk.origin + path)
    return page


def phone_of(person: Person) -> Authenticator:
    assert person.phone
    return person.phone


def test_a_wrong_password_says_so_and_the_next_try_arrives_where_one_wanted_to_go(
    desk: Desk, member: Person, context_at: Contexts
) -> None:
    page = context_at(360).new_page()
    wanted = "/desk/leads?status=won&sort=due"
    page.goto(desk.origin + wanted)
    expect(page).to_have_url(re.compile("/desk/sign-in"))
    person = Person(member.id, member.email, member.name, "nicht-das-richtige")
    sign_in(page, desk.origin, person, "")
    expect(page.get_by_role("alert")).to_have_text("邮箱或密码不对，或者账号已停用。")
    expect(page.locator("#email")).to_have_value(member.email)
    expect(page.locator("#password")).to_have_value("")
    expect(page.locator("#password")).to_be_focused()
    sign_in(page, desk.origin, member, "")
    expect(page.locator("h1")).to_have_text("两步验证")
    expect(page.locator("#code")).to_be_focused()
    give_code(page, phone_of(member).next_code())
    expect(page).to_have_url(desk.origin + wanted)


def test_a_wrong_code_is_told_what_to_do_and_the_right_one_lets_in(
    desk: Desk, member: Person, context_at: Contexts
) -> None:
    page = context_at(360).new_page()
    sign_in(page, desk.origin, member)
    give_code(page, phone_of(member).wrong_code())
    expect(page.locator("#code-error")).to_contain_text("六位数字不对")
    expect(page.locator("#code-error")).to_contain_text(re.compile("现在|手机|时间"))  # what to do about it
    expect(page.locator("#code")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#code")).to_be_focused()
    page.goto(desk.origin + "/desk/")
    expect(page).to_have_url(re.compile("/desk/sign-in"))  # half-way is not in
    sign_in(page, desk.origin, member)  # the password once more, for the sign-in has begun anew
    give_code(page, phone_of(member).next_code())
    expect(page).to_have_url(desk.origin + "/desk/")


def test_a_code_that_was_used_lets_nobody_else_in(desk: Desk, member: Person, context_at: Contexts) -> None:
    first, second = context_at(1280).new_page(), context_at(360).new_page()
    for page in (first, second):
        sign_in(page, desk.origin, member)
    seen_over_the_shoulder = phone_of(member).next_code()
    give_code(first, seen_over_the_shoulder)
    expect(first).to_have_url(desk.origin + "/desk/")
    give_code(second, seen_over_the_shoulder)
    expect(second.locator("#code-error")).to_be_visible()
    expect(second).to_have_url(re.compile("/desk/code"))
    give_code(second, phone_of(member).next_code())
    expect(second).to_have_url(desk.origin + "/desk/")


def test_a_recovery_code_is_good_once(desk: Desk, member: Person, context_at: Contexts) -> None:
    page = context_at(360).new_page()
    sign_in(page, desk.origin, member)
    page.get_by_role("link", name="手机不在身边：用恢复代码").click()
    give_code(page, member.codes[0].lower().replace("-", " "))  # as people type
    expect(page).to_have_url(desk.origin + "/desk/")
    page.goto(desk.origin + "/desk/me")
    expect(page.locator("main")).to_contain_text("还剩9个")

    other = context_at(1280).new_page()
    sign_in(other, desk.origin, member)
    other.get_by_role("link", name="手机不在身边：用恢复代码").click()
    give_code(other, member.codes[0])
    expect(other.locator("#code-error")).to_have_text("恢复代码不对，或者已经用过。")
    give_code(other, member.codes[1])
    expect(other).to_have_url(desk.origin + "/desk/")
    assert desk.recorded("recovery_used", member.id) == 2


def test_ending_the_other_sessions_closes_the_desk_in_the_other_browser(
    desk: Desk, member: Person, context_at: Contexts
) -> None:
    lost = come_in(context_at, desk, member)
    here = come_in(context_at, desk, member, "/desk/me")
    expect(here.locator(".me__sessions li")).to_have_count(2)
    here.get_by_role("button", name="退出其他所有地方").click()
    expect(here.locator(".me__sessions li")).to_have_count(1)
    lost.goto(desk.origin + "/desk/leads")
    expect(lost).to_have_url(re.compile("/desk/sign-in"))
