"""How good and how fast related articles are, beside simpler ways, on any corpus of Chinese articles.

    PYTHONPATH=site python bench/related.py CORPUS.json [--seed N] [--repeat N] [--max-share SHARE]

CORPUS.json is {"articles": [{"slug", "section", "title", "text", "category"?, "published"?}, …]}:
`section` is the fine subject an editor gave, and the truth that is measured against; `category` is the
coarse one a reader browses; `published` is an ISO date. `category` and `published` only serve the row
"newest in category": without a category it is n/a, for with the section itself as the category it
would be right by construction.

precision@6 is the share of the six articles named that have the section of the article they are
named on; no method sees it. Seconds are processor seconds with the garbage collector off (as
`timeit` does), the best of --repeat runs: from the words of every article to the neighbours of
every article. Cutting the texts into words is reported apart, for all methods share it.

Plain TF-IDF is the textbook's: all words, tf · (ln((1 + n) / (1 + df)) + 1), cosine over a full
inverted index in pure Python. Where scikit-learn is installed, its own row shows compiled code;
it is not part of the verdict. The exit code is 1 if ours is less precise than plain TF-IDF, or if it
takes more than --max-share (0.1) of its time on 1,000 articles or more. Below that the share is
printed but not judged: plain TF-IDF grows with the square of the corpus, counting words does not.
"""

import argparse
import gc
import importlib
import importlib.util
import json
import math
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xinheng.articles.related import ArticleWords, count_words, nearest_articles
from xinheng.chinese import words

PLACES = 6

TIMED_FROM = 1000
"""Articles in the smallest corpus whose time is judged."""

Related = Mapping[str, Sequence[str]]
"""Slug → the slugs named on that article."""


@dataclass(frozen=True, slots=True)
class CorpusArticle:
    """One article of the corpus, already cut into words."""

    slug: str
    section: str
    category: str
    published: str
    title: list[str]
    text: list[str]


def load(path: Path) -> list[CorpusArticle]:
    """The articles of a corpus file, by slug; a duplicated slug is an error."""
    raw = json.loads(path.read_text(encoding="utf-8"))["articles"]
    articles = [
        CorpusArticle(
            slug=one["slug"],
            section=one["section"],
            category=one.get("category", ""),
            published=one.get("published", ""),
            title=words(one["title"]),
            text=words(one["text"]),
        )
        for one in raw
    ]
    if len({article.slug for article in articles}) < len(articles):
        sys.exit(f"{path}: two articles have the same slug")
    return sorted(articles, key=lambda article: article.slug)


def ours(articles: Sequence[CorpusArticle]) -> Related:
    """What the site does, without the section, which it would use to fill empty places."""
    counted = [
        ArticleWords(article.slug, "", count_words(article.title, article.text)) for article in articles
    ]
    return nearest_articles(counted, PLACES)


def plain_tfidf(articles: Sequence[CorpusArticle]) -> Related:
    """Cosine between the tf·idf vectors of all words, over an inverted index."""
    counts = [Counter(article.title + article.text) for article in articles]
    frequency = Counter(word for count in counts for word in count)
    idf = {word: math.log((1 + len(articles)) / (1 + found)) + 1 for word, found in frequency.items()}
    vectors = []
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for position, count in enumerate(counts):
        weights = {word: times * idf[word] for word, times in count.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        vectors.append({word: weight / length for word, weight in weights.items()})
        for word, weight in vectors[-1].items():
            postings[word].append((position, weight))
    related = {}
    for position, vector in enumerate(vectors):
        scores: dict[int, float] = defaultdict(float)
        for word, weight in vector.items():
            for other, its_weight in postings[word]:
                scores[other] += weight * its_weight
        scores.pop(position, None)
        best = sorted(scores, key=lambda other: (-scores[other], other))[:PLACES]
        related[articles[position].slug] = [articles[other].slug for other in best]
    return related


def compiled_tfidf(articles: Sequence[CorpusArticle]) -> Related:
    """The same with scikit-learn's TfidfVectorizer and sparse products, a few hundred rows at a time."""
    sklearn = importlib.import_module("sklearn.feature_extraction.text")
    texts = [article.title + article.text for article in articles]
    matrix = sklearn.TfidfVectorizer(analyzer=lambda text: text).fit_transform(texts)
    related = {}
    for start in range(0, len(articles), 256):
        rows = (matrix[start : start + 256] @ matrix.T).toarray()
        for row, scores in enumerate(rows, start):
            scores[row] = -1
            best = (-scores).argsort(kind="stable")[:PLACES]
            related[articles[row].slug] = [articles[other].slug for other in best]
    return related


def at_random(articles: Sequence[CorpusArticle], seed: int) -> Related:
    """Six others drawn by chance."""
    drawing = random.Random(seed)
    slugs = [article.slug for article in articles]
    drawn = {slug: drawing.sample(slugs, min(PLACES + 1, len(slugs))) for slug in slugs}
    return {slug: [other for other in others if other != slug][:PLACES] for slug, others in drawn.items()}


def newest_in_category(articles: Sequence[CorpusArticle]) -> Related:
    """The newest others of the category; of the same day, or without dates, by slug."""
    by_category: dict[str, list[str]] = defaultdict(list)
    for article in sorted(articles, key=lambda article: article.published, reverse=True):
        by_category[article.category].append(article.slug)
    newest = {category: slugs[: PLACES + 1] for category, slugs in by_category.items()}
    return {
        article.slug: [slug for slug in newest[article.category] if slug != article.slug][:PLACES]
        for article in articles
    }


def precision(related: Related, articles: Sequence[CorpusArticle]) -> float:
    """The share of the places that have the section of the article; an empty place counts as wrong."""
    sections = {article.slug: article.section for article in articles}
    places = min(PLACES, len(articles) - 1) * len(articles)
    right = sum(sections[other] == sections[slug] for slug, others in related.items() for other in others)
    return right / places


def measured(method: Callable[[], Related], repeat: int) -> tuple[Related, float]:
    """What the method answers, and the processor seconds of its best run."""
    best = math.inf
    for _ in range(repeat):
        gc.collect()
        gc.disable()
        start = time.process_time()
        related = method()
        best = min(best, time.process_time() - start)
        gc.enable()
    return related, best


def methods(articles: Sequence[CorpusArticle], seed: int) -> dict[str, Callable[[], Related] | str]:
    """The rows of the table: what to run, or why it cannot be."""
    rows: dict[str, Callable[[], Related] | str] = {"random": lambda: at_random(articles, seed)}
    if any(article.category for article in articles):
        rows["newest in category"] = lambda: newest_in_category(articles)
    else:
        rows["newest in category"] = "n/a: no category"
    rows["plain TF-IDF"] = lambda: plain_tfidf(articles)
    if importlib.util.find_spec("sklearn"):
        rows["scikit-learn TF-IDF"] = lambda: compiled_tfidf(articles)
    rows["ours"] = lambda: ours(articles)
    return rows


def arguments() -> argparse.Namespace:
    """The command line; the module's docstring is its help."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seed", type=int, default=1, help="of the random row")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each method, of which the best counts")
    parser.add_argument(
        "--max-share", type=float, default=0.1, help="of plain TF-IDF's time, allowed to ours"
    )
    return parser.parse_args()


def main() -> int:
    """Print the table and the verdict; 0 if ours is good enough and fast enough."""
    options = arguments()
    words("词典")  # loads the dictionary before the clock runs
    start = time.process_time()
    articles = load(options.corpus)
    cutting = time.process_time() - start
    if len(articles) < 2:
        sys.exit(f"{options.corpus}: fewer than two articles")
    sections = len({article.section for article in articles})
    print(
        f"{options.corpus.name}: {len(articles)} articles, {sections} sections, cut into words in {cutting:.2f} s"
    )
    print(f"{'method':<22}{'precision@6':>12}{'seconds':>10}{'with cutting':>14}")
    found: dict[str, tuple[float, float]] = {}
    for name, method in methods(articles, options.seed).items():
        if isinstance(method, str):
            print(f"{name:<22}{method:>36}")
            continue
        related, seconds = measured(method, options.repeat)
        found[name] = precision(related, articles), seconds
        print(f"{name:<22}{found[name][0]:>12.4f}{seconds:>10.3f}{seconds + cutting:>14.2f}")
    difference = found["ours"][0] - found["plain TF-IDF"][0]
    share = found["ours"][1] / found["plain TF-IDF"][1]
    fast_enough = share <= options.max_share or len(articles) < TIMED_FROM
    passed = difference >= 0 and fast_enough
    print(
        f"ours − plain: {difference:+.4f} in {share:.3f} of its time: {'good' if passed else 'NOT GOOD ENOUGH'}"
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
