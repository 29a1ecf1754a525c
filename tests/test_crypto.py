"""Keys, sealed fields, keyed hashes, references."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinheng.crypto import (
    CannotDecrypt,
    Keys,
    WeakKey,
    fingerprint,
    load_keys,
    new_row_id,
    plain_reference,
)

KEYS = Keys(field=bytes(range(32)), index=bytes(range(32, 64)), web=bytes(range(64, 96)))
OTHERS = Keys(field=bytes(range(100, 132)), index=bytes(range(132, 164)), web=bytes(range(164, 196)))
PLACE = "leads:phone:0001"


# --- sealed fields ---


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_in_its_place(text: str) -> None:
    assert KEYS.open(KEYS.seal(text, PLACE), PLACE) == text


@pytest.mark.parametrize("place", ["leads:phone:0002", "leads:name:0001", "enquiries:phone:0001", ""])
def test_a_sealed_field_opens_nowhere_else(place: str) -> None:
    with pytest.raises(CannotDecrypt):
        KEYS.open(KEYS.seal("13800138000", PLACE), place)


def test_a_sealed_field_opens_with_no_other_key() -> None:
    with pytest.raises(CannotDecrypt):
        OTHERS.open(KEYS.seal("13800138000", PLACE), PLACE)


def test_every_changed_byte_is_noticed() -> None:
    sealed = KEYS.seal("13800138000", PLACE)
    for place in range(len(sealed)):
        if place == 1:
            continue  # the key's number, for the day keys are changed
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(CannotDecrypt):
            KEYS.open(bytes(changed), PLACE)


@pytest.mark.parametrize(
    "sealed", [b"", b"\x01", b"\x01\x01", b"\x01\x01" + bytes(12), b"\x02\x01" + bytes(40)]
)
def test_what_is_too_short_or_of_another_format_does_not_open(sealed: bytes) -> None:
    with pytest.raises(CannotDecrypt):
        KEYS.open(sealed, PLACE)


def test_the_same_text_is_sealed_differently_each_time_and_shows_nothing() -> None:
    sealed = {KEYS.seal("张三丰13800138000", PLACE) for _ in range(50)}
    assert len(sealed) == 50
    assert len({each[2:14] for each in sealed}) == 50, "a nonce is never used twice"
    assert not any("张三丰".encode() in each or b"138001" in each for each in sealed)


# --- keyed hashes ---


def test_a_keyed_hash_is_no_plain_hash() -> None:
    phone = "+8613800138000"
    index = KEYS.blind_index("phone", phone)
    assert index is not None
    assert len(index) == 16
    for plain in (phone, phone[1:], phone[3:], f"phone{phone}", f"index:phone{phone}"):
        assert index != hashlib.sha256(plain.encode()).digest()[:16]
    assert index != OTHERS.blind_index("phone", phone)
    assert index != replace(KEYS, field=OTHERS.field, web=OTHERS.web, index=OTHERS.index).blind_index(
        "phone", phone
    )


def test_a_blind_index_depends_on_its_column_and_its_value_alone() -> None:
    assert KEYS.blind_index("phone", "1") == replace(OTHERS, index=KEYS.index).blind_index("phone", "1")
    assert KEYS.blind_index("phone", "1") != KEYS.blind_index("name", "1")
    assert KEYS.blind_index("phone", "1") != KEYS.blind_index("phone", "2")


def test_an_empty_value_matches_nobody() -> None:
    assert KEYS.blind_index("phone", "") is None


def test_parts_cannot_flow_into_each_other() -> None:
    assert KEYS.keyed_hash("p", "ab", "c") != KEYS.keyed_hash("p", "a", "bc")
    assert KEYS.keyed_hash("p", "a") != KEYS.keyed_hash("pa")
    assert KEYS.keyed_hash("p", "a", "") != KEYS.keyed_hash("p", "a")


def test_keys_are_not_shown_when_they_are_printed() -> None:
    for key in (KEYS.field, KEYS.index, KEYS.web):
        assert repr(key) not in repr(KEYS)
        assert key.hex() not in repr(KEYS)


# --- references ---


@settings(deadline=None)
@given(st.binary(min_size=16, max_size=16))
def test_a_reference_has_its_format_and_no_signs_that_look_alike(submission_id: bytes) -> None:
    reference = KEYS.reference(submission_id.hex())
    assert re.fullmatch(r"XH-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", reference)
    assert not set(reference) & set("ILOU")
    assert plain_reference(reference) == reference


def test_a_reference_is_the_same_for_the_same_id_and_key_only() -> None:
    assert KEYS.reference("a") == KEYS.reference("a")
    assert KEYS.reference("a") != KEYS.reference("b")
    assert KEYS.reference("a") != OTHERS.reference("a")


def test_all_fifty_bits_of_a_reference_are_used() -> None:
    references = [KEYS.reference(str(number)).replace("-", "")[2:] for number in range(2000)]
    assert len(set(references)) == 2000
    for place in range(10):
        assert len({reference[place] for reference in references}) == 32


@pytest.mark.parametrize(
    "typed",
    [
        "XH-7K2M0-QPD4R",
        "xh-7k2m0-qpd4r",
        "XH7K2M0QPD4R",
        "7K2M0-QPD4R",
        "7k2m0qpd4r",
        "XH 7K2M0 QPD4R",
        "  XH-7K2M0-QPD4R\n",
        "XH-7K2MO-QPD4R",
        "xh-7k2mo-qpd4r",
    ],
)
def test_a_reference_is_read_as_people_type_it(typed: str) -> None:
    assert plain_reference(typed) == "XH-7K2M0-QPD4R"


@pytest.mark.parametrize(
    ("typed", "meant"), [("XH-I2345-L7890", "XH-12345-17890"), ("oooooooooo", "XH-00000-00000")]
)
def test_signs_that_look_alike_are_read_as_the_digits_they_look_like(typed: str, meant: str) -> None:
    assert plain_reference(typed) == meant


def test_a_reference_that_itself_begins_with_xh_is_read_with_and_without_its_prefix() -> None:
    assert plain_reference("XH-XH123-45678") == "XH-XH123-45678"
    assert plain_reference("XH123-45678") == "XH-XH123-45678"


@pytest.mark.parametrize(
    "typed",
    ["", "XH", "XH-", "XH-7K2M9-QPD4", "XH-7K2M9-QPD4RR", "XH-7K2M9-QPD4U", "AB-7K2M9-QPD4R", "张三丰", "７Ｋ", "../../etc"],
)  # fmt: skip
def test_what_is_no_reference_is_none(typed: str) -> None:
    assert plain_reference(typed) is None


def test_row_ids_lie_in_the_order_of_their_making() -> None:
    ids = [new_row_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert [each[:12] for each in ids] == sorted(each[:12] for each in ids)
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in ids)


def test_a_fingerprint_is_the_sha_256_of_the_text() -> None:
    assert fingerprint("告知") == hashlib.sha256("告知".encode()).hexdigest()


# --- key files ---


def test_keys_are_made_at_the_first_start_for_their_owner_only_and_then_stay(tmp_path: Path) -> None:
    made = load_keys(tmp_path / "keys")
    assert {file.name for file in (tmp_path / "keys").iterdir()} == {"field.1.key", "index.key", "web.key"}
    for file in (tmp_path / "keys").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert load_keys(tmp_path / "keys") == made
    assert len({made.field, made.index, made.web}) == 3
    assert load_keys(tmp_path / "other") != made


def test_key_files_are_0600_whatever_the_mask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_keys(tmp_path / "keys")
    finally:
        os.umask(before)
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "keys").iterdir()} == {0o600}


@pytest.mark.parametrize("name", ["field.1.key", "index.key", "web.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_file_that_others_can_read_or_write_stops_the_start(
    tmp_path: Path, name: str, mode: int
) -> None:
    load_keys(tmp_path)
    (tmp_path / name).chmod(mode)
    with pytest.raises(WeakKey, match=f"{name}.*chmod 600"):
        load_keys(tmp_path)


@pytest.mark.parametrize(
    "content",
    ["", "\n", "00" * 32, "ab" * 32, "01020304" * 8, "0123456789abcdef" * 2, "0123456789abcdef" * 8, "密钥", "g" * 64],
)  # fmt: skip
def test_a_weak_key_stops_the_start_and_is_not_shown(tmp_path: Path, content: str) -> None:
    load_keys(tmp_path)
    (tmp_path / "field.1.key").write_text(content, encoding="utf-8")
    with pytest.raises(WeakKey, match=r"field\.1\.key") as raised:
        load_keys(tmp_path)
    assert not content.strip() or content not in str(raised.value)


def test_bytes_that_are_no_text_stop_the_start_by_name(tmp_path: Path) -> None:
    load_keys(tmp_path)
    (tmp_path / "index.key").write_bytes(bytes(range(128, 192)))
    with pytest.raises(WeakKey, match=r"index\.key"):
        load_keys(tmp_path)


def test_processes_that_start_at_once_read_the_same_keys(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from xinheng.crypto import load_keys, fingerprint;"
        "keys = load_keys(Path(sys.argv[1])); print(fingerprint(keys.field.hex() + keys.index.hex() + keys.web.hex()))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "keys")], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    shown = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0] * 4
    assert len(shown) == 1
    assert len(list((tmp_path / "keys").iterdir())) == 3
