"""How many enquiries looked odd, why, and what staff made of them: by the week they came in. No personal data; what is
deleted stays counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Date, Integer, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.db import LeadsBase, insert_into
from xinheng.leads.models import Enquiry
from xinheng.weeks import Weeks, week_of

ANY: Final = ""
"""In place of a reason: one enquiry may have several."""
_WHAT = ("held", "spam", "released")


class SpamCount(LeadsBase):
    """Enquiries of a week (its Monday) that one reason spoke against: held back, called spam, released as no spam."""

    __tablename__ = "spam_counts"

    week: Mapped[date] = mapped_column(Date, primary_key=True)
    reason: Mapped[str] = mapped_column(String(16), primary_key=True)
    held: Mapped[int] = mapped_column(Integer, nullable=False)
    spam: Mapped[int] = mapped_column(Integer, nullable=False)
    released: Mapped[int] = mapped_column(Integer, nullable=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of enquiries that were held back."""

    held: int = 0
    spam: int = 0
    released: int = 0


def count_spam(
    session: Session, enquiry: Enquiry, *, held: int = 0, spam: int = 0, released: int = 0
) -> None:
    """Add to the counts of an enquiry's reasons, in one order everywhere: no two of them wait for each other."""
    week, numbers = week_of(enquiry.created_at), {"held": held, "spam": spam, "released": released}
    rows: list[dict[str, Any]] = [
        {"week": week, "reason": reason, **numbers} for reason in sorted({ANY, *enquiry.suspicion})
    ]
    made = insert_into(session, SpamCount)
    more = {what: getattr(SpamCount, what) + getattr(made.excluded, what) for what in _WHAT}
    session.connection().execute(
        made.on_conflict_do_update(index_elements=["week", "reason"], set_=more), rows
    )


def spam_by_reason(session: Session, weeks: Weeks) -> Mapping[str, Judged]:
    """Over all the weeks, ANY among the reasons."""
    rows = session.execute(
        select(SpamCount.reason, *(func.sum(getattr(SpamCount, what)) for what in _WHAT))
        .where(SpamCount.week.between(weeks.first, weeks.last))
        .group_by(SpamCount.reason)
    )
    return {reason: Judged(*map(int, numbers)) for reason, *numbers in rows}


def spam_by_week(session: Session, weeks: Weeks) -> Sequence[tuple[date, Judged]]:
    """Week by week, those without any among them."""
    rows = session.scalars(
        select(SpamCount).where(SpamCount.week.between(weeks.first, weeks.last), SpamCount.reason == ANY)
    )
    found = {row.week: Judged(row.held, row.spam, row.released) for row in rows}
    return [(monday, found.get(monday, Judged())) for monday in weeks.mondays]
