"""Deleting for good: a lead with all that hangs on it, or an enquiry that has no lead. Only a tombstone stays.

What is deleted stays deleted: the tombstone stands in a file beside the keys too, and is carried out again at the next
start on a database that was restored from before.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from xinheng.audit import log as audit
from xinheng.crypto import Keys
from xinheng.db import Database, insert_into
from xinheng.leads.attached import delete_with
from xinheng.leads.models import Consent, Draft, Enquiry, Lead, LeadEvent
from xinheng.leads.tombstones import DeletedCount, Kind, Reason, Tombstone, TombstoneFile
from xinheng.leads.work import lead_lock
from xinheng.notices.outbox import Notice
from xinheng.settings import SHANGHAI

log = logging.getLogger(__name__)

_TURN = 0.02  # seconds after which a transaction takes up no further lead: an enquiry may be waiting
_PAUSE = 0.05  # seconds between transactions, in which whoever waits has a turn
_AT_ONCE = 200  # ids asked for at a time


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many were deleted."""

    leads: int = 0
    enquiries: int = 0


class Deletion:
    """Deletes from the leads database, writes the tombstones, and leaves no bytes in the database's log."""

    def __init__(self, database: Database, keys: Keys, file: TombstoneFile) -> None:
        self._database = database
        self._keys = keys
        self._file = file

    def of_lead(self, lead_id: str, reason: Reason, actor: str, now: datetime) -> bool:
        """Delete one lead; False where there is none (any more). Raises DatabaseBusy."""
        with self._database.writing(over=[lead_lock(lead_id)]) as session:
            lead = session.get(Lead, lead_id, with_for_update=True)
            stones = [self._lead(session, lead, reason, actor, now)] if lead else []
        self._write_down(stones)
        self._database.empty_log()
        return bool(stones)

    def of_due(self, now: datetime, told_to_stop: Callable[[], bool] = lambda: False) -> Deleted:
        """Delete all whose time is over, in transactions of some tens of milliseconds, or as far as it comes before it
        is told to stop. Raises DatabaseBusy."""
        leads = self._in_turns("lead", lambda session: _due_leads(session, now), now, told_to_stop)
        enquiries = self._in_turns("enquiry", lambda session: _due_enquiries(session, now), now, told_to_stop)
        self.write_out()
        self._database.empty_log()
        return Deleted(leads, enquiries)

    def again(self) -> int:
        """Carry out what the file knows and this database doesn't, as after a restore. Returns how many there were."""
        noted = self._file.read()
        with self._database.reading() as session:
            known = set(session.scalars(select(Tombstone.id)))
        missing = [stone for stone_id, stone in noted.items() if stone_id not in known]
        for first in range(0, len(missing), _AT_ONCE):
            with self._database.writing() as session:
                for stone in missing[first : first + _AT_ONCE]:
                    self._once_more(session, stone)
        if missing:
            self._database.empty_log()
            log.warning("备份之后删除过的，已再删一次：%d", len(missing))
        return len(missing)

    def write_out(self) -> None:
        """Bring the file up to what the table knows: a crash may have come between the two."""
        noted = self._file.read()
        with self._database.reading() as session:
            self._write_down([each for each in session.scalars(select(Tombstone)) if each.id not in noted])

    def _write_down(self, stones: Sequence[Tombstone]) -> None:
        """What is deleted is deleted: a file that can't be written is told of, and made up for by the next run."""
        try:
            self._file.append(stones)
        except OSError as fault:
            log.error("删除记录没有写进 %s：%s；下次清理时补上", self._file.path, fault.strerror)

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
            self._write_down(done)
            if not done:
                break  # somebody else is at them
            time.sleep(_PAUSE)
        return number

    def _turn(self, kind: Kind, ids: Sequence[str], now: datetime) -> list[Tombstone]:
        until = time.monotonic() + _TURN
        done: list[Tombstone] = []
        with self._database.writing() as session:
            for each in ids:
                done += self._if_still_due(session, kind, each, now)
                if time.monotonic() > until:
                    break
        return done

    def _if_still_due(self, session: Session, kind: Kind, row_id: str, now: datetime) -> Iterator[Tombstone]:
        """Delete one that a visitor or staff may have kept longer, or taken up, a moment ago."""
        if kind == "lead":
            lead = session.get(Lead, row_id, with_for_update={"skip_locked": True})
            if lead is not None and lead.retain_until < now:
                yield self._lead(session, lead, "retention", audit.SYSTEM, now)
            return
        enquiry = session.get(Enquiry, row_id, with_for_update={"skip_locked": True})
        if (
            enquiry is not None
            and not enquiry.lead_id
            and enquiry.retain_until
            and enquiry.retain_until < now
        ):
            yield self._enquiry(session, enquiry, "retention", audit.SYSTEM, now)

    def _lead(self, session: Session, lead: Lead, reason: Reason, actor: str, now: datetime) -> Tombstone:
        enquiries = list(session.scalars(select(Enquiry).where(Enquiry.lead_id == lead.id)))
        _count(session, lead, len(enquiries))
        _delete_lead(session, lead.id, enquiries)
        return self._bury(session, "lead", lead.id, reason, actor, now)

    def _enquiry(
        self, session: Session, enquiry: Enquiry, reason: Reason, actor: str, now: datetime
    ) -> Tombstone:
        _delete_enquiries(session, [enquiry])
        return self._bury(session, "enquiry", enquiry.id, reason, actor, now)

    def _bury(
        self, session: Session, kind: Kind, row_id: str, reason: Reason, actor: str, now: datetime
    ) -> Tombstone:
        stone = Tombstone(id=row_id, kind=kind, reason=reason, deleted_at=now)
        session.add(stone)
        session.flush()
        audit.record(
            session,
            self._keys,
            actor=actor,
            action="delete",
            subject_kind=kind,
            subject_id=row_id,
            detail={"reason": reason},
            now=now,
        )
        return stone

    def _once_more(self, session: Session, stone: Tombstone) -> None:
        """One that came back with a backup is deleted again; the tombstone keeps its day."""
        if stone.kind == "lead":
            enquiries = list(session.scalars(select(Enquiry).where(Enquiry.lead_id == stone.id)))
            _delete_lead(session, stone.id, enquiries)
        else:
            _delete_enquiries(session, session.scalars(select(Enquiry).where(Enquiry.id == stone.id)).all())
        session.merge(stone)


def _due_leads(session: Session, now: datetime) -> Sequence[str]:
    due = select(Lead.id).where(Lead.retain_until < now).order_by(Lead.retain_until)
    return session.scalars(due.limit(_AT_ONCE)).all()


def _due_enquiries(session: Session, now: datetime) -> Sequence[str]:
    """Enquiries that never became a lead's: those in quarantine, and those that staff called spam."""
    due = select(Enquiry.id).where(Enquiry.retain_until < now, Enquiry.lead_id.is_(None))
    return session.scalars(due.order_by(Enquiry.retain_until).limit(_AT_ONCE)).all()


def _count(session: Session, lead: Lead, enquiries: int) -> None:
    """What reports of past months still have to count."""
    month = f"{lead.created_at.astimezone(SHANGHAI):%Y-%m}"
    row = {"month": month, "need": lead.need, "source": lead.source, "status": lead.status}
    insert = insert_into(session, DeletedCount).values(**row, leads=1, enquiries=enquiries)
    more = {"leads": DeletedCount.leads + 1, "enquiries": DeletedCount.enquiries + enquiries}
    session.execute(insert.on_conflict_do_update(index_elements=list(row), set_=more))


def _delete_lead(session: Session, lead_id: str, enquiries: Sequence[Enquiry]) -> None:
    """The lead and every row that points at it or tells of it."""
    session.execute(delete(Draft).where(Draft.lead_id == lead_id))
    session.execute(delete(LeadEvent).where(LeadEvent.lead_id == lead_id))
    _delete_enquiries(session, enquiries)
    session.execute(delete(Lead).where(Lead.id == lead_id))


def _delete_enquiries(session: Session, enquiries: Iterable[Enquiry]) -> None:
    held = list(enquiries)
    ids = [each.id for each in held]
    session.execute(delete(LeadEvent).where(LeadEvent.enquiry_id.in_(ids)))
    session.execute(delete(Consent).where(Consent.enquiry_id.in_(ids)))
    session.execute(delete(Notice).where(Notice.reference.in_([each.reference for each in held])))
    session.execute(delete(Enquiry).where(Enquiry.id.in_(ids)))
    delete_with(session, held)
