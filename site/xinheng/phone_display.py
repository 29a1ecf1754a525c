"""Telephone numbers as people see them: masked in lists and logs, in groups where staff read them out."""

from __future__ import annotations

import re

import phonenumbers

from xinheng.phones import LONGEST_TYPED, NotAPhone, Phone, area_digits, parse_phone, plain

_MOBILE = re.compile(r"\+861[3-9]\d{9}", re.ASCII)


def mask(e164_or_typed: str) -> str:
    """The number as lists and logs may show it, without its extension. Text that is no phone keeps two digits at most.

    138****5678, 021-****5678, 400-***-8820, +852 ******89. Never raises.
    """
    if _MOBILE.fullmatch(e164_or_typed):  # most are, and a list has fifty of them
        return f"{e164_or_typed[3:6]}****{e164_or_typed[-4:]}"
    try:
        phone = parse_phone(e164_or_typed)
    except NotAPhone:
        digits = re.sub(r"\D", "", plain(e164_or_typed[:LONGEST_TYPED]))
        hidden = "****" if e164_or_typed else ""
        return hidden + (digits[-2:] if len(digits) >= 7 else "")
    return _masked_abroad(phone.e164) if phone.kind == "foreign" else _masked_home(phone)


def readable(e164: str) -> str:
    """The number in groups, as staff read it out: 138 0013 8000, 021-1234 5678, 400-820-8820, +852 2345 6789."""
    if _MOBILE.fullmatch(e164):  # most are, and an export has thousands
        return f"{e164[3:6]} {e164[6:10]} {e164[10:]}"
    phone = parse_phone(e164)
    if phone.kind == "foreign":
        number = phonenumbers.parse(e164)
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
    national = phone.e164.removeprefix("+86")
    if phone.kind == "landline":
        area = area_digits(national)
        return f"0{national[:area]}-{national[area:-4]} {national[-4:]}"
    return re.sub(r"^([48]00)(\d{3})(\d{4})$", r"\1-\2-\3", national)


def dialled(e164: str, extension: str = "") -> str:
    """What a phone dials, for a `tel:` address: service numbers without the country, an extension after a pause."""
    number = e164.removeprefix("+86") if parse_phone(e164).kind == "service" else e164
    return f"{number},{extension}" if extension else number


def _masked_home(phone: Phone) -> str:
    national = phone.e164.removeprefix("+86")
    if phone.kind == "mobile":
        return f"{national[:3]}****{national[-4:]}"
    if phone.kind == "landline":
        area = area_digits(national)
        return f"0{national[:area]}-{'*' * (len(national) - area - 4)}{national[-4:]}"
    if re.fullmatch(r"[48]00\d{7}", national):
        return f"{national[:3]}-***-{national[-4:]}"
    return national[:2] + "*" * (len(national) - 2)


def _masked_abroad(e164: str) -> str:
    number = phonenumbers.parse(e164)
    country = f"+{number.country_code}"
    return f"{country} {'*' * (len(e164) - len(country) - 2)}{e164[-2:]}"
