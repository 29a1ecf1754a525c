"""The derived index of content/: one SQLite file a content version, made once and read by every worker.

It holds each article and page, the full text cut into two-character pieces (so that 坏账 is found inside a sentence),
and each article's related posts. It can be deleted at any time; the next start makes it anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from xinheng.articles.article import Article, Page
from xinheng.articles.reading import (
    CompiledArticle,
    CompiledPage,
    article_files,
    compile_article,
    compile_page,
    content_files,
    cross_faults,
    digest_of,
    page_files,
    read_authors,
    read_categories,
)
from xinheng.articles.related import RelatedDocument, related_articles
from xinheng.chinese import bigrams, simplify
from xinheng.documents import BadDocument, Fault

_FORMAT = "5"  # raised whenever the same files would give another index
_HOUR = 3_600 * 10**9  # nanoseconds
_TABLES = """
CREATE TABLE articles (number INTEGER PRIMARY KEY, slug TEXT UNIQUE, digest TEXT, article TEXT, html TEXT, text TEXT, links TEXT);
CREATE TABLE pages (slug TEXT PRIMARY KEY, page TEXT);
CREATE TABLE tables_of_names (name TEXT PRIMARY KEY, rows TEXT);
CREATE TABLE related (slug TEXT, place INTEGER, other TEXT, PRIMARY KEY (slug, place)) WITHOUT ROWID;
CREATE VIRTUAL TABLE full_text USING fts5 (title, summary, body, content='', tokenize="unicode61");
"""


@dataclass(frozen=True, slots=True)
class Compiled:
    """All of content/, read and found right."""

    articles: Sequence[CompiledArticle]
    pages: Sequence[Page]
    categories: str
    authors: str


def build_index(content: Path, folder: Path) -> Path:
    """The index file of the present content, made if it is missing. Raises BadDocument with every fault found."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = folder / f"{_FORMAT}-{content_digest(content)}.db"
        if not file.exists():
            earlier = newest_index(folder)
            compiled = compile_content(content, _kept(earlier, content) if earlier else {})
            _write(compiled, file)
        file.touch()  # the newest by time is the one in use, and the last good one
        _drop_old(folder)
    return file


def _drop_old(folder: Path) -> None:
    """Indexes that no worker can still be about to open: not among the last three, and an hour old."""
    recent = set(sorted(folder.glob(f"{_FORMAT}-*.db"), key=_modified)[-3:])
    for old in set(folder.glob("*.db")) - recent:
        if time.time_ns() - _modified(old) > _HOUR or not old.name.startswith(f"{_FORMAT}-"):
            old.unlink(missing_ok=True)


def newest_index(folder: Path) -> Path | None:
    """The index used last, or None where this version of the program never made one."""
    return max(folder.glob(f"{_FORMAT}-*.db"), key=_modified, default=None)


def _modified(file: Path) -> int:
    return file.stat().st_mtime_ns


def content_digest(content: Path) -> str:
    """One hash over the names and bytes of all files."""
    digest = hashlib.sha256()
    for file in content_files(content):
        if file.exists():
            digest.update(f"{file.relative_to(content)} {digest_of(file)}\n".encode())
    return digest.hexdigest()[:16]


def compile_content(content: Path, kept: Mapping[str, CompiledArticle] | None = None) -> Compiled:
    """Read all of content/; articles in `kept` (by digest) are not read again. Raises BadDocument with every fault."""
    categories, authors = read_categories(content), read_authors(content)
    faults: list[Fault] = []
    articles: list[CompiledArticle] = []
    for file in article_files(content):
        try:
            item = _still_right(file, kept or {}, set(categories), set(authors))
            item = item or compile_article(file, categories, authors)
        except BadDocument as fault:
            faults += fault.faults
        else:
            articles += [item] if item else []
    pages: list[CompiledPage] = []
    for file in page_files(content):
        try:
            pages.append(compile_page(file))
        except BadDocument as fault:
            faults += fault.faults
    if not faults:
        faults = cross_faults(articles, pages)
    if faults:
        raise BadDocument(faults)
    return Compiled(
        articles,
        [item.page for item in pages],
        json.dumps([row.model_dump(mode="json") for row in categories.values()], ensure_ascii=False),
        json.dumps({name: row.model_dump(mode="json") for name, row in authors.items()}, ensure_ascii=False),
    )


def _still_right(
    file: Path, kept: Mapping[str, CompiledArticle], categories: set[str], authors: set[str]
) -> CompiledArticle | None:
    item = kept.get(f"{file.stem} {digest_of(file)}")
    if item and item.article.category in categories and item.article.author in authors:
        return item
    return None


def _kept(file: Path, content: Path) -> dict[str, CompiledArticle]:
    """The articles of an earlier index, by slug and digest."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT slug, digest, article, html, text, links FROM articles").fetchall()
    return {
        f"{slug} {digest}": CompiledArticle(
            article=Article.model_validate_json(article),
            html=html,
            text=text,
            links=tuple((target, line) for target, line in json.loads(links)),
            file=content / "articles" / f"{slug}.md",
        )
        for slug, digest, article, html, text, links in rows
    }


def _write(compiled: Compiled, file: Path) -> None:
    """Write whole, then rename: a reader sees the old index or the new one."""
    spare = file.with_suffix(".new")
    spare.unlink(missing_ok=True)
    with closing(sqlite3.connect(spare)) as connection, connection:
        connection.executescript(_TABLES)
        connection.executemany("INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?, ?)", _rows(compiled.articles))
        connection.executemany(
            "INSERT INTO full_text (rowid, title, summary, body) VALUES (?, ?, ?, ?)",
            _texts(compiled.articles),
        )
        connection.executemany(
            "INSERT INTO pages VALUES (?, ?)",
            [(page.slug, page.model_dump_json()) for page in compiled.pages],
        )
        connection.executemany("INSERT INTO related VALUES (?, ?, ?)", _related(compiled.articles))
        connection.executemany(
            "INSERT INTO tables_of_names VALUES (?, ?)",
            [("categories", compiled.categories), ("authors", compiled.authors)],
        )
    spare.rename(file)


def _rows(articles: Iterable[CompiledArticle]) -> Iterable[tuple[object, ...]]:
    for number, item in enumerate(articles, start=1):
        article = item.article
        yield (
            number,
            article.slug,
            article.version,
            article.model_dump_json(),
            item.html,
            item.text,
            json.dumps(item.links),
        )


def _texts(articles: Iterable[CompiledArticle]) -> Iterable[tuple[int, str, str, str]]:
    for number, item in enumerate(articles, start=1):
        article = item.article
        title = f"{article.title} {' '.join(article.tags)}"
        texts = (bigrams(simplify(text)) for text in (title, article.summary, item.text))
        yield number, *texts  # type: ignore[misc]


def _related(articles: Sequence[CompiledArticle]) -> Iterable[tuple[str, int, str]]:
    documents = [
        RelatedDocument(
            slug=item.article.slug,
            title=item.article.title,
            text=item.text,
            tags=item.article.tags,
            section=item.article.category,
        )
        for item in articles
    ]
    for slug, others in related_articles(documents, limit=12).items():
        for place, other in enumerate(others):
            yield slug, place, other
