"""Search finds words inside sentences, titles before texts, and says when it found less than was asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from tests.conftest import ROOT, write_article

from xinheng.articles.index import build_index
from xinheng.articles.library import Index, open_library
from xinheng.articles.search import LONGEST_QUERY, Found, search

Search = Callable[[str], Found]


@pytest.fixture(scope="module")
def find(tmp_path_factory: pytest.TempPathFactory) -> Search:
    content = tmp_path_factory.mktemp("searched")
    (content / "articles").mkdir()
    (content / "pages").mkdir()
    for name in ("categories.toml", "authors.toml"):
        (content / name).write_text((ROOT / "content" / name).read_text(encoding="utf-8"), encoding="utf-8")
    write_article(content, "in-title", title="坏账怎么核销", body="先看凭证是否齐全。")
    write_article(content, "in-summary", summary="坏账之前先对账。", body="凭证要齐。")
    write_article(content, "in-text", body="年底查出三笔坏账损失，都是赊销。货款拖了很久。")
    write_article(content, "in-tags", tags="坏账, ISO9001", body="另有内容。")
    write_article(content, "over-lines", body="合同里写明违\n约金怎么算。")
    write_article(content, "export", title="Incoterms 2020 怎么选", body="FOB 与 CIF 之间，先看谁订舱。")
    write_article(content, "draft", title="坏账草稿", published="")
    write_article(content, "scheduled", title="坏账预告", published="2099-01-01 08:00")
    library = open_library(Index(build_index(content, content / "library")), datetime(2026, 6, 1, tzinfo=UTC))
    return lambda query: search(library, query)


def slugs(found: Found) -> list[str]:
    return [hit.article.slug for hit in found.hits]


def test_a_two_character_word_is_found_inside_a_sentence(find: Search) -> None:
    assert "in-text" in slugs(find("坏账"))


def test_title_beats_summary_beats_text(find: Search) -> None:
    found = slugs(find("坏账"))
    assert set(found) == {"in-title", "in-summary", "in-text", "in-tags"}
    assert set(found[:2]) == {"in-title", "in-tags"}
    assert found[-1] == "in-text"


@pytest.mark.parametrize("query", ["坏账", "壞賬", "壞帳", "坏帐", " 坏账 ", "坏账？", "“坏账”"])
def test_traditional_characters_and_signs_find_the_same(find: Search, query: str) -> None:
    assert slugs(find(query)) == slugs(find("坏账"))


@pytest.mark.parametrize(
    "query", ["incoterms", "INCOTERMS", "ｉｎｃｏｔｅｒｍｓ", "Incoterms 2020", "fob", "cif 订舱"]
)
def test_latin_words_are_found_in_any_case_and_width(find: Search, query: str) -> None:
    assert slugs(find(query)) == ["export"]


def test_a_word_that_a_line_break_divides_is_found(find: Search) -> None:
    assert slugs(find("违约金")) == ["over-lines"]


def test_all_words_are_wanted_and_where_none_has_all_any_will_do(find: Search) -> None:
    strict = find("坏账 赊销")
    assert (slugs(strict), strict.loose) == (["in-text"], False)
    loose = find("坏账 订舱")
    assert loose.loose
    assert {"in-title", "export"} <= set(slugs(loose))


def test_a_single_character_finds_words_that_begin_with_it(find: Search) -> None:
    assert "in-text" in slugs(find("坏"))


@pytest.mark.parametrize("query", ["熊猫", "zzz", "不存在的词语"])
def test_what_nobody_wrote_is_not_found(find: Search, query: str) -> None:
    assert slugs(find(query)) == []


@pytest.mark.parametrize(
    "query",
    ["", " ", "？！", '"', "'", '"坏账', "坏账*", "坏账 OR", "AND", "NEAR(坏账, 2)", "title:坏账", "^坏账", "(", "-", "*", "坏账)", "a:b", "😀", "\x00", "坏" * 500, "坏账 " * 200, "%", "{坏}", "+"],
)  # fmt: skip
def test_no_query_is_an_error(find: Search, query: str) -> None:
    found = find(query)
    assert all(hit.article.slug != "draft" for hit in found.hits)


def test_what_is_not_published_is_not_found(find: Search) -> None:
    assert not {"draft", "scheduled"} & set(slugs(find("坏账 草稿 预告")) + slugs(find("坏账")))


def test_an_excerpt_shows_the_sentence_where_the_word_stands(find: Search) -> None:
    (hit,) = [hit for hit in find("坏账").hits if hit.article.slug == "in-text"]
    assert hit.excerpt.startswith("年底查出三笔坏账损失")
    (titled,) = [hit for hit in find("坏账").hits if hit.article.slug == "in-title"]
    assert titled.excerpt == titled.article.summary


def test_only_the_beginning_of_a_long_query_counts(find: Search) -> None:
    assert slugs(find("坏账" + " " * LONGEST_QUERY + "熊猫")) == slugs(find("坏账"))


def test_the_same_query_has_the_same_answer(find: Search) -> None:
    assert all(slugs(find("坏账 凭证")) == slugs(find("坏账 凭证")) for _ in range(3))
