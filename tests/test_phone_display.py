"""Numbers as staff read them out and as a phone dials them; masks are in test_phones.py, beside what is typed."""

from __future__ import annotations

import pytest

from xinheng.phone_display import dialled, readable
from xinheng.phones import parse_phone


@pytest.mark.parametrize(
    ("typed", "shown", "number"),
    [
        ("13800138000", "138 0013 8000", "+8613800138000"),
        ("021-12345678 转 801", "021-1234 5678", "+862112345678,801"),
        ("0755 87654321", "0755-8765 4321", "+8675587654321"),
        ("400 820 8820", "400-820-8820", "4008208820"),
        ("95588", "95588", "95588"),
        ("+852 2345 6789", "+852 2345 6789", "+85223456789"),
    ],
)
def test_a_shown_number_is_in_groups_and_dials(typed: str, shown: str, number: str) -> None:
    phone = parse_phone(typed)
    assert readable(phone.e164) == shown
    assert dialled(phone.e164, phone.extension) == number
