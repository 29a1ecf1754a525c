"""One transaction over one lead or two: locked in one order everywhere, seen by who does it, told on timelines and audit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.audit import log as audit
from xinheng.audit.models import Action
from xinheng.crypto import Keys, new_row_id
from xinheng.db import Database
from xinheng.leads.attached import newest_level
from xinheng.leads.deeds import Deed, LeadChanged
from xinheng.leads.merges import number_indexes
from xinheng.leads.models import Enquiry, Lead, LeadEvent
from xinheng.leads.scope import NoSuchLead
from xinheng.leads.work import lead_lock


@dataclass(slots=True)
class Turn:
    """The transaction, and what is to be recorded at its end."""

    session: Session
    keys: Keys = field(repr=False)
    deed: Deed
    leads: Mapping[str, Lead]
    told: list[tuple[Action, str, Mapping[str, audit.Value]]] = field(default_factory=list)

    def lead(self, lead_id: str, version: int | None) -> Lead:
        """One of the leads. Raises NoSuchLead, and LeadChanged where it has another version."""
        lead = self.leads.get(lead_id)
        if lead is None or not self.deed.scope.sees(lead):
            raise NoSuchLead(lead_id)
        if version is not None and lead.version != version:
            raise LeadChanged(lead_id)
        return lead

    def event(self, lead: Lead, kind: str, detail: Mapping[str, Any] | None = None, note: str = "") -> None:
        """A line on the timeline; whoever has the lead's page open is told that it changed."""
        lead.version += 1
        event = LeadEvent(
            id=new_row_id(),
            lead_id=lead.id,
            kind=kind,
            staff_id=self.deed.scope.staff_id,
            detail=dict(detail or {}),
            version=lead.version,
            happened_at=self.deed.now,
        )
        if note:
            event.seal(self.keys, "note", note)
        self.session.add(event)

    def audit(self, action: Action, lead_id: str, detail: Mapping[str, audit.Value]) -> None:
        """Record at the end of the transaction, see `audit.record`."""
        self.told.append((action, lead_id, detail))

    def recount(self, lead: Lead) -> None:
        """Set what follows from its enquiries, which may be others now. Its priority is found by who ranks leads anew."""
        self.session.flush()
        mine = select(Enquiry.created_at).where(Enquiry.lead_id == lead.id)
        times = self.session.scalars(mine).all()
        lead.enquiry_count, lead.last_enquiry_at = len(times), max(times)
        lead.level = newest_level(self.session, self.keys, lead.id, "")
        lead.priority = None
        lead.requeue()


@contextmanager
def changing(
    database: Database, keys: Keys, deed: Deed, lead_ids: Collection[str], *numbers: bytes | None
) -> Iterator[Turn]:
    """Nobody else changes these leads meanwhile, and no enquiry comes in from one of their numbers, nor from `numbers`.
    Raises DatabaseBusy."""
    with database.reading() as session:
        held = [*number_indexes(session, lead_ids), *filter(None, numbers)]
    with database.writing(over=[*map(lead_lock, lead_ids), *held]) as session:
        rows = select(Lead).where(Lead.id.in_(lead_ids)).order_by(Lead.id).with_for_update()
        turn = Turn(session, keys, deed, {lead.id: lead for lead in session.scalars(rows)})
        yield turn
        session.flush()
        for action, lead_id, detail in turn.told:
            audit.record(
                session,
                keys,
                actor=deed.scope.staff_id,
                action=action,
                subject_kind="lead",
                subject_id=lead_id,
                detail=detail,
                now=deed.now,
            )
