"""Full-text search over title, summary and text; two-character words and parts of words are found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from xinheng.articles.article import Article
from xinheng.articles.library import Library
from xinheng.chinese import bigrams, query_words, simplify

LONGEST_QUERY = 60
_TITLE_WEIGHT, _SUMMARY_WEIGHT, _BODY_WEIGHT = 8.0, 3.0, 1.0
_EXCERPT = 90
_LINES = re.compile(r"(?<![。！？；：，])\n+")  # between table cells and headings, where no mark parts them


@dataclass(frozen=True, slots=True)
class Hit:
    """An article found, with the part of its text where the words stand."""

    article: Article
    excerpt: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found, best first. `loose` is true where no article had all of its words."""

    words: Sequence[str]
    hits: Sequence[Hit]
    loose: bool = False


def search(library: Library, query: str, most: int = 60) -> Found:
    """Find articles with all words of the query, or, where there are none, with any of them."""
    words = _distinct(query_words(simplify(query[:LONGEST_QUERY].replace("\0", " "))))
    phrases = [phrase for phrase in map(_phrase, words) if phrase]
    if not phrases:
        return Found(words=(), hits=())
    slugs = _matches(library, " AND ".join(phrases), most)
    loose = not slugs and len(phrases) > 1
    if loose:
        slugs = _matches(library, " OR ".join(phrases), most)
    hits = [
        Hit(library.by_slug[slug], _excerpt(library, slug, words))
        for slug in slugs
        if slug in library.by_slug
    ]
    return Found(words, hits, loose)


def _distinct(words: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _phrase(word: str) -> str:
    """A word as the index has it: its two-character pieces side by side; a lone character by its beginning."""
    pieces = bigrams(word).split()
    if not pieces:
        return ""
    quoted = " ".join(piece.replace('"', "") for piece in pieces)
    return f'"{quoted}"*' if len(word) == 1 else f'"{quoted}"'


def _matches(library: Library, expression: str, most: int) -> list[str]:
    rows = library.index.rows(
        "SELECT articles.slug FROM full_text JOIN articles ON articles.number = full_text.rowid "
        "WHERE full_text MATCH ? ORDER BY bm25(full_text, ?, ?, ?), articles.slug LIMIT ?",
        expression,
        _TITLE_WEIGHT,
        _SUMMARY_WEIGHT,
        _BODY_WEIGHT,
        most,
    )
    return [slug for (slug,) in rows]


def _excerpt(library: Library, slug: str, words: Sequence[str]) -> str:
    """The sentences around the first place where most of the words stand together; else the summary."""
    text = library.index.rows("SELECT text FROM articles WHERE slug = ?", slug)[0][0]
    lowered = text.lower()
    places = [match.start() for word in words for match in re.finditer(re.escape(word.lower()), lowered)]
    if not places:
        return library.by_slug[slug].summary
    best = max(
        places, key=lambda place: (sum(word in lowered[place : place + _EXCERPT] for word in words), -place)
    )
    start = max(text.rfind(sign, 0, best) for sign in "。！？；\n") + 1
    inside = best - start >= _EXCERPT // 2
    start = best - 10 if inside else start
    cut = _LINES.sub("；", text[start : start + _EXCERPT].strip()).replace("\n", "")
    return ("…" if inside else "") + cut + ("" if start + _EXCERPT >= len(text) else "…")
