"""What persons had done since a backup was made is done again to the database that came from it: they are deleted, their
consent is taken back, their records are held back. By the file beside the keys, before the first request."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deletion import Deletion
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.phone_index import fill_phone_indexes
from xinheng.leads.tombstones import Restraint, TombstoneFile
from xinheng.privacy.deadline import due
from xinheng.privacy.forgetting import any_buried, empty_buried
from xinheng.privacy.person import NOBODY, Reach
from xinheng.privacy.restricting import restrict_held, restrict_lead
from xinheng.privacy.withdrawing import WITHDRAWALS, withdraw
from xinheng.working_days import Calendar

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""No lead had asked by then: only the enquiry itself is reached."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Again:
    """How many records were deleted once more, and how many withdrawals and restrictions were carried out once more."""

    deleted: int = 0
    restrained: int = 0


def carry_out_again(
    database: Database, keys: Keys, deletion: Deletion, calendar: Calendar | None = None
) -> Again:
    """Bring a database to what the deletion's file knows, and have its enquiries found. Raises DatabaseBusy.

    Withdrawals are due by the calendar; without one from Monday to Friday.
    """
    fill_phone_indexes(database, keys)
    deleted = deletion.again()
    restrained = _restrain_again(database, deletion.file, calendar or Calendar())
    if restrained:
        log.warning("备份之后的撤回和限制，已再办一次：%d", restrained)
    with database.reading() as session:
        buried = any_buried(session)
    if buried:
        with database.writing() as session:
            empty_buried(session, datetime.now(UTC))
    return Again(deleted, restrained)


def _restrain_again(database: Database, file: TombstoneFile, calendar: Calendar) -> int:
    noted = [each for each in file.restraints() if each.id != NOBODY]
    with database.reading() as session:
        if not _missing(session, noted):
            return 0
    with database.writing(over=[b"restraints"]) as session:  # of several processes that start at once, one
        told = {each.key for each in noted}
        return sum(_restrain(session, each, told, calendar) for each in _missing(session, noted))


def _missing(session: Session, noted: Iterable[Restraint]) -> Sequence[Restraint]:
    known = {each.key for each in session.scalars(select(Restraint))}
    return [each for each in noted if each.key not in known]


def _restrain(
    session: Session, restraint: Restraint, told: Collection[tuple[str, str, datetime]], calendar: Calendar
) -> bool:
    """Of an enquiry that has a lead here, the lead's own line tells, where there is one. False where there is no such
    record."""
    record: Lead | Enquiry | None
    if restraint.kind == "lead":
        record = session.get(Lead, restraint.id, with_for_update=True)
    else:
        record = session.get(Enquiry, restraint.id, with_for_update=True)
    session.merge(restraint)
    session.flush()
    if record is None:
        return False
    if isinstance(record, Enquiry) and record.lead_id:
        if (record.lead_id, restraint.what, restraint.since) in told:
            return False
        _restrain_beneath(session, record, restraint, calendar)
    elif restraint.what in WITHDRAWALS:
        one = Reach(lead_id=record.id) if isinstance(record, Lead) else Reach(enquiry_id=record.id)
        _withdraw(session, one, restraint, calendar)
        session.expire(record)
    elif isinstance(record, Lead):
        restricted = restraint.what == "restricted"
        restrict_lead(session, record, None, restraint.since, restricted=restricted)
    else:
        restrict_held(record, restricted=restraint.what == "restricted")
    session.flush()
    return True


def _restrain_beneath(session: Session, enquiry: Enquiry, restraint: Restraint, calendar: Calendar) -> None:
    """An enquiry that is part of another's lead here: of one that it was split from since, or of a merge that was undone.
    That lead is held back, so that nobody calls, unless somebody asked there since; it isn't deleted for it, being somebody
    else's too."""
    if restraint.what in WITHDRAWALS:
        _withdraw(session, Reach(enquiry_id=enquiry.id, until=_LONG_AGO), restraint, calendar)
    lead = session.get_one(Lead, enquiry.lead_id, with_for_update=True)
    held = restraint.what in ("withdraw", "restricted")
    if restraint.what == "unrestricted" or (held and lead.last_enquiry_at <= restraint.since):
        restrict_lead(session, lead, None, restraint.since, restricted=held)


def _withdraw(session: Session, reach: Reach, restraint: Restraint, calendar: Calendar) -> None:
    since = restraint.since
    withdraw(session, reach, restraint.what, since, due(since, calendar), given_until=since)
