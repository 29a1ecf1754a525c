"""Which passwords are taken, how they are kept, and those we make ourselves."""

from __future__ import annotations

import re

import pytest

from xinheng.staff.common_passwords import WHOLE
from xinheng.staff.passwords import COST, Cost, Passwords, Refused, make_one_time, plain_one_time, refusal

OWN_WORDS = ("信衡", "xinheng", "zhoumin", "周敏")
TINY = Cost(memory=8, passes=1)


@pytest.mark.parametrize(
    "typed",
    [
        "mao-zai-chuang-tai-shang",
        "x7#9k2!4m8@6",
        "4f9a-2b17-03c8",
        "今天天气不错我们去爬山吧",
        "zhoumin keeps seven goats",
        "K7M2-9QPD-4RXT-8WYZ-H3NB",
        "🦊🐢 climb the old bridge",
        "xinheng" + "-mumbling-otter",
        "seven goats climb the old bridge, and the eighth looks on: " + "otter badger heron stoat marten",
    ],
)
def test_long_and_of_ones_own_is_taken(typed: str) -> None:
    assert refusal(typed, OWN_WORDS) is None


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", Refused.TOO_SHORT),
        ("elevensigns", Refused.TOO_SHORT),
        ("今天天气不错", Refused.TOO_SHORT),
        ("otter bridge " * 10, Refused.TOO_LONG),
        ("password1234", Refused.COMMON),
        ("P4ssw0rd2026", Refused.COMMON),
        ("Password!2026", Refused.COMMON),
        ("qwertyuiop12", Refused.COMMON),
        ("asdfghjkl;'zx", Refused.COMMON),
        ("1qaz2wsx3edc", Refused.COMMON),
        ("woaini1314520", Refused.COMMON),
        ("138001380001", Refused.COMMON),
        ("19880808-2026", Refused.COMMON),
        ("abcabcabcabc", Refused.COMMON),
        ("aaaaaaaaaaaa", Refused.COMMON),
        ("abababababac", Refused.COMMON),
        ("            ", Refused.COMMON),
        ("密码密码密码密码密码密码", Refused.COMMON),
        ("ｐａｓｓｗｏｒｄ１２３４", Refused.COMMON),
        ("xinheng2026!!", Refused.OWN_WORDS),
        ("信衡信衡信衡202611", Refused.OWN_WORDS),
        ("Zhoumin-202611", Refused.OWN_WORDS),
        ("xinhengadmin1", Refused.OWN_WORDS),
    ],
)
def test_short_common_or_our_own_names_are_refused(typed: str, reason: Refused) -> None:
    assert refusal(typed, OWN_WORDS) is reason


@pytest.mark.parametrize("typed", sorted(WHOLE))
def test_each_password_of_the_list_is_long_enough_to_need_it_and_is_refused(typed: str) -> None:
    assert len(typed) >= 12
    assert refusal(typed) is Refused.COMMON
    assert refusal(typed.upper()) is Refused.COMMON


@pytest.mark.parametrize("length", [12, 15, 64, 128])
def test_from_twelve_to_a_hundred_and_twenty_eight_all_signs_count(length: int) -> None:
    typed = ("otter-bridge-climb-münze-" * 6)[:length]
    assert refusal(typed) is None
    held = Passwords(TINY).hash(typed)
    assert Passwords(TINY).matches(held, typed)
    assert not Passwords(TINY).matches(held, typed[:-1])


def test_a_password_is_kept_as_argon2id_of_the_asked_cost() -> None:
    assert COST.memory >= 19 * 1024
    assert COST.passes >= 2
    held = Passwords().hash("mao-zai-chuang-tai-shang")
    assert held.startswith(f"$argon2id$v=19$m={COST.memory},t={COST.passes},p=1$")


def test_the_same_password_is_never_kept_alike() -> None:
    assert Passwords(TINY).hash("x") != Passwords(TINY).hash("x")


def test_nobodys_password_is_no_password() -> None:
    assert not Passwords(TINY).matches(None, "")
    assert not Passwords(TINY).matches(None, "mao-zai-chuang-tai-shang")


def test_what_is_no_hash_matches_nothing() -> None:
    assert not Passwords(TINY).matches("$argon2id$broken", "x")


def test_another_cost_makes_a_hash_dated() -> None:
    held = Passwords(TINY).hash("x")
    assert not Passwords(TINY).is_dated(held)
    assert Passwords(Cost(memory=16, passes=1)).is_dated(held)


def test_full_width_and_plain_signs_are_the_same_password() -> None:
    passwords = Passwords(TINY)
    assert passwords.matches(passwords.hash("Ａｂｃ１２３"), "Abc123")


def test_one_time_passwords_are_readable_and_never_alike() -> None:
    made = {make_one_time() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[2-9A-HJ-KM-NP-TV-Z]{4}(-[2-9A-HJ-KM-NP-TV-Z]{4}){4}", each) for each in made)


@pytest.mark.parametrize("copied", ["{}", " {} ", "{}\n"])
def test_a_one_time_password_is_itself_however_it_was_copied(copied: str) -> None:
    made = make_one_time()
    for typed in (made, made.lower(), made.replace("-", ""), made.replace("-", " "), made.replace("-", "－")):
        assert plain_one_time(copied.format(typed)) == made
