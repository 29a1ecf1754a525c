"""Read content/ and say what is wrong with it: one compiled article or page per file."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xinheng.articles.article import SLUG, Article, Author, Category, FrontMatterFields, Page, PageFields
from xinheng.chinese import line_pieces
from xinheng.documents import (
    BadDocument,
    Fault,
    FrontMatter,
    read_front_matter,
    read_toml,
    toml_fault,
    validated,
)
from xinheng.markup import Rendered, citations, first_sentences, render

_LINK = re.compile(r"\]\(/articles/([^)#\s]*)")
# addresses of the site itself, which a file of that name could never be reached at
_TAKEN = {
    "articles": {"read-counts"},
    "pages": {
        *("articles", "categories", "search", "favourites", "consultation", "health-check", "desk", "static"),
        *("healthz", "readyz"),
    },
}
_IMAGE = re.compile(r"!\[[^\]]*\]\(")
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class CompiledArticle:
    """An article and what is not needed in lists: its HTML, its text, its links to other articles with their lines."""

    article: Article
    html: str
    text: str
    links: tuple[tuple[str, int], ...]
    file: Path


@dataclass(frozen=True, slots=True)
class CompiledDraft:
    """An article as it would be published; `planned` is when that is or was, None where the file names no time."""

    compiled: CompiledArticle
    planned: datetime | None


@dataclass(frozen=True, slots=True)
class CompiledPage:
    """A content page, and its links to articles with their lines."""

    page: Page
    links: tuple[tuple[str, int], ...]
    file: Path


def article_files(content: Path) -> list[Path]:
    return sorted((content / "articles").glob("*.md"))


def page_files(content: Path) -> list[Path]:
    return sorted((content / "pages").glob("*.md"))


def content_files(content: Path) -> list[Path]:
    """All files whose change is a new content version."""
    tables = [content / "categories.toml", content / "authors.toml"]
    return [*article_files(content), *page_files(content), *tables]


def digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def read_categories(content: Path) -> dict[str, Category]:
    file = content / "categories.toml"
    return _read_table(file, lambda slug, row: validated(Category, {"slug": slug, **row}, file))


def read_authors(content: Path) -> dict[str, Author]:
    file = content / "authors.toml"
    return _read_table(file, lambda _, row: validated(Author, row, file))


def _read_table(file: Path, build: Callable[[str, Mapping[str, Any]], Any]) -> dict[str, Any]:
    rows, faults = {}, []
    for key, row in read_toml(file).items():
        if not isinstance(row, dict):
            faults.append(toml_fault(file, key, "应写成 [名字] 一节，下面是键和值"))
            continue
        try:
            rows[key] = build(key, row)
        except BadDocument as fault:
            faults += [toml_fault(file, f"{key}.{found.key}", found.message) for found in fault.faults]
    if faults:
        raise BadDocument(faults)
    return rows


def compile_article(
    file: Path, categories: Mapping[str, Category], authors: Mapping[str, Author]
) -> CompiledArticle | None:
    """Read one article; None for a draft (no `published`). Raises BadDocument with all that is wrong in it."""
    document, fields = _checked(file, categories, authors)
    return None if fields.published is None else _compiled(document, fields)


def compile_draft(
    file: Path, categories: Mapping[str, Category], authors: Mapping[str, Author], now: datetime
) -> CompiledDraft:
    """Read one article whether it is to be published or not. Raises BadDocument with all that is wrong in it."""
    document, fields = _checked(file, categories, authors)
    # a draft is shown as if published now, or when it says that it was updated: that can't come before publishing
    shown = fields.model_copy(update={"published": fields.published or fields.updated or now})
    return CompiledDraft(_compiled(document, shown), fields.published)


def read_fields(file: Path) -> tuple[FrontMatter, FrontMatterFields]:
    """An article's front matter, its keys checked one by one. Raises BadDocument."""
    document = read_front_matter(file)
    return document, validated(FrontMatterFields, document.data, file, document.lines)


def _checked(
    file: Path, categories: Mapping[str, Category], authors: Mapping[str, Author]
) -> tuple[FrontMatter, FrontMatterFields]:
    document, fields = read_fields(file)
    faults = [
        *_name_faults(file),
        *_unknown_names(document, fields, categories, authors),
        *_source_faults(document, fields),
    ]
    if _has_title(document.body):
        faults.append(Fault(file, document.body_line, "", "正文里不要再写一级标题（# …），页面用 title"))
    for match in _IMAGE.finditer(document.body):
        line = document.body_line + document.body[: match.start()].count("\n")
        faults.append(Fault(file, line, "", "文章里不放图片；数据请用表格，公式请用 formula"))
    if faults:
        raise BadDocument(faults)
    return document, fields


def _compiled(document: FrontMatter, fields: FrontMatterFields) -> CompiledArticle:
    rendered = render(document.body)
    return CompiledArticle(
        article=_article(document.file, fields, rendered),
        html=str(rendered.html),
        text=rendered.text,
        links=tuple(_links(document)),
        file=document.file,
    )


def compile_page(file: Path) -> CompiledPage:
    """Read one content page. Raises BadDocument."""
    document = read_front_matter(file)
    fields = validated(PageFields, document.data, file, document.lines)
    if faults := _name_faults(file):
        raise BadDocument(faults)
    page = Page(**_values(fields), slug=file.stem, html=str(render(document.body).html))
    return CompiledPage(page, tuple(_links(document)), file)


def cross_faults(compiled: Sequence[CompiledArticle], pages: Sequence[CompiledPage] = ()) -> list[Fault]:
    """What is wrong between articles: dead links, aliases and titles used twice."""
    faults = _dead_links([*compiled, *pages], {item.article.slug for item in compiled})
    owners: dict[str, Path] = {item.article.slug: item.file for item in compiled}
    titles: dict[str, Path] = {}
    for item in compiled:
        for alias in item.article.aliases:
            if alias in owners:
                faults.append(Fault(item.file, 0, "aliases", f"{alias} 已经是 {owners[alias].name} 的网址"))
            owners[alias] = item.file
        if other := titles.get(item.article.title):
            faults.append(Fault(item.file, 0, "title", f"和 {other.name} 的标题相同"))
        titles[item.article.title] = item.file
    return faults


def _dead_links(items: Iterable[CompiledArticle | CompiledPage], slugs: Collection[str]) -> list[Fault]:
    return [
        Fault(item.file, line, "", f"链接 /articles/{slug} 没有对应的文章（还没写，或是草稿）")
        for item in items
        for slug, line in item.links
        if slug and slug not in slugs
    ]


def _article(file: Path, fields: FrontMatterFields, rendered: Rendered) -> Article:
    by_id = {source.id: source for source in fields.sources}
    values = _values(fields) | {
        "slug": file.stem,
        "updated": fields.updated or fields.published,
        "summary": fields.summary or first_sentences(_opening(rendered)),
        "sources": tuple(by_id[name] for name in rendered.cited),
        "headings": tuple({"anchor": heading.anchor, "text": heading.text} for heading in rendered.headings),
        "questions": tuple({"question": each.question, "answer": each.answer} for each in rendered.questions),
        "characters": len(_HAN.findall(rendered.text)),
        "version": digest_of(file),
        "title_pieces": line_pieces(fields.title),
    }
    return Article.model_validate(values)


def _opening(rendered: Rendered) -> str:
    """The text before the first heading."""
    first = rendered.headings[0].text if rendered.headings else None
    return "\n".join(itertools.takewhile(lambda line: line != first, rendered.text.split("\n")))


def _values(fields: BaseModel) -> dict[str, Any]:
    return {name: getattr(fields, name) for name in type(fields).model_fields}


def _name_faults(file: Path) -> list[Fault]:
    if file.stem in _TAKEN.get(file.parent.name, ()):
        return [Fault(file, 0, "", f"/{file.stem} 是网站自己的地址，请换一个文件名")]
    if SLUG.fullmatch(file.stem) and len(file.stem) <= 80:
        return []
    return [Fault(file, 0, "", "文件名就是网址，应由小写字母、数字和连字符组成，例如 ageing-report.md")]


def _unknown_names(
    document: FrontMatter,
    fields: FrontMatterFields,
    categories: Mapping[str, Category],
    authors: Mapping[str, Author],
) -> list[Fault]:
    faults = []
    if fields.category not in categories:
        known = "、".join(categories)
        faults.append(
            _fault(
                document,
                "category",
                f"没有栏目 {fields.category}；应为 {known} 之一（content/categories.toml）",
            )
        )
    if fields.author not in authors:
        faults.append(_fault(document, "author", f"没有作者 {fields.author}；请先写进 content/authors.toml"))
    return faults


def _source_faults(document: FrontMatter, fields: FrontMatterFields) -> list[Fault]:
    cited, known = citations(document.body), {source.id for source in fields.sources}
    faults = [
        Fault(document.file, document.body_line + line, "", f"引用了 [^{name}]，但 sources 里没有这个 id")
        for name, line in cited.items()
        if name not in known
    ]
    for number, source in enumerate(fields.sources):
        if source.id not in cited:
            line = document.lines.get(("sources", number), 0)
            faults.append(
                Fault(
                    document.file, line, f"sources.{source.id}", "正文没有引用它，请加上 [^id] 或删掉这一项"
                )
            )
    return faults


def _fault(document: FrontMatter, key: str, message: str) -> Fault:
    return Fault(document.file, document.lines.get((key,), 0), key, message)


def _has_title(body: str) -> bool:
    return any(line.startswith("# ") for line in body.split("\n"))


def _links(document: FrontMatter) -> Iterable[tuple[str, int]]:
    for match in _LINK.finditer(document.body):
        yield match.group(1), document.body_line + document.body[: match.start()].count("\n")
