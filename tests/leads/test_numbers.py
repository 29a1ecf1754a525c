"""Numbers that people typed into a text, hidden from who was not shown the lead's own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinheng.leads.numbers import with_numbers, without_numbers
from xinheng.phones import parse_phone


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("13800138000", "****00"),
        ("138 0013 8000", "****00"),
        ("138-0013-8000", "****00"),
        ("138.0013.8000", "****00"),
        ("138–0013—8000", "****00"),
        ("１３８００１３８０００", "****００"),
        ("电话13800138000谢谢", "电话****00谢谢"),
        ("打 13800138000 或 13911112222", "打 ****00 或 ****22"),
        ("13800138000\n13911112222", "****00\n****22"),
        ("QQ 1234567", "QQ ****67"),
        ("123456", "123456"),
        ("80万元，逾期120天，2026年11月", "80万元，逾期120天，2026年11月"),
        ("单价12.50元，3家、4家、5家", "单价12.50元，3家、4家、5家"),
        ("账期30 60 90", "账期30 60 90"),
        ("2024-2025年度，额度3000-5000万", "2024-2025年度，额度3000-5000万"),
        ("5000 8000元", "5000 8000元"),
        ("三家，每家30万，账期一百二十天", "三家，每家30万，账期一百二十天"),
        ("500000三家", "500000三家"),
        ("二〇二六年十一月", "二〇二六年十一月"),
        ("欠款12000，35000，8000", "欠款12000，35000，8000"),
        ("一、二、三、四、五、六、七", "一、二、三、四、五、六、七"),
        ("", ""),
    ],
)
def test_a_number_long_enough_to_be_called_is_hidden(typed: str, shown: str) -> None:
    assert without_numbers(typed) == shown


@pytest.mark.parametrize(
    "typed",
    [
        "138　0013　8000",
        "138 0013 8000",
        "138  0013  8000",
        "138 - 0013 - 8000",
        "138/0013/8000",
        "138·0013·8000",
        "138。0013。8000",
        "138_0013_8000",
        "138－0013－8000",
        "138‑0013‑8000",
        "138−0013−8000",
        "138\u200b0013\u200b8000",
        "(138)0013(8000)",
        "1️⃣3️⃣8️⃣0️⃣0️⃣1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣",
    ],
)
def test_a_phone_typed_in_a_text_is_hidden_however_it_is_spelt(typed: str) -> None:
    """Spellings that the phone field takes: people use them in the text beside it too."""
    assert parse_phone(typed).e164 == "+8613800138000"
    shown = without_numbers(f"打我 {typed} 谢谢")
    assert "0013" not in shown
    assert sum(map(str.isdigit, shown)) == 2
    assert shown.startswith("打我 ")
    assert shown.endswith(" 谢谢")


@pytest.mark.parametrize(
    "typed",
    [
        "一三八零零一三八零零零",
        "一三八 〇〇一三 八〇〇〇",
        "幺三八零零幺三八零零零",
        "壹叁捌零零壹叁捌零零零",
        "一、三、八、零、零、一、三、八、零、零、零",
        "138零零13八零零零",
        "①③⑧⓪⓪①③⑧⓪⓪⓪",
        "138，0013，8000",
        "138、0013、8000",
        "138\n0013\n8000",
        "138；0013；8000",
        "1380013转8000",
        "138OO138OOO",
        "+86，138，0013，8000",
        "021，8765，4321",
        "0755\n8601 3388",
        "138     0013      8000",
        "8765-4321",
        "8888 8888",
        "601 3388",
    ],
)
def test_a_phone_spelt_so_that_no_program_should_see_it_is_hidden(typed: str) -> None:
    shown = without_numbers(f"打我 {typed} 谢谢")
    assert re.fullmatch(r"打我 (?:\+\D?)?\*{4}\w\w 谢谢", shown)


@pytest.mark.parametrize("number", ["13800138000", "一三八零零一三八零零零", "138，0013，8000"])
def test_a_hidden_number_that_comes_back_stands_in_its_place_again(number: str) -> None:
    known = f"打{number}找张总，晚上打13911112222"
    assert with_numbers(without_numbers(known), known) == known
    assert with_numbers(without_numbers(known).replace("晚上", "早上"), known) == known.replace(
        "晚上", "早上"
    )


@given(st.text(alphabet="0123456789一三八零①转，、 \n-OoX万a*"))
def test_hiding_never_fails_and_hides_whole_numbers(typed: str) -> None:
    shown = without_numbers(typed)
    assert not re.search(r"[0-9]{7}", shown)
    assert with_numbers(shown, typed) == typed or "****" in typed


@pytest.mark.parametrize("typed", ["7****00", "****001", "1，****00", "****00****00"])
@pytest.mark.parametrize("known", ["打 138 0013 8000", "打 138，0013，8000"])
def test_nobody_uncovers_a_number_by_writing_beside_its_mark(typed: str, known: str) -> None:
    shown = without_numbers(with_numbers(typed, known))
    assert "138" not in shown
    assert "0013" not in shown
