"""What editors see first: drafts and their order, an article compiled as it will be, what is wrong in content/."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.conftest import write_article

from xinheng.articles import unpublished
from xinheng.articles.index import build_index, compile_content
from xinheng.articles.reading import compile_article, read_authors, read_categories
from xinheng.articles.unpublished import (
    Unpublished,
    article_file,
    content_faults,
    place_of,
    preview,
    unpublished_articles,
    with_preview_links,
)
from xinheng.documents import BadDocument
from xinheng.settings import SHANGHAI

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=SHANGHAI)


@pytest.fixture
def content(data_root: Path) -> Path:
    return data_root / "content"


def saved(file: Path, at: datetime) -> Path:
    os.utime(file, (at.timestamp(), at.timestamp()))
    return file


def slugs(content: Path) -> list[str]:
    return [article.slug for article in unpublished_articles(content, NOW)]


# --- what isn't published ---


def test_published_articles_are_not_listed(content: Path) -> None:
    assert slugs(content) == []


def test_what_has_a_time_comes_first_and_then_drafts_saved_last(content: Path) -> None:
    early, late = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
    saved(write_article(content, "old-draft", published=""), early)
    saved(write_article(content, "new-draft", published=""), late)
    saved(write_article(content, "next-week", published="2026-11-30 09:00"), late)
    saved(write_article(content, "this-evening", published="2026-11-23 20:00"), early)
    assert slugs(content) == ["this-evening", "next-week", "new-draft", "old-draft"]


@pytest.mark.parametrize(
    ("published", "listed"),
    [
        ("2026-11-23 11:59", False),
        ("2026-11-23 12:00", False),
        ("2026-11-23 12:01", True),
        ("", True),
        ("~", True),
    ],
)
def test_an_article_is_unpublished_until_its_time(content: Path, published: str, listed: bool) -> None:
    write_article(content, "subject", published=published)
    assert (slugs(content) == ["subject"]) is listed


def test_an_entry_says_what_the_file_says(content: Path) -> None:
    at = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    saved(write_article(content, "subject", title="题目", published="2026-12-01 09:00"), at)
    planned = datetime(2026, 12, 1, 9, 0, tzinfo=SHANGHAI)
    assert unpublished_articles(content, NOW) == [
        Unpublished("subject", "题目", "receivables", "lin", planned, at)
    ]


def test_a_draft_with_a_fault_in_its_text_is_listed_and_one_that_cannot_be_read_is_not(content: Path) -> None:
    write_article(content, "no-such-category", published="", category="nowhere")
    (content / "articles" / "no-front-matter.md").write_text("只有正文。\n", encoding="utf-8")
    (content / "articles" / "gone.md").symlink_to(content / "articles" / "nothing-there.md")
    assert slugs(content) == ["no-such-category"]


# --- finding a file ---


def test_a_file_is_found_by_its_slug(content: Path) -> None:
    assert article_file(content, "ageing") == content / "articles" / "ageing.md"


@pytest.mark.parametrize(
    "slug",
    ["unknown", "", ".", "..", "../pages/about", "../../forms/README", "ageing.md", "AGEING", "*", "a*", "/etc/passwd", "ageing\0"],
)  # fmt: skip
def test_nothing_else_is_found(content: Path, slug: str) -> None:
    assert article_file(content, slug) is None


# --- compiling ---


def test_a_published_article_is_previewed_as_it_is_published(content: Path) -> None:
    file = content / "articles" / "ageing.md"
    seen = preview(content, file, NOW).draft
    assert seen.compiled == compile_article(file, read_categories(content), read_authors(content))
    assert seen.planned == seen.compiled.article.published


def test_a_draft_is_compiled_without_a_time_and_stays_unpublished(content: Path) -> None:
    file = write_article(content, "subject", published="")
    shown = preview(content, file, NOW)
    assert shown.draft.planned is None
    assert shown.draft.compiled.article.published == NOW
    assert "到期前三天提醒。" in shown.draft.compiled.html
    assert (shown.category.slug, shown.author.name) == ("receivables", read_authors(content)["lin"].name)
    assert compile_article(file, read_categories(content), read_authors(content)) is None


def test_a_draft_that_says_when_it_was_updated_can_be_previewed(content: Path) -> None:
    file = write_article(content, "subject", published="\nupdated: 2026-03-02 10:05")
    article = preview(content, file, NOW).draft.compiled.article
    assert article.updated == article.published == datetime(2026, 3, 2, 10, 5, tzinfo=SHANGHAI)


def test_a_wrong_file_is_not_previewed_and_says_the_same_as_the_checker(content: Path) -> None:
    file = write_article(content, "subject", published="", category="nowhere", body="# 标题\n\n正文[^x]。\n")
    with pytest.raises(BadDocument) as shown:
        preview(content, file, NOW)
    with pytest.raises(BadDocument) as checked:
        compile_content(content)
    assert shown.value.faults == checked.value.faults
    assert len(shown.value.faults) == 3


def test_a_wrong_table_of_categories_is_said_in_place_of_a_preview(content: Path) -> None:
    (content / "categories.toml").write_text("[receivables\n", encoding="utf-8")
    with pytest.raises(BadDocument, match=r"categories\.toml"):
        preview(content, content / "articles" / "ageing.md", NOW)


# --- links ---


@pytest.mark.parametrize(
    ("html", "led"),
    [
        ('<a href="/articles/draft">文</a>', '<a href="/preview/draft">文</a>'),
        ('<a href="/articles/draft#part">文</a>', '<a href="/preview/draft#part">文</a>'),
        ('<a class="x" href="/articles/draft" rel="y">文</a>', '<a class="x" href="/preview/draft" rel="y">文</a>'),
        ('<a href="/articles/ageing">文</a>', '<a href="/articles/ageing">文</a>'),
        ('<a href="/articles/draft-two">文</a>', '<a href="/articles/draft-two">文</a>'),
        ('<a href="https://x.example/articles/draft">文</a>', '<a href="https://x.example/articles/draft">文</a>'),
        ('<code>&lt;a href="/articles/draft"&gt;</code>', '<code>&lt;a href="/articles/draft"&gt;</code>'),
        ('<a href="/articles/draft">一</a><a href="/articles/draft">二</a>', '<a href="/preview/draft">一</a><a href="/preview/draft">二</a>'),
    ],
)  # fmt: skip
def test_links_to_what_readers_cannot_see_lead_to_its_preview(html: str, led: str) -> None:
    assert with_preview_links(html, {"draft"}, lambda slug: f"/preview/{slug}") == led


def test_links_as_the_compiler_writes_them_are_led_to_previews(content: Path) -> None:
    body = '见[那一篇](/articles/other-draft#part)和[账龄](/articles/ageing)，也写作 `<a href="/articles/other-draft">`。\n'
    file = write_article(content, "subject", published="", body=body)
    html = preview(content, file, NOW).draft.compiled.html
    led = with_preview_links(html, {"other-draft"}, lambda slug: f"/preview/{slug}")
    assert 'href="/preview/other-draft#part"' in led
    assert 'href="/articles/ageing"' in led
    assert led.count("/articles/other-draft") == 1, "the example of a link stays an example"


# --- faults ---


def test_right_content_has_no_faults(content: Path) -> None:
    assert content_faults(content) == ()


def test_all_that_the_checker_says_is_said(content: Path) -> None:
    write_article(content, "subject", category="nowhere")
    write_article(content, "draft", published="", body="# 标题\n")
    with pytest.raises(BadDocument) as checked:
        compile_content(content)
    assert content_faults(content) == checked.value.faults
    assert {fault.file.name for fault in checked.value.faults} == {"subject.md", "draft.md"}


def test_faults_between_articles_are_said(content: Path) -> None:
    write_article(content, "subject", body="见[别处](/articles/not-yet)。\n")
    (fault,) = content_faults(content)
    assert "/articles/not-yet 没有对应的文章" in fault.message


def test_faults_go_when_the_file_is_mended_and_come_back_with_the_mistake(content: Path) -> None:
    file = write_article(content, "subject", category="nowhere")
    wrong = file.read_text(encoding="utf-8")
    found = content_faults(content)
    assert len(found) == 1
    write_article(content, "subject")
    assert content_faults(content) == ()
    file.write_text(wrong, encoding="utf-8")
    assert content_faults(content) == found


def test_files_that_were_compiled_already_are_not_read_again(
    content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = build_index(content, tmp_path / "library")
    read: list[Path] = []
    monkeypatch.setattr(unpublished, "compile_content", read.append)
    assert content_faults(content, index.stem.rpartition("-")[2]) == ()
    assert read == []
    write_article(content, "subject")
    content_faults(content, index.stem.rpartition("-")[2])
    content_faults(content, index.stem.rpartition("-")[2])
    assert read == [content], "once for each state of the files"


def test_a_place_is_named_as_editors_know_it(content: Path) -> None:
    write_article(content, "subject", category="nowhere")
    (fault,) = content_faults(content)
    assert place_of(fault, content) == "content/articles/subject.md"
