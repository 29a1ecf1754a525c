"""What deeds to leads leave: events on the timeline, and rows of the audit at the end of the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from xinheng.audit import log as audit
from xinheng.audit.models import Action
from xinheng.crypto import Keys, new_row_id
from xinheng.leads.models import Lead, LeadEvent

_CHANGES_NOTHING = ("note", "late")


class Trail:
    """`actor` is a member's id, or `system` where nobody at the desk did it."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def event(
        self,
        session: Session,
        lead: Lead,
        *,
        actor: str,
        now: datetime,
        kind: str,
        detail: Mapping[str, Any] | None = None,
        note: str = "",
    ) -> None:
        """Add an event; the lead's version rises once in a transaction, and not for a note or a time that passed: these
        change nothing that somebody else could overwrite."""
        raised = session.info.setdefault("raised", set())
        if kind not in _CHANGES_NOTHING and lead.id not in raised:
            lead.version += 1
            raised.add(lead.id)
        event = LeadEvent(
            id=new_row_id(),
            lead_id=lead.id,
            kind=kind,
            staff_id=None if actor == audit.SYSTEM else actor,
            detail=dict(detail or {}),
            version=lead.version,
            happened_at=now,
        )
        if note:
            event.seal(self._keys, "note", note)
        session.add(event)

    def audit(
        self,
        session: Session,
        lead: Lead,
        *,
        actor: str,
        now: datetime,
        action: Action,
        detail: Mapping[str, str],
    ) -> None:
        """Keep what is to be recorded for `finish`, see `audit.record`."""
        told = partial(
            audit.record,
            session,
            self._keys,
            actor=actor,
            action=action,
            subject_kind="lead",
            subject_id=lead.id,
            detail=detail,
            now=now,
        )
        session.info.setdefault("told", []).append(told)

    def finish(self, session: Session) -> None:
        """Write the audit: everything else is written by now."""
        session.flush()
        session.info.pop("raised", None)
        for told in session.info.pop("told", []):
            told()
