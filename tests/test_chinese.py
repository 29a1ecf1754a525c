"""Chinese text as words, as bigrams, as a query, and in simplified characters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import rjieba

from xinheng import chinese

SENTENCE = "年底对账时，财务发现三笔坏账，都是账期超过90天的赊销。"


@pytest.mark.parametrize("word", ["坏账", "账期", "赊销", "对账"])
def test_a_two_character_word_is_found_inside_a_sentence(word: str) -> None:
    assert word in chinese.words(SENTENCE)
    assert word in chinese.bigrams(SENTENCE).split()


def test_every_domain_word_is_one_word() -> None:
    assert chinese.DOMAIN_WORDS
    assert [word for word in chinese.DOMAIN_WORDS if chinese.words(word) != [word]] == []


def test_words_come_in_their_order_and_as_often_as_they_are_there() -> None:
    assert chinese.words("催收靠证据，证据靠合同，催收靠合同。") == [
        "催收",
        "证据",
        "证据",
        "合同",
        "催收",
        "合同",
    ]


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("逾期，。！（）—— \n\t", "punctuation and space"),
        ("逾期 2025 3.5% 12,000 一千五百", "numbers"),
        ("逾期 的 了 x", "single characters"),
        ("我们 因为 逾期 所以 the", "stop words"),
    ],
)
def test_words_say_what_a_text_is_about(text: str, left_out: str) -> None:
    assert chinese.words(text) == ["逾期"], left_out


@pytest.mark.parametrize("text", ["ＤＳＯ与ＩＳＯ９００１", "DSO与iso9001", "dso與ISO9001"])
def test_full_width_upper_case_and_traditional_letters_are_one(text: str) -> None:
    assert chinese.words(text) == ["dso", "iso9001"]
    assert chinese.bigrams(text) == "dso 与 iso9001"


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("應收帳款的帳齡", "应收账款的账龄"),
        ("壞賬準備與催收", "坏账准备与催收"),
        ("帐期", "账期"),
        ("信用证", "信用证"),
    ],
)
def test_traditional_text_gives_what_simplified_text_gives(traditional: str, simplified: str) -> None:
    assert chinese.simplify(traditional) == simplified
    assert chinese.words(traditional) == chinese.words(simplified)
    assert chinese.bigrams(traditional) == chinese.bigrams(simplified)
    assert chinese.query_words(traditional) == chinese.query_words(simplified)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("应收账款", "应收 收账 账款"),
        ("账", "账"),
        ("账，龄", "账 龄"),
        ("DSO怎么算", "dso 怎么 么算"),
        ("2025年ISO9001认证", "2025 年 iso9001 认证"),
        ("A/R ageing", "a r ageing"),
        ("snake_case", "snake case"),
        ("𠮷野家", "𠮷野 野家"),
        ("《》 ……", ""),
        ("", ""),
    ],
)
def test_bigrams_are_pairs_of_characters_and_whole_latin_words(text: str, tokens: str) -> None:
    assert chinese.bigrams(text) == tokens


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("账", ["账"]),
        ("坏账怎么核销", ["坏账", "核销"]),
        ("DSO 45 天", ["dso", "45", "天"]),
        ("催收 催收", ["催收"]),
        ("怎么", ["怎么"]),
        ("？！", []),
        ("", []),
    ],
)
def test_a_query_keeps_what_somebody_may_look_for(query: str, found: list[str]) -> None:
    assert chinese.query_words(query) == found


def test_a_query_is_cut_as_the_article_was() -> None:
    query = chinese.query_words("应收账款周转天数")
    assert query == ["应收账款", "周转天数"]
    assert set(query) <= set(chinese.words("先算应收账款周转天数，再看同行。"))


def test_no_other_code_can_change_how_we_cut() -> None:
    before = chinese.words("先款后货最省心")
    rjieba.add_word("先款后货最省心", None, None)
    assert rjieba.cut("先款后货最省心") == ["先款后货最省心"]
    assert chinese.words("先款后货最省心") == before


def test_words_are_the_same_in_every_process() -> None:
    script = f"from xinheng.chinese import words, bigrams; print(words({SENTENCE!r}), bigrams({SENTENCE!r}))"
    site = Path(chinese.__file__).parents[1]
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(site), "PYTHONUTF8": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(printed) == 1
    assert "坏账".encode() in printed.pop()
