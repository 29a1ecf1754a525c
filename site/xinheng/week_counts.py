"""What visitors did, week by week: by the kind of place they came from, and by article. Added up as it comes, so that a
report reads a few rows a week, however many readers there were.

A check counts when it is begun and when it is finished, each in its own week; the article is the one its visitor read last
before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from sqlalchemy import Connection, Date, Integer, String, bindparam, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.db import CountersBase
from xinheng.referrers import ReferrerKind
from xinheng.weeks import Weeks

What = Literal["reads", "begun", "finished"]
WHAT: Final[tuple[What, ...]] = ("reads", "begun", "finished")


class SourceWeek(CountersBase):
    """One week (its Monday) of visitors from one kind of place."""

    __tablename__ = "source_weeks"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (read in the order of the key)

    week: Mapped[date] = mapped_column(Date, primary_key=True)
    source: Mapped[str] = mapped_column(String(8), primary_key=True)
    reads: Mapped[int] = mapped_column(Integer, nullable=False)
    begun: Mapped[int] = mapped_column(Integer, nullable=False)
    finished: Mapped[int] = mapped_column(Integer, nullable=False)


class ArticleWeek(CountersBase):
    """One week of one article: its reads, and the checks of those who had read it last."""

    __tablename__ = "article_weeks"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (read in the order of the key)

    week: Mapped[date] = mapped_column(Date, primary_key=True)
    article: Mapped[str] = mapped_column(String(80), primary_key=True)
    reads: Mapped[int] = mapped_column(Integer, nullable=False)
    begun: Mapped[int] = mapped_column(Integer, nullable=False)
    finished: Mapped[int] = mapped_column(Integer, nullable=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a check was begun from: the kind of place its visitor came from, and an article's slug or nothing."""

    source: ReferrerKind = "direct"
    article: str = ""


NOWHERE: Final = Origin()
"""Of whom nothing is known."""


@dataclass(frozen=True, slots=True)
class Visits:
    """What was counted under one key."""

    reads: int = 0
    begun: int = 0
    finished: int = 0


class WeekTally:
    """What one transaction adds."""

    def __init__(self) -> None:
        self._sources: Counter[tuple[date, str, What]] = Counter()
        self._articles: Counter[tuple[date, str, What]] = Counter()

    def add(self, what: What, week: date, origin: Origin, number: int = 1) -> None:
        self._sources[week, origin.source, what] += number
        if origin.article:
            self._articles[week, origin.article, what] += number

    def add_to(self, connection: Connection) -> None:
        """Add it all, in one order everywhere: no two of them wait for each other."""
        for key, counted in (("source", self._sources), ("article", self._articles)):
            if rows := list(_rows(key, counted)):
                connection.execute(_ADD[key], rows)


# the same on both databases, and made once
_ADD = {
    key: text(
        f"INSERT INTO {key}_weeks (week, {key}, reads, begun, finished)"  # noqa: S608 (names of our own)
        f" VALUES (:week, :{key}, :reads, :begun, :finished)"
        f" ON CONFLICT (week, {key}) DO UPDATE SET reads = {key}_weeks.reads + excluded.reads,"
        f" begun = {key}_weeks.begun + excluded.begun, finished = {key}_weeks.finished + excluded.finished"
    ).bindparams(bindparam("week", type_=Date))
    for key in ("source", "article")
}


def visits_by_source(session: Session, weeks: Weeks) -> Mapping[tuple[date, str], Visits]:
    """By week and kind of place."""
    columns = SourceWeek.week, SourceWeek.source, SourceWeek.reads, SourceWeek.begun, SourceWeek.finished
    rows = session.execute(select(*columns).where(SourceWeek.week.between(weeks.first, weeks.last)))
    return {(row.week, row.source): Visits(row.reads, row.begun, row.finished) for row in rows}


def visits_by_article(session: Session, weeks: Weeks) -> Mapping[str, Visits]:
    """By slug, over all the weeks."""
    sums = (func.sum(getattr(ArticleWeek, what)) for what in WHAT)
    rows = session.execute(
        select(ArticleWeek.article, *sums)
        .where(ArticleWeek.week.between(weeks.first, weeks.last))
        .group_by(ArticleWeek.article)
    )
    return {article: Visits(*map(int, numbers)) for article, *numbers in rows}


def reads_by_article(session: Session) -> Counter[str]:
    """All reads ever, by slug: a row a week is read, where by day and source there are thirty-five."""
    rows = session.execute(
        select(ArticleWeek.article, func.sum(ArticleWeek.reads)).group_by(ArticleWeek.article)
    )
    return Counter({article: int(reads) for article, reads in rows})


def _rows(name: str, counted: Counter[tuple[date, str, What]]) -> Iterator[dict[str, Any]]:
    for week, key in sorted({(week, key) for week, key, _ in counted}):
        numbers: dict[str, int] = {what: counted[week, key, what] for what in WHAT}
        yield {"week": week, name: key, **numbers}
