"""Addresses and names of members of staff, as they are kept."""

from __future__ import annotations

import re
import unicodedata

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
_LONGEST_NAME = 40


class NotAnAddress(ValueError):
    """This can't be an e-mail address."""


def plain_name(typed: str) -> str:
    """A name as it is kept: one line, single spaces, forty characters at most."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in typed).split())[:_LONGEST_NAME]


def plain_address(email: str) -> str:
    """An address as it is kept: lower case. Raises NotAnAddress."""
    plain = unicodedata.normalize("NFKC", email).strip().lower()
    if not _EMAIL.fullmatch(plain) or not plain.isprintable():
        raise NotAnAddress(email)
    return plain


def name_or_address(typed: str, address: str) -> str:
    """A name as it is kept; where nothing was typed, what stands before the @."""
    return plain_name(typed) or address.partition("@")[0][:_LONGEST_NAME]
