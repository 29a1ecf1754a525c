"""How many leads each member took on a day: by turns or from a colleague, and by claiming."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import Date, ForeignKey, Integer, String, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.db import LeadsBase
from xinheng.settings import SHANGHAI
from xinheng.staff.models import User


class Turns(LeadsBase):
    """One member's day, in Shanghai: what was given to them, and what they claimed themselves."""

    __tablename__ = "lead_turns"

    staff_id: Mapped[str] = mapped_column(String(32), ForeignKey(User.id), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    given: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    claimed: Mapped[int] = mapped_column(Integer, nullable=False, default=0)


def today(now: datetime) -> date:
    """The day in Shanghai."""
    return now.astimezone(SHANGHAI).date()


def turns_of_day(session: Session, now: datetime) -> Mapping[str, Turns]:
    """What each member took today, by id; who took nothing isn't there."""
    return {row.staff_id: row for row in session.scalars(select(Turns).where(Turns.day == today(now)))}


def count_turn(session: Session, staff_id: str, now: datetime, *, claimed: bool) -> None:
    """A member took a lead, in the caller's writing transaction. Their row is locked first: it is what makes two at once
    wait for each other. Of several taken at one moment each is later than the one before: turns go round."""
    last = session.scalar(select(func.max(User.last_assigned_at)))
    moment = now if last is None else max(now, last + timedelta(microseconds=1))
    session.execute(update(User).where(User.id == staff_id).values(last_assigned_at=moment))
    row = session.get(Turns, (staff_id, today(now)), populate_existing=True)
    if row is None:
        row = Turns(staff_id=staff_id, day=today(now), given=0, claimed=0)
        session.add(row)
    if claimed:
        row.claimed += 1
    else:
        row.given += 1
    session.flush()
