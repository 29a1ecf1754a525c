"""How often each question was shown, answered and left, by version and day (Shanghai).

A visitor counts once for each question, however often they go back. What a draft changes is counted in the draft's own
transaction, so the counts are those of the drafts: none is lost, none comes twice. Times shown is the divisor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, Date, Integer, String, bindparam, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.db import CountersBase
from xinheng.settings import SHANGHAI
from xinheng.week_counts import WeekTally

OVERVIEW: Final = "-answers"
"""The page with all answers, which is a step like the questions; no question can be called so."""


class QuestionCount(CountersBase):
    """One step of one version on one day: how many were shown it, how many answered, how many stopped there for good."""

    __tablename__ = "question_counts"

    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    question: Mapped[str] = mapped_column(String(32), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    shown: Mapped[int] = mapped_column(Integer, nullable=False)
    answered: Mapped[int] = mapped_column(Integer, nullable=False)
    left_here: Mapped[int] = mapped_column(Integer, nullable=False)


class Place(NamedTuple):
    """What is counted on one row."""

    version: str
    question: str
    day: date


@dataclass(frozen=True, slots=True)
class Counted:
    """Visitors in a span of days: `left_here` were shown it last, and didn't come back for a day."""

    shown: int
    answered: int
    left_here: int


class Tally:
    """What one transaction adds; `left` may be less than nothing, where somebody came back. `weeks` has whole checks."""

    def __init__(self) -> None:
        self.shown: Counter[Place] = Counter()
        self.answered: Counter[Place] = Counter()
        self.left: Counter[Place] = Counter()
        self.weeks = WeekTally()

    def add_to(self, connection: Connection) -> None:
        """Add it all, in one order everywhere: no two of them wait for each other."""
        places = sorted({*self.shown, *self.answered, *self.left})
        rows = [
            {
                "version": place.version,
                "question": place.question,
                "day": place.day,
                "shown": self.shown[place],
                "answered": self.answered[place],
                "left_here": self.left[place],
            }
            for place in places
        ]
        if rows:
            connection.execute(_ADD, rows)
        self.weeks.add_to(connection)


# the same on both databases, and made once: an answer's transaction spends its time on nothing else
_ADD = text(
    "INSERT INTO question_counts (version, question, day, shown, answered, left_here)"
    " VALUES (:version, :question, :day, :shown, :answered, :left_here)"
    " ON CONFLICT (version, question, day) DO UPDATE SET shown = question_counts.shown + excluded.shown,"
    " answered = question_counts.answered + excluded.answered,"
    " left_here = question_counts.left_here + excluded.left_here"
).bindparams(bindparam("day", type_=Date))


def day_of(moment: datetime) -> date:
    """The day of the counts that a moment belongs to."""
    return moment.astimezone(SHANGHAI).date()


def counted(session: Session, version: str, since: date) -> Mapping[str, Counted]:
    """The counts of one version by question, from a day on."""
    columns = (func.sum(getattr(QuestionCount, name)) for name in ("shown", "answered", "left_here"))
    query = (
        select(QuestionCount.question, *columns)
        .where(QuestionCount.version == version, QuestionCount.day >= since)
        .group_by(QuestionCount.question)
    )
    return {question: Counted(*map(int, numbers)) for question, *numbers in session.execute(query)}


def counted_versions(session: Session) -> list[str]:
    """The versions that anything was counted under, the one counted last first."""
    last = func.max(QuestionCount.day)
    query = select(QuestionCount.version).group_by(QuestionCount.version).order_by(last.desc())
    return list(session.scalars(query))
