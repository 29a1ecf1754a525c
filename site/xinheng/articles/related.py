"""Which articles are about the same subject, told from their words alone.

Each article is known by its best words: those it uses often and few others do. Two articles are as
near as these short vectors are (their cosine). The same texts give the same answer on every machine:
each logarithm is rounded once, all sums are of integers, of equal scores the first slug wins.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import chain

from xinheng.chinese import words

KEYWORDS = 32
"""Words an article is known by. With under 1,000 articles each has more: together as many as 1,000 have."""

TITLE_WEIGHT = 8
"""A word in the title or in a tag counts like this many in the text."""

LONGEST_POSTINGS = 200
"""Articles kept for one word, those it is most typical of: so the work grows in step with the library."""

_SCALE = 1000
"""Whole-number steps in a logarithm of one, and in a vector's length."""


@dataclass(frozen=True, slots=True)
class RelatedDocument:
    """A published article as plain text. A draft is never passed in, so nothing is related to it."""

    slug: str
    title: str
    text: str
    tags: tuple[str, ...] = ()
    section: str = ""


@dataclass(frozen=True, slots=True)
class ArticleWords:
    """How often one article uses each word. It depends on that article only: keep it while the text stays."""

    slug: str
    section: str
    counts: Mapping[str, int]


def article_words(document: RelatedDocument) -> ArticleWords:
    """The words of one article; cutting Chinese into words is most of the work there is."""
    title = words("\n".join((document.title, *document.tags)))
    return ArticleWords(document.slug, document.section, count_words(title, words(document.text)))


def count_words(title: Iterable[str], text: Iterable[str]) -> dict[str, int]:
    """How often each word is there, those of the title and tags counted `TITLE_WEIGHT` times."""
    counts = Counter(text)
    for word in title:
        counts[word] += TITLE_WEIGHT
    return counts


def related_articles(documents: Iterable[RelatedDocument], limit: int = 6) -> dict[str, tuple[str, ...]]:
    """For each slug the `limit` slugs nearest in subject, the nearest first; see `nearest_articles`."""
    return nearest_articles(map(article_words, documents), limit)


def nearest_articles(articles: Iterable[ArticleWords], limit: int = 6) -> dict[str, tuple[str, ...]]:
    """For each slug the `limit` slugs nearest in subject, the nearest first, never itself. Slugs are unique.

    Places that no shared word fills go to articles of the same section, then to any, by slug.
    """
    # A later position is an earlier slug: of equal scores the largest (score, position) is the one to take.
    ordered = sorted(articles, key=lambda article: article.slug, reverse=True)
    vectors = _keyword_vectors([article.counts for article in ordered], limit)
    postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for position, vector in enumerate(vectors):
        for word, weight in vector:
            postings[word].append((weight, position))
    crowded = [word for word, found in postings.items() if len(found) > LONGEST_POSTINGS]
    postings.update({word: nlargest(LONGEST_POSTINGS, postings[word]) for word in crowded})
    related = {}
    for position, (article, vector) in enumerate(zip(ordered, vectors, strict=True)):
        scores: dict[int, int] = {}
        for word, weight in vector:
            for its_weight, other in postings[word]:
                scores[other] = scores.get(other, 0) + weight * its_weight
        scores.pop(position, None)
        nearest = [ordered[other] for _, other in nlargest(limit, zip(scores.values(), scores, strict=True))]
        if len(nearest) < limit:
            others = [other for other in reversed(ordered) if other is not article and other not in nearest]
            nearest = (nearest + _own_section_first(article, others))[:limit]
        related[article.slug] = tuple(other.slug for other in nearest)
    return related


def _keyword_vectors(counts: Sequence[Mapping[str, int]], limit: int) -> list[list[tuple[str, int]]]:
    """The best words of each article with their weights, each vector `_SCALE` long."""
    keywords = max(KEYWORDS, 1000 * KEYWORDS // max(1, len(counts)))
    # A word in too few articles to fill the places only takes room; a small library has no others.
    rarest = min(limit + 1, max(2, len(counts) // 100))
    frequency = Counter(chain.from_iterable(counts))
    one_in = ((word, len(counts) / found) for word, found in frequency.items() if found >= rarest)
    rarity = {word: round(_SCALE * math.sqrt(math.log(1 + articles))) for word, articles in one_in}
    # Below nought, so that the best words sort first, and equal ones by themselves.
    used = set(chain.from_iterable(its.values() for its in counts))
    damped = {count: -round(_SCALE * math.log(2 + count)) for count in used}
    vectors = []
    for its in counts:
        weights = [(damped[count] * rarity[word], word) for word, count in its.items() if word in rarity]
        best = sorted(weights)[:keywords]
        length = math.isqrt(sum(weight * weight for weight, _ in best))
        vectors.append([(word, -weight * _SCALE // length) for weight, word in best])
    return vectors


def _own_section_first(article: ArticleWords, others: Iterable[ArticleWords]) -> list[ArticleWords]:
    return sorted(others, key=lambda other: other.section != article.section)
