"""Leads in numbers: by the week of the first enquiry, where from, what about, and how far they came. No personal data.

Each change of a lead adds a row to `lead_count_changes`, in its own transaction: the database does it, by triggers (see the
migration that made the table), so that nothing that changes a lead can forget to. Nobody waits for anybody there, as all
would for one row of a sum. Once an hour the changes are added up. A lead that is deleted stays counted; one that proves to
be none of its own is taken out by `counted`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Date, Integer, String, delete, func, select, union_all
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.db import Database, LeadsBase, insert_into
from xinheng.weeks import Weeks

_AT_ONCE = 500
"""Changes in one transaction: an enquiry waits for no more."""


class LeadCount(LeadsBase):
    """How many leads of a week (its Monday) have all these in common."""

    __tablename__ = "lead_counts"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (read in the order of the key, half as long)

    week: Mapped[date] = mapped_column(Date, primary_key=True)
    source: Mapped[str] = mapped_column(String(8), primary_key=True)
    need: Mapped[str] = mapped_column(String(32), primary_key=True)
    level: Mapped[str] = mapped_column(String(12), primary_key=True)
    article: Mapped[str] = mapped_column(String(80), primary_key=True)
    reached: Mapped[str] = mapped_column(String(12), primary_key=True)
    leads: Mapped[int] = mapped_column(Integer, nullable=False)


class LeadCountChange(LeadsBase):
    """What is to be added to a count: 1 for a lead that is so now, -1 for one that isn't any more."""

    __tablename__ = "lead_count_changes"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    week: Mapped[date] = mapped_column(Date, nullable=False)
    source: Mapped[str] = mapped_column(String(8), nullable=False)
    need: Mapped[str] = mapped_column(String(32), nullable=False)
    level: Mapped[str] = mapped_column(String(12), nullable=False)
    article: Mapped[str] = mapped_column(String(80), nullable=False)
    reached: Mapped[str] = mapped_column(String(12), nullable=False)
    leads: Mapped[int] = mapped_column(Integer, nullable=False)


KEY = ("week", "source", "need", "level", "article", "reached")


def leads_by(session: Session, weeks: Weeks, *names: str, source: str = "") -> Sequence[tuple[Any, ...]]:
    """The leads of these weeks by some of KEY: the values of `names`, and how many."""
    parts = [
        select(*(getattr(table, name) for name in (*names, "leads"))).where(
            table.week.between(weeks.first, weeks.last), *([table.source == source] if source else [])
        )
        for table in (LeadCount, LeadCountChange)
    ]
    rows = union_all(*parts).subquery()
    columns = [rows.c[name] for name in names]
    total = func.sum(rows.c.leads)
    found = session.execute(select(*columns, total).group_by(*columns).having(total > 0))
    return [(*row[:-1], int(row[-1])) for row in found]


def add_up(database: Database, told_to_stop: Callable[[], bool] = lambda: False) -> None:
    """Add the changes to the counts, in short transactions. Raises DatabaseBusy."""
    done = _AT_ONCE
    while done >= _AT_ONCE and not told_to_stop():
        with database.writing(over=[b"lead counts"]) as session:
            done = _add_some(session)


def _add_some(session: Session) -> int:
    """Add the oldest ones; returns how many."""
    changes = session.scalars(select(LeadCountChange).order_by(LeadCountChange.id).limit(_AT_ONCE)).all()
    sums: Counter[tuple[Any, ...]] = Counter()
    for change in changes:
        sums[tuple(getattr(change, name) for name in KEY)] += change.leads
    rows = [dict(zip(KEY, key, strict=True)) | {"leads": number} for key, number in sums.items() if number]
    if rows:
        made = insert_into(session, LeadCount)
        more = {"leads": LeadCount.leads + made.excluded.leads}
        session.connection().execute(made.on_conflict_do_update(index_elements=KEY, set_=more), rows)
        weeks = {change.week for change in changes}
        session.execute(delete(LeadCount).where(LeadCount.week.in_(weeks), LeadCount.leads == 0))
    session.execute(delete(LeadCountChange).where(LeadCountChange.id.in_([each.id for each in changes])))
    return len(changes)
