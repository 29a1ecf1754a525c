"""What editors see before readers do: drafts, articles whose time hasn't come, and what is wrong in content/."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from xinheng.articles.article import Author, Category
from xinheng.articles.index import compile_content, content_digest
from xinheng.articles.reading import (
    CompiledDraft,
    article_files,
    compile_draft,
    read_authors,
    read_categories,
    read_fields,
)
from xinheng.documents import BadDocument, Fault

# nh3 writes `<` in a text as `&lt;`: what begins like this is a link, not somebody's example of one
_LINK = re.compile(r'(<a\b[^<>]*?\bhref=")/articles/([^"#?/]+)')


@dataclass(frozen=True, slots=True)
class Unpublished:
    """An article that readers can't see yet. `planned` is when they will, None for a draft; `changed` when it was saved."""

    slug: str
    title: str
    category: str
    author: str
    planned: datetime | None
    changed: datetime


@dataclass(frozen=True, slots=True)
class Preview:
    """An article compiled from its file as it is saved now, with the category and author that it names."""

    draft: CompiledDraft
    category: Category
    author: Author


def unpublished_articles(content: Path, now: datetime) -> list[Unpublished]:
    """What isn't published: first what has a time, the next to come first, then drafts, the one saved last first.

    A file whose front matter can't be read isn't among them: `content_faults` names it.
    """
    found = []
    for file in article_files(content):
        with suppress(BadDocument, FileNotFoundError):
            article = _opening(file)
            if article.planned is None or article.planned > now:
                found.append(article)
    found.sort(key=lambda article: article.changed, reverse=True)
    found.sort(key=lambda article: (article.planned is None, article.planned or now))
    return found


def _opening(file: Path) -> Unpublished:
    _, fields = read_fields(file)
    return Unpublished(
        slug=file.stem,
        title=fields.title,
        category=fields.category,
        author=fields.author,
        planned=fields.published,
        changed=datetime.fromtimestamp(file.stat().st_mtime, UTC),
    )


def article_file(content: Path, slug: str) -> Path | None:
    """The file of an article. It is looked for among those there are: no path is made of what somebody typed."""
    return next((file for file in article_files(content) if file.stem == slug), None)


def preview(content: Path, file: Path, now: datetime) -> Preview:
    """Compile one article, whether published or not. Raises BadDocument with what is wrong in it or around it."""
    categories, authors = read_categories(content), read_authors(content)
    draft = compile_draft(file, categories, authors, now)
    article = draft.compiled.article
    return Preview(draft, categories[article.category], authors[article.author])


def with_preview_links(html: str, unseen: Collection[str], address: Callable[[str], str]) -> str:
    """The HTML of a compiled article, its links to articles that readers can't see leading to their previews."""

    def lead_to_preview(link: re.Match[str]) -> str:
        return f"{link[1]}{address(link[2])}" if link[2] in unseen else link[0]

    return _LINK.sub(lead_to_preview, html)


def content_faults(content: Path, compiled_digest: str = "") -> tuple[Fault, ...]:
    """All that `xinheng check` finds wrong in content/; none where it is what was compiled under `compiled_digest`."""
    digest = content_digest(content)
    return () if digest == compiled_digest else _faults(content, digest)


@lru_cache(maxsize=4)
def _faults(content: Path, _digest: str) -> tuple[Fault, ...]:
    """Reading all of content/ takes some 20 ms an article: it is done once for each state of the files."""
    try:
        compile_content(content)
    except BadDocument as bad:
        return bad.faults
    return ()


def place_of(fault: Fault, content: Path) -> str:
    """Where a fault is, as editors know the file: content/articles/ageing-report.md; nothing of the machine."""
    return fault.file.relative_to(content.parent).as_posix()
