"""What is wrong with a file of content/ is said with its file, its place, and what was expected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import write_article

from xinheng.articles.index import compile_content
from xinheng.articles.reading import (
    CompiledArticle,
    compile_article,
    compile_page,
    read_authors,
    read_categories,
)
from xinheng.documents import BadDocument, Fault

GOOD = """---
title: 账龄表怎么读
category: receivables
tags: [账龄, 逾期]
published: 2026-03-02 10:05
updated: 2026-03-03 09:00
author: lin
summary: 先看尾巴。
ai: generated
reviewed_by:
reviewed_at:
sources:
  - {id: nbs-2025, publisher: 国家统计局, title: 工业企业财务数据, date: 2025-06-27, url: "https://www.stats.gov.cn/"}
aliases: [ageing-table]
---

账龄表把应收账款按到期日分档。[^nbs-2025]

## 分几档

四档。
"""


@pytest.fixture
def content(data_root: Path) -> Path:
    return data_root / "content"


def put(content: Path, text: str, slug: str = "subject") -> Path:
    file = content / "articles" / f"{slug}.md"
    file.write_text(text, encoding="utf-8")
    return file


def compiled(content: Path, file: Path) -> CompiledArticle:
    found = compile_article(file, read_categories(content), read_authors(content))
    assert found is not None
    return found


def faults(content: Path) -> tuple[Fault, ...]:
    with pytest.raises(BadDocument) as raised:
        compile_content(content)
    return raised.value.faults


# --- a file that is right ---


def test_a_good_file_becomes_an_article(content: Path) -> None:
    found = compiled(content, put(content, GOOD))
    article = found.article
    assert (article.slug, article.title, article.category, article.ai) == (
        "subject",
        "账龄表怎么读",
        "receivables",
        "generated",
    )
    assert article.published.isoformat() == "2026-03-02T10:05:00+08:00"
    assert article.changed
    assert (article.reviewed_by, article.reviewed_at) == ("", None)
    assert [source.id for source in article.sources] == ["nbs-2025"]
    assert [(heading.anchor, heading.text) for heading in article.headings] == [("s1", "分几档")]
    assert article.characters == len("账龄表把应收账款按到期日分档分几档四档")
    assert article.minutes == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("---\n", "---  \n").encode(),
        lambda text: text.rstrip("\n").encode(),
    ],
)
def test_a_file_from_another_editor_reads_the_same(content: Path, change: Callable[[str], bytes]) -> None:
    file = put(content, GOOD)
    before = compiled(content, file)
    file.write_bytes(change(GOOD))
    after = compiled(content, file)
    assert (after.html, after.text, after.article.title) == (before.html, before.text, before.article.title)


def test_plain_words_stay_words(content: Path) -> None:
    """YAML would make a boolean of `no` and a number of `1:30`."""
    text = GOOD.replace("tags: [账龄, 逾期]", "tags: [no, 1:30, on, 007, 1e3, null]").replace(
        "title: 账龄表怎么读", "title: 2026"
    )
    with pytest.raises(BadDocument, match=r"tags\.5"):
        compiled(content, put(content, text))
    article = compiled(content, put(content, text.replace(", null", ""))).article
    assert article.tags == ("no", "1:30", "on", "007", "1e3")
    assert article.title == "2026"


def test_without_a_summary_the_first_sentences_stand_in(content: Path) -> None:
    article = compiled(content, put(content, GOOD.replace("summary: 先看尾巴。", "summary:"))).article
    assert article.summary == "账龄表把应收账款按到期日分档。"


def test_a_file_without_a_date_is_a_draft(content: Path) -> None:
    file = put(
        content,
        GOOD.replace("published: 2026-03-02 10:05", "published:").replace("updated: 2026-03-03 09:00\n", ""),
    )
    assert compile_article(file, read_categories(content), read_authors(content)) is None


def test_even_a_draft_must_be_right(content: Path) -> None:
    text = GOOD.replace("published: 2026-03-02 10:05\nupdated: 2026-03-03 09:00\n", "").replace(
        "lin", "nobody"
    )
    with pytest.raises(BadDocument, match="没有作者 nobody"):
        compile_article(put(content, text), read_categories(content), read_authors(content))


def test_sources_stand_in_the_order_of_their_citation(content: Path) -> None:
    second = "  - {id: law, publisher: 全国人大, title: 民法典, date: 2020-05-28}\naliases"
    text = (
        GOOD.replace("aliases", second, 1)
        .replace("四档。", "四档。[^nbs-2025]")
        .replace("账龄表把", "先看法条。[^law]账龄表把")
    )
    assert [source.id for source in compiled(content, put(content, text)).article.sources] == [
        "law",
        "nbs-2025",
    ]


# --- one that is not ---

ONE_FILE = [
    ("a missing key", "title: 账龄表怎么读\n", "", 2, "title：缺少这一项"),
    ("a missing author", "author: lin\n", "", 2, "author：缺少这一项"),
    ("a missing label", "ai: generated\n", "", 2, "ai：缺少这一项"),
    ("an empty title", "title: 账龄表怎么读", "title:", 2, "title：应为文字"),
    ("a title that is too long", "账龄表怎么读", "账" * 41, 2, "title：最多 40 个字"),
    ("an unknown key", "ai: generated", "ai: generated\nreviewer: 王", 10, "reviewer：没有这个键"),
    ("an unknown key in a source", "{id: nbs-2025,", "{id: nbs-2025, page: 3,", 13, "sources.0.page：没有这个键"),
    ("an unknown category", "category: receivables", "category: accounts", 3, "category：没有栏目 accounts；应为 receivables、"),
    ("an unknown author", "author: lin", "author: wang", 7, "author：没有作者 wang"),
    ("a key written twice", "ai: generated", "ai: generated\nai: none", 10, "ai：写了两次"),
    ("a source that is not cited", "分档。[^nbs-2025]", "分档。", 13, "sources.nbs-2025：正文没有引用它"),
    ("a citation without a source", "四档。", "四档。[^pboc]", 21, "引用了 [^pboc]，但 sources 里没有这个 id"),
    ("two sources with one id", "aliases:", "  - {id: nbs-2025, publisher: 甲, title: 乙, date: 2025-01-01}\naliases:", 2, "sources 里有两项用了同一个 id"),
    ("a source without a title", "title: 工业企业财务数据, ", "", 13, "sources.0.title：缺少这一项"),
    ("a date that is none", "2026-03-02 10:05", "三月二日", 5, "published：应写成 2026-03-02 10:05"),
    ("a day that is none", "2025-06-27", "2025-06-31", 13, "sources.0.date：应写成 2026-03-02"),
    ("an update before publication", "2026-03-03 09:00", "2026-03-01 09:00", 2, "updated 不能早于 published"),
    ("a label nobody knows", "ai: generated", "ai: yes", 9, "ai：应为 none、assisted、generated"),
    ("a review without a day", "reviewed_by:", "reviewed_by: 王律师", 2, "reviewed_by 和 reviewed_at 要么都写"),
    ("a link that is none", '"https://www.stats.gov.cn/"', '"www.stats.gov.cn"', 13, "sources.0.url：格式不对"),
    ("an alias that is no slug", "[ageing-table]", "[账龄表]", 14, "aliases.0：应由小写字母、数字和连字符组成"),
    ("tags that are no list", "tags: [账龄, 逾期]", "tags: 账龄", 4, "tags：应为列表"),
    ("too many tags", "[账龄, 逾期]", "[a, b, c, d, e, f, g, h, i]", 4, "tags：最多 8 项"),
    ("a summary that is too long", "先看尾巴。", "长" * 101, 8, "summary：最多 100 个字"),
    ("a title again in the text", "账龄表把", "# 账龄表\n\n账龄表把", 16, "正文里不要再写一级标题"),
    ("a colon that YAML takes for its own", "title: 账龄表怎么读", "title: 账龄: 怎么看", 2, "含冒号的文字请加引号"),
    ("a bracket left open", "[账龄, 逾期]", "[账龄, 逾期", 5, "YAML 写法有误"),
    ("a tab", "author: lin", "\tauthor: lin", 7, "YAML 写法有误"),
    ("a control sign", "title: 账龄表", "title: 账\x08龄表", 2, "YAML"),
    ("no front matter", "---\ntitle", "title", 1, "文件应以 --- 开头"),
    ("front matter without an end", "aliases: [ageing-table]\n---\n", "aliases: [ageing-table]\n", 1, "缺少结束的 ---"),
    ("nothing at all between the lines", GOOD[4 : GOOD.index("---\n\n账龄表把")], "", 2, "应为“键: 值”"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "says"), [row[1:] for row in ONE_FILE], ids=[row[0] for row in ONE_FILE]
)
def test_a_mistake_names_file_line_and_what_was_expected(
    content: Path, old: str, new: str, line: int, says: str
) -> None:
    assert GOOD.count(old) >= 1
    file = put(content, GOOD.replace(old, new, 1))
    found = [fault for fault in faults(content) if fault.file == file]
    assert found, "the file is named"
    assert any(says in str(fault) for fault in found), [str(fault) for fault in found]
    named = next(fault for fault in found if says in str(fault))
    assert named.line == line, str(named)
    assert str(named).startswith(f"{file}:{line}: ")


def test_there_are_at_least_twenty_kinds_of_mistake() -> None:
    assert len(ONE_FILE) >= 20


def test_bytes_that_are_no_utf_8_name_the_line(content: Path) -> None:
    file = put(content, "")
    file.write_bytes(GOOD.replace("先看尾巴。", "??").encode().replace(b"??", "先看尾巴".encode("gb18030")))
    (found,) = [fault for fault in faults(content) if fault.file == file]
    assert (found.line, found.message) == (8, "不是 UTF-8 编码，请另存为 UTF-8")


@pytest.mark.parametrize("name", ["账龄", "Ageing", "a_b", "-a", "a--b", "a b", "a.b", "a" * 81])
def test_a_file_name_that_is_no_address_is_refused(content: Path, name: str) -> None:
    file = put(content, GOOD, name)
    found = [fault for fault in faults(content) if fault.file == file]
    assert any("文件名就是网址" in fault.message for fault in found)


def test_all_mistakes_of_a_file_and_of_all_files_are_said_at_once(content: Path) -> None:
    put(content, GOOD.replace("author: lin", "author: wang").replace("receivables", "accounts"), "one")
    put(content, GOOD.replace("ai: generated", "ai: yes").replace("title: 账龄表怎么读\n", ""), "two")
    (content / "pages" / "about.md").write_text("nothing", encoding="utf-8")
    assert {(fault.file.name, fault.key) for fault in faults(content)} == {
        ("one.md", "author"),
        ("one.md", "category"),
        ("two.md", "ai"),
        ("two.md", "title"),
        ("about.md", ""),
    }


# --- between files ---


@pytest.mark.parametrize("target", ["no-such", "draft", "ageing-", "subject/"])
def test_a_link_to_no_article_names_its_line(content: Path, target: str) -> None:
    write_article(content, "draft", published="")
    file = put(content, GOOD.replace("四档。", f"四档，见[别处](/articles/{target})。"))
    (found,) = faults(content)
    assert (found.file, found.line) == (file, 21)
    assert f"/articles/{target} 没有对应的文章" in found.message


@pytest.mark.parametrize("target", ["ageing", "ageing#s1", "first-call", "subject", ""])
def test_a_link_to_an_article_or_to_the_list_is_right(content: Path, target: str) -> None:
    put(content, GOOD.replace("四档。", f"四档，见[别处](/articles/{target})。"))
    compile_content(content)


def test_a_page_with_a_link_to_no_article_is_named_too(content: Path) -> None:
    page = content / "pages" / "about.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n见[别处](/articles/no-such)。\n", encoding="utf-8")
    (found,) = faults(content)
    assert found.file == page
    assert "/articles/no-such" in found.message


@pytest.mark.parametrize("alias", ["ageing", "subject", "first-call"])
def test_an_alias_that_is_an_articles_address_is_refused(content: Path, alias: str) -> None:
    file = put(content, GOOD.replace("[ageing-table]", f"[{alias}]"))
    (found,) = faults(content)
    assert (found.file, found.key) == (file, "aliases")
    assert f"{alias} 已经是" in found.message


def test_one_alias_of_two_articles_is_refused(content: Path) -> None:
    put(content, GOOD)
    put(content, GOOD.replace("账龄表怎么读", "账龄表怎么做"), "zweitens")
    (found,) = faults(content)
    assert (found.file.name, found.key) == ("zweitens.md", "aliases")
    assert "subject.md" in found.message


def test_one_title_of_two_articles_is_refused(content: Path) -> None:
    put(content, GOOD.replace("[ageing-table]", "[]"))
    put(content, GOOD.replace("[ageing-table]", "[]"), "zweitens")
    (found,) = [
        fault for fault in faults(content) if "标题相同" in fault.message and "subject" in fault.message
    ]
    assert (found.file.name, found.key) == ("zweitens.md", "title")


# --- categories, authors, pages ---


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("categories.toml", 'receivables = "x"', "receivables：应写成 [名字] 一节"),
        ("categories.toml", "[receivables]\nname = 1", "receivables.name：应为文字"),
        ("categories.toml", '[receivables]\nname="a"\nshort="a"\ndescription="a"\nshape="star"\nground="teal"', "receivables.shape：应为 circle、"),
        ("categories.toml", '["Big Name"]\nname="a"\nshort="a"\ndescription="a"\nshape="circle"\nground="teal"', "小写字母"),
        ("categories.toml", "[receivables", "TOML 写法有误"),
        ("authors.toml", '[lin]\nname="a"\nabout="b"\nage=3', "lin.age：没有这个键"),
        ("authors.toml", '[lin]\nname=""\nabout="b"', "lin.name：不能为空"),
        ("authors.toml", None, "缺少这个文件"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_table_names_file_and_key(
    content: Path, name: str, text: str | None, says: str
) -> None:
    if text is None:
        (content / name).unlink()
    else:
        (content / name).write_text(text, encoding="utf-8")
    found = faults(content)
    assert {fault.file for fault in found} == {content / name}
    assert any(says in str(fault) for fault in found), list(map(str, found))


def test_a_page_needs_its_title_and_its_date(content: Path) -> None:
    file = content / "pages" / "terms.md"
    file.write_text("---\nsummary: 说明。\n---\n\n正文。\n", encoding="utf-8")
    with pytest.raises(BadDocument) as raised:
        compile_page(file)
    assert {(fault.line, fault.key) for fault in raised.value.faults} == {(2, "title"), (2, "updated")}


def test_a_page_that_is_right_is_read(content: Path) -> None:
    page = compile_page(content / "pages" / "privacy.md").page
    assert page.slug == "privacy"
    assert page.footer
    assert "{hotline}" in page.html
