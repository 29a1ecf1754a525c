"""Before any page of the desk: the token, the origin, links from elsewhere, and what must be done first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conftest import OWN_PAGE
from tests.desk.conftest import GOOD_PASSWORD, Clock, DeskClient, SignedIn, Staff

from xinheng.db import Database
from xinheng.staff.accounts import Accounts
from xinheng.staff.models import User
from xinheng.staff.permissions import RoleName

Browser = Callable[[], DeskClient]
POSTS = [
    "/desk/sign-out",
    "/desk/me/name",
    "/desk/me/language",
    "/desk/me/sessions",
    "/desk/password",
    "/desk/second-factor",
    "/desk/second-factor/later",
    "/desk/second-factor/codes",
    "/desk/again",
]


def name_of(store: Database, staff_id: str) -> str:
    with store.reading() as session:
        return session.get_one(User, staff_id).name


@pytest.mark.parametrize("path", ["/desk/sign-in", *POSTS])
def test_without_the_token_nothing_is_done(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database, path: str
) -> None:
    member = staff("admin", name="周敏")
    signed_in(client, member)
    answer = client.post(path, data={"name": "别人", "language": "en"})
    assert answer.status_code in {302, 400}
    assert client.get("/desk/me").status_code == 200, "still signed in"
    assert name_of(store, member.id) == "周敏"


HOSTILE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Referer": "https://evil.example/desk/me"},
]


@pytest.mark.parametrize(
    ("path", "headers"),
    [*((path, HOSTILE[0]) for path in POSTS), *(("/desk/me/name", headers) for headers in HOSTILE)],
)
def test_from_another_origin_nothing_is_done_even_with_the_token(
    client: DeskClient, staff: Staff, signed_in: SignedIn, path: str, headers: dict[str, str]
) -> None:
    signed_in(client, staff("admin"))
    assert client.post(path, data={"csrf_token": client.token}, headers=headers).status_code == 403


def test_another_sessions_token_is_none(
    client: DeskClient, another_browser: Browser, staff: Staff, signed_in: SignedIn, store: Database
) -> None:
    member, other = staff("admin"), signed_in(another_browser(), staff("admin"))
    signed_in(client, member)
    client.token = other.token
    assert client.send("/desk/me/name", name="别人").status_code == 400
    assert name_of(store, member.id) == member.name


def test_a_token_is_as_old_as_its_session_and_not_older(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database, clock: Clock
) -> None:
    member = staff("admin")
    signed_in(client, member)
    for _ in range(8):
        clock.advance(minutes=25)
        client.get("/desk/me/sessions")
    assert client.send("/desk/me/name", name="周小敏").status_code == 302
    assert name_of(store, member.id) == "周小敏"


def test_a_refused_form_comes_back_with_what_was_typed(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database
) -> None:
    member = staff("admin")
    signed_in(client, member)
    answer = client.post("/desk/me/name", data={"csrf_token": "old", "name": "周敏<b>"})
    assert answer.status_code == 400
    assert "还没有保存" in answer.text
    assert 'value="周敏&lt;b&gt;"' in answer.text
    assert client.send("/desk/me/name", name="周敏<b>").status_code == 302
    assert name_of(store, member.id) == "周敏<b>"


def test_a_refused_password_is_not_shown_again(client: DeskClient, staff: Staff, signed_in: SignedIn) -> None:
    signed_in(client, staff("admin"))
    fields = {"present": GOOD_PASSWORD, "new": "wo-de-xin-mi-ma-shi", "repeated": "wo-de-xin-mi-ma-shi"}
    answer = client.post("/desk/password", data={"csrf_token": "old"} | fields)
    assert answer.status_code == 400
    assert GOOD_PASSWORD not in answer.text
    assert "wo-de-xin" not in answer.text


def test_who_was_signed_out_meanwhile_gets_the_sign_in_and_what_was_typed(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    signed_in(client, staff("admin"))
    clock.advance(hours=1)
    answer = client.post(
        "/desk/me/name",
        data={"csrf_token": client.token, "name": "客户说周四前付清，先别催"},
        headers=OWN_PAGE | {"Referer": "http://127.0.0.1:8000/desk/me"},
    )
    assert answer.status_code == 401
    assert "登录已过期" in answer.text
    assert "客户说周四前付清，先别催" in answer.text
    assert 'name="next" type="hidden" value="/desk/me"' in answer.text


def test_an_old_sign_in_page_asks_again_and_keeps_the_address(client: DeskClient) -> None:
    fields = {"csrf_token": "old", "email": "zhou@xinheng.example", "password": "x", "next": "/desk/me"}
    answer = client.post("/desk/sign-in", data=fields)
    assert answer.status_code == 400
    assert 'value="zhou@xinheng.example"' in answer.text
    assert 'value="/desk/me"' in answer.text
    assert 'value="x"' not in answer.text


def test_signing_out_when_already_signed_out_leads_to_the_sign_in(client: DeskClient) -> None:
    assert client.post("/desk/sign-out", data={}).location == "/desk/sign-in"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_from_a_mail_opens_itself_again(client: DeskClient, site: str) -> None:
    """The cookie doesn't come along from elsewhere; a page of our own then asks with it."""
    answer = client.get("/desk/me?a=1&b=2", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"})
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0;url=/desk/me?a=1&amp;b=2">' in answer.text
    assert answer.headers.getlist("Set-Cookie") == []


def test_from_our_own_page_there_is_no_such_detour(client: DeskClient) -> None:
    for site in ("same-origin", "none"):
        answer = client.get("/desk/me", headers={"Sec-Fetch-Site": site})
        assert answer.location == "/desk/sign-in?next=/desk/me"


def test_an_unknown_address_at_the_desk_is_unknown(client: DeskClient) -> None:
    assert client.get("/desk/nothing-here").status_code == 404


def test_outside_production_the_second_factor_is_offered_once(client: DeskClient, staff: Staff) -> None:
    member = staff("sales")
    client.sign_in(member.email, GOOD_PASSWORD)
    assert client.get("/desk/me").location == "/desk/second-factor"
    assert "以后再说" in client.get("/desk/second-factor").text
    assert client.send("/desk/second-factor/later").location == "/desk/me"
    page = client.get("/desk/me").text
    assert "您还没有设置两步验证" in page


def test_who_sees_no_leads_is_advised_and_not_asked(client: DeskClient, staff: Staff) -> None:
    client.sign_in(staff("editor").email, GOOD_PASSWORD)
    assert "建议设置两步验证" in client.get("/desk/me").text


def test_outside_production_a_one_time_password_is_a_banner(
    client: DeskClient, staff: Staff, signed_in: SignedIn
) -> None:
    page = signed_in(client, staff("admin", one_time=True)).get("/desk/me").text
    assert "一次性密码" in page
    assert 'href="/desk/password"' in page


def test_no_banner_where_all_is_done(client: DeskClient, staff: Staff, signed_in: SignedIn) -> None:
    assert "banner" not in signed_in(client, staff("sales", second_factor=True)).get("/desk/me").text


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/desk/leads/" + "0" * 32 + "/status", "/desk/leads/" + "0" * 32),
        ("/desk/leads/bulk", "/desk/leads"),
        ("/desk/search", "/desk"),
        ("/desk/me/name", "/desk/me"),
    ],
)
def test_the_address_of_a_deed_leads_back_to_its_page(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock, address: str, page: str
) -> None:
    """A page that answered a form stands at such an address: reloaded, or after signing in again, it is no dead end."""
    signed_in(client, staff("sales"))
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, page)
    clock.advance(hours=1)
    answer = client.post(
        "/desk/me/name",
        data={"csrf_token": client.token, "name": "周"},
        headers=OWN_PAGE | {"Referer": f"http://127.0.0.1:8000{address}"},
    )
    assert f'name="next" type="hidden" value="{page}"' in answer.text


@pytest.mark.parametrize(
    "address",
    ["/desk/../articles", "/desk/%2e%2e/articles", "/desk/./../x", "/desk/..", "//evil.example/desk"],
)
def test_signing_in_leads_nowhere_but_to_the_desk(client: DeskClient, address: str) -> None:
    page = client.get("/desk/sign-in", query_string={"next": address})
    assert 'name="next" type="hidden" value="/desk/"' in page.text


def test_the_one_time_password_is_taken_again_however_it_is_typed(
    client: DeskClient, accounts: Accounts, clock: Clock
) -> None:
    made = accounts.add("zhou@xinheng.example", "周敏", [RoleName.PRIVACY])
    client.sign_in(made.email, made.password.lower().replace("-", " "))
    client.get("/desk/again")
    assert client.send("/desk/again", password=made.password.lower().replace("-", " ")).status_code == 302
