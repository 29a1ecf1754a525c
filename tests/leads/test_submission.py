"""What makes two submissions the same enquiry."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.leads.conftest import BROWSER_ID, NOON

from xinheng.crypto import Keys
from xinheng.leads.submission import Submission, id_of_words
from xinheng.phones import parse_phone

Asked = Callable[..., Submission]
KEYS = Keys(field=bytes(range(32)), index=bytes(range(32, 64)), web=bytes(range(64, 96)))


def test_the_browsers_own_id_is_the_only_id(asked: Asked) -> None:
    assert asked().ids(KEYS, NOON) == (BROWSER_ID,)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "0", BROWSER_ID[:-1], BROWSER_ID + "0", BROWSER_ID.upper(), BROWSER_ID + "\n", "' OR 1=1 --" + "a" * 21],
)  # fmt: skip
def test_what_is_no_id_of_ours_is_replaced_by_ids_of_this_window_and_the_one_before(
    asked: Asked, typed: str
) -> None:
    ids = asked(typed_id=typed).ids(KEYS, NOON)
    assert len(set(ids)) == 2
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in ids)
    assert ids == asked(typed_id="").ids(KEYS, NOON)


def test_the_windows_follow_each_other(asked: Asked) -> None:
    bare = asked(typed_id="")
    first, before = bare.ids(KEYS, NOON)
    assert bare.ids(KEYS, NOON + timedelta(seconds=599)) == (first, before)
    assert bare.ids(KEYS, NOON + timedelta(seconds=600))[1] == first
    assert bare.ids(KEYS, NOON - timedelta(seconds=1))[0] == before


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"phone": "１３８－００１３－８０００"}, True),
        ({"phone": "+86 13800138000"}, True),
        ({"name": "李四"}, True),
        ({"phone": "13900139000"}, False),
        ({"need": "other"}, False),
        ({"details": "两家客户逾期五个多月。"}, False),
    ],
)
def test_without_an_id_phone_need_and_details_make_it(
    asked: Asked, changed: dict[str, str], same: bool
) -> None:
    ids = asked(typed_id="").ids(KEYS, NOON)
    assert (asked(typed_id="", **changed).ids(KEYS, NOON) == ids) is same


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"phone": "0086-138-0013-8000"}, True),
        ({"purposes": ("callback",)}, True),
        ({"typed_id": ""}, True),
        ({"form_version": "0" * 16}, True),
        ({"need": "other"}, False),
        ({"name": "张三"}, False),
        ({"phone": "13900139000"}, False),
        ({"details": "两家客户逾期四个多月"}, False),
        ({"call_time": "afternoon"}, False),
        ({"purposes": ("callback", "marketing")}, False),
        ({"extra": {"company": "示例厂"}}, False),
    ],
)
def test_the_payload_hash_tells_a_repeat_from_other_words(
    asked: Asked, changed: dict[str, Any], same: bool
) -> None:
    assert (asked(**changed).payload_hash(KEYS) == asked().payload_hash(KEYS)) is same


def test_an_extension_makes_other_words(asked: Asked) -> None:
    assert asked(phone="021-12345678 转 801").payload_hash(KEYS) != asked(phone="021-12345678").payload_hash(
        KEYS
    )


def test_words_that_move_from_one_field_to_the_next_are_other_words(asked: Asked) -> None:
    one, other = asked(name="张", details="三丰来电"), asked(name="张三丰", details="来电")
    assert one.payload_hash(KEYS) != other.payload_hash(KEYS)


def test_the_order_of_purposes_and_of_extra_answers_means_nothing(asked: Asked) -> None:
    one = asked(purposes=("callback", "marketing"), extra={"a": "1", "b": "2"})
    other = asked(purposes=("marketing", "callback"), extra={"b": "2", "a": "1"})
    assert one.payload_hash(KEYS) == other.payload_hash(KEYS)


def test_the_payload_hash_and_the_ids_change_with_the_key(asked: Asked) -> None:
    others = replace(KEYS, index=bytes(32 * [7]))
    assert asked().payload_hash(KEYS) != asked().payload_hash(others)
    assert asked(typed_id="").ids(KEYS, NOON) != asked(typed_id="").ids(others, NOON)


def test_a_wording_has_an_id_of_its_own_under_every_id_it_came_with(asked: Asked) -> None:
    words, others = asked(), asked(need="other")
    assert words.own_ids(KEYS, NOON) == (id_of_words(KEYS, BROWSER_ID, words.payload_hash(KEYS)),)
    assert words.own_ids(KEYS, NOON) == asked(phone="+86 138-0013-8000").own_ids(KEYS, NOON)
    assert words.own_ids(KEYS, NOON) != others.own_ids(KEYS, NOON)
    assert len(set(asked(typed_id="").own_ids(KEYS, NOON))) == 2


def test_other_words_with_a_used_id_get_an_id_of_their_own_and_always_the_same(asked: Asked) -> None:
    words, others = asked().payload_hash(KEYS), asked(need="other").payload_hash(KEYS)
    second = id_of_words(KEYS, BROWSER_ID, others)
    assert re.fullmatch(r"[0-9a-f]{32}", second)
    assert second == id_of_words(KEYS, BROWSER_ID, others)
    assert second not in (BROWSER_ID, id_of_words(KEYS, BROWSER_ID, words))


def test_a_submission_shows_nothing_personal_when_it_is_printed(asked: Asked) -> None:
    shown = repr(asked(phone="021-87654321 转 801", extra={"company": "示例厂"}))
    for secret in ("张三丰", "逾期四个多月", "87654321", "8765", "示例厂"):
        assert secret not in shown


def test_the_phone_of_a_submission_keeps_what_was_typed() -> None:
    assert parse_phone("１３８００１３８０００（微信同号）").typed == "１３８００１３８０００（微信同号）"
