"""In production: https cookies, one's own password first, and no lead without a second factor."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from passlib.totp import TOTP
from tests.desk.conftest import GOOD_PASSWORD, TINY, Clock, DeskClient, SignedIn, Staff, cheapen, empty

from xinheng.staff.accounts import Accounts
from xinheng.staff.passwords import Passwords
from xinheng.staff.permissions import RoleName

NEW = "si-ge-bu-xiang-gan-de-ci"


@pytest.fixture
def app(production_app: Flask) -> Flask:
    cheapen(production_app)
    empty(production_app)
    return production_app


def test_the_cookie_is_bound_to_the_host_and_to_https(client: DeskClient, staff: Staff) -> None:
    answer = client.sign_in(staff("admin").email, GOOD_PASSWORD)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-sid=")
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert parts == {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"}


@pytest.mark.parametrize("role", ["sales", "sales_lead"])
@pytest.mark.parametrize("path", ["/desk/", "/desk/me", "/desk/audit", "/desk/leads"])
def test_without_a_second_factor_every_page_leads_to_its_set_up(
    client: DeskClient, staff: Staff, signed_in: SignedIn, role: str, path: str
) -> None:
    signed_in(client, staff(role))
    assert client.get(path).location == "/desk/second-factor"


def test_it_cannot_be_put_off(client: DeskClient, staff: Staff, signed_in: SignedIn) -> None:
    signed_in(client, staff("sales"))
    assert "以后再说" not in client.get("/desk/second-factor").text
    assert client.send("/desk/second-factor/later").status_code == 403
    assert client.get("/desk/me").location == "/desk/second-factor"


def test_signing_out_and_the_language_are_there_before(
    client: DeskClient, staff: Staff, signed_in: SignedIn
) -> None:
    signed_in(client, staff("sales"))
    client.get("/desk/second-factor")
    assert client.send("/desk/me/language", language="zh").status_code == 302
    assert client.send("/desk/sign-out").location == "/desk/sign-in"


def test_a_password_of_ours_must_be_replaced_before_anything_else(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    signed_in(client, staff("sales", one_time=True))
    for path in ("/desk/", "/desk/me", "/desk/second-factor"):
        assert client.get(path).location == "/desk/password"


def test_the_way_of_a_new_colleague(client: DeskClient, app: Flask, clock: Clock) -> None:
    """Printed password, own password, authenticator, recovery codes, desk."""
    database, keys = app.extensions["xinheng.databases"].leads, app.extensions["xinheng.keys"]
    printed = Accounts(database, keys, Passwords(TINY)).add("wu@xinheng.example", "吴越", [RoleName.SALES])
    assert client.sign_in(printed.email, printed.password).status_code == 302
    assert client.get("/desk/").location == "/desk/password"
    client.get("/desk/password")
    answer = client.send("/desk/password", present=printed.password.lower(), new=NEW, repeated=NEW)
    assert answer.status_code == 302
    assert client.get("/desk/").location == "/desk/second-factor"
    found = re.search(r"<code>([A-Z2-7 ]{30,})</code>", client.get("/desk/second-factor").text)
    assert found
    code = TOTP(found.group(1)).generate(clock.moment).token
    assert "记下恢复代码" in client.send("/desk/second-factor", code=code).text
    assert client.get("/desk/me").status_code == 200


def test_the_cookie_comes_over_https_only_from_our_own_pages(client: DeskClient) -> None:
    answer = client.get("/desk/sign-in")
    assert "upgrade-insecure-requests" in answer.headers["Content-Security-Policy"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]
