"""The salt of one day's hashes of addresses: with it gone, nobody can tell any more whose they were."""

from __future__ import annotations

import os
from datetime import date

from sqlalchemy import Date, LargeBinary, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.db import CountersBase, insert_into


class DailySalt(CountersBase):
    """The salt of one day (Shanghai)."""

    __tablename__ = "daily_salts"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32), nullable=False)


def make_salt(session: Session, day: date) -> bytes:
    """The day's salt, made by whoever needs it first, in a writing transaction; those of past days are deleted."""
    fresh = insert_into(session, DailySalt).values(day=day, salt=os.urandom(32))
    session.execute(fresh.on_conflict_do_nothing())
    session.execute(delete(DailySalt).where(DailySalt.day < day))
    return session.scalars(select(DailySalt.salt).where(DailySalt.day == day)).one()
