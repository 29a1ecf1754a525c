"""New leads go to whose turn it is, and a known person who asks again while their owner is away to somebody who is there.

Beside the web workers, some seconds after the enquiry: that must neither wait for this nor fail with it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, literal, or_, select, union
from sqlalchemy.orm import Session, aliased

from xinheng.audit.log import SYSTEM
from xinheng.db import Database, DatabaseBusy
from xinheng.forms.assignment import AssignmentRules
from xinheng.leads.assignment import Assigner
from xinheng.leads.handing import Handing, references_of
from xinheng.leads.models import NEVER, Enquiry, Lead, LeadEvent
from xinheng.leads.telling import sales_leads
from xinheng.leads.trail import Trail
from xinheng.leads.turns import today
from xinheng.leads.work import lead_lock
from xinheng.notices.outbox import Notice, enqueue, utc_now
from xinheng.staff.models import User
from xinheng.working_days import Calendar

LOOK_EVERY = 3.0  # seconds
LOOKED_BACK = timedelta(days=30)
"""What has lain longer without an owner is for people to look at."""

TOLD_EVERY = timedelta(hours=4)
_AT_ONCE = 20
_WAITING = ("first", "planned")

log = logging.getLogger(__name__)


class Dealing:
    """Deals out what has nobody who works it. `site` is the public origin."""

    def __init__(
        self,
        database: Database,
        trail: Trail,
        assigner: Assigner,
        rules: Callable[[], AssignmentRules],
        calendar: Callable[[], Calendar],
        *,
        site: str,
    ) -> None:
        self._database = database
        self._trail = trail
        self._handing = Handing(trail, site=site)
        self._assigner = assigner
        self._rules = rules
        self._calendar = calendar
        self._site = site

    def run(self, stopping: threading.Event) -> None:
        """Deal until told to stop."""
        while not stopping.is_set():
            try:
                self.deal(utc_now())
            except DatabaseBusy:
                pass
            except Exception as fault:  # whatever it was, the next look tries again
                log.error("线索分配中断，稍后再试：%s", type(fault).__name__)
            stopping.wait(LOOK_EVERY)

    def deal(self, now: datetime) -> int:
        """Give out what can be given; returns how many leads have another owner."""
        with self._database.reading() as session:
            waiting = session.scalars(_unowned(now)).all() if self._rules().way == "round_robin" else []
            unowned = self._givable(session, waiting, now)
            left = self._to_do(session, now)
        if waiting and not unowned:
            self._tell_none_free(now)
        given = sum(self._give(lead_id, now) for lead_id in unowned)
        return given + sum(self._give_or_tell(lead_id, now) for lead_id in left)

    def _givable(self, session: Session, waiting: Sequence[str], now: datetime) -> Sequence[str]:
        """The first of these leads that somebody who is there may be given. However many nobody may have just now, they
        don't keep those behind them from being dealt."""
        found: list[str] = []
        free = {each.id for each in self._assigner.with_room(session, now)} if waiting else set()
        for start in range(0, len(waiting) if free else 0, _AT_ONCE):
            some = waiting[start : start + _AT_ONCE]
            let_go = self._assigner.let_go(session, some, now)
            found += [each for each in some if free - let_go.get(each, {}).keys()]
            if len(found) >= _AT_ONCE:
                break
        return found[:_AT_ONCE]

    def _to_do(self, session: Session, now: datetime) -> Sequence[str]:
        """Ids of leads whose owner is away: those yet to be told of, and those that somebody can be given."""
        alone = _left_alone(session, now)
        left = session.scalars(alone.where(~_is_told_of()).limit(_AT_ONCE)).all()
        if self._rules().absent_owner != "give":
            return left
        return [*left, *self._givable(session, session.scalars(alone.where(_is_told_of())).all(), now)]

    def _give(self, lead_id: str, now: datetime) -> bool:
        """Give one lead of nobody to who is next; False where nobody is, or it doesn't wait any more."""
        with self._database.writing(over=[b"assignment", lead_lock(lead_id)]) as session:
            lead = session.get(Lead, lead_id, with_for_update=True)
            if lead is None or session.scalar(_unowned(now, lead_id)) is None:
                return False
            return self._hand(session, lead, now, by="turns")

    def _give_or_tell(self, lead_id: str, now: datetime) -> bool:
        """A known person asked again and the owner is away: to somebody else, or told to the sales leads; once each."""
        with self._database.writing(over=[b"assignment", lead_lock(lead_id)]) as session:
            lead = session.get(Lead, lead_id, with_for_update=True)
            if lead is None or session.scalar(_left_alone(session, now, lead_id)) is None:
                return False
            absent = session.get_one(User, lead.owner_id)
            if self._rules().absent_owner == "give" and self._hand(session, lead, now, by="absent"):
                self._tell_owner_gone(session, lead, absent, now)
                return True
            self._tell_absence(session, lead, absent, now)
            return False

    def _hand(self, session: Session, lead: Lead, now: datetime, *, by: str) -> bool:
        owner = self._assigner.next_owner(session, now, lead)
        if owner is None:
            return False
        self._handing.hand(session, lead, owner, actor=SYSTEM, now=now, why={"by": by})
        self._handing.tell(session, [lead], owner, actor=SYSTEM, now=now)
        self._trail.finish(session)
        return True

    def _tell_none_free(self, now: datetime) -> None:
        """Tell the sales leads, at work and not too often, that new leads stay with nobody."""
        if not self._calendar().is_open(now):
            return
        with self._database.reading() as session:
            if _told_lately(session, now):
                return
        with self._database.writing(over=[b"assignment"]) as session:
            if _told_lately(session, now):
                return
            number = len(session.scalars(_unowned(now).limit(100)).all())
            text = (
                f"{'100条以上' if number == 100 else f'{number}条'}新线索没有人接：值班的人都到了上限，或没有人值班\n"
                f"查看：{self._site}/desk/leads?owner=none&status=open"
            )
            for address in sales_leads(session):
                enqueue(
                    session,
                    kind="unassigned",
                    reference=f"{today(now)}",
                    text=text,
                    now=now,
                    recipient=address,
                )

    def _tell_owner_gone(self, session: Session, lead: Lead, absent: User, now: datetime) -> None:
        """The owner who is away hears that the lead is somebody else's now."""
        reference = references_of(session, [lead.id])[0]
        text = f"您不在岗，老客户又来咨询，已经转给同事\n受理编号：{reference}"
        if absent.active:
            enqueue(session, kind="absent", reference=reference, text=text, now=now, recipient=absent.email)

    def _tell_absence(self, session: Session, lead: Lead, absent: User, now: datetime) -> None:
        reference = references_of(session, [lead.id])[0]
        if _told_of(session, reference):
            return
        text = (
            f"负责人{absent.name}不在岗，老客户又来咨询\n受理编号：{reference}\n{self._handing.page_of(lead)}"
        )
        for address in sales_leads(session):
            enqueue(session, kind="absent", reference=reference, text=text, now=now, recipient=address)


def _told_of(session: Session, reference: str) -> bool:
    """Whether somebody was told that the owner of this enquiry's lead is away."""
    told = select(Notice.id).where(Notice.reference == reference, Notice.kind == "absent")
    return session.scalar(told.limit(1)) is not None


def _is_told_of() -> ColumnElement[bool]:
    """The same of a lead's latest enquiry."""
    told = select(Notice.id).join(Enquiry, Enquiry.reference == Notice.reference)
    latest = Enquiry.lead_id == Lead.id, Enquiry.created_at >= Lead.last_enquiry_at
    return told.where(*latest, Notice.kind == "absent").correlate(Lead).exists()


def _told_lately(session: Session, now: datetime) -> bool:
    """Whether the sales leads know that new leads stay with nobody."""
    told = select(Notice.id).where(
        Notice.reference == f"{today(now)}", Notice.kind == "unassigned", Notice.created_at > now - TOLD_EVERY
    )
    return session.scalar(told.limit(1)) is not None


def _unowned(now: datetime, lead_id: str = "") -> Select[str]:
    """Ids of leads that ask for somebody and that nobody was given since they last asked, the oldest first; or only of
    this one. What somebody put back stays put back."""
    return _waiting(now, Lead.owner_id.is_(None), _handed(), lead_id)


def _left_alone(session: Session, now: datetime, lead_id: str = "") -> Select[str]:
    """Ids of leads whose owner is away, and nobody has done anything since they last asked; or only of this one."""
    away = [each.id for each in session.scalars(select(User)) if not each.present(now)]
    done = and_(LeadEvent.staff_id.is_not(None), LeadEvent.kind != "released")
    return _waiting(now, Lead.owner_id.in_(away), or_(done, _handed()), lead_id)


def _waiting(
    now: datetime, whose: ColumnElement[bool], dealt_with: ColumnElement[bool], lead_id: str
) -> Select[str]:
    since = select(LeadEvent.id).where(
        LeadEvent.lead_id == Lead.id, LeadEvent.happened_at >= Lead.last_enquiry_at, dealt_with, ~_released()
    )
    return (
        select(Lead.id)
        .where(
            Lead.id.in_(_lately(now, and_(whose, Lead.id == lead_id) if lead_id else whose)),
            Lead.queue.in_(_WAITING),
            Lead.restricted.is_(False),
            ~since.exists(),
        )
        .order_by(Lead.last_enquiry_at, Lead.id)
    )


def _lately(now: datetime, whose: ColumnElement[bool]) -> CompoundSelect[str]:
    """Ids of leads whose person asked lately, or is to be called since lately: what was held back counts from when it came
    to the desk. Each part walks an index of the owner's."""
    bound = literal(now - LOOKED_BACK, Lead.first_response_due.type)
    due = (
        Lead.first_response_due > bound,
        Lead.first_response_due < literal(NEVER, Lead.first_response_due.type),
    )
    return union(
        select(Lead.id).where(whose, Lead.last_enquiry_at > now - LOOKED_BACK),
        select(Lead.id).where(whose, Lead.queue.in_(_WAITING), *due),
    )


def _released() -> ColumnElement[bool]:
    """Whether an enquiry came out of quarantine after an event: what was done before doesn't answer it."""
    later = aliased(LeadEvent)
    released = select(later.id).where(later.lead_id == LeadEvent.lead_id, later.kind == "released")
    return released.where(later.happened_at > LeadEvent.happened_at).correlate(LeadEvent).exists()


def _handed() -> ColumnElement[bool]:
    return LeadEvent.kind.in_(("assigned", "returned"))
