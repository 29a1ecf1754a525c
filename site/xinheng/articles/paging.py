"""Long lists in pages of 24."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from xinheng.articles.article import Article

PAGE_SIZE = 24
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


class NoSuchPage(LookupError):
    """A page number that isn't one, or is past the end."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; numbers start at 1."""

    articles: Sequence[Article]
    number: int
    last: int
    total: int


def page_of(articles: Sequence[Article], number: str | None) -> Page:
    """The page asked for. Raises NoSuchPage; page 1 has no number, so that no page has two addresses."""
    last = max(1, -(-len(articles) // PAGE_SIZE))
    if number is None:
        wanted = 1
    elif _NUMBER.fullmatch(number) and 1 < int(number) <= last:
        wanted = int(number)
    else:
        raise NoSuchPage(number)
    start = (wanted - 1) * PAGE_SIZE
    return Page(articles[start : start + PAGE_SIZE], wanted, last, len(articles))
