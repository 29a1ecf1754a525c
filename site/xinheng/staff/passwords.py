"""Passwords: what is accepted, how they are kept, and those that we make for somebody's first sign-in."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from xinheng.staff.common_passwords import WALKS, WHOLE, WORDS

LEAST = 12
MOST = 128
SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without 0 O, 1 I L, U: read aloud and typed without doubt
_GROUPS = 5
_LEET = str.maketrans("0134578@$!", "oieastbasi")
_FEW = 4
"""Fewer letters than these, or fewer signs than twice as many, are no password once everybody's words are taken out."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one Argon2id computation takes; memory in KiB."""

    memory: int
    passes: int
    lanes: int = 1


COST = Cost(memory=32 * 1024, passes=2)


class Refused(StrEnum):
    """Why a password isn't accepted."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    COMMON = "common"
    OWN_WORDS = "own_words"
    SAME = "same"


class PasswordRefused(ValueError):
    """A new password that can't be taken."""

    def __init__(self, reason: Refused) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Passwords:
    """Argon2id at one cost. Typed text is normalised, so that one keyboard's full-width digit is another's plain one."""

    def __init__(self, cost: Cost = COST) -> None:
        self._hasher = _hasher(cost)
        self._cost = cost

    def hash(self, typed: str) -> str:
        return self._hasher.hash(normalised(typed))

    def matches(self, stored: str | None, typed: str) -> bool:
        """Whether it is the one. Without a stored one (nobody has that address) it takes the same work, and is False."""
        try:
            same = self._hasher.verify(stored or _of_nobody(self._cost), normalised(typed))
        except (VerificationError, InvalidHashError):
            return False
        return same and stored is not None

    def is_dated(self, stored: str) -> bool:
        """Whether it was kept at another cost and should be hashed anew."""
        return self._hasher.check_needs_rehash(stored)


@lru_cache(maxsize=4)
def _hasher(cost: Cost) -> PasswordHasher:
    return PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory, parallelism=cost.lanes)


@lru_cache(maxsize=4)
def _of_nobody(cost: Cost) -> str:
    return _hasher(cost).hash(secrets.token_hex(32))


def normalised(typed: str) -> str:
    return unicodedata.normalize("NFKC", typed)


def refusal(typed: str, own_words: Iterable[str] = ()) -> Refused | None:
    """Why a new password isn't accepted. `own_words`: names of the company, of the site, of the member."""
    plain = normalised(typed)
    if len(plain) < LEAST:
        return Refused.TOO_SHORT
    if len(plain) > MOST:
        return Refused.TOO_LONG
    low = plain.lower()
    ours = frozenset(word.lower() for word in own_words if len(word) > 1)
    if any(_is_little(_without(text, ours | WORDS)) for text in (low, low.translate(_LEET))):
        return Refused.OWN_WORDS if any(word in low for word in ours) else Refused.COMMON
    return Refused.COMMON if low in WHOLE or _is_pattern(low) else None


def _without(text: str, words: frozenset[str]) -> str:
    """What is left of a text without the words that everybody uses, the long ones taken out first."""
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, " ")
    return "".join(text.split())


def _is_little(rest: str) -> bool:
    """Too little to be somebody's own: digits and signs alone, or a few characters."""
    letters = sum(sign.isalpha() for sign in rest)
    return letters == 0 or (letters < _FEW and len(rest) < 2 * _FEW)


def _is_pattern(text: str) -> bool:
    """Few different signs, one piece again and again, or walks over the keyboard."""
    repeated = text in (text + text)[1:-1]
    return repeated or len(set(text)) < 5 or _walked(text) > len(text) - _FEW


def _walked(text: str) -> int:
    """How many signs belong to walks of three and more."""
    steps = [any(text[at : at + 3] in walk for walk in WALKS) for at in range(len(text) - 2)]
    return sum(any(steps[max(0, at - 2) : at + 1]) for at in range(len(text)))


def make_one_time() -> str:
    """A password for the first sign-in, `K7M2-9QPD-4RXT-8WYZ-H3NB`: 98 bits."""
    return "-".join("".join(secrets.choice(SIGNS) for _ in range(4)) for _ in range(_GROUPS))


def plain_one_time(typed: str) -> str:
    """A one-time password as it was made, however it was copied: lower case, with spaces, without lines."""
    signs = "".join(sign for sign in normalised(typed).upper() if sign.isalnum())
    return "-".join(signs[at : at + 4] for at in range(0, len(signs), 4))
