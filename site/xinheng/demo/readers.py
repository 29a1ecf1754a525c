"""Invented readers: how often each article was read in the last months, and where they came from."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from xinheng.articles.reads import ReadCount
from xinheng.db import Database
from xinheng.referrers import KINDS, ReferrerKind
from xinheng.settings import SHANGHAI
from xinheng.week_counts import Origin, WeekTally
from xinheng.weeks import week_of

COUNTED_DAYS: Final = 120
USUAL_LEADS: Final = 400
"""What so many readers bring; where there are more leads, there were more readers."""
_SHARES: Final = (52, 16, 20, 4, 8)
"""Of the kinds of places, in their order."""
_MOST: Final = 26
"""Reads a weekday of the article that is read most."""
_FIRST_HOUR, _LAST_HOUR = 7, 23  # between which people read


def drawn_source(draw: random.Random) -> ReferrerKind:
    return draw.choices(KINDS, _SHARES)[0]


def popularity(slugs: Sequence[str]) -> Sequence[float]:
    """How often each article is read beside the first; they come in the order of that, down to a few reads a week."""
    return [1 / (1 + place * 0.4) for place in range(len(slugs))]


def counted_days(now: datetime, leads: int) -> Iterator[tuple[date, float]]:
    """The days (Shanghai) until now, and how busy each was beside a usual weekday: ever more, less at weekends, and of
    today what has passed."""
    today = now.astimezone(SHANGHAI)
    hours = today.hour + today.minute / 60
    for days in range(COUNTED_DAYS, -1, -1):
        day = today.date() - timedelta(days=days)
        passed = 1 if days else min(max((hours - _FIRST_HOUR) / (_LAST_HOUR - _FIRST_HOUR), 0), 1)
        trend = 1.25 - 0.5 * days / COUNTED_DAYS
        yield day, (0.45 if day.weekday() >= 5 else 1) * trend * passed * max(leads / USUAL_LEADS, 1)


def count_reads(
    counters: Database, draw: random.Random, slugs: Sequence[str], now: datetime, leads: int
) -> None:
    """What so many leads' readers read; among them are those who come to an article from another."""
    weeks, rows = WeekTally(), []
    for day, busy in counted_days(now, leads):
        for slug, popular in zip(slugs, popularity(slugs), strict=True):
            for source, share in zip(KINDS, _SHARES, strict=True):
                reads = round(
                    draw.gauss(1, 0.25) * busy * _MOST * popular * share / 100
                    + (draw.random() - 0.4) * min(busy, 1)
                )
                if reads > 0:
                    rows.append(ReadCount(article=slug, day=day, source=source, reads=reads))
                    weeks.add("reads", week_of(day), Origin(source, slug), reads)
    with counters.writing() as session:
        session.add_all(rows)
        weeks.add_to(session.connection())
