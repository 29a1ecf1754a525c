"""Whom to call first, kept right beside the web workers: leads are ranked anew where the rules changed, and where what the
rank rested on was taken back. Nobody is told: nothing happened to the person."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, Integer, Select, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.crypto import Keys
from xinheng.db import Database, DatabaseBusy, LeadsBase
from xinheng.forms.priority import PriorityRules
from xinheng.leads.file import facts_of, latest_enquiries
from xinheng.leads.models import Enquiry, Lead

LOOK_EVERY = 10.0  # seconds
PAUSE = 0.05  # seconds between two batches: whoever waits for the writer's turn gets it
_AT_ONCE = 50
_TOP = "~"  # above every id

log = logging.getLogger(__name__)


class Ranked(LeadsBase):
    """How far all leads are ranked by which rules: those with an id from `down_to` on; the newest come first. Empty
    when that is all of them."""

    __tablename__ = "ranked"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    rules: Mapped[str] = mapped_column(String(16), nullable=False)
    down_to: Mapped[str] = mapped_column(String(32), nullable=False)


class Ranking:
    """Ranks leads by the present rules."""

    def __init__(self, database: Database, keys: Keys, priority: Callable[[], PriorityRules]) -> None:
        self._database = database
        self._keys = keys
        self._priority = priority

    def run(self, stopping: threading.Event) -> None:
        """Rank anew whenever the rules change, until told to stop."""
        while not stopping.is_set():
            stopping.wait(PAUSE if self._ranked_some() else LOOK_EVERY)

    def step(self) -> bool:
        """Rank the next few leads by the present rules; False where all are."""
        rules = self._priority()
        with self._database.reading() as session:
            if _is_done(session.get(Ranked, 1), rules):
                return False
        with self._database.writing(over=[b"ranking"]) as session:
            reached = session.get(Ranked, 1) or Ranked(id=1, rules="", down_to="")
            if _is_done(reached, rules):
                return False
            if reached.rules != rules.version:
                reached.rules, reached.down_to = rules.version, _TOP
            session.add(reached)
            ids = session.scalars(
                select(Lead.id).where(Lead.id < reached.down_to).order_by(Lead.id.desc()).limit(_AT_ONCE)
            ).all()
            reached.down_to = ids[-1] if ids else ""
            rank(session, self._keys, rules, ids)
        return True

    def unranked(self, database: Database, now: datetime) -> int:
        """Rank those without a rank. Not where consent is taken back: there nobody may be told, by how long it takes,
        whether there was anything to take back."""
        with database.reading() as session:
            found = session.scalars(_unranked().limit(_AT_ONCE)).all()
        if found:
            with database.writing() as session:
                still = session.scalars(_unranked().where(Lead.id.in_(found))).all()
                rank(session, self._keys, self._priority(), still)
        return 0

    def _ranked_some(self) -> bool:
        try:
            return self.step()
        except DatabaseBusy:
            return False
        except Exception as fault:  # whatever it was, the next look tries again
            log.error("线索重新排序中断，稍后再试：%s", type(fault).__name__)
            return False


def rank(session: Session, keys: Keys, rules: PriorityRules, lead_ids: Sequence[str]) -> None:
    """Rank these leads, in the caller's transaction: what is restricted is not looked at. They are locked by their ids, as
    everywhere."""
    rows = select(Lead).where(Lead.id.in_(lead_ids), Lead.restricted.is_(False))
    leads = session.scalars(rows.order_by(Lead.id).with_for_update()).all()
    latest = latest_enquiries(session, [lead.id for lead in leads])
    for lead in leads:
        if lead.id in latest:
            lead.priority = rules.rank(facts_of(lead, latest[lead.id], keys), lead.last_enquiry_at)


def _is_done(reached: Ranked | None, rules: PriorityRules) -> bool:
    return reached is not None and (reached.rules, reached.down_to) == (rules.version, "")


def _unranked() -> Select[str]:
    """Ids of those that may be worked."""
    asked = select(Enquiry.id).where(Enquiry.lead_id == Lead.id).exists()
    return select(Lead.id).where(Lead.priority < 0, Lead.restricted.is_(False), asked)
