"""Numbers that don't belong in an enquiry, told from other digits by their check digits."""

from __future__ import annotations

import pytest

from xinheng.forms.sensitive import sensitive_number

IDENTITY, BANK = "身份证号", "银行卡号"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("11010519491231002X", IDENTITY),
        ("11010519491231002x", IDENTITY),
        ("110105188001010017", ""),  # born in 1880
        ("110105199003070033", IDENTITY),
        ("我的身份证是11010519491231002X，请查", IDENTITY),
        ("110105 19491231 002X", IDENTITY),
        ("110105-19491231-002X", IDENTITY),
        ("１１０１０５１９４９１２３１００２Ｘ", IDENTITY),
        ("电话13800138000，身份证11010519491231002X", IDENTITY),
        ("13800138000 11010519491231002X", IDENTITY),
        ("4111111111111111", BANK),
        ("4111 1111 1111 1111", BANK),
        ("4111-1111-1111-1111", BANK),
        ("5555555555554444", BANK),
        ("6200000000000005", BANK),
        ("6222021234567890128", BANK),
        ("打到6200 0000 0000 0005就行", BANK),
        ("４１１１１１１１１１１１１１１１", BANK),
        # other digits that people write
        ("", ""),
        ("八十万元", ""),
        ("13800138000", ""),
        ("13800138000 13900139000", ""),
        ("021-12345678 转 801", ""),
        ("合同号2025060100001234", ""),
        ("4111111111111112", ""),  # the check digit is wrong
        ("110105194912310021", ""),
        ("110105194913310029", ""),  # no thirteenth month
        ("11010519491231002", ""),
        ("0000000000000000", ""),
        ("9999999999999995", ""),  # no scheme used here
        ("41111111111111114111111111111111", ""),
        ("91310000MA1FL0XX0X", ""),  # a company's own number
        ("2026-03-02 10:05 2026-04-02", ""),
        ("800000 300000 120000 5", ""),
    ],
)
def test_only_identity_and_bank_numbers_are_found(text: str, kind: str) -> None:
    assert sensitive_number(text) == kind


@pytest.mark.parametrize("separator", ["", " ", "-", "\u2013", "\u2014", "\u00a0", "\u3000", "\uff0d"])
def test_a_number_is_found_whatever_stands_between_its_groups(separator: str) -> None:
    assert sensitive_number(separator.join(("4111", "1111", "1111", "1111"))) == BANK
