"""What belongs to a member: name, language, password."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.desk.conftest import GOOD_PASSWORD, Clock, DeskClient, SignedIn, Staff

from xinheng.db import Database
from xinheng.staff.models import User

Browser = Callable[[], DeskClient]
Recorded = Callable[[], list[tuple[str, str, str]]]
NEW = "si-ge-bu-xiang-gan-de-ci"


def kept(store: Database, staff_id: str) -> User:
    with store.reading() as session:
        return session.get_one(User, staff_id)


def test_the_page_shows_who_one_is(client: DeskClient, staff: Staff, signed_in: SignedIn) -> None:
    member = staff("editor", "admin", name="吴越")
    page = signed_in(client, member).get("/desk/me").text
    assert all(word in page for word in ("吴越", member.email, "编辑", "管理员", "没有设置"))


def test_a_name_can_be_changed_and_is_only_text(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database
) -> None:
    member = staff("admin")
    signed_in(client, member).send("/desk/me/name", name="  <b>周</b>  敏 ")
    assert kept(store, member.id).name == "<b>周</b> 敏"
    assert "&lt;b&gt;周" in client.get("/desk/me").text
    client.send("/desk/me/name", name="  ")
    assert kept(store, member.id).name == "<b>周</b> 敏"


def test_a_name_is_one_colleagues_only_and_its_change_is_recorded(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database, recorded: Recorded
) -> None:
    staff("sales", name="吴越")
    member = staff("admin", name="周敏")
    answer = signed_in(client, member).send("/desk/me/name", name=" 吴越 ")
    assert answer.status_code == 422
    assert "已经有同事用这个名字" in answer.text
    assert 'value=" 吴越 "' in answer.text
    assert (kept(store, member.id).name, recorded()) == ("周敏", [])
    client.send("/desk/me/name", name="周敏敏")
    assert (kept(store, member.id).name, recorded()) == ("周敏敏", [(member.id, "edit", member.id)])


def test_the_language_is_a_choice_of_two(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database
) -> None:
    member = staff("admin")
    signed_in(client, member)
    assert client.send("/desk/me/language", language="de").status_code == 400
    assert client.send("/desk/me/language", language="zh").status_code == 302
    assert kept(store, member.id).language == "zh"


def test_english_is_said_to_the_browser_and_stays_at_the_desk(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database
) -> None:
    member = staff("admin")
    with store.writing() as session:
        session.get_one(User, member.id).language = "en"
    client.language = "en"
    assert '<html lang="en">' in signed_in(client, member).get("/desk/me").text
    client.language = "zh-Hans"
    assert '<html lang="zh-Hans">' in client.get("/").text


def change(client: DeskClient, present: str, new: str, repeated: str | None = None) -> tuple[int, str]:
    client.get("/desk/password")
    answer = client.send("/desk/password", present=present, new=new, repeated=repeated or new)
    return answer.status_code, answer.text


def test_a_new_password_is_the_one_from_now_on(
    client: DeskClient, another_browser: Browser, staff: Staff, signed_in: SignedIn
) -> None:
    member = staff("admin")
    elsewhere = signed_in(another_browser(), member)
    assert change(signed_in(client, member), GOOD_PASSWORD, NEW)[0] == 302
    assert client.get("/desk/me").status_code == 200, "one stays signed in where one changed it"
    assert elsewhere.get("/desk/me").status_code == 302
    assert another_browser().sign_in(member.email, GOOD_PASSWORD).status_code == 422
    assert another_browser().sign_in(member.email, NEW).status_code == 302


@pytest.mark.parametrize(
    ("present", "new", "repeated", "sentence"),
    [
        ("wrong", NEW, NEW, "现在的密码不对"),
        (GOOD_PASSWORD, NEW, NEW + "x", "两次写的新密码不一样"),
        (GOOD_PASSWORD, "short", "short", "太短：至少12个字符"),
        (GOOD_PASSWORD, "ab " * 50, "ab " * 50, "太长：最多128个字符"),
        (GOOD_PASSWORD, "password1234", "password1234", "太常见或太有规律"),
        (GOOD_PASSWORD, "xinheng-2026!", "xinheng-2026!", "公司、网站或您自己的名字"),
        (GOOD_PASSWORD, GOOD_PASSWORD, GOOD_PASSWORD, "和现在的密码一样"),
        ("", NEW, NEW, "请填写现在的密码"),
        (GOOD_PASSWORD, "", "", "请填写新密码"),
    ],
)
def test_a_refused_password_says_why_beside_the_field(
    client: DeskClient,
    another_browser: Browser,
    staff: Staff,
    signed_in: SignedIn,
    present: str,
    new: str,
    repeated: str,
    sentence: str,
) -> None:
    member = staff("admin")
    status, page = change(signed_in(client, member), present, new, repeated)
    assert status == 422
    assert sentence in page
    assert 'aria-invalid="true"' in page
    assert another_browser().sign_in(member.email, GOOD_PASSWORD).status_code == 302


def test_the_present_password_cannot_be_guessed_here_either(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    signed_in(client, staff("admin"))
    for _ in range(5):
        assert change(client, "wrong", NEW)[0] == 422
    assert change(client, GOOD_PASSWORD, NEW)[0] == 429


def test_password_fields_can_be_filled_and_pasted_into(
    client: DeskClient, staff: Staff, signed_in: SignedIn
) -> None:
    page = signed_in(client, staff("admin")).get("/desk/password").text
    assert page.count('autocomplete="new-password"') == 2
    assert page.count('autocomplete="current-password"') == 1
    assert "maxlength" not in page
    assert "onpaste" not in page
