"""Telephone numbers as visitors type them: read into E.164, explained when they can't be read, told apart by kind.

`parse_phone` works in three steps. The typed text is folded to plain signs (full-width, zero-width, dashes of all
kinds); every stretch of it that may be a number is proposed as a candidate, with its extension; the first candidate
that the numbering plans of phonenumberslite know is the phone. When there is none, `_reason` says what to correct.

Only whole digits reach phonenumberslite: its own parser doesn't know 转 801, and drops carrier prefixes such as 11010
from the front, which turns some old 15-digit identity numbers into valid landlines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import phonenumbers

Kind = Literal["mobile", "landline", "service", "foreign"]

LONGEST_TYPED = 120
"""In characters. Two numbers with labels and extensions take about 60."""


class NotAPhone(ValueError):
    """What was typed holds no number that can be called. The message is for the visitor, and never repeats the text."""


@dataclass(frozen=True, slots=True)
class Phone:
    """One number that can be called. The numbers themselves stay out of `repr`, so that no log shows them.

    `e164`: `+` and digits, equal for equal numbers. 400, 800 and 95 numbers, which nobody can dial from abroad, take
    the same form: `+864008208820`, `+8695588`.
    `extension`: one to six digits dialled after the connection, or empty.
    `kind`: `foreign` is all outside the mainland's numbering plan, Hong Kong, Macau and Taiwan included.
    `typed`: the visitor's own text, untouched: it may hold a second number or a remark.
    """

    e164: str = field(repr=False)
    extension: str
    kind: Kind
    typed: str = field(repr=False)


def parse_phone(typed: str) -> Phone:
    """The first number in `typed` that can be called, or `NotAPhone` with what to correct."""
    if len(typed) > LONGEST_TYPED:
        raise NotAPhone("内容太长，请只填一个电话，例如 13800000000 或 021-12345678 转 801")
    text = _CLOCK.sub(";", _MAIL.sub("@;", plain(typed)))  # 13800138000@qq.com and 9:00-18:00 are no numbers
    for number, extension in _candidates(text):
        found = _reach(number)
        if found is not None:
            return Phone(e164=found[0], extension=extension, kind=found[1], typed=typed)
    raise NotAPhone(_reason(text))


def last_four(phone: Phone) -> str:
    """The last four digits of the subscriber's number, never of the extension: what staff read out to identify it."""
    return phone.e164[-4:]


# --- from typed text to candidates ---

_MAIL = re.compile(r"[^\s;,]+@[^\s;,]*")
_CLOCK = re.compile(r"(?<!\d)\d{1,2}:[0-5]\d(?!\d)")
# Beside Unicode's own dashes; 一 and ー are what Chinese and Japanese keyboards give for one.
_PLAIN_SIGNS = str.maketrans("−⁃_~一ー·•・∙⋅。×\r\n", "------......x;;")
# Cf, Mn, Me: zero-width signs, text direction marks from address books, the frames of keycap emoji.
_PLAIN_BY_CATEGORY = dict(Zs=" ", Cc=" ", Zl=";", Zp=";", Pd="-", Ps="(", Pe=")", Cf="", Mn="", Me="")  # noqa: C408


def plain(typed: str) -> str:
    """Lower case, ASCII digits and ASCII separators; a line's end becomes `;`. Words stay as they are."""
    folded = unicodedata.normalize("NFKC", typed).lower().translate(_PLAIN_SIGNS)
    return "".join(map(_plain_character, folded))


def _plain_character(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    return _PLAIN_BY_CATEGORY.get(unicodedata.category(character), character)


_EXTENSION = re.compile(
    r"(?<=\d)[\s\-.,;:()/]*"
    r"(?:(?:[转轉][接至到]?|[分内內][机機线線][号號]?|(?<![a-z])(?:extension|extn|ext|x)|#)[\s\-.:=()]*)+"
    r"(\d{1,6})(?!\d)"
)
_EXTENSION_AFTER_COMMA = re.compile(r"(?<=\d)\s*,\s*(\d{1,6})\s*$")
_EXTENSION_AS_LAST_GROUP = re.compile(r"(.*\d{7})\)?\s*[-(]\s*(\d{1,6})[\s()]*")
_EXTENSION_AFTER_SPACE = re.compile(r"(\(?0\d{2,3}[\s)\-]+\d{7,8})\s+(\d{1,6})[\s()]*")
_EXTENSION_AFTER_SHORT_GROUPS = re.compile(r"(.*\d)\s*[-(]\s*(\d{1,6})[\s()]*")
_STRETCH = re.compile(r"(\+?[\d\s\-.()/]+)(?:(?<=\d)x(\d{1,6});)?")


def _stretches(text: str) -> list[tuple[str, str]]:
    """Every stretch of digits and separators, with the extension a word names: `tel:(021)…转801` gives one."""
    marked = _EXTENSION.sub(r"x\1;", text)
    marked = _EXTENSION_AFTER_COMMA.sub(r"x\1;", marked)
    marked = re.sub(r"\(\s*\+", "+(", marked)
    found = ((match[1].strip(" -./"), match[2] or "") for match in _STRETCH.finditer(marked))
    return [(number, extension) for number, extension in found if _digit_count(number)]


def _candidates(text: str) -> Iterator[tuple[str, str]]:
    """Readings of `text` as number and extension, the likeliest first."""
    for number, extension in _stretches(text):
        joined = number.replace("/", "-")
        yield from [(joined, extension)] if "/" in number else _readings(number, extension)
        for separator in ("/", None):
            parts = _numbers_beside(number, separator)
            for part in parts if len(parts) > 1 else []:
                if _digit_count(part) >= 7:  # shorter ones are pieces of a number, not a 95 number beside it
                    yield from _readings(part, extension if part is parts[-1] else "")
        yield from _readings(joined, extension)


def _readings(number: str, extension: str) -> Iterator[tuple[str, str]]:
    """A last group after a hyphen is an extension when a whole number precedes it, else a part of the number."""
    if extension:
        yield number, extension
        return
    for pattern in (_EXTENSION_AS_LAST_GROUP, _EXTENSION_AFTER_SPACE):
        if match := pattern.fullmatch(number):
            yield match[1], match[2]
    yield number, ""
    if match := _EXTENSION_AFTER_SHORT_GROUPS.fullmatch(number):
        yield match[1], match[2]


def _numbers_beside(number: str, separator: str | None) -> list[str]:
    """The numbers side by side, at slashes or spaces. Under five digits an area or country code: it joins the next."""
    parts: list[str] = []
    for part in map(str.strip, number.split(separator)):
        if parts and _digit_count(parts[-1]) < 5:
            parts[-1] += "-" + part
        else:
            parts.append(part)
    return parts


def _digit_count(text: str) -> int:
    return sum(map(str.isdigit, text))


# --- from a candidate to a number in a numbering plan ---

_SERVICE = re.compile(r"[48]00\d{7}|1010\d{4}|950\d{7,8}|951\d{5}|95\d{3,4}")  # 400-820-8820, 95588
_MOBILE_UNKNOWN_TO_LIBPHONENUMBER = re.compile(r"149\d{8}")  # China Telecom's, missing in 9.0.42


def _reach(number: str) -> tuple[str, Kind] | None:
    """E.164 and kind of `number`, written in digits and separators, or None when nobody can be reached there."""
    without_trunk = re.sub(r"(\d.*?)\(0\)", r"\1 ", number, count=1)  # +44 (0)20 …
    digits = re.sub(r"\D", "", without_trunk)
    if number.startswith("+") or digits.startswith("00"):
        return _international(digits.removeprefix("00"))
    if re.fullmatch(r"85[23]\d{8}|886\d{8,10}", digits) and (neighbour := _abroad(digits)):
        return neighbour
    if digits.startswith("86") and len(digits) >= 12:
        return _international(digits)
    found = _home(digits)
    if found and found[1] == "landline" and not _names_area(number):
        return None
    return found


def _international(digits: str) -> tuple[str, Kind] | None:
    """`digits` begin with a country code; 86 may stand there twice, from a form that had filled it in."""
    doubled = re.fullmatch(r"86(?:00)?86(1[3-9]\d{9}|0\d{9,11})", digits)
    if doubled:
        return _home(doubled[1])
    return _home(digits[2:]) if digits.startswith("86") else _abroad(digits)


def _home(digits: str) -> tuple[str, Kind] | None:
    """A mainland number, with or without the trunk 0."""
    if _SERVICE.fullmatch(digits):
        return f"+86{digits}", "service"
    national = digits.removeprefix("0")
    if not re.fullmatch(r"[1-9]\d{6,10}", national) or _SERVICE.fullmatch(national):
        return None
    kind = phonenumbers.number_type(phonenumbers.PhoneNumber(country_code=86, national_number=int(national)))
    if kind == phonenumbers.PhoneNumberType.MOBILE or _MOBILE_UNKNOWN_TO_LIBPHONENUMBER.fullmatch(national):
        return f"+86{national}", "mobile"
    if kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.SHARED_COST):
        return f"+86{national}", "landline"  # shared cost: a city's own hotline, 0571-96345
    return None


def _abroad(digits: str) -> tuple[str, Kind] | None:
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), "foreign"


def area_digits(national: str) -> int:
    """Length of the area code without its 0: two digits for 10 and 2x, else three."""
    return 2 if national.startswith(("10", "2")) else 3


def _names_area(number: str) -> bool:
    """Whether a landline shows its area code: by the trunk 0, or as a group of its own (755-8601 3388).

    Ten bare digits are refused, because QQ numbers and numbers from abroad look the same.
    """
    groups = re.findall(r"\d+", number)
    return groups[0].startswith("0") or len(groups[0]) == area_digits("".join(groups))


# --- what to tell the visitor ---

_ANY_PHONE = "请填写能接通的电话，例如 13800000000 或 021-12345678 转 801"
_IDENTITY_NUMBER = "请填写电话号码，不要填身份证号，例如 13800000000"
_MOBILE = "应为 11 位，例如 13800000000"
_REASON_BY_TEXT = (
    (r"[\s;]*", "请填写电话，例如 13800000000 或 021-12345678 转 801"),
    (r"\D*@\D*", "这像是邮箱，" + _ANY_PHONE),
    (r"\D*", _ANY_PHONE),
    (r".*\d\s*\*+\s*\d.*", "请填写完整号码，不要用 * 代替数字，例如 13800000000"),
    (r"\D*(?:19|20)\d\d\s*[-./年]\s*\d{1,2}\s*[-./月]\s*\d{1,2}(?!\d).*", "这像是日期，" + _ANY_PHONE),
    (r"\D*\d{6}[\s\-]?\d{8}[\s\-]?\d{3}[\dx]\D*", _IDENTITY_NUMBER),
)
_REASON_BY_DIGITS = (
    (r"[1-9]\d{7}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}", _IDENTITY_NUMBER),
    (r"\d{16,17}|\d{19}", "这像是银行卡号，" + _ANY_PHONE),
    (r"1[3-9]\d{8}", "手机号少一位，" + _MOBILE),
    (r"1[3-9]\d{7}", "手机号少两位，" + _MOBILE),
    (r"1[3-9]\d{5,6}", "手机号少了几位，" + _MOBILE),
    (r"1[3-9]\d{10}", "手机号多一位，" + _MOBILE),
    (r"1[3-9]\d{11}", "手机号多两位，" + _MOBILE),
    (r"1\d{10}", "没有这个号段的手机号，请核对前三位，例如 13800000000"),
    (r"[48]00(?:\d{6}|\d{8,9})", "400、800 号码应为 10 位，请核对位数，例如 400-820-8820"),
    (r"[1-9]\d{6,7}", "请加上区号，例如 021-12345678"),
    (r"0(?:10|2\d)\d{7}|0\d{5,8}", "座机号码少了几位，请连区号一起填写，例如 021-12345678"),
    (r"0\d{9,11}", "请核对座机的区号和位数，例如 021-12345678"),
    (r"[1-9]\d{8,10}", "座机请从区号的 0 写起，例如 021-12345678；境外号码请写 +852 2345 6789 这样"),
    (r"\d{1,6}", "号码太短，" + _ANY_PHONE),
    (r"\d+", "号码太长，请只填一个电话，例如 13800000000 或 021-12345678 转 801"),
)


def _reason(text: str) -> str:
    """Why `text` is refused and what to type instead: the first line of the tables that fits."""
    for form, reason in _REASON_BY_TEXT:
        if re.fullmatch(form, text):
            return reason
    number = max((number for number, _ in _stretches(text)), key=_digit_count)
    with_extension = _EXTENSION_AS_LAST_GROUP.fullmatch(number)
    digits = re.sub(r"\D", "", with_extension[1] if with_extension else number)
    international = number.startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00")
    if international and not digits.startswith("86"):
        return "请核对国家或地区代码和号码位数，例如 +852 2345 6789；大陆手机请写 13800000000"
    if international or len(digits) >= 11:
        digits = digits.removeprefix("86")
    return next((reason for form, reason in _REASON_BY_DIGITS if re.fullmatch(form, digits)), _ANY_PHONE)


def reaches_one_person(phone: Phone) -> bool:
    """Whether the number is one person's: a mobile here or abroad, not a switchboard."""
    if phone.kind != "foreign":
        return phone.kind == "mobile"
    return phonenumbers.number_type(phonenumbers.parse(phone.e164)) == phonenumbers.PhoneNumberType.MOBILE
