"""Keys, encryption of single fields, keyed hashes, row ids. Nothing here knows a table.

A sealed field is `version byte | key number | 12-byte nonce | AES-256-GCM ciphertext with tag`, bound to its place by
additional data `table:column:row`, so a value moved to another row or column doesn't open.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # 32 signs, without I L O U


class CannotDecrypt(Exception):
    """A sealed field that does not open: another key, another row, or changed bytes."""


class MissingKey(RuntimeError):
    """A key file is gone although the database it protects is there. Stops the start."""


class WeakKey(ValueError):
    """A key file that is too short, or that others than its owner can read."""


@dataclass(frozen=True, slots=True)
class Keys:
    """`field` encrypts, `index` makes blind indexes and references, `web` signs what a browser carries."""

    field: bytes = dataclasses.field(repr=False)
    index: bytes = dataclasses.field(repr=False)
    web: bytes = dataclasses.field(repr=False)

    def seal(self, text: str, place: str) -> bytes:
        """Encrypt `text` for one place (`table:column:row`)."""
        nonce = os.urandom(_NONCE_BYTES)
        header = bytes((_VERSION, 1))
        return header + nonce + AESGCM(self.field).encrypt(nonce, text.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """Decrypt what `seal` made for the same place. Raises CannotDecrypt."""
        if len(sealed) < 2 + _NONCE_BYTES or sealed[0] != _VERSION:
            raise CannotDecrypt(place)
        nonce, body = sealed[2 : 2 + _NONCE_BYTES], sealed[2 + _NONCE_BYTES :]
        try:
            return AESGCM(self.field).decrypt(nonce, body, place.encode()).decode()
        except InvalidTag as fault:
            raise CannotDecrypt(place) from fault

    def keyed_hash(self, purpose: str, *parts: str) -> bytes:
        """HMAC-SHA-256 over a purpose and parts; the same parts for another purpose give another hash."""
        message = b"".join(len(part := text.encode()).to_bytes(4, "big") + part for text in (purpose, *parts))
        return hmac.digest(self.index, message, "sha256")

    def blind_index(self, column: str, value: str) -> bytes | None:
        """A 16-byte keyed index of a value, to find it without storing it. Empty matches nobody: None."""
        return self.keyed_hash(f"index:{column}", value)[:16] if value else None

    def reference(self, submission_id: str) -> str:
        """The visitor's reference of a submission, `XH-7K2M9-QPD4R`: 50 bits of a keyed hash of its id."""
        return _as_number("XH", self.keyed_hash("reference", submission_id)[:8])


def load_keys(folder: Path, *, make: bool = True) -> Keys:
    """Read the keys; with `make`, those that are missing are made (0600). Raises WeakKey, MissingKey."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    names = ("field.1.key", "index.key", "web.key")
    field, index, web = (_key(folder / name, make) for name in names)
    return Keys(field, index, web)


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
