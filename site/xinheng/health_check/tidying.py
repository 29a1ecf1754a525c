"""What becomes of drafts that nobody goes on with: they are counted as left, and deleted in time.

Anybody may begin a check, so a flood of beginnings must not fill the disk, and must not push out those who answer:
nobody is refused, but there is room for so many drafts only, and the first to go are those with the fewest answers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, delete, func, not_, or_, select, update
from sqlalchemy.orm import Session

from xinheng.db import Database
from xinheng.health_check.counting import Place, Tally, day_of
from xinheng.health_check.drafts import FINISHED_KEPT, KEPT, CheckDraft

RESTED: Final = timedelta(hours=24)
"""How long nobody went on before a draft counts as left where it rests."""
EMPTY_KEPT: Final = timedelta(days=2)
"""How long a draft is kept that has no answer."""
MOST: Final = 100_000
"""How many drafts there is room for: some 150 MB."""
BATCH: Final = 500
"""Drafts in one transaction: a visitor's answer waits for no more."""

LOOK_EVERY: Final = 60  # seconds
FLOOD_BATCH: Final = 5000


def tidy(
    database: Database, now: datetime, told_to_stop: Callable[[], bool] = lambda: False, *, most: int = MOST
) -> None:
    """Count those that were left, delete those whose time is over or for whom there is no room. Raises DatabaseBusy."""
    for step in (count_left, delete_expired, lambda session, now: make_room(session, most)):
        done = BATCH
        while done >= BATCH and not told_to_stop():
            with database.writing() as session:
                done = step(session, now)


def count_left(session: Session, now: datetime) -> int:
    """Count some of those that rest for a day, once, on the day they were touched last; returns how many."""
    resting = and_(
        CheckDraft.touched_at <= now - RESTED,
        CheckDraft.counts.is_(True),
        CheckDraft.is_left.is_(False),
        CheckDraft.step != "",
    )
    columns = (CheckDraft.token_hash, CheckDraft.version, CheckDraft.step, CheckDraft.touched_at)
    rows = session.execute(
        select(*columns).where(resting).order_by(CheckDraft.token_hash).limit(BATCH).with_for_update()
    ).all()
    if rows:
        tally = Tally()
        tally.left.update(Place(row.version, row.step, day_of(row.touched_at)) for row in rows)
        tally.add_to(session.connection())
        found = CheckDraft.token_hash.in_([row.token_hash for row in rows])
        session.execute(update(CheckDraft).where(found).values(is_left=True))
    return len(rows)


def delete_expired(session: Session, now: datetime) -> int:
    """Delete some of those whose time is over; returns how many."""
    empty = and_(CheckDraft.answered == 0, CheckDraft.touched_at <= now - EMPTY_KEPT)
    finished = CheckDraft.step == ""
    over = or_(
        and_(CheckDraft.touched_at <= now - KEPT, not_(finished)),
        and_(CheckDraft.touched_at <= now - FINISHED_KEPT, finished),
        empty,
    )
    found = session.scalars(select(CheckDraft.token_hash).where(over).limit(BATCH)).all()
    session.execute(
        delete(CheckDraft).where(CheckDraft.token_hash.in_(found), over)
    )  # gone on with meanwhile?
    return len(found)


class Room:
    """Sees to it, while checks are begun, that there are no more drafts than there is room for."""

    def __init__(self, database: Database, most: int = MOST) -> None:
        self._database = database
        self._most = most
        self._looked = float("-inf")

    def make(self, moment: float) -> None:
        """Look once a minute in each worker (`moment` in seconds of any clock), and delete what is too many.

        Raises DatabaseBusy.
        """
        if moment - self._looked < LOOK_EVERY:
            return
        self._looked = moment
        deleted = FLOOD_BATCH
        while deleted >= FLOOD_BATCH:
            with self._database.writing() as session:
                deleted = make_room(session, self._most, FLOOD_BATCH)


def make_room(session: Session, most: int = MOST, batch: int = BATCH) -> int:
    """Delete some of those that are too many, the emptiest and oldest first; returns how many."""
    over = (session.scalar(select(func.count()).select_from(CheckDraft)) or 0) - most
    if over <= 0:
        return 0
    first = select(CheckDraft.token_hash).order_by(CheckDraft.answered, CheckDraft.touched_at)
    found = session.scalars(first.limit(min(over, batch))).all()
    session.execute(delete(CheckDraft).where(CheckDraft.token_hash.in_(found)))
    return len(found)
