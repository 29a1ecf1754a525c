"""Numbers as people type them (P-12), what a visitor reads when one is refused (B-03), and masks (P-23)."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinheng.phone_display import mask
from xinheng.phones import LONGEST_TYPED, NotAPhone, last_four, parse_phone

MOBILE = "+8613800138000"
SHANGHAI = "+862112345678"
SHENZHEN = "+8675586013388"
HONG_KONG = "+85223456789"
TAIWAN = "+886912345678"

ACCEPTED = [
    # Mobiles: country code, width, separators.
    ("13800138000", MOBILE, "", "mobile"),
    ("138 0013 8000", MOBILE, "", "mobile"),
    ("138-0013-8000", MOBILE, "", "mobile"),
    ("138.0013.8000", MOBILE, "", "mobile"),
    ("138/0013/8000", MOBILE, "", "mobile"),
    ("１３８ ００１３-8000", MOBILE, "", "mobile"),
    ("１３８００１３８０００", MOBILE, "", "mobile"),
    ("138\u30000013\u30008000", MOBILE, "", "mobile"),
    ("138\u00a00013\u00a08000", MOBILE, "", "mobile"),
    ("138\u200b0013\u200b8000\ufeff", MOBILE, "", "mobile"),
    ("\u202d138 0013 8000\u202c", MOBILE, "", "mobile"),
    ("138–0013—8000", MOBILE, "", "mobile"),
    ("138－0013﹣8000", MOBILE, "", "mobile"),
    ("138−0013‑8000", MOBILE, "", "mobile"),
    ("138一0013ー8000", MOBILE, "", "mobile"),
    ("138·0013·8000", MOBILE, "", "mobile"),
    ("138。0013。8000", MOBILE, "", "mobile"),
    ("١٣٨٠٠١٣٨٠٠٠", MOBILE, "", "mobile"),
    ("1️⃣3️⃣8️⃣00138000", MOBILE, "", "mobile"),
    ("+8613800138000", MOBILE, "", "mobile"),
    ("+86 138 0013 8000", MOBILE, "", "mobile"),
    ("＋８６ 138-0013-8000", MOBILE, "", "mobile"),
    ("(+86)13800138000", MOBILE, "", "mobile"),
    ("（＋８６）138 0013 8000", MOBILE, "", "mobile"),
    ("+(86) 13800138000", MOBILE, "", "mobile"),
    ("0086 13800138000", MOBILE, "", "mobile"),
    ("0086-138-0013-8000", MOBILE, "", "mobile"),
    ("(0086)13800138000", MOBILE, "", "mobile"),
    ("8613800138000", MOBILE, "", "mobile"),
    ("86 138 0013 8000", MOBILE, "", "mobile"),
    ("+86 +86 13800138000", MOBILE, "", "mobile"),
    ("+86 8613800138000", MOBILE, "", "mobile"),
    ("+86 0086 13800138000", MOBILE, "", "mobile"),
    ("+86/13800138000", MOBILE, "", "mobile"),
    ("013800138000", MOBILE, "", "mobile"),
    ("  13800138000。", MOBILE, "", "mobile"),
    ("19912345678", "+8619912345678", "", "mobile"),
    ("16612345678", "+8616612345678", "", "mobile"),
    ("17012345678", "+8617012345678", "", "mobile"),
    ("14912345678", "+8614912345678", "", "mobile"),
    ("18888888888", "+8618888888888", "", "mobile"),
    ("13800138000转801", MOBILE, "801", "mobile"),
    ("13800138000-1234", MOBILE, "1234", "mobile"),
    # Mobiles with words around them.
    ("电话：13800138000", MOBILE, "", "mobile"),
    ("手机13800138000", MOBILE, "", "mobile"),
    ("手机1：13800138000", MOBILE, "", "mobile"),
    ("Tel: 138 0013 8000", MOBILE, "", "mobile"),
    ("TEL.13800138000", MOBILE, "", "mobile"),
    ("tel:+8613800138000", MOBILE, "", "mobile"),
    ("Ｔｅｌ：１３８００１３８０００", MOBILE, "", "mobile"),
    ("13800138000（微信同号）", MOBILE, "", "mobile"),
    ("张经理 13800138000", MOBILE, "", "mobile"),
    ("周一至周五9:00-18:00 13800138000", MOBILE, "", "mobile"),
    ("0086-1/380 0138000", MOBILE, "", "mobile"),
    ("13800138000 zhang@example.com", MOBILE, "", "mobile"),
    # Landlines.
    ("021-12345678", SHANGHAI, "", "landline"),
    ("02112345678", SHANGHAI, "", "landline"),
    ("021 1234 5678", SHANGHAI, "", "landline"),
    ("021-1234-5678", SHANGHAI, "", "landline"),
    ("021/12345678", SHANGHAI, "", "landline"),
    ("(021)12345678", SHANGHAI, "", "landline"),
    ("（０２１）１２３４５６７８", SHANGHAI, "", "landline"),
    ("【021】1234 5678", SHANGHAI, "", "landline"),
    ("21-12345678", SHANGHAI, "", "landline"),
    ("86-21-12345678", SHANGHAI, "", "landline"),
    ("862112345678", SHANGHAI, "", "landline"),
    ("86 021 12345678", SHANGHAI, "", "landline"),
    ("+86 21 1234 5678", SHANGHAI, "", "landline"),
    ("+86 (0)21 1234 5678", SHANGHAI, "", "landline"),
    ("+86(021)12345678", SHANGHAI, "", "landline"),
    ("0086-021-12345678", SHANGHAI, "", "landline"),
    ("座机：021-12345678", SHANGHAI, "", "landline"),
    ("010-12345678", "+861012345678", "", "landline"),
    ("0755-86013388", SHENZHEN, "", "landline"),
    ("755-8601 3388", SHENZHEN, "", "landline"),
    ("0951-1234567", "+869511234567", "", "landline"),
    ("0571-96345", "+8657196345", "", "landline"),
    # Extensions.
    ("021-12345678转801", SHANGHAI, "801", "landline"),
    ("021-12345678 转 801", SHANGHAI, "801", "landline"),
    ("021-12345678（转801）", SHANGHAI, "801", "landline"),
    ("021-12345678，转 ８０１", SHANGHAI, "801", "landline"),
    ("021-12345678轉801", SHANGHAI, "801", "landline"),
    ("021-12345678转分机801", SHANGHAI, "801", "landline"),
    ("021-12345678分机801", SHANGHAI, "801", "landline"),
    ("021-12345678 分机号：801", SHANGHAI, "801", "landline"),
    ("021-12345678 内线801", SHANGHAI, "801", "landline"),
    ("021-12345678 ext 801", SHANGHAI, "801", "landline"),
    ("021-12345678 EXT.801", SHANGHAI, "801", "landline"),
    ("021-12345678 extension 801", SHANGHAI, "801", "landline"),
    ("tel:+86-21-12345678;ext=801", SHANGHAI, "801", "landline"),
    ("021-12345678x801", SHANGHAI, "801", "landline"),
    ("021-12345678×801", SHANGHAI, "801", "landline"),
    ("021-12345678#801", SHANGHAI, "801", "landline"),
    ("021-12345678,801", SHANGHAI, "801", "landline"),
    ("021-12345678-801", SHANGHAI, "801", "landline"),
    ("021-12345678－０８０１", SHANGHAI, "0801", "landline"),
    ("02112345678-801", SHANGHAI, "801", "landline"),
    ("021-1234-5678-801", SHANGHAI, "801", "landline"),
    ("021 12345678 801", SHANGHAI, "801", "landline"),
    ("(021)12345678(801)", SHANGHAI, "801", "landline"),
    ("0755-8601 3388 转 8", SHENZHEN, "8", "landline"),
    ("021-12345678/801", SHANGHAI, "", "landline"),
    ("+86-21-12345678-801（王会计）", SHANGHAI, "801", "landline"),
    ("0951-1234567-8", "+869511234567", "8", "landline"),
    ("0755-8601338-8", SHENZHEN, "", "landline"),
    # Service numbers.
    ("400-820-8820", "+864008208820", "", "service"),
    ("4008208820", "+864008208820", "", "service"),
    ("400 8208 820", "+864008208820", "", "service"),
    ("+86 400-820-8820", "+864008208820", "", "service"),
    ("400-820-8820-801", "+864008208820", "801", "service"),
    ("400-820-8820转1", "+864008208820", "1", "service"),
    ("800-820-8820", "+868008208820", "", "service"),
    ("1010 1234", "+8610101234", "", "service"),
    ("95588", "+8695588", "", "service"),
    ("+8695588", "+8695588", "", "service"),
    ("95588转8", "+8695588", "8", "service"),
    ("955123", "+86955123", "", "service"),
    ("95105105", "+8695105105", "", "service"),
    # Hong Kong, Macau, Taiwan and abroad.
    ("+852 2345 6789", HONG_KONG, "", "foreign"),
    ("00852-2345-6789", HONG_KONG, "", "foreign"),
    ("852 2345 6789", HONG_KONG, "", "foreign"),
    ("85223456789", HONG_KONG, "", "foreign"),
    ("(852) 2345 6789", HONG_KONG, "", "foreign"),
    ("+852/23456789", HONG_KONG, "", "foreign"),
    ("香港 +852-2345-6789 转 12", HONG_KONG, "12", "foreign"),
    ("+853 2871 2345", "+85328712345", "", "foreign"),
    ("853-28712345", "+85328712345", "", "foreign"),
    ("+853 6612 3456", "+85366123456", "", "foreign"),
    ("+886 912 345 678", TAIWAN, "", "foreign"),
    ("+886 0912-345-678", TAIWAN, "", "foreign"),
    ("00886912345678", TAIWAN, "", "foreign"),
    ("886-912-345-678", TAIWAN, "", "foreign"),
    ("+886 2 2345 6789", "+886223456789", "", "foreign"),
    ("+1 212 555 1234", "+12125551234", "", "foreign"),
    ("+1 (212) 555-1234", "+12125551234", "", "foreign"),
    ("+1-212-555-1234 ext. 801", "+12125551234", "801", "foreign"),
    ("001-212-555-1234", "+12125551234", "", "foreign"),
    ("+44 (0)20 7946 0958", "+442079460958", "", "foreign"),
    ("0044 20 7946 0958", "+442079460958", "", "foreign"),
    ("+49/15112345678", "+4915112345678", "", "foreign"),
    ("+65 6123 4567", "+6561234567", "", "foreign"),
    # Two numbers: the first that is one.
    ("13800138000/13900139000", MOBILE, "", "mobile"),
    ("13800138000 或 13900139000", MOBILE, "", "mobile"),
    ("13800138000、13900139000", MOBILE, "", "mobile"),
    ("13800138000，13900139000", MOBILE, "", "mobile"),
    ("13800138000 13900139000", MOBILE, "", "mobile"),
    ("13800138000\n13900139000", MOBILE, "", "mobile"),
    ("+86 13800138000 +86 13900139000", MOBILE, "", "mobile"),
    ("13800138000，021-12345678", MOBILE, "", "mobile"),
    ("021-12345678转801/13800138000", SHANGHAI, "801", "landline"),
    ("021-12345678 转 801；手机 13800138000", SHANGHAI, "801", "landline"),
    ("021-12345678/87654321", SHANGHAI, "", "landline"),
    ("021 12345678 13800138000", SHANGHAI, "", "landline"),
    ("1380013800 或 13900139000", "+8613900139000", "", "mobile"),
]

REFUSED = [
    ("", "请填写电话"),
    ("   \u3000\n", "请填写电话"),
    ("没有", "能接通"),
    ("abcdefg", "能接通"),
    ("转", "能接通"),
    ("12345", "太短"),
    ("110", "太短"),
    ("10086", "太短"),
    ("1", "太短"),
    ("/X0;", "太短"),
    ("11111111111", "号段"),
    ("12345678901", "号段"),
    ("14412345678", "号段"),
    ("1380013800", "少一位"),
    ("138 0013 800", "少一位"),
    ("+86 1380013800", "少一位"),
    ("86 1380013800", "少一位"),
    ("电话：1380013800", "少一位"),
    ("1380013800-801", "少一位"),
    ("138001380", "少两位"),
    ("13800138", "少了几位"),
    ("138001380000", "多一位"),
    ("138-0013-80000", "多一位"),
    ("1380013800000", "多两位"),
    ("12345678", "区号"),
    ("8765 4321", "区号"),
    ("1234567", "区号"),
    ("87654321 转 801", "区号"),
    ("87654321-801", "区号"),
    ("021-1234567", "少了几位"),
    ("010-1234567", "少了几位"),
    ("0951-12345", "少了几位"),
    ("0571-8888888", "核对座机"),
    ("021-123456789", "核对座机"),
    ("0912-345-678", "核对座机"),
    ("010-101234", "少了几位"),
    ("2112345678", "从区号的 0 写起"),
    ("212 555 1234", "从区号的 0 写起"),
    ("400-820-882", "10 位"),
    ("400-820-88201", "10 位"),
    ("+852 2345 678", "国家或地区代码"),
    ("+999 12345678", "国家或地区代码"),
    ("+13800138000", "国家或地区代码"),
    ("+44 15112345678", "国家或地区代码"),
    ("110101199003078515", "身份证"),
    ("110101 19900307 8515", "身份证"),
    ("110101-19900307-851x", "身份证"),
    ("身份证号：110101199003078515", "身份证"),
    ("11010119900307851X", "身份证"),
    ("110105780515123", "身份证"),
    ("6222021234567890123", "银行卡"),
    ("6222 0212 3456 7890 123", "银行卡"),
    ("6222-0212-3456-7890", "银行卡"),
    ("zhang@example.com", "邮箱"),
    ("13800138000@qq.com", "邮箱"),
    ("2026-01-01", "日期"),
    ("2026/1/1", "日期"),
    ("2026年1月1日", "日期"),
    ("2026.11.21 21:52", "日期"),
    ("138****8000", "代替数字"),
    ("13800138000139001390001", "太长"),
    ("1" * 100, "太长"),
    ("1" * 1000, "太长"),
]


@pytest.mark.parametrize(("typed", "e164", "extension", "kind"), ACCEPTED)
def test_a_number_is_read_however_it_is_written(typed: str, e164: str, extension: str, kind: str) -> None:
    phone = parse_phone(typed)
    assert (phone.e164, phone.extension, phone.kind) == (e164, extension, kind)
    assert phone.typed == typed


@pytest.mark.parametrize(("typed", "word"), REFUSED)
def test_a_refusal_says_what_to_correct(typed: str, word: str) -> None:
    with pytest.raises(NotAPhone) as refusal:
        parse_phone(typed)
    message = str(refusal.value)
    assert word in message
    assert not message.endswith(("。", ".", "！"))


@pytest.mark.parametrize("typed", sorted({typed for typed, _ in REFUSED}))
def test_every_example_in_a_refusal_is_itself_a_phone(typed: str) -> None:
    with pytest.raises(NotAPhone) as refusal:
        parse_phone(typed)
    examples = re.findall(r"\+?\d[\d\- ]{7,}\d(?: 转 \d+)?", str(refusal.value))
    assert examples, refusal.value
    for example in examples:
        parse_phone(example)


@pytest.mark.parametrize("typed", ["1397654321", "97654321", "110101199003078515", "6222021234567890123"])
def test_a_refusal_never_repeats_what_was_typed(typed: str) -> None:
    with pytest.raises(NotAPhone) as refusal:
        parse_phone(typed)
    assert typed[4:] not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_the_tables_are_long_enough() -> None:
    assert len({typed for typed, *_ in ACCEPTED}) >= 80
    assert len({typed for typed, _ in REFUSED}) >= 25


@pytest.mark.parametrize(("e164", "kind"), sorted({(e164, kind) for _, e164, _, kind in ACCEPTED}))
def test_reading_e164_gives_the_same_e164(e164: str, kind: str) -> None:
    phone = parse_phone(e164)
    assert (phone.e164, phone.kind, phone.extension) == (e164, kind, "")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+8613812345678", "138****5678"),
        ("138 1234 5678", "138****5678"),
        ("13812345678 转 801", "138****5678"),
        ("13812345678/13900139000", "138****5678"),
        ("+862112345678", "021-****5678"),
        ("021-12345678 转 801", "021-****5678"),
        ("010-12345678", "010-****5678"),
        ("0755-86013388", "0755-****3388"),
        ("0951-1234567", "0951-***4567"),
        ("0571-96345", "0571-*6345"),
        ("+864008208820", "400-***-8820"),
        ("800-820-8820", "800-***-8820"),
        ("95588", "95***"),
        ("1010 1234", "10******"),
        ("+85223456789", "+852 ******89"),
        ("+1 212 555 1234", "+1 ********34"),
        ("", ""),
        ("没有", "****"),
        ("12345", "****"),
        ("1381234567", "****67"),
        ("138123456789", "****89"),
        ("11010119900307851X", "****51"),
        ("zhang@example.com", "****"),
        ("138****5678", "****78"),
        ("1" * 10_000, "****11"),
    ],
)
def test_a_mask_hides_the_middle(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("typed", "four"),
    [
        ("138 1234 5678", "5678"),
        ("021-12345678 转 801", "5678"),
        ("400-820-8820-12345", "8820"),
        ("95588", "5588"),
        ("+44 (0)20 7946 0958", "0958"),
    ],
)
def test_the_last_four_are_the_subscribers(typed: str, four: str) -> None:
    assert last_four(parse_phone(typed)) == four


def test_a_phones_repr_shows_no_number() -> None:
    assert "138" not in repr(parse_phone("13800138000"))


def test_very_long_text_is_refused_at_once() -> None:
    began = time.perf_counter()
    for text in ("1" * 10_000, "1 " * 5_000, "转" * 10_000, "(" * 10_000, "\ufdfa" * 10_000, "@" * 10_000):
        with pytest.raises(NotAPhone, match="太长"):
            parse_phone(text)
        mask(text)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "unit", ["1", "1 ", "1-", "0/", "转", "转1", "1x1;", "( ", "+86", "95588 ", "\ufdfa", "1,"]
)
def test_the_longest_text_that_is_read_costs_milliseconds(unit: str) -> None:
    text = (unit * LONGEST_TYPED)[:LONGEST_TYPED]
    began = time.perf_counter()
    mask(text)
    assert time.perf_counter() - began < 0.25


_SEPARATORS = ["", "", " ", "-", ".", "\u3000", "\u00a0", "\u200b", "–", "—", "－", "−", "·", " - ", "/"]
_WRITTEN_DIGITS = ["0123456789", "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"]


@st.composite
def _mobiles_and_spellings(draw: st.DrawFn) -> tuple[str, str]:
    """A valid mobile, and the same with separators between any digits and each digit in any width."""
    prefix = draw(st.sampled_from(["130", "138", "139", "149", "153", "166", "173", "188", "195", "199"]))
    plain = prefix + draw(st.text("0123456789", min_size=8, max_size=8))
    digits = [draw(st.sampled_from(_WRITTEN_DIGITS))[int(digit)] for digit in plain]
    typed = digits[0] + "".join(draw(st.sampled_from(_SEPARATORS)) + digit for digit in digits[1:])
    country = draw(st.sampled_from(["", "+86", "+86 ", "0086-", "＋８６-", "(+86)", "86 "]))
    return plain, country + typed


@given(_mobiles_and_spellings())
def test_separators_and_width_never_change_a_mobile(mobile_and_spelling: tuple[str, str]) -> None:
    mobile, typed = mobile_and_spelling
    phone = parse_phone(typed)
    assert (phone.e164, phone.extension, phone.kind) == ("+86" + mobile, "", "mobile")


_PHONE_LIKE = st.text("0123456789 -+()/.,;#x转分机@一０８６\u200b\n", max_size=40)


@given(st.one_of(st.text(max_size=200), _PHONE_LIKE))
def test_any_text_is_a_phone_or_a_refusal_and_has_a_mask(text: str) -> None:
    masked = mask(text)
    try:
        phone = parse_phone(text)
    except NotAPhone:
        assert len(re.sub(r"\D", "", masked)) <= 2
        return
    assert re.fullmatch(r"\+\d{7,15}", phone.e164)
    assert re.fullmatch(r"\d{0,6}", phone.extension)
    assert parse_phone(phone.e164).e164 == phone.e164
    assert mask(phone.e164) == masked
    assert phone.kind != "mobile" or len(re.sub(r"\D", "", masked)) == 7
