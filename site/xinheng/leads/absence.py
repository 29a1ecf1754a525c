"""What lies with members who are away: told to the sales leads on the morning of each working day, so that it is handed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.db import Database
from xinheng.leads.finding import count_lists
from xinheng.leads.scope import Scope
from xinheng.leads.telling import sales_leads
from xinheng.leads.turns import today
from xinheng.leads.wanted import View, Wanted
from xinheng.notices.outbox import Notice, enqueue
from xinheng.staff.models import User
from xinheng.working_days import Calendar

AWAY = "away"
_EVERYBODY = Scope("", everyone=True)
_DUE: tuple[View, ...] = ("late", "first")


@dataclass(frozen=True, slots=True)
class Absence:
    """A sweep. `site` is the public origin."""

    calendar: Callable[[], Calendar]
    site: str

    def __call__(self, database: Database, now: datetime) -> int:
        """Store today's notice where something lies and none was stored; returns how many notices."""
        if not self.calendar().is_open(now):
            return 0
        with database.reading() as session:
            if _is_told(session, now) or not due_with_absent(session, now):
                return 0
        with database.writing(over=[b"away"]) as session:
            due = due_with_absent(session, now)
            if _is_told(session, now) or not due:
                return 0
            whose = "、".join(f"{member.name}{count}条" for member, count in due.items())
            text = f"不在岗的同事手上有到期的线索：{whose}\n可以转给别人：{self.site}/desk/duty"
            recipients = sales_leads(session)
            for address in recipients:
                enqueue(session, kind=AWAY, reference=f"{today(now)}", text=text, now=now, recipient=address)
            return len(recipients)


def due_with_absent(session: Session, now: datetime) -> Mapping[User, int]:
    """How many leads lie with each member who is away, where there are any."""
    away = [each for each in session.scalars(select(User).order_by(User.name)) if not each.present(now)]
    due = due_with(session, [member.id for member in away], now)
    return {member: count for member in away if (count := sum(due[member.id].values()))}


def due_with(session: Session, staff_ids: Sequence[str], now: datetime) -> Mapping[str, Mapping[View, int]]:
    """How many leads of each of these members are late, and how many wait for a first contact."""
    wanted = [Wanted(view=view, owner=staff_id) for staff_id in staff_ids for view in _DUE]
    counts = iter(count_lists(session, _EVERYBODY, wanted, now))
    return {staff_id: {view: next(counts) for view in _DUE} for staff_id in staff_ids}


def _is_told(session: Session, now: datetime) -> bool:
    told = select(Notice.id).where(Notice.reference == f"{today(now)}", Notice.kind == AWAY)
    return session.scalar(told.limit(1)) is not None
