"""The library as the site sees it: what is published now, by slug, by category, newest first."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from flask import current_app
from markupsafe import Markup

from xinheng.articles.article import Article, Author, Category, Page
from xinheng.articles.index import build_index, newest_index
from xinheng.articles.reading import content_files
from xinheng.documents import BadDocument
from xinheng.reloading import Reloading, Version, version_of

log = logging.getLogger(__name__)


class Index:
    """The opened index file; each thread reads through a connection of its own."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._threads = threading.local()
        self.html = lru_cache(maxsize=512)(self._html)

    def rows(self, query: str, *values: object) -> list[tuple[str, ...]]:
        if (connection := getattr(self._threads, "connection", None)) is None:
            connection = sqlite3.connect(
                f"file:{self.file}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            self._threads.connection = connection
        return list(connection.execute(query, values))

    def _html(self, slug: str) -> str:
        return self.rows("SELECT html FROM articles WHERE slug = ?", slug)[0][0]


@dataclass(frozen=True)
class Library:
    """One content version at one moment. `articles` are the published ones, newest first."""

    index: Index
    articles: Sequence[Article]
    by_slug: Mapping[str, Article]
    aliases: Mapping[str, str]
    categories: Mapping[str, Category]
    authors: Mapping[str, Author]
    pages: Mapping[str, Page]
    stale_at: datetime | None

    def html(self, article: Article) -> Markup:
        return Markup(self.index.html(article.slug))  # noqa: S704 (made by markup.render)

    def in_category(self, slug: str) -> Sequence[Article]:
        return [article for article in self.articles if article.category == slug]

    def counts(self) -> Mapping[str, int]:
        """How many published articles each category has; categories without any are left out."""
        counts = {slug: len(self.in_category(slug)) for slug in self.categories}
        return {slug: count for slug, count in counts.items() if count}

    def related(self, article: Article, most: int = 6) -> Sequence[Article]:
        """Articles on the same subject, nearest first; never itself, never one that isn't published."""
        rows = self.index.rows("SELECT other FROM related WHERE slug = ? ORDER BY place", article.slug)
        return [self.by_slug[slug] for (slug,) in rows if slug in self.by_slug][:most]

    @property
    def updated(self) -> datetime:
        """When anything published was changed last."""
        return max((article.updated for article in self.articles), default=datetime(2020, 1, 1, tzinfo=UTC))


class LibraryHolder:
    """Gives the present library; a saved file, or an article whose time has come, goes live within a second."""

    def __init__(self, content: Path, folder: Path, *, start_from_last_good: bool) -> None:
        self.content = content
        self._folder = folder
        self._start_from_last_good = start_from_last_good
        self._file: Path | None = None
        self._stale_at: datetime | None = None
        self._reloading = Reloading(self._version, self._load, kept=self._kept)

    def current(self) -> Library:
        return self._reloading.current()

    def _version(self) -> Version:
        due = self._due()
        return (
            *version_of(content_files(self.content)),
            ("scheduled", int(due.timestamp()) if due else 0, 0),
        )

    def _due(self) -> datetime | None:
        """When an article's time came that isn't in the library yet; None where none waits."""
        return self._stale_at if self._stale_at and datetime.now(UTC) >= self._stale_at else None

    def _load(self) -> Library:
        try:
            file = build_index(self.content, self._folder)
        except BadDocument as fault:
            file_or_none = newest_index(self._folder)
            if not self._start_from_last_good or file_or_none is None:
                raise
            log.error("内容有误，用上一个正确的版本启动：\n%s", fault)
            file = file_or_none
        self._start_from_last_good = False
        return self._opened(file)

    def _kept(self) -> Library | None:
        """What another worker found right after this one looked last, or with an article whose time has come."""
        file = newest_index(self._folder)
        return self._opened(file) if file and (file != self._file or self._due()) else None

    def _opened(self, file: Path) -> Library:
        library = open_library(Index(file), datetime.now(UTC))
        self._file, self._stale_at = file, library.stale_at
        return library


def open_library(index: Index, now: datetime) -> Library:
    """Read an index into a library, leaving out what is published later than `now`."""
    known = [Article.model_validate_json(text) for (text,) in index.rows("SELECT article FROM articles")]
    published = sorted((item for item in known if item.published <= now), key=lambda item: item.slug)
    published.sort(key=lambda item: item.published, reverse=True)
    tables = {name: json.loads(rows) for name, rows in index.rows("SELECT name, rows FROM tables_of_names")}
    pages = [Page.model_validate_json(text) for (text,) in index.rows("SELECT page FROM pages")]
    return Library(
        index=index,
        articles=tuple(published),
        by_slug={article.slug: article for article in published},
        aliases={alias: article.slug for article in published for alias in article.aliases},
        categories={row["slug"]: Category.model_validate(row) for row in tables["categories"]},
        authors={name: Author.model_validate(row) for name, row in tables["authors"].items()},
        pages={page.slug: page for page in pages},
        stale_at=min((item.published for item in known if item.published > now), default=None),
    )


def library() -> Library:
    """The library of the running application."""
    holder: LibraryHolder = current_app.extensions["xinheng.library"]
    return holder.current()
