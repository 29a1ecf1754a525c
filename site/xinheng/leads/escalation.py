"""First responses that are due soon or late: staff are told, step by step, in working hours, until somebody has tried.

Each step is taken once for an enquiry. After an outage only the last one that is due is: nobody is flooded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, selectinload

from xinheng.audit.log import SYSTEM
from xinheng.db import Database
from xinheng.form_versions import FormVersion
from xinheng.forms.definition import stored_form
from xinheng.forms.response import ResponseRules, Told
from xinheng.leads.assignment import Assigner
from xinheng.leads.handing import Handing
from xinheng.leads.models import Lead
from xinheng.leads.telling import LATE, SOON, sales_leads, takes_leads
from xinheng.leads.trail import Trail
from xinheng.notices.outbox import Notice, enqueue, withdraw
from xinheng.settings import SHANGHAI
from xinheng.staff.models import User
from xinheng.working_days import Calendar

_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class _Step:
    """One step: leads due by `until` that had fewer steps than `number` take it."""

    number: int
    until: datetime
    tell: Sequence[Told]
    reassign: bool = False

    @property
    def reached(self) -> ColumnElement[bool]:
        return and_(Lead.first_response_due <= self.until, Lead.escalation < self.number)


class Escalation:
    """A sweep: looks for leads that somebody should have called. `assigner` is asked where a step gives the lead to another.
    `site` is the public origin."""

    def __init__(
        self,
        trail: Trail,
        assigner: Assigner,
        calendar: Callable[[], Calendar],
        response: Callable[[], ResponseRules],
        *,
        site: str,
    ) -> None:
        self._trail = trail
        self._handing = Handing(trail, site=site)
        self._assigner = assigner
        self._calendar = calendar
        self._response = response

    def __call__(self, database: Database, now: datetime) -> int:
        """Take the steps that are due; returns for how many leads."""
        if not self._calendar().is_open(now):
            return 0
        if not (steps := self._steps(now)):
            return 0
        with database.reading() as session:
            found = session.scalars(_reaching(steps).limit(_AT_ONCE)).all()
        if not found:
            return 0
        # two machines that look at one moment must not both tell, nor give one member more than there is room for
        with database.writing(over=[b"escalation", b"assignment"]) as session:
            rows = select(Lead).where(Lead.id.in_(found), Lead.id.in_(_reaching(steps)))
            # what somebody works at just now is left for the next look: they may be calling
            locked = rows.options(selectinload(Lead.enquiries)).with_for_update(of=Lead, skip_locked=True)
            leads = session.scalars(locked).all()
            for lead in leads:
                self._escalate(session, lead, steps, now)
            self._trail.finish(session)
        return len(leads)

    def _steps(self, now: datetime) -> Sequence[_Step]:
        rules, calendar = self._response(), self._calendar()
        soon = [_Step(1, calendar.add_working_minutes(now, rules.remind), ("owner",))] if rules.remind else []
        return [
            *soon,
            *(
                _Step(number, calendar.subtract_working_minutes(now, step.after), step.tell, step.reassign)
                for number, step in enumerate(rules.late, start=2)
            ),
        ]

    def _escalate(self, session: Session, lead: Lead, steps: Sequence[_Step], now: datetime) -> None:
        due = lead.first_response_due or now
        reached = [step for step in steps if due <= step.until and lead.escalation < step.number]
        last = reached[-1]
        lead.escalation = last.number
        if not lead.enquiries:  # nothing is known of what was asked: nothing can be told
            return
        owner = session.get(User, lead.owner_id) if lead.owner_id else None
        _withdraw_earlier(session, lead, now)
        self._tell(session, lead, owner, last, now)
        if last.number == 1:
            return
        self._trail.event(session, lead, actor=SYSTEM, now=now, kind="late")
        if any(step.reassign for step in reached):
            self._reassign(session, lead, owner, now)

    def _tell(self, session: Session, lead: Lead, owner: User | None, step: _Step, now: datetime) -> None:
        """Each who is to know once. A lead that nobody has is everybody's, that of somebody who left the sales leads'; where
        there are none of these, it is everybody's too."""
        recipients: set[str] = set()
        for whom in step.tell:
            if whom == "all" or (whom == "owner" and owner is None):
                recipients.add("")
            elif whom == "owner" and owner is not None and takes_leads(owner):
                recipients.add(owner.email)
            else:
                recipients |= {*sales_leads(session)}
        text = self._text(session, lead, step, now)
        reference = lead.enquiries[-1].reference
        kind = SOON if step.number == 1 else LATE
        for recipient in sorted(recipients):
            enqueue(session, kind=kind, reference=reference, text=text, now=now, recipient=recipient)

    def _text(self, session: Session, lead: Lead, step: _Step, now: datetime) -> str:
        """No name, no phone, no details."""
        enquiry = lead.enquiries[-1]
        form = stored_form(session.get_one(FormVersion, enquiry.form_version).form)
        due = lead.first_response_due or now
        if step.number == 1:
            what = "快到首次响应的期限"
        elif late := self._calendar().working_minutes(due, now) // 60:
            what = f"超时{late}个工作小时，还没有人联系"
        else:
            what = "到了期限，还没有人联系"
        return "\n".join(
            (
                f"{what}：{form.declaration.field('need').option_label(enquiry.need)}",
                f"受理编号：{enquiry.reference}",
                f"期限：{due.astimezone(SHANGHAI).isoformat(sep=' ', timespec='minutes')}",
                self._handing.page_of(lead),
            )
        )

    def _reassign(self, session: Session, lead: Lead, owner: User | None, now: datetime) -> None:
        """Give it to whose turn it is; where nobody is on duty with room, it stays where it is."""
        taker = self._assigner.next_owner(session, now, lead)
        if taker is None:
            return
        self._handing.hand(session, lead, taker, actor=SYSTEM, now=now, why={"by": "late"})
        why = "原来的负责人没有按时联系" if owner else "到了期限，还没有人联系"
        self._handing.tell(session, [lead], taker, actor=SYSTEM, now=now, why=why)


def _reaching(steps: Sequence[_Step]) -> Select[str]:
    """Ids of leads that reach one of these steps, what is due first before the others. Closed ones are due never."""
    horizon = max(step.until for step in steps)
    return (
        select(Lead.id)
        .where(
            Lead.responded_at.is_(None),
            Lead.first_response_due <= horizon,
            or_(*(step.reached for step in steps)),
            Lead.restricted.is_(False),
        )
        .order_by(Lead.first_response_due, Lead.id)
    )


def _withdraw_earlier(session: Session, lead: Lead, now: datetime) -> None:
    """What still waits to be told says less than what is told now."""
    references = [enquiry.reference for enquiry in lead.enquiries]
    withdraw(session, references, now, Notice.kind.in_([SOON, LATE]))
