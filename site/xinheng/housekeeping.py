"""What is done every hour beside the web workers: whose time is over is deleted, what reports count is added up.

A wrong clock must not delete anybody: where it differs from the last run by more than a day, in either direction,
nothing is done until somebody says that it is right, by `xinheng housekeeping --clock-is-right`. A clock that is put right again
needs no word.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import CheckConstraint, Integer
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.assessments import delete_due
from xinheng.crypto import Keys
from xinheng.db import Database, DatabaseBusy, LeadsBase, Moment
from xinheng.health_check.tidying import tidy
from xinheng.leads.deletion import Deleted, Deletion
from xinheng.leads.lead_counts import add_up
from xinheng.leads.made_files import MadeFiles
from xinheng.leads.merges import forget_old_images
from xinheng.leads.phone_index import fill_phone_indexes
from xinheng.privacy.forgetting import empty_buried, forget

EVERY = 60 * 60  # seconds between two runs
RETRY = 60  # seconds after a run that could not be finished
JUMP = timedelta(hours=24)

log = logging.getLogger(__name__)


class LastRun(LeadsBase):
    """When housekeeping last ran, by the clock it trusted; since when it has not trusted the clock."""

    __tablename__ = "housekeeping"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    ran_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    refused_at: Mapped[datetime | None] = mapped_column(Moment)


class ClockJumped(RuntimeError):
    """The clock is more than a day away from the last run: nothing was deleted."""

    def __init__(self, last: datetime, now: datetime) -> None:
        super().__init__(f"{last.isoformat(timespec='minutes')} → {now.isoformat(timespec='minutes')}")
        self.last, self.now = last, now


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """One run after the other. `files`: exports of leads, of which a killed process may have left one."""

    database: Database
    counters: Database
    keys: Keys
    deletion: Deletion
    files: MadeFiles | None = None

    def run_once(
        self,
        now: datetime,
        *,
        clock_is_right: bool = False,
        told_to_stop: Callable[[], bool] = lambda: False,
    ) -> Deleted:
        """Delete whose time is over. Raises ClockJumped, DatabaseBusy."""
        if self.files is not None:
            self.files.clear()
        with self.database.writing() as session:
            jumped = self._jumped(session, now, clock_is_right=clock_is_right)
        if jumped is not None:
            raise jumped
        with self.database.writing() as session:
            forget(session, now)
            forget_old_images(session, now)
        while not told_to_stop():
            with self.database.writing() as session:
                if not delete_due(session, now):
                    break
        tidy(self.counters, now, told_to_stop)
        add_up(self.database, told_to_stop)
        fill_phone_indexes(self.database, self.keys)  # of an older program that ran beside this one
        done = self.deletion.of_due(now, told_to_stop)
        with self.database.writing() as session:
            empty_buried(session, now)
        return done

    def run(self, stopping: threading.Event) -> None:
        """Run every hour until told to stop."""
        while not stopping.is_set():
            stopping.wait(EVERY if self._ran(datetime.now(UTC), stopping) else RETRY)

    def _ran(self, now: datetime, stopping: threading.Event) -> bool:
        try:
            done = self.run_once(now, told_to_stop=stopping.is_set)
        except ClockJumped as fault:
            log.error(
                "到期删除停下了：时钟和上一次相差一天以上（%s）。时钟没有错，就运行 xinheng housekeeping --clock-is-right",
                fault,
            )
        except DatabaseBusy as fault:
            log.warning("到期删除没有做完，一分钟后再试：%s", fault)
            return False
        except Exception as fault:  # whatever it was, the next run is tried
            log.error("到期删除中断：%s", type(fault).__name__)
            return False
        else:
            if done.leads or done.enquiries:
                log.info("到期删除：%d 条线索，%d 份没有线索的咨询", done.leads, done.enquiries)
        return True

    def _jumped(self, session: Session, now: datetime, *, clock_is_right: bool) -> ClockJumped | None:
        """Judge the clock by the last run, and note this one; a refusal is noted too, for the desk to show."""
        last = session.get(LastRun, 1, with_for_update=True)
        if last is None:
            session.add(LastRun(id=1, ran_at=now))
            return None
        if abs(now - last.ran_at) > JUMP and not clock_is_right:
            last.refused_at = last.refused_at or now
            return ClockJumped(last.ran_at, now)
        last.ran_at, last.refused_at = now, None
        return None


def start_anew(session: Session, now: datetime) -> None:
    """Take this moment for the last run, in a writing transaction: what was restored is old, and the clock didn't jump."""
    session.merge(LastRun(id=1, ran_at=now, refused_at=None))


def clock_refused(session: Session) -> bool:
    """Whether deletion stands still because the clock isn't trusted."""
    last = session.get(LastRun, 1)
    return last is not None and last.refused_at is not None
