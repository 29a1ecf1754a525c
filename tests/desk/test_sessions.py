"""Sessions of the desk: kept by us, short, ended everywhere, and unknown to every public page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from flask import Flask
from tests.conftest import CHROME
from tests.desk.conftest import GOOD_PASSWORD, Clock, DeskClient, SignedIn, Staff

from xinheng.db import Database
from xinheng.staff.accounts import Accounts
from xinheng.staff.models import StaffSession, User
from xinheng.staff.permissions import RoleName

Browser = Callable[[], DeskClient]


def cookie_of(client: DeskClient) -> str:
    found = client.get_cookie("sid", domain="127.0.0.1")
    return found.value if found else ""


def kept_sessions(store: Database) -> list[StaffSession]:
    with store.reading() as session:
        return session.query(StaffSession).order_by(StaffSession.created_at).all()


def test_looking_at_the_sign_in_page_keeps_nothing(client: DeskClient, store: Database) -> None:
    client.get("/desk/sign-in")
    assert "." in cookie_of(client), "a signed cookie with the form's token"
    assert kept_sessions(store) == []


def test_the_database_holds_the_hash_of_the_cookie_and_no_personal_data(
    client: DeskClient, store: Database, staff: Staff
) -> None:
    member = staff("privacy", name="周敏")
    client.sign_in(member.email, GOOD_PASSWORD)
    (kept,) = kept_sessions(store)
    assert kept.id_hash == hashlib.sha256(cookie_of(client).encode()).digest()
    assert len(cookie_of(client)) == 43, "256 bits"
    assert kept.browser == "Chrome · Android"
    told = f"{kept.data} {kept.browser}"
    assert not any(
        secret in told for secret in (member.email, member.name, "127.0.0.1", CHROME, cookie_of(client))
    )


def test_the_cookie_is_for_our_own_pages_only(client: DeskClient, staff: Staff) -> None:
    answer = client.sign_in(staff("privacy").email, GOOD_PASSWORD)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("sid=")
    assert {part.strip() for part in cookie.split(";")[1:]} == {"HttpOnly", "Path=/", "SameSite=Strict"}


def test_each_step_of_the_sign_in_gives_another_number(
    client: DeskClient, staff: Staff, clock: Clock, store: Database
) -> None:
    member = staff("sales", second_factor=True)
    client.get("/desk/sign-in")
    before = cookie_of(client)
    client.send("/desk/sign-in", email=member.email, password=GOOD_PASSWORD)
    half_way = cookie_of(client)
    client.get("/desk/code")
    client.send("/desk/code", code=member.code(clock.moment))
    assert len({before, half_way, cookie_of(client)}) == 3
    assert len(kept_sessions(store)) == 1, "the one that was half-way is gone"


def test_a_number_that_somebody_planted_is_not_taken_over(client: DeskClient, staff: Staff) -> None:
    planted = "A" * 43
    client.set_cookie("sid", planted, domain="127.0.0.1")
    client.sign_in(staff("privacy").email, GOOD_PASSWORD)
    assert cookie_of(client) != planted


@pytest.mark.parametrize(
    "path", ["/", "/articles/", "/consultation", "/search?q=坏账", "/nothing-here", "/healthz"]
)
def test_public_pages_know_no_session(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database, path: str
) -> None:
    signed_in(client, staff("privacy"))
    answer = client.get(path)
    assert answer.headers.getlist("Set-Cookie") == []
    assert "cookie" not in answer.headers.get("Vary", "").lower()


def test_a_public_page_reads_no_session_from_the_database(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock, store: Database
) -> None:
    signed_in(client, staff("privacy"))
    clock.advance(minutes=10)
    client.get("/")
    (kept,) = kept_sessions(store)
    assert kept.seen_at == kept.created_at


ENDED = {
    "signed out": lambda client, member, accounts: client.send("/desk/sign-out"),
    "disabled": lambda client, member, accounts: accounts.remove(member.email),
    "other roles": lambda client, member, accounts: accounts.set_roles(member.email, [RoleName.EDITOR]),
    "reset": lambda client, member, accounts: accounts.reset(member.email),
}


@pytest.mark.parametrize("ended", ENDED)
def test_an_old_cookie_opens_nothing_after(
    client: DeskClient, staff: Staff, signed_in: SignedIn, accounts: Accounts, store: Database, ended: str
) -> None:
    member = staff("privacy")
    signed_in(client, member)
    cookie = cookie_of(client)
    assert client.get("/desk/me").status_code == 200
    ENDED[ended](client, member, accounts)
    client.set_cookie("sid", cookie, domain="127.0.0.1")
    assert client.get("/desk/me").location == "/desk/sign-in?next=/desk/me"
    assert kept_sessions(store) == []


def test_half_an_hour_without_use_ends_a_session(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    signed_in(client, staff("privacy"))
    for _ in range(3):
        clock.advance(minutes=29)
        assert client.get("/desk/me").status_code == 200
    clock.advance(minutes=30, seconds=1)
    assert client.get("/desk/me").status_code == 302


def test_twelve_hours_end_a_session_however_busy_it_is(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    signed_in(client, staff("privacy"))
    for _ in range(24):
        clock.advance(minutes=29)
        assert client.get("/desk/me/sessions").location == "/desk/me#sessions"
    clock.advance(minutes=24, seconds=1)
    assert client.get("/desk/me").status_code == 302


def test_proving_oneself_again_makes_no_session_younger(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    signed_in(client, staff("privacy"))
    for _ in range(24):
        clock.advance(minutes=29)
        client.get("/desk/me/sessions")
    before = cookie_of(client)
    client.get("/desk/again")
    assert client.send("/desk/again", password=GOOD_PASSWORD).status_code == 302
    assert cookie_of(client) != before
    clock.advance(minutes=24, seconds=1)
    assert client.get("/desk/me").status_code == 302


def test_use_is_written_at_most_once_a_minute(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock, store: Database
) -> None:
    member = staff("privacy")
    signed_in(client, member)
    seen = []
    for seconds in (10, 30, 19, 1, 30):
        clock.advance(seconds=seconds)
        client.get("/desk/me")
        seen.append(kept_sessions(store)[0].seen_at)
    assert len(set(seen)) == 2
    with store.reading() as session:
        assert session.get_one(User, member.id).last_seen_at == seen[-1]


def test_ended_sessions_leave_the_table(
    another_browser: Browser, staff: Staff, clock: Clock, store: Database
) -> None:
    member = staff("privacy")
    another_browser().sign_in(member.email, GOOD_PASSWORD)
    clock.advance(hours=1)
    another_browser().sign_in(member.email, GOOD_PASSWORD)
    assert len(kept_sessions(store)) == 1


def test_what_fails_half_way_signs_nobody_in(
    client: DeskClient, staff: Staff, app: Flask, monkeypatch: pytest.MonkeyPatch, store: Database
) -> None:
    member = staff("privacy")
    client.get("/desk/sign-in")

    def broken(*arguments: object, **named: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("xinheng.staff.membership.record", broken)
        answer = client.send("/desk/sign-in", email=member.email, password=GOOD_PASSWORD)
    assert answer.status_code == 500
    assert answer.headers.getlist("Set-Cookie") == []
    assert kept_sessions(store) == []
    assert client.get("/desk/me").status_code == 302


def test_one_sees_ones_sessions_and_ends_one(
    client: DeskClient,
    another_browser: Browser,
    staff: Staff,
    signed_in: SignedIn,
    store: Database,
    clock: Clock,
) -> None:
    member, stranger = staff("privacy"), staff("privacy")
    other = another_browser()
    signed_in(other, member)
    signed_in(another_browser(), stranger)
    clock.advance(minutes=1)
    page = signed_in(client, member).get("/desk/me").text
    assert page.count("退出这一处") == 1
    assert page.count("就是这里") == 1
    number = next(kept.number for kept in kept_sessions(store) if kept.staff_id == member.id)
    assert client.send("/desk/me/sessions", number=number).status_code == 302
    assert other.get("/desk/me").status_code == 302
    assert client.get("/desk/me").status_code == 200


def test_nobody_ends_somebody_elses_session(
    client: DeskClient, another_browser: Browser, staff: Staff, signed_in: SignedIn, store: Database
) -> None:
    other = another_browser()
    signed_in(other, staff("privacy"))
    (kept,) = kept_sessions(store)
    signed_in(client, staff("privacy")).send("/desk/me/sessions", number=kept.number)
    assert other.get("/desk/me").status_code == 200


def test_all_other_sessions_end_at_once(
    client: DeskClient,
    another_browser: Browser,
    staff: Staff,
    signed_in: SignedIn,
    recorded: Callable[[], list[tuple[str, str, str]]],
) -> None:
    member = staff("privacy")
    others = [signed_in(another_browser(), member) for _ in range(3)]
    signed_in(client, member).send("/desk/me/sessions")
    assert [other.get("/desk/me").status_code for other in others] == [302] * 3
    assert client.get("/desk/me").status_code == 200
    assert recorded() == [(member.id, "sessions_ended", member.id)]


def test_the_present_session_ends_by_signing_out_only(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database
) -> None:
    signed_in(client, staff("privacy"))
    (kept,) = kept_sessions(store)
    assert client.send("/desk/me/sessions", number=kept.number).status_code == 400
