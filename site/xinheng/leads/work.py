"""What staff do with a lead: each deed one transaction, with an event on the lead's timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.audit.models import Action
from xinheng.crypto import CannotDecrypt, Keys
from xinheng.db import Database
from xinheng.forms.response import ResponseRules
from xinheng.leads.assignment import Assigner, ClaimRefused
from xinheng.leads.deeds import AlreadyDone, BulkChange, Deed, LeadChanged, Told
from xinheng.leads.drafts import drop_draft
from xinheng.leads.file import facts_of
from xinheng.leads.handing import Handing, references_of
from xinheng.leads.keeping import keep_longer
from xinheng.leads.models import CLOSED, Lead, LeadEvent
from xinheng.leads.moves import ROAD, MoveRefused, check_move, farthest, next_try
from xinheng.leads.numbers import with_numbers
from xinheng.leads.response import expect_response, note_response
from xinheng.leads.scope import NoSuchLead
from xinheng.leads.telling import LATE, SOON
from xinheng.leads.trail import Trail
from xinheng.notices.outbox import Notice, withdraw
from xinheng.sealed import Sealed
from xinheng.settings import SHANGHAI
from xinheng.staff.colleagues import Colleague
from xinheng.staff.models import User
from xinheng.working_days import Calendar

LONGEST_NOTE = 2000  # characters
LONGEST_STEP = 60
_TWO_PRESSES = timedelta(minutes=1)
"""Within this time the same by the same person is a button pressed twice."""


class LeadWork:
    """Staff's deeds. Those to one lead raise NoSuchLead, AlreadyDone, and LeadChanged where the deed's version is not the
    present one.

    `calendar` says when staff work, `response` how soon they must call; without them from Monday to Friday, in four hours.
    `limits` says who may take how many; without it anybody any number."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        *,
        site: str,
        calendar: Callable[[], Calendar] = Calendar,
        response: Callable[[], ResponseRules] = ResponseRules,
        limits: Assigner | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._calendar = calendar
        self._response = response
        self._trail = Trail(keys)
        self.handing = Handing(self._trail, site=site)
        self._limits = limits

    def write_note(self, lead_id: str, deed: Deed, text: str, *, connected: bool = False) -> None:
        """Add a note; `connected` says that somebody took the call, which makes a new lead a contacted one."""
        kind = "connected" if connected else "note"
        with self._lead(lead_id, deed, Told(kind, note=text, always=True)) as (session, lead):
            self._event(session, lead, deed, kind, note=text)
            if connected:
                self._contacted(session, lead, deed)
            drop_draft(session, lead.id, deed.scope.staff_id)

    def no_answer(self, lead_id: str, deed: Deed) -> datetime:
        """Nobody took the call: the next try is planned. Returns when. Raises MoveRefused for a closed lead."""
        with self._lead(lead_id, deed, Told("no_answer")) as (session, lead):
            _still_open(lead)
            lead.attempts += 1
            self._respond(session, lead, deed)
            lead.follow_up_at = next_try(lead.attempts, deed.now, self._calendar())
            self._event(session, lead, deed, "no_answer", {"next": _minute(lead.follow_up_at)})
            self._audit(session, lead, deed, "edit", {"what": "plan"})
            return lead.follow_up_at

    def added_wechat(self, lead_id: str, deed: Deed) -> None:
        """The person is on WeChat now, which is a contact."""
        with self._lead(lead_id, deed, Told("wechat", always=True)) as (session, lead):
            self._event(session, lead, deed, "wechat")
            self._contacted(session, lead, deed)

    def plan(self, lead_id: str, deed: Deed, at: datetime | None, step: str) -> None:
        """Set what comes next and when; None takes the plan away. Raises MoveRefused for a closed lead."""
        told = Told("planned", {"next": _minute(at) if at else ""}, note=step if at else "")
        with self._lead(lead_id, deed, told) as (session, lead):
            _still_open(lead)
            self._plan(session, lead, deed, at, with_numbers(step, self._step(lead)))

    def move(self, lead_id: str, deed: Deed, status: str, reason: str = "") -> None:
        """Set the status. Raises MoveRefused where it may not follow the present one or lacks its reason."""
        told = Told("status", {"to": status, "reason": reason})
        with self._lead(lead_id, deed, told) as (session, lead):
            self._move(session, lead, deed, status, reason)

    def assign(self, lead_id: str, deed: Deed, owner: User | Colleague | None) -> None:
        """Hand the lead to somebody, who is told by mail if it wasn't their own doing; None gives it back to all. Raises
        ClaimRefused for who may not claim it now."""
        told = Told("assigned", {"to": owner.id if owner else ""})
        with self._lead(lead_id, deed, told) as (session, lead):
            self._check_claim(session, lead, deed, owner)
            if self.handing.hand(session, lead, owner, actor=deed.scope.staff_id, now=deed.now):
                self.handing.tell(session, [lead], owner, actor=deed.scope.staff_id, now=deed.now)

    def many(self, lead_ids: Sequence[str], deed: Deed, change: BulkChange) -> int:
        """Do the same to several leads in one transaction, those left out that this member may not see or claim, or that
        may not take the status. A new owner gets one mail for all of them. Returns how many were changed."""
        changed, handed_over = 0, []
        with self._database.writing(over=[lead_lock(each) for each in lead_ids]) as session:
            for lead in session.scalars(
                select(Lead).where(Lead.id.in_(lead_ids)).order_by(Lead.id).with_for_update()
            ).all():
                if (
                    deed.scope.sees(lead)
                    and change.fits(lead)
                    and self._may_have(session, lead, deed, change)
                ):
                    if self._apply(session, lead, deed, change):
                        handed_over.append(lead)
                    self._close(session, lead)
                    changed += 1
            self.handing.tell(session, handed_over, change.owner, actor=deed.scope.staff_id, now=deed.now)
            self._trail.finish(session)
        return changed

    @contextmanager
    def _lead(self, lead_id: str, deed: Deed, told: Told) -> Iterator[tuple[Session, Lead]]:
        with self._database.writing(over=[lead_lock(lead_id)]) as session:
            lead = session.get(Lead, lead_id, with_for_update=True)
            if lead is None or not deed.scope.sees(lead):
                raise NoSuchLead(lead_id)
            changed = deed.version is not None and deed.version != lead.version
            if (changed or told.always) and self._was_done(session, lead, deed, told):
                raise AlreadyDone(lead_id)
            if changed:
                raise LeadChanged(lead_id)
            yield session, lead
            self._close(session, lead)
            self._trail.finish(session)

    def _close(self, session: Session, lead: Lead) -> None:
        lead.requeue()
        session.flush()

    def _was_done(self, session: Session, lead: Lead, deed: Deed, told: Told) -> bool:
        """Whether this member did just that a moment ago, and nobody anything else since the page was opened."""
        past = select(LeadEvent).where(
            LeadEvent.lead_id == lead.id, LeadEvent.happened_at > deed.now - _TWO_PRESSES
        )
        events = session.scalars(past).all()
        if any(event.staff_id != deed.scope.staff_id for event in events):
            return False
        return any(
            event.kind == told.kind
            and all(event.detail.get(key, "") == value for key, value in told.detail.items())
            and self._opened(event, "note") == told.note
            for event in events
        )

    def _apply(self, session: Session, lead: Lead, deed: Deed, change: BulkChange) -> bool:
        """Change one of several; True if it has another owner now."""
        if change.status:
            self._move(session, lead, deed, change.status, change.reason)
        if change.follow_up_at is not None:
            self._plan(session, lead, deed, change.follow_up_at, None)
        return change.assigned and self.handing.hand(
            session, lead, change.owner, actor=deed.scope.staff_id, now=deed.now
        )

    def _check_claim(self, session: Session, lead: Lead, deed: Deed, owner: User | Colleague | None) -> None:
        """Whoever works their own leads takes one of nobody within limits. Raises ClaimRefused."""
        claims = owner is not None and owner.id == deed.scope.staff_id and not deed.scope.everyone
        if self._limits and claims and lead.owner_id is None:
            self._limits.check_claim(session, deed.scope.staff_id, deed.now, lead)

    def _may_have(self, session: Session, lead: Lead, deed: Deed, change: BulkChange) -> bool:
        try:
            self._check_claim(session, lead, deed, change.owner if change.assigned else None)
        except ClaimRefused:
            return False
        return True

    def _step(self, lead: Lead) -> str:
        return self._opened(lead, "next_step")

    def _opened(self, row: Sealed, column: str) -> str:
        """A sealed text, empty where there is none or it can't be read any more."""
        try:
            return row.open(self._keys, column) if getattr(row, column) else ""
        except CannotDecrypt:
            return ""

    def _plan(self, session: Session, lead: Lead, deed: Deed, at: datetime | None, step: str | None) -> None:
        """Set when, and what unless that is None, which leaves it as it is."""
        lead.follow_up_at = at
        if step is not None:
            lead.next_step = None
            if at is not None and step:
                lead.seal(self._keys, "next_step", step)
        detail = {"next": _minute(at)} if at else {}
        self._event(session, lead, deed, "planned", detail, note=self._step(lead))
        self._audit(session, lead, deed, "edit", {"what": "plan"})

    def _move(self, session: Session, lead: Lead, deed: Deed, status: str, reason: str) -> None:
        check_move(lead.status, status, reason)
        detail = {"from": lead.status, "to": status} | ({"reason": reason} if reason else {})
        if lead.status == "new" and status == "contacted":
            keep_longer(session, lead, deed.now)
        lead.reached = farthest(lead.reached, lead.status, status)
        lead.status, lead.reason = status, reason
        if status in ROAD[1:]:
            self._respond(session, lead, deed)
        elif status == "new":
            facts = facts_of(lead, lead.enquiries[-1], self._keys)
            minutes = self._response().minutes(facts)
            expect_response(lead, self._calendar().add_working_minutes(deed.now, minutes))
        self._event(session, lead, deed, "status", detail)
        self._audit(session, lead, deed, "edit", {"what": "status", **detail})

    def _respond(self, session: Session, lead: Lead, deed: Deed) -> None:
        """Somebody tried to reach the person: nobody needs to be told any more that it is time."""
        if note_response(lead, self._calendar(), deed.now):
            withdraw(session, references_of(session, [lead.id]), deed.now, Notice.kind.in_([SOON, LATE]))

    def _contacted(self, session: Session, lead: Lead, deed: Deed) -> None:
        lead.attempts = 0
        self._respond(session, lead, deed)
        keep_longer(session, lead, deed.now)
        if lead.status == "new":
            self._move(session, lead, deed, "contacted", "")

    def _event(
        self,
        session: Session,
        lead: Lead,
        deed: Deed,
        kind: str,
        detail: Mapping[str, Any] | None = None,
        note: str = "",
    ) -> None:
        self._trail.event(
            session, lead, actor=deed.scope.staff_id, now=deed.now, kind=kind, detail=detail, note=note
        )

    def _audit(
        self, session: Session, lead: Lead, deed: Deed, action: Action, detail: Mapping[str, str]
    ) -> None:
        self._trail.audit(
            session, lead, actor=deed.scope.staff_id, now=deed.now, action=action, detail=detail
        )


def _still_open(lead: Lead) -> None:
    if lead.status in CLOSED:
        raise MoveRefused(lead.status)


def lead_lock(lead_id: str) -> bytes:
    """What a writing transaction over a lead waits for, where the database has many writers."""
    return f"lead:{lead_id}".encode()


def _minute(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).isoformat(timespec="minutes")
