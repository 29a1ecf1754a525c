"""Deleting for good: a lead with all that hangs on it, or an enquiry that has no lead. Only tombstones stay, of the lead and
of each enquiry: in a backup an enquiry may still stand without its lead.

What is deleted stays deleted: the tombstone stands in a file beside the keys too, and is carried out again at the next
start on a database that was restored from before.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from xinheng.audit import log as audit
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.attached import delete_with
from xinheng.leads.merges import delete_ties
from xinheng.leads.models import Consent, Draft, Enquiry, Lead, LeadEvent
from xinheng.leads.taking_out import take_out
from xinheng.leads.tombstones import Kind, Reason, Restraint, Tombstone, TombstoneFile
from xinheng.notices.outbox import Notice

log = logging.getLogger(__name__)

_TURN = 0.02  # seconds after which a transaction takes up no further lead: an enquiry may be waiting
_PAUSE = 0.05  # seconds between transactions, in which whoever waits has a turn
_AT_ONCE = 200  # ids asked for at a time


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many were deleted."""

    leads: int = 0
    enquiries: int = 0


Burial = list[Tombstone]
"""The stones of one deletion: first that of the lead, or of an enquiry without one, which the audit tells of; then those
beneath it. A request's stone stands by itself: it is only remembered, to be emptied again after a restore."""


class Deletion:
    """Deletes from the leads database, writes the tombstones to `file`, and leaves no bytes in the database's log."""

    def __init__(self, database: Database, keys: Keys, file: TombstoneFile) -> None:
        self._database = database
        self._keys = keys
        self.file = file

    @classmethod
    def of_site(cls, database: Database, keys: Keys, data: Path) -> Deletion:
        """With the file of a site's data folder."""
        return cls(database, keys, TombstoneFile(data / "keys"))

    def of_person(
        self,
        session: Session,
        leads: Sequence[Lead],
        enquiries: Sequence[Enquiry],
        requests: Sequence[str],
        now: datetime,
    ) -> Sequence[Burial]:
        """Delete all that is kept of a person who asked for it, in the caller's transaction, which found and locked it
        there: of what comes or goes meanwhile nothing may be missed. `requests` are the ids of what the person asked.

        The caller then has it recorded, and calls `settle` when the transaction has ended."""
        buried = [_bury_lead(session, each, "request", now) for each in leads]
        buried += [_bury_enquiry(session, each, "request", now) for each in enquiries]
        # some may have one already, where they could not be emptied the last time
        return [*buried, *([session.merge(_stone("request", each, "request", now))] for each in requests)]

    def settle(self, buried: Iterable[Burial]) -> None:
        """Of what is deleted by now nothing is left in the log, and the file knows it."""
        self.file.note(list(chain(*buried)))
        self._database.empty_log()

    def of_due(self, now: datetime, told_to_stop: Callable[[], bool] = lambda: False) -> Deleted:
        """Delete all whose time is over, in transactions of some tens of milliseconds, or as far as it comes before it
        is told to stop. Raises DatabaseBusy."""
        leads = self._in_turns("lead", lambda session: _due_leads(session, now), now, told_to_stop)
        enquiries = self._in_turns("enquiry", lambda session: _due_enquiries(session, now), now, told_to_stop)
        self.write_out()
        self._database.empty_log()
        return Deleted(leads, enquiries)

    def again(self) -> int:
        """Carry out what the file knows and this database doesn't, as after a restore. Returns how many leads, and
        enquiries without one, had come back."""
        missing = self._unknown(self.file.read().values())
        missing.sort(key=lambda stone: stone.kind != "lead")  # with its enquiries, of which it is counted
        number = 0
        for first in range(0, len(missing), _AT_ONCE):
            # several may start at once: who comes later finds what the first one did
            with self._database.writing(over=[b"tombstones"]) as session:
                number += sum(
                    _once_more(session, self._keys, each) for each in missing[first : first + _AT_ONCE]
                )
        if missing:
            self._database.empty_log()
        if number:
            log.warning("备份之后删除过的，已再删一次：%d", number)
        return number

    def _unknown(self, noted: Iterable[Tombstone]) -> list[Tombstone]:
        with self._database.reading() as session:
            known = set(session.scalars(select(Tombstone.id)))
        return [stone for stone in noted if stone.id not in known]

    def write_out(self) -> None:
        """Bring the file up to what the tables know: a crash may have come between the two."""
        noted, restrained = self.file.read(), {each.key for each in self.file.restraints()}
        with self._database.reading() as session:
            stones = [each for each in session.scalars(select(Tombstone)) if each.id not in noted]
            restraints = [each for each in session.scalars(select(Restraint)) if each.key not in restrained]
        self.file.note([*stones, *restraints])

    def _in_turns(
        self,
        kind: Kind,
        due: Callable[[Session], Sequence[str]],
        now: datetime,
        told_to_stop: Callable[[], bool],
    ) -> int:
        """Delete what is due, one short transaction after the other; returns how many."""
        number = 0
        while not told_to_stop():
            with self._database.reading() as session:
                ids = due(session)
            if not ids:
                break
            done = self._turn(kind, ids, now)
            number += len(done)
            self.file.note(list(chain(*done)))
            if not done:
                break  # somebody else is at them
            time.sleep(_PAUSE)
        return number

    def _turn(self, kind: Kind, ids: Sequence[str], now: datetime) -> list[Burial]:
        until = time.monotonic() + _TURN
        done: list[Burial] = []
        with self._database.writing() as session:
            for each in ids:
                done += self._if_still_due(session, kind, each, now)
                if time.monotonic() > until:
                    break
            self.record(session, done, audit.SYSTEM)
        return done

    def _if_still_due(self, session: Session, kind: Kind, row_id: str, now: datetime) -> Iterator[Burial]:
        """Delete one that a visitor or staff may have kept longer, or taken up, a moment ago."""
        if kind == "lead":
            lead = session.get(Lead, row_id, with_for_update={"skip_locked": True})
            if lead is not None and lead.retain_until < now:
                yield _bury_lead(session, lead, "retention", now)
            return
        enquiry = session.get(Enquiry, row_id, with_for_update={"skip_locked": True})
        if (
            enquiry is not None
            and not enquiry.lead_id
            and enquiry.retain_until
            and enquiry.retain_until < now
        ):
            yield _bury_enquiry(session, enquiry, "retention", now)

    def record(self, session: Session, buried: Iterable[Burial], actor: str) -> None:
        """All of a transaction's deletions at its end, see `audit.record`."""
        for stone, *_beneath in buried:
            if stone.kind == "request":
                continue
            audit.record(
                session,
                self._keys,
                actor=actor,
                action="delete",
                subject_kind="lead" if stone.kind == "lead" else "enquiry",
                subject_id=stone.id,
                detail={"reason": stone.reason},
                now=stone.deleted_at,
            )


def _bury_lead(session: Session, lead: Lead, reason: Reason, now: datetime) -> Burial:
    """With stones for what became part of it: in an earlier backup that stands by itself."""
    enquiries = _enquiries_of(session, lead.id)
    merged = _delete_lead(session, lead.id, enquiries)
    stones = [
        *(_stone("lead", each, reason, now) for each in (lead.id, *merged)),
        *(_stone("enquiry", each.id, reason, now) for each in enquiries),
    ]
    session.add_all(stones)
    return stones


def _bury_enquiry(session: Session, enquiry: Enquiry, reason: Reason, now: datetime) -> Burial:
    _delete_enquiries(session, [enquiry])
    stone = _stone("enquiry", enquiry.id, reason, now)
    session.add(stone)
    return [stone]


def _stone(kind: Kind | Literal["request"], row_id: str, reason: Reason, now: datetime) -> Tombstone:
    return Tombstone(id=row_id, kind=kind, reason=reason, deleted_at=now)


def _once_more(session: Session, keys: Keys, stone: Tombstone) -> bool:
    """One that came back with a backup is deleted again, the tombstone keeps its day. False where there is nothing to
    delete."""
    lead = session.get(Lead, stone.id) if stone.kind == "lead" else None
    enquiry = session.get(Enquiry, stone.id) if stone.kind == "enquiry" else None
    if lead is not None:
        _delete_lead(session, lead.id, _enquiries_of(session, lead.id))
    elif enquiry is not None:
        _delete_where_it_stands(session, keys, enquiry)
    session.merge(stone)
    return lead is not None or enquiry is not None


def _delete_where_it_stands(session: Session, keys: Keys, enquiry: Enquiry) -> None:
    """In a lead that goes on without it, or that is nothing without it, or in none."""
    lead = session.get(Lead, enquiry.lead_id) if enquiry.lead_id else None
    others = sorted(_enquiries_of(session, lead.id), key=lambda each: each.created_at) if lead else []
    rest = [each for each in others if each.id != enquiry.id]
    if lead is not None and not rest:
        _delete_lead(session, lead.id, others)
        return
    if lead is not None:
        take_out(session, keys, lead, enquiry, rest)
        session.flush()
    _delete_enquiries(session, [enquiry])


def _enquiries_of(session: Session, lead_id: str) -> Sequence[Enquiry]:
    return session.scalars(select(Enquiry).where(Enquiry.lead_id == lead_id)).all()


def _due_leads(session: Session, now: datetime) -> Sequence[str]:
    due = select(Lead.id).where(Lead.retain_until < now).order_by(Lead.retain_until)
    return session.scalars(due.limit(_AT_ONCE)).all()


def _due_enquiries(session: Session, now: datetime) -> Sequence[str]:
    """Enquiries that never became a lead's: those in quarantine, and those that staff called spam."""
    due = select(Enquiry.id).where(Enquiry.retain_until < now, Enquiry.lead_id.is_(None))
    return session.scalars(due.order_by(Enquiry.retain_until).limit(_AT_ONCE)).all()


def _delete_lead(session: Session, lead_id: str, enquiries: Sequence[Enquiry]) -> list[str]:
    """The lead and every row that points at it or tells of it; returns the ids of leads that had become part of it."""
    merged = delete_ties(session, lead_id)
    session.execute(delete(Draft).where(Draft.lead_id == lead_id))
    session.execute(delete(LeadEvent).where(LeadEvent.lead_id == lead_id))
    _delete_enquiries(session, enquiries)
    session.execute(delete(Lead).where(Lead.id == lead_id))
    return merged


def _delete_enquiries(session: Session, enquiries: Iterable[Enquiry]) -> None:
    held = list(enquiries)
    ids = [each.id for each in held]
    session.execute(delete(LeadEvent).where(LeadEvent.enquiry_id.in_(ids)))
    session.execute(delete(Consent).where(Consent.enquiry_id.in_(ids)))
    session.execute(delete(Notice).where(Notice.reference.in_([each.reference for each in held])))
    session.execute(delete(Enquiry).where(Enquiry.id.in_(ids)))
    delete_with(session, held)
