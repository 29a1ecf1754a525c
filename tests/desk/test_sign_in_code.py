"""The second factor: set up, asked for, good once; recovery codes; what is kept of both."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import html5lib
import pytest
from flask import Flask
from passlib.totp import TOTP
from tests.desk.conftest import GOOD_PASSWORD, Clock, DeskClient, Known, SignedIn, Staff

from xinheng.db import Database
from xinheng.staff.accounts import Accounts
from xinheng.staff.models import User

Recorded = Callable[[], list[tuple[str, str, str]]]
Browser = Callable[[], DeskClient]


def password_then_code(client: DeskClient, member: Known, code: str) -> int:
    """Sign in with both; the status of the second answer."""
    answer = client.sign_in(member.email, GOOD_PASSWORD)
    assert answer.location.startswith("/desk/code")
    client.get("/desk/code")
    return client.send("/desk/code", code=code).status_code


def key_on(page: str) -> str:
    """The key that the set-up page spells."""
    found = re.search(r"<code>([A-Z2-7 ]{30,})</code>", page)
    assert found
    return found.group(1).replace(" ", "")


def codes_on(page: str) -> list[str]:
    return re.findall(r"<li><code>([0-9A-Z-]{14})</code></li>", page)


def test_with_a_second_factor_the_password_alone_opens_nothing(client: DeskClient, staff: Staff) -> None:
    member = staff("sales", second_factor=True)
    client.sign_in(member.email, GOOD_PASSWORD)
    assert client.get("/desk/me").location.startswith("/desk/sign-in")
    assert client.get("/desk/").location.startswith("/desk/sign-in")


def test_password_and_code_open_the_desk(
    client: DeskClient, staff: Staff, clock: Clock, recorded: Recorded
) -> None:
    member = staff("sales", second_factor=True)
    assert password_then_code(client, member, member.code(clock.moment)) == 302
    assert client.get("/desk/me").status_code == 200
    assert recorded() == [(member.id, "sign_in", member.id)]


def test_after_the_code_comes_the_page_that_was_asked_for(
    client: DeskClient, staff: Staff, clock: Clock
) -> None:
    member = staff("sales", second_factor=True)
    answer = client.sign_in(member.email, GOOD_PASSWORD, "/desk/sign-in?next=/desk/me")
    page = client.get(answer.location).text
    action = html5lib.parse(page, namespaceHTMLElements=False).find(".//main//form")
    assert action is not None
    answer = client.send(action.get("action"), code=member.code(clock.moment))
    assert answer.location == "/desk/me"


@pytest.mark.parametrize(("late", "status"), [(-61, 422), (-30, 302), (0, 302), (30, 302), (61, 422)])
def test_a_clock_may_be_one_step_off(
    client: DeskClient, staff: Staff, clock: Clock, late: int, status: int
) -> None:
    member = staff("sales", second_factor=True)
    shown = member.code(clock.moment)
    clock.advance(seconds=late)
    assert password_then_code(client, member, shown) == status


@pytest.mark.parametrize("written", ["{0}{1}", "{0} {1}", " {0}-{1} "])
def test_a_code_is_taken_however_it_is_typed(
    client: DeskClient, staff: Staff, clock: Clock, written: str
) -> None:
    member = staff("sales", second_factor=True)
    code = member.code(clock.moment)
    assert password_then_code(client, member, written.format(code[:3], code[3:])) == 302


def test_full_width_digits_are_digits(client: DeskClient, staff: Staff, clock: Clock) -> None:
    member = staff("sales", second_factor=True)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in member.code(clock.moment))
    assert password_then_code(client, member, wide) == 302


def test_a_code_is_good_once(another_browser: Browser, staff: Staff, clock: Clock) -> None:
    member = staff("sales", second_factor=True)
    code = member.code(clock.moment)
    assert password_then_code(another_browser(), member, code) == 302
    again = another_browser()
    assert password_then_code(again, member, code) == 422
    assert again.get("/desk/me").status_code == 302
    clock.advance(seconds=30)
    assert again.send("/desk/code", code=member.code(clock.moment)).status_code == 302


def test_an_older_code_is_not_good_after_a_newer_one(
    another_browser: Browser, staff: Staff, clock: Clock
) -> None:
    member = staff("sales", second_factor=True)
    older = member.code(clock.moment)
    clock.advance(seconds=30)
    assert password_then_code(another_browser(), member, member.code(clock.moment)) == 302
    assert password_then_code(another_browser(), member, older) == 422


def at_once(*tasks: Callable[[], object]) -> list[object]:
    """Run tasks in threads that start together; what each answered."""
    gate, answers = threading.Barrier(len(tasks)), list[object]()

    def run(task: Callable[[], object]) -> None:
        gate.wait()
        answers.append(task())

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_two_that_use_a_code_at_once_one_comes_in(
    another_browser: Browser, staff: Staff, clock: Clock
) -> None:
    member = staff("sales", second_factor=True)
    code = member.code(clock.moment)
    browsers = [another_browser() for _ in range(4)]
    for browser in browsers:
        browser.sign_in(member.email, GOOD_PASSWORD)
        browser.get("/desk/code")
    answers = at_once(*(lambda b=each: b.send("/desk/code", code=code).status_code for each in browsers))  # type: ignore[misc]
    assert sorted(answers) == [302, 422, 422, 422]  # type: ignore[type-var]


def test_the_sixth_code_in_a_minute_is_refused_even_if_it_is_right(
    client: DeskClient, staff: Staff, clock: Clock, recorded: Recorded
) -> None:
    member = staff("sales", second_factor=True)
    client.sign_in(member.email, GOOD_PASSWORD)
    client.get("/desk/code")
    right = member.code(clock.moment)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert [client.send("/desk/code", code=wrong).status_code for _ in range(5)] == [422] * 5
    assert client.send("/desk/code", code=right).status_code == 429
    assert recorded() == [("", "two_factor_failed", member.id)] * 5
    clock.advance(seconds=61)
    assert client.send("/desk/code", code=member.code(clock.moment)).status_code == 302


def test_the_code_page_is_for_who_gave_a_password(client: DeskClient) -> None:
    for path in ("/desk/code", "/desk/recovery"):
        assert client.get(path).location == "/desk/sign-in"


def test_setting_up_shows_a_picture_and_the_key_and_ends_with_ten_codes(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock, recorded: Recorded
) -> None:
    member = staff("sales")
    signed_in(client, member)
    page = client.get("/desk/second-factor").text
    assert '<svg viewBox="0 0 ' in page
    assert "data:" not in page
    secret = key_on(page)
    answer = client.send("/desk/second-factor", code=TOTP(secret).generate(clock.moment).token)
    assert answer.status_code == 200
    assert len(set(codes_on(answer.text))) == 10
    assert recorded()[-1] == (member.id, "two_factor_set", member.id)


def test_the_picture_holds_the_key_and_the_address(
    app: Flask, client: DeskClient, staff: Staff, signed_in: SignedIn
) -> None:
    member = staff("sales", email="zhou@xinheng.example")
    signed_in(client, member)
    secret = key_on(client.get("/desk/second-factor").text)
    factory = app.extensions["security"].totp_factory
    uri = factory.get_totp_uri(member.email, TOTP(secret).to_json())
    assert f"secret={secret}" in uri
    assert "zhou%40xinheng.example" in uri or "zhou@xinheng.example" in uri


def test_the_same_key_stands_there_until_it_is_proved(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    signed_in(client, staff("sales"))
    key = key_on(client.get("/desk/second-factor").text)
    wrong = client.send("/desk/second-factor", code="000000")
    assert wrong.status_code == 422
    assert key_on(wrong.text) == key
    assert key_on(client.get("/desk/second-factor").text) == key


def set_up(client: DeskClient, clock: Clock) -> tuple[str, list[str]]:
    """Set up the authenticator of whoever is signed in; its key and the recovery codes."""
    secret = key_on(client.get("/desk/second-factor").text)
    answer = client.send("/desk/second-factor", code=TOTP(secret).generate(clock.moment).token)
    return secret, codes_on(answer.text)


def test_the_code_that_proved_the_set_up_is_used_up(
    client: DeskClient, another_browser: Browser, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    member = staff("sales")
    secret, _ = set_up(signed_in(client, member), clock)
    other = another_browser()
    shown = TOTP(secret).generate(clock.moment).token
    assert password_then_code(other, member, shown) == 422


def test_neither_the_key_nor_a_recovery_code_can_be_read_from_the_database(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock, store: Database
) -> None:
    member = staff("sales")
    secret, codes = set_up(signed_in(client, member), clock)
    with store.reading() as session:
        row = session.get_one(User, member.id)
        kept = f"{row.tf_totp_secret} {row.mf_recovery_codes}"
    assert secret not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    assert len(row.mf_recovery_codes) == 10


def test_a_recovery_code_signs_in_once(
    client: DeskClient,
    another_browser: Browser,
    staff: Staff,
    signed_in: SignedIn,
    clock: Clock,
    recorded: Recorded,
) -> None:
    member = staff("sales")
    _, codes = set_up(signed_in(client, member), clock)
    clock.advance(minutes=5)
    for attempt, status in enumerate([302, 422]):
        browser = another_browser()
        browser.sign_in(member.email, GOOD_PASSWORD)
        browser.get("/desk/recovery")
        typed = codes[3].lower().replace("-", " ") if attempt == 0 else codes[3]
        assert browser.send("/desk/recovery", code=typed).status_code == status
        assert (browser.get("/desk/me").status_code == 200) is (status == 302)
    assert [action for _, action, _ in recorded()][-3:] == ["recovery_used", "sign_in", "two_factor_failed"]


def test_of_two_that_use_a_recovery_code_at_once_one_comes_in(
    client: DeskClient, another_browser: Browser, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    member = staff("sales")
    _, codes = set_up(signed_in(client, member), clock)
    browsers = [another_browser() for _ in range(3)]
    for browser in browsers:
        browser.sign_in(member.email, GOOD_PASSWORD)
        browser.get("/desk/recovery")
    answers = at_once(
        *(lambda b=each: b.send("/desk/recovery", code=codes[0]).status_code for each in browsers)
    )  # type: ignore[misc]
    assert sorted(answers) == [302, 422, 422]  # type: ignore[type-var]


def test_somebody_elses_recovery_code_is_none(
    client: DeskClient, another_browser: Browser, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    _, codes = set_up(signed_in(client, staff("sales")), clock)
    other = staff("sales", second_factor=True)
    browser = another_browser()
    browser.sign_in(other.email, GOOD_PASSWORD)
    browser.get("/desk/recovery")
    assert browser.send("/desk/recovery", code=codes[0]).status_code == 422


def test_new_recovery_codes_want_the_password_again_and_end_the_old(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock
) -> None:
    member = staff("sales")
    _, old = set_up(signed_in(client, member), clock)
    clock.advance(minutes=11)
    answer = client.get("/desk/second-factor/codes")
    assert answer.location == "/desk/again?next=/desk/second-factor/codes"
    client.get(answer.location)
    assert client.send(answer.location, password="wrong").status_code == 422
    answer = client.send(answer.location, password=GOOD_PASSWORD)
    assert answer.location == "/desk/second-factor/codes"
    client.get(answer.location)
    new = codes_on(client.send(answer.location).text)
    assert len(new) == 10
    assert not set(new) & set(old)


@pytest.mark.parametrize("with_one", [True, False])
def test_an_authenticator_is_set_up_by_who_gave_the_password_a_moment_ago(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock, with_one: bool
) -> None:
    signed_in(client, staff("sales", second_factor=with_one))
    clock.advance(minutes=11)
    assert client.get("/desk/second-factor").location == "/desk/again?next=/desk/second-factor"
    assert client.send("/desk/second-factor", code="123456").location.startswith("/desk/again")


def test_a_reset_takes_the_second_factor_and_leaves_nobody_signed_in(
    client: DeskClient, another_browser: Browser, staff: Staff, accounts: Accounts, clock: Clock
) -> None:
    member = staff("sales", second_factor=True)
    assert password_then_code(client, member, member.code(clock.moment)) == 302
    half_way = another_browser()
    half_way.sign_in(member.email, GOOD_PASSWORD)
    half_way.get("/desk/code")
    printed = accounts.reset(member.email, second_factor=True)
    assert printed is not None
    assert client.get("/desk/me").status_code == 302
    clock.advance(seconds=30)
    half_way.send("/desk/code", code=member.code(clock.moment))
    assert half_way.get("/desk/me").location.startswith("/desk/sign-in"), "what was half-way is over"
    other = another_browser()
    assert other.sign_in(member.email, printed.password).location == "/desk/"
    assert other.get("/desk/").location == "/desk/second-factor"


def test_help_without_phone_and_codes_points_to_people_and_never_to_mail(client: DeskClient) -> None:
    page = client.get("/desk/code/help").text
    assert "管理员" in page
    assert "--totp" in page
