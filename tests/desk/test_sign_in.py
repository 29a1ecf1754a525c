"""Signing in and out: one sentence and the same work for everybody who may not, a new session for who may."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from flask import Flask
from tests.desk.conftest import GOOD_PASSWORD, Clock, DeskClient, SignedIn, Staff

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.desk.sign_in_member import StaffDatastore
from xinheng.desk.sign_in_services import PASSWORD_COST
from xinheng.staff.accounts import Accounts
from xinheng.staff.models import Tries, User
from xinheng.staff.passwords import COST, Cost
from xinheng.staff.permissions import RoleName
from xinheng.staff.throttle import Throttle

Recorded = Callable[[], list[tuple[str, str, str]]]
Browser = Callable[[], DeskClient]


def test_nobody_sees_the_desk_without_signing_in(client: DeskClient) -> None:
    answer = client.get("/desk/me")
    assert answer.status_code == 302
    assert answer.location == "/desk/sign-in?next=/desk/me"


def test_the_right_password_leads_to_the_page_that_was_asked_for(client: DeskClient, staff: Staff) -> None:
    member = staff("editor")
    answer = client.sign_in(member.email, GOOD_PASSWORD, "/desk/sign-in?next=/desk/me")
    assert (answer.status_code, answer.location) == (302, "/desk/me")
    assert member.name in client.get("/desk/me").text


@pytest.mark.parametrize("typed", ["  ZHOU@Xinheng.Example ", "ｚｈｏｕ@xinheng.example"])
def test_an_address_is_the_same_however_it_is_written(client: DeskClient, staff: Staff, typed: str) -> None:
    staff("admin", email="zhou@xinheng.example")
    assert client.sign_in(typed, GOOD_PASSWORD).status_code == 302


@pytest.mark.parametrize(
    "next_page",
    [
        "https://evil.example/desk/",
        "//evil.example/desk",
        "/\\evil.example/desk",
        "///evil.example",
        "/articles/",
        "/deskish",
        "/desk//evil.example",
        "javascript:alert(1)",
    ],
)
def test_signing_in_leads_nowhere_but_to_the_desk(client: DeskClient, staff: Staff, next_page: str) -> None:
    member = staff("editor")
    client.get("/desk/sign-in", query_string={"next": next_page})
    answer = client.send("/desk/sign-in", email=member.email, password=GOOD_PASSWORD, next=next_page)
    assert (answer.status_code, answer.location) == (302, "/desk/")


def refused_bodies(client: DeskClient, accounts: Accounts, staff: Staff) -> dict[str, str]:
    """What the page says to somebody unknown, somebody mistaken, and somebody who left; without token and address."""
    known, gone = staff("sales"), staff("sales")
    accounts.remove(gone.email)
    tried = {
        "unknown": ("nobody@xinheng.example", GOOD_PASSWORD),
        "wrong": (known.email, "not-the-password"),
        "gone": (gone.email, GOOD_PASSWORD),
        "no address": ("nobody", GOOD_PASSWORD),
    }
    bodies = {}
    for name, (email, password) in tried.items():
        answer = client.sign_in(email, password)
        assert answer.status_code == 422
        bodies[name] = answer.text.replace(client.token, "").replace(email, "")
    return bodies


def test_unknown_wrong_and_disabled_get_the_same_page(
    client: DeskClient, accounts: Accounts, staff: Staff
) -> None:
    bodies = refused_bodies(client, accounts, staff)
    assert len(set(bodies.values())) == 1
    assert "邮箱或密码不对" in bodies["unknown"]


def test_unknown_wrong_and_disabled_take_the_same_work(
    client: DeskClient, accounts: Accounts, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    hashed: list[str] = []
    verify, hash_anew = PasswordHasher.verify, PasswordHasher.hash

    def counted(self: PasswordHasher, stored: str, typed: str) -> object:
        verified.append(stored.rpartition("$")[0].rpartition("$")[0])
        return verify(self, stored, typed)

    def counted_hash(self: PasswordHasher, typed: str, **more: bytes) -> str:
        hashed.append(typed)
        return hash_anew(self, typed, **more)

    client.sign_in("first@xinheng.example", "x")  # the hash that stands for nobody's is made once
    known = staff("sales")
    with monkeypatch.context() as patched:
        patched.setattr(PasswordHasher, "verify", counted)
        patched.setattr(PasswordHasher, "hash", counted_hash)
        refused_bodies(client, accounts, staff)
        assert len(verified) == 4, "one computation each"
        assert len(set(verified)) == 1, "at one cost"
        assert client.sign_in(known.email, GOOD_PASSWORD).status_code == 302
        assert len(verified) == 5


def test_the_password_in_use_is_kept_at_todays_cost(
    client: DeskClient, app: Flask, store: Database, staff: Staff
) -> None:
    member = staff("editor")
    app.config[PASSWORD_COST] = Cost(memory=16, passes=2)
    assert client.sign_in(member.email, GOOD_PASSWORD).status_code == 302
    with store.reading() as session:
        assert session.get_one(User, member.id).password.startswith("$argon2id$v=19$m=16,t=2,p=1$")


def test_the_cost_outside_tests_is_what_the_standard_asks() -> None:
    assert COST.memory >= 19 * 1024
    assert COST.passes >= 2


@pytest.mark.parametrize(("email", "password"), [("", ""), ("", GOOD_PASSWORD), ("a@b.example", "")])
def test_an_empty_field_is_named_and_the_address_stays(client: DeskClient, email: str, password: str) -> None:
    answer = client.sign_in(email, password)
    assert answer.status_code == 422
    assert "请填写邮箱和密码" in answer.text
    assert f'value="{email}"' in answer.text


def test_the_sixth_try_in_a_minute_is_refused_even_with_the_right_password(
    client: DeskClient, staff: Staff, clock: Clock
) -> None:
    member = staff("editor")
    for _ in range(5):
        assert client.sign_in(member.email, "wrong").status_code == 422
    answer = client.sign_in(member.email, GOOD_PASSWORD)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "请过60秒再试" in answer.text
    clock.advance(seconds=61)
    assert client.sign_in(member.email, GOOD_PASSWORD).status_code == 302


def test_an_unknown_address_is_refused_as_often_as_a_known_one(client: DeskClient, clock: Clock) -> None:
    codes = [client.sign_in("nobody@xinheng.example", "wrong").status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]


def test_a_right_password_forgets_the_mistakes_before_it(
    client: DeskClient, staff: Staff, clock: Clock
) -> None:
    member = staff("editor")
    for _ in range(2):
        for _ in range(4):
            client.sign_in(member.email, "wrong")
        assert client.sign_in(member.email, GOOD_PASSWORD).status_code == 302
        client.get("/desk/me")
        assert client.send("/desk/sign-out").status_code == 302


def test_others_can_keep_out_nobody_who_has_a_second_factor(
    client: DeskClient, staff: Staff, clock: Clock, store: Database, store_keys: Keys
) -> None:
    """An attacker with many networks makes an account busy; its owner comes in from elsewhere, by password and code."""
    with_phone, without = staff("sales", second_factor=True), staff("editor")
    throttle, owner = Throttle(store, store_keys), client
    for member in (with_phone, without):
        for number in range(31):
            throttle.sign_in(member.email, f"10.0.{number}.0/24", clock.moment)
    answer = owner.sign_in(with_phone.email, GOOD_PASSWORD)
    assert answer.status_code == 302
    assert answer.location.startswith("/desk/code")
    assert owner.sign_in(without.email, GOOD_PASSWORD).status_code == 429
    assert owner.sign_in(with_phone.email, "wrong").status_code == 429, (
        "as for who has none: nothing to be learnt"
    )
    clock.advance(minutes=16)
    assert owner.sign_in(without.email, GOOD_PASSWORD).status_code == 302


def test_who_is_signed_in_cannot_make_wrong_tries_on_another_account_forgotten(
    client: DeskClient, another_browser: Browser, staff: Staff, clock: Clock
) -> None:
    insider, victim = staff("editor"), staff("admin")
    client.sign_in(insider.email, GOOD_PASSWORD)
    client.get("/desk/me")
    guesser = another_browser()
    for _ in range(5):
        guesser.sign_in(victim.email, "wrong")
    assert client.send("/desk/sign-in", email=victim.email, password="wrong").location == "/desk/"
    assert guesser.sign_in(victim.email, GOOD_PASSWORD).status_code == 429


def test_one_network_may_try_thirty_times_a_minute(client: DeskClient, clock: Clock) -> None:
    client.get("/desk/sign-in")
    codes = [
        client.send("/desk/sign-in", email=f"a{number}@xinheng.example", password="wrong").status_code
        for number in range(31)
    ]
    assert codes == [422] * 30 + [429]


def test_the_table_of_tries_tells_neither_who_nor_from_where(
    client: DeskClient, staff: Staff, store: Database, clock: Clock
) -> None:
    member = staff("editor")
    client.sign_in(member.email, "wrong")
    with store.reading() as session:
        rows = session.query(Tries).all()
        assert len(rows) == 3
        assert all(len(row.key) == 32 for row in rows)
        assert not any("127.0.0" in str(vars(row)) or member.email in str(vars(row)) for row in rows)


def test_every_sign_in_is_recorded_without_an_address(
    client: DeskClient, staff: Staff, recorded: Recorded, clock: Clock
) -> None:
    member = staff("editor")
    client.sign_in("nobody@xinheng.example", "wrong")
    client.sign_in(member.email, "wrong")
    client.sign_in(member.email, GOOD_PASSWORD)
    client.get("/desk/me")
    client.send("/desk/sign-out")
    assert recorded() == [
        ("", "sign_in_failed", ""),
        ("", "sign_in_failed", member.id),
        (member.id, "sign_in", member.id),
        (member.id, "sign_out", member.id),
    ]


def test_who_cannot_be_recorded_does_not_come_in(
    client: DeskClient, staff: Staff, store: Database, app: Flask
) -> None:
    member = staff("editor")
    client.get("/desk/sign-in")
    with store.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM audit_head")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = client.send("/desk/sign-in", email=member.email, password=GOOD_PASSWORD)
    assert answer.status_code == 503
    assert client.get("/desk/me").status_code == 302, "still nobody"


def test_signing_out_is_a_form_and_not_an_address(
    client: DeskClient, staff: Staff, signed_in: SignedIn
) -> None:
    signed_in(client, staff("editor"))
    assert client.get("/desk/sign-out").headers["Location"] == "/desk"
    assert client.get("/desk/me").status_code == 200


def test_remember_me_is_not_offered_and_does_nothing(client: DeskClient, staff: Staff) -> None:
    member = staff("editor")
    client.get("/desk/sign-in")
    answer = client.send("/desk/sign-in", email=member.email, password=GOOD_PASSWORD, remember="y")
    assert answer.status_code == 302
    assert [cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")] == ["sid"]


def test_one_time_passwords_are_taken_however_they_are_copied(client: DeskClient, accounts: Accounts) -> None:
    printed = accounts.add("zhou@xinheng.example", "周敏", [RoleName.PRIVACY])
    typed = printed.password.lower().replace("-", " ")
    assert client.sign_in(printed.email, f" {typed} ").status_code == 302


@pytest.mark.parametrize("header", ["Authentication-Token", "Authorization"])
def test_no_header_stands_in_for_a_session(client: DeskClient, staff: Staff, app: Flask, header: str) -> None:
    """The library could take tokens and basic authentication; both are off."""
    member = staff("editor")
    with app.test_request_context():
        found = StaffDatastore(app.extensions["xinheng.databases"].leads).find_user(id=member.id)
        assert found is not None
        token = str(found.get_auth_token())
    basic = base64.b64encode(f"{member.email}:{GOOD_PASSWORD}".encode()).decode()
    value = token if header == "Authentication-Token" else f"Basic {basic}"
    assert client.get("/desk/me", headers={header: value}).status_code == 302
    assert client.get(f"/desk/me?auth_token={token}").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "register",
        "reset",
        "confirm",
        "tf-setup",
        "tf-rescue",
        "tf-select",
        "us-signin",
        "wan-signin",
        "login",
        "verify",
        "change",
    ],
)
def test_what_the_library_offers_beyond_this_has_no_address(client: DeskClient, path: str) -> None:
    for address in (f"/desk/{path}", f"/{path}", f"/desk/sign-in/{path}"):
        assert client.get(address).status_code in {404, 405}


def test_answers_are_pages_even_where_json_is_asked_for(client: DeskClient, staff: Staff) -> None:
    client.get("/desk/sign-in")
    answer = client.post(
        "/desk/sign-in",
        json={"email": "a@b.example", "password": "x"},
        headers={"Sec-Fetch-Site": "same-origin", "Accept": "application/json"},
    )
    assert answer.mimetype == "text/html"
    assert answer.status_code == 400
