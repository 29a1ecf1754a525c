"""What staff do with a lead: each deed one transaction, with an event on the lead's timeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.audit import log as audit
from xinheng.audit.models import Action
from xinheng.crypto import Keys, new_row_id
from xinheng.db import Database
from xinheng.forms.definition import stored_form
from xinheng.leads.drafts import drop_draft
from xinheng.leads.file import with_numbers
from xinheng.leads.models import CLOSED, Enquiry, FormVersion, Lead, LeadEvent
from xinheng.leads.moves import MOVES, MoveRefused, check_move, next_try
from xinheng.leads.scope import NoSuchLead, Scope
from xinheng.notices.outbox import enqueue
from xinheng.settings import SHANGHAI
from xinheng.staff.models import User

LONGEST_NOTE = 2000  # characters
LONGEST_STEP = 60


class LeadChanged(RuntimeError):
    """Somebody changed the lead after the page was opened: nothing was written."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Who does something, when, and which version of the lead they were looking at (None: whichever it is)."""

    scope: Scope
    now: datetime
    version: int | None = None


class LeadWork:
    """Staff's deeds. Every method raises NoSuchLead, and LeadChanged where the deed's version is not the present one."""

    def __init__(self, database: Database, keys: Keys, *, site: str) -> None:
        self._database = database
        self._keys = keys
        self._site = site

    def write_note(self, lead_id: str, deed: Deed, text: str, *, connected: bool = False) -> None:
        """Add a note; `connected` says that somebody took the call, which makes a new lead a contacted one."""
        with self._lead(lead_id, deed) as (session, lead):
            self._event(session, lead, deed, "connected" if connected else "note", note=text)
            if connected:
                self._contacted(session, lead, deed)
            drop_draft(session, lead.id, deed.scope.staff_id)

    def no_answer(self, lead_id: str, deed: Deed) -> datetime:
        """Nobody took the call: the next try is planned. Returns when. Raises MoveRefused for a closed lead."""
        with self._lead(lead_id, deed) as (session, lead):
            _still_open(lead)
            lead.attempts += 1
            lead.follow_up_at = next_try(lead.attempts, deed.now)
            self._event(session, lead, deed, "no_answer", {"next": _minute(lead.follow_up_at)})
            return lead.follow_up_at

    def added_wechat(self, lead_id: str, deed: Deed) -> None:
        """The person is on WeChat now, which is a contact."""
        with self._lead(lead_id, deed) as (session, lead):
            self._event(session, lead, deed, "wechat")
            self._contacted(session, lead, deed)

    def plan(self, lead_id: str, deed: Deed, at: datetime | None, step: str) -> None:
        """Set what comes next and when; None takes the plan away. Raises MoveRefused for a closed lead."""
        with self._lead(lead_id, deed) as (session, lead):
            _still_open(lead)
            self._plan(session, lead, deed, at, step)

    def move(self, lead_id: str, deed: Deed, status: str, reason: str = "") -> None:
        """Set the status. Raises MoveRefused where it may not follow the present one or lacks its reason."""
        with self._lead(lead_id, deed) as (session, lead):
            self._move(session, lead, deed, status, reason)

    def assign(self, lead_id: str, deed: Deed, owner: User | None) -> None:
        """Hand the lead to somebody, who is told by mail if it wasn't their own doing; None gives it back to all."""
        with self._lead(lead_id, deed) as (session, lead):
            self._assign(session, lead, deed, owner)

    def many(self, lead_ids: Sequence[str], deed: Deed, change: BulkChange) -> int:
        """Do the same to several leads in one transaction, those left out that this member may not see or that may not
        take the status. Returns how many were changed."""
        changed = 0
        with self._database.writing(over=[lead_lock(each) for each in lead_ids]) as session:
            for lead in session.scalars(
                select(Lead).where(Lead.id.in_(lead_ids)).order_by(Lead.id).with_for_update()
            ).all():
                if deed.scope.sees(lead) and change.fits(lead):
                    self._apply(session, lead, deed, change)
                    self._close(session, lead)
                    changed += 1
        return changed

    @contextmanager
    def _lead(self, lead_id: str, deed: Deed) -> Iterator[tuple[Session, Lead]]:
        with self._database.writing(over=[lead_lock(lead_id)]) as session:
            lead = session.get(Lead, lead_id, with_for_update=True)
            if lead is None or not deed.scope.sees(lead):
                raise NoSuchLead(lead_id)
            if deed.version is not None and deed.version != lead.version:
                raise LeadChanged(lead_id)
            yield session, lead
            self._close(session, lead)

    def _close(self, session: Session, lead: Lead) -> None:
        lead.requeue()
        session.flush()

    def _apply(self, session: Session, lead: Lead, deed: Deed, change: BulkChange) -> None:
        if change.status:
            self._move(session, lead, deed, change.status, change.reason)
        if change.assigned:
            self._assign(session, lead, deed, change.owner)
        if change.follow_up_at is not None:
            self._plan(session, lead, deed, change.follow_up_at, self._step(lead))

    def _step(self, lead: Lead) -> str:
        return self._keys.open(lead.next_step, lead.place("next_step")) if lead.next_step else ""

    def _plan(self, session: Session, lead: Lead, deed: Deed, at: datetime | None, step: str) -> None:
        step = with_numbers(step, self._step(lead))
        lead.follow_up_at = at
        lead.next_step = None
        if at is not None and step:
            lead.seal(self._keys, "next_step", step)
        detail = {"next": _minute(at)} if at else {}
        self._event(session, lead, deed, "planned", detail, note=step)
        self._audit(session, lead, deed, "edit", {"what": "plan"})

    def _move(self, session: Session, lead: Lead, deed: Deed, status: str, reason: str) -> None:
        check_move(lead.status, status, reason)
        detail = {"from": lead.status, "to": status} | ({"reason": reason} if reason else {})
        if lead.status == "new" and status == "contacted":
            self._keep_longer(session, lead, deed.now)
        lead.status, lead.reason = status, reason
        self._event(session, lead, deed, "status", detail)
        self._audit(session, lead, deed, "edit", {"what": "status", **detail})

    def _assign(self, session: Session, lead: Lead, deed: Deed, owner: User | None) -> None:
        if (owner.id if owner else None) == lead.owner_id:
            return
        detail = {"from": lead.owner_id or "", "to": owner.id if owner else ""}
        lead.owner_id = owner.id if owner else None
        self._event(session, lead, deed, "assigned", detail)
        self._audit(session, lead, deed, "assign", detail)
        if owner and owner.id != deed.scope.staff_id:
            self._tell(session, lead, owner, deed.now)

    def _tell(self, session: Session, lead: Lead, owner: User, now: datetime) -> None:
        """Mail the new owner, without a name or number of the person."""
        reference = session.scalars(
            select(Enquiry.reference).where(Enquiry.lead_id == lead.id).order_by(Enquiry.created_at.desc())
        ).first()
        text = f"有一条线索交给您了\n受理编号：{reference}\n查看：{self._site}/desk/leads/{lead.id}"
        enqueue(
            session, kind="assigned", reference=reference or "", text=text, now=now, recipient=owner.email
        )

    def _contacted(self, session: Session, lead: Lead, deed: Deed) -> None:
        lead.attempts = 0
        self._keep_longer(session, lead, deed.now)
        if lead.status == "new":
            self._move(session, lead, deed, "contacted", "")

    def _keep_longer(self, session: Session, lead: Lead, now: datetime) -> None:
        """The time that the form promised runs from the last contact."""
        if lead.status in CLOSED:
            return
        published = session.scalars(
            select(FormVersion.form)
            .join(Enquiry, Enquiry.form_version == FormVersion.version)
            .where(Enquiry.lead_id == lead.id)
            .order_by(Enquiry.created_at.desc())
        ).first()
        if published:
            until = now + timedelta(days=stored_form(published).retention_days)
            lead.retain_until = max(lead.retain_until, until)

    def _audit(
        self, session: Session, lead: Lead, deed: Deed, action: Action, detail: Mapping[str, str]
    ) -> None:
        session.flush()
        audit.record(
            session,
            self._keys,
            actor=deed.scope.staff_id,
            action=action,
            subject_kind="lead",
            subject_id=lead.id,
            detail=detail,
            now=deed.now,
        )

    def _event(
        self,
        session: Session,
        lead: Lead,
        deed: Deed,
        kind: str,
        detail: Mapping[str, Any] | None = None,
        note: str = "",
    ) -> None:
        raised = session.info.setdefault("raised", set())
        if (
            kind != "note" and lead.id not in raised
        ):  # a note changes nothing that somebody else could overwrite
            lead.version += 1
            raised.add(lead.id)
        event = LeadEvent(
            id=new_row_id(),
            lead_id=lead.id,
            kind=kind,
            staff_id=deed.scope.staff_id,
            detail=dict(detail or {}),
            version=lead.version,
            happened_at=deed.now,
        )
        if note:
            event.seal(self._keys, "note", note)
        session.add(event)


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What is done to several leads at once: only what is set. `assigned` with no `owner` gives them back to all."""

    status: str = ""
    reason: str = ""
    assigned: bool = False
    owner: User | None = None
    follow_up_at: datetime | None = None

    def fits(self, lead: Lead) -> bool:
        """Whether the lead may take it: its status may follow, and a closed one takes no plan."""
        if self.status and self.status not in MOVES[lead.status]:
            return False
        same_owner = self.assigned and (self.owner.id if self.owner else None) == lead.owner_id
        return not same_owner and not (self.follow_up_at and (self.status or lead.status) in CLOSED)


def _still_open(lead: Lead) -> None:
    if lead.status in CLOSED:
        raise MoveRefused(lead.status)


def lead_lock(lead_id: str) -> bytes:
    """What a writing transaction over a lead waits for, where the database has many writers."""
    return f"lead:{lead_id}".encode()


def _minute(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).isoformat(timespec="minutes")
