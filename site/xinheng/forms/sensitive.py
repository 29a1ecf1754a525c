"""Numbers that don't belong in an enquiry: identity cards and bank cards, told from other digits by their check digits."""

from __future__ import annotations

import re
import unicodedata

_DIGITS = re.compile(r"(?<!\d)(?:\d[ \-–—]?){14,18}[\dXx](?!\d)")
_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CHECKS = "10X98765432"
_BANK_PREFIXES = ("62", "4", "5", "35", "36")


def sensitive_number(text: str) -> str:
    """`身份证号` or `银行卡号` where the text seems to hold one, else empty."""
    for match in _DIGITS.finditer(unicodedata.normalize("NFKC", text)):
        number = re.sub(r"[ \-–—]", "", match.group()).upper()
        if _is_identity(number):
            return "身份证号"
        if _is_bank_card(number):
            return "银行卡号"
    return ""


def _is_identity(number: str) -> bool:
    """18 signs of GB 11643 with a plausible birth date and the right check digit."""
    if not re.fullmatch(
        r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]", number
    ):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _IDENTITY_WEIGHTS, strict=True))
    return _IDENTITY_CHECKS[total % 11] == number[17]


def _is_bank_card(number: str) -> bool:
    """16 to 19 digits of a card scheme used in China with a right Luhn check."""
    if not number.isdigit() or not 16 <= len(number) <= 19 or not number.startswith(_BANK_PREFIXES):
        return False
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0
