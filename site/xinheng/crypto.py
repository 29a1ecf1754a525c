"""Keys, encryption of single fields, keyed hashes, row ids. Nothing here knows a table.

A sealed field is `version byte | key number | 12-byte nonce | AES-256-GCM ciphertext with tag`, bound to its place by
additional data `table:column:row`, so a value moved to another row or column doesn't open.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # 32 signs, without I L O U


_FIELD_KEY = re.compile(r"field\.([1-9][0-9]?)\.key")
ROTATION = "rotation"
"""The file beside the keys that is there while they are being changed; it holds the new number."""


class CannotDecrypt(Exception):
    """A sealed field that does not open: another key, another row, or changed bytes."""


class MissingKey(RuntimeError):
    """A key file is gone although the database it protects is there. Stops the start."""


class RotationUnfinished(MissingKey):
    """A change of keys was broken off: half of the rows have the new one. Stops the start."""


class WeakKey(ValueError):
    """A key file that is too short, or that others than its owner can read."""


@dataclass(frozen=True, slots=True)
class Keys:
    """`field` encrypts, `find` makes blind indexes, `index` references and the audit's chain, `web` signs what a browser
    carries.

    `field` and `find` are changed together: `number` counts how often, and `older` still opens what was sealed before.
    Until the first change `find` is `index`.
    """

    field: bytes = dataclasses.field(repr=False)
    index: bytes = dataclasses.field(repr=False)
    web: bytes = dataclasses.field(repr=False)
    find: bytes = dataclasses.field(default=b"", repr=False)
    number: int = 1
    older: Mapping[int, bytes] = dataclasses.field(default_factory=dict, repr=False)

    def seal(self, text: str, place: str) -> bytes:
        """Encrypt `text` for one place (`table:column:row`)."""
        nonce = os.urandom(_NONCE_BYTES)
        header = bytes((_VERSION, self.number))
        return header + nonce + AESGCM(self.field).encrypt(nonce, text.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """Decrypt what `seal` made for the same place. Raises CannotDecrypt."""
        if len(sealed) < 2 + _NONCE_BYTES or sealed[0] != _VERSION:
            raise CannotDecrypt(place)
        key = self.field if sealed[1] == self.number else self.older.get(sealed[1])
        if key is None:
            raise CannotDecrypt(place)
        nonce, body = sealed[2 : 2 + _NONCE_BYTES], sealed[2 + _NONCE_BYTES :]
        try:
            return AESGCM(key).decrypt(nonce, body, place.encode()).decode()
        except InvalidTag as fault:
            raise CannotDecrypt(place) from fault

    def keyed_hash(self, purpose: str, *parts: str) -> bytes:
        """HMAC-SHA-256 over a purpose and parts; the same parts for another purpose give another hash."""
        return _keyed_hash(self.index, purpose, *parts)

    def is_outdated(self, sealed: bytes) -> bool:
        """Whether a sealed field was sealed before the last change of keys."""
        return len(sealed) > 1 and sealed[1] != self.number

    def blind_index(self, column: str, value: str) -> bytes | None:
        """A 16-byte keyed index of a value, to find it without storing it. Empty matches nobody: None."""
        return _keyed_hash(self.find or self.index, f"index:{column}", value)[:16] if value else None

    def reference(self, submission_id: str) -> str:
        """The visitor's reference of a submission, `XH-7K2M9-QPD4R`: 50 bits of a keyed hash of its id."""
        return _as_number("XH", self.keyed_hash("reference", submission_id)[:8])


def _keyed_hash(key: bytes, *parts: str) -> bytes:
    message = b"".join(len(part := text.encode()).to_bytes(4, "big") + part for text in parts)
    return hmac.digest(key, message, "sha256")


def load_keys(folder: Path, *, make: bool = True, half_way: bool = False) -> Keys:
    """Read the keys; with `make`, those that are missing are made (0600). Raises WeakKey, MissingKey, and
    RotationUnfinished unless `half_way`, which is for the change of keys itself."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if (folder / ROTATION).exists() and not half_way:
        raise RotationUnfinished(f"{folder}：更换密钥只做了一半，请再运行 xinheng keys rotate，做完再启动")
    index, web = (_key(folder / name, make) for name in ("index.key", "web.key"))
    numbers = sorted(int(found[1]) for file in folder.iterdir() if (found := _FIELD_KEY.fullmatch(file.name)))
    number = numbers[-1] if numbers else 1
    field = _key(folder / field_key(number), make)
    find = _key(folder / find_key(number), make=False) if number > 1 else b""
    older = {each: _key(folder / field_key(each), make=False) for each in numbers[:-1]}
    return Keys(field, index, web, find, number, older)


def make_keys(folder: Path, number: int) -> None:
    """Make the pair of a change of keys, as far as it isn't there."""
    for name in (field_key(number), find_key(number)):
        _key(folder / name, make=True)


def field_key(number: int) -> str:
    return f"field.{number}.key"


def find_key(number: int) -> str:
    return f"find.{number}.key"


def _key(file: Path, make: bool) -> bytes:
    if not file.exists():
        if not make:
            raise MissingKey(
                f"{file}：密钥不见了，而数据库还在；请从备份里恢复 keys 文件夹。没有它，已有的咨询打不开"
            )
        _write_new(file, secrets.token_hex(_KEY_BYTES))
    if file.stat().st_mode & 0o077:
        raise WeakKey(f"{file}：密钥文件只能由属主读写，请执行 chmod 600")
    try:
        key = bytes.fromhex(file.read_text().strip())
    except ValueError as fault:
        raise WeakKey(f"{file}：应为 {_KEY_BYTES * 2} 位十六进制数") from fault
    if len(key) != _KEY_BYTES or len(set(key)) < 8:
        raise WeakKey(f"{file}：密钥太短或过于简单，应为 {_KEY_BYTES * 2} 位随机十六进制数")
    return key


def _write_new(file: Path, text: str) -> None:
    """Create whole or not at all: of several processes that start at once, one wins and all read the same."""
    spare = file.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(spare, file)
    except FileExistsError:
        pass
    finally:
        spare.unlink()


def plain_reference(typed: str) -> str | None:
    """A reference as people read it aloud or type it (any case, O for 0, I or L for 1), or None."""
    signs = "".join(sign for sign in typed.upper() if sign.isalnum())
    if len(signs) == 12:
        signs = signs.removeprefix("XH")
    signs = signs.translate(str.maketrans("OIL", "011"))
    if len(signs) != 10 or any(sign not in _ALPHABET for sign in signs):
        return None
    return f"XH-{signs[:5]}-{signs[5:]}"


def new_receipt() -> str:
    """The number of a person's request about their data, `SQ-7K2M9-QPD4R`: 50 random bits."""
    return _as_number("SQ", secrets.token_bytes(8))


def result_number(assessment_id: str) -> str:
    """What people call a health check's result by, `HC-7K2M9-QPD4R`. It opens nothing and tells nothing of its address."""
    return _as_number("HC", hashlib.sha256(f"result:{assessment_id}".encode()).digest()[:8])


def _as_number(mark: str, random: bytes) -> str:
    """The first 50 bits as ten signs that nobody takes for another."""
    number = int.from_bytes(random, "big") >> 14
    signs = "".join(_ALPHABET[number >> shift & 31] for shift in range(45, -1, -5))
    return f"{mark}-{signs[:5]}-{signs[5:]}"


def new_row_id() -> str:
    """32 hexadecimal digits: 64 bits of nanoseconds, so that rows lie in order, and 64 random bits."""
    return f"{time.time_ns():016x}{secrets.token_hex(8)}"


def fingerprint(text: str) -> str:
    """The SHA-256 of a published text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
