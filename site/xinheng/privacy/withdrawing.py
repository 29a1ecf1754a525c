"""Take consent back: one road for the public page, for what came late from the spool, and after a restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, case, false, func, insert, literal, or_, select, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from xinheng.crypto import new_row_id
from xinheng.db import insert_into
from xinheng.leads.attached import PURPOSE, detach_withdrawn
from xinheng.leads.merges import Merge, forget_images
from xinheng.leads.models import NEVER, Consent, Enquiry, Lead, LeadEvent
from xinheng.leads.tombstones import Restraint
from xinheng.notices.outbox import Notice
from xinheng.privacy.person import Reach

WITHDRAWALS: Mapping[str, str] = MappingProxyType(
    {"withdraw": "", "stop_marketing": "marketing", "detach_result": PURPOSE}
)
"""Requests that take consent back, with the purpose it was given for; empty for all."""


def withdraw(
    session: Session,
    reach: Reach,
    kind: str,
    now: datetime,
    until: datetime,
    given_until: datetime = NEVER,
) -> Sequence[Restraint]:
    """Take consent back for all records within reach. From then on nobody calls: a lead is held back from every list,
    search, notice and export, an enquiry in quarantine can't be released; both are deleted by `until`, unless the lead
    became a customer's, whose contract asks for keeping. Without `withdraw` it is one purpose only, and sales goes on. What
    was attached by a consent goes at once with it. Consent that was given after `given_until` stays.

    Returns what is to be noted beside the keys. The statements are the same whether there is any record or none."""
    whole = kind == "withdraw"
    _wait_for(session, reach)
    enquiries = reach.enquiries(), reach.held()
    for each in enquiries:
        _consents(session, each, now, given_until, WITHDRAWALS[kind])
        detach_withdrawn(session, each)
    _tell(session, reach, kind, now)
    noted = _remember(session, reach, kind, now)
    forget_images(session, select(Lead.id).where(reach.leads()))
    _leads(session, reach, until, whole=whole)
    if whole:
        for each in enquiries:
            _notices(session, each, now)
        _held(session, reach, until)
    return noted


def _wait_for(session: Session, reach: Reach) -> None:
    """Whoever works at these records, or deletes them, has locked them first, and then what hangs on them: so do we, leads
    before enquiries and each by their ids as everywhere, or two would wait for each other."""
    for table, mine in ((Lead, reach.leads()), (Enquiry, reach.held())):
        rows = select(table.id).where(mine).order_by(table.id)
        session.execute(rows.with_for_update(of=table)).all()


def _consents(
    session: Session, enquiries: ColumnElement[bool], now: datetime, given_until: datetime, purpose: str
) -> None:
    session.execute(
        update(Consent)
        .where(
            Consent.enquiry_id.in_(select(Enquiry.id).where(enquiries)),
            Consent.withdrawn_at.is_(None),
            Consent.given_at <= given_until,
            Consent.purpose == purpose if purpose else true(),
        )
        .values(withdrawn_at=now)
        .execution_options(synchronize_session=False)
    )


def _tell(session: Session, reach: Reach, kind: str, now: datetime) -> None:
    """A line on the timeline of each lead, with an id of its own: the time of this one, the random half of the lead's."""
    event_id = literal(new_row_id()[:16]).concat(func.substr(Lead.id, 17, 16))
    told = {"kind": "withdrawn", "detail": {"what": kind}, "happened_at": now}
    events = select(event_id, Lead.id, Lead.version + 1, *_literals(LeadEvent, told)).where(reach.leads())
    session.execute(insert(LeadEvent).from_select(["id", "lead_id", "version", *told], events))


def _remember(session: Session, reach: Reach, kind: str, now: datetime) -> Sequence[Restraint]:
    """For the file beside the keys, which a restored backup is held to: in an earlier one a lead's enquiries may still
    stand without it, and what was merged into it by itself."""
    noted: list[Restraint] = []
    merged = Merge.kept_id.in_(select(Lead.id).where(reach.leads()))
    for column, mine, name in (
        (Lead.id, reach.leads(), "lead"),
        (Merge.merged_id, merged, "lead"),
        (Enquiry.id, reach.enquiries(), "enquiry"),
        (Enquiry.id, reach.held(), "enquiry"),
    ):
        known = {"what": kind, "since": now, "kind": name}
        rows = select(column, *_literals(Restraint, known)).where(mine)
        made = insert_into(session, Restraint).from_select(["id", *known], rows)
        ids = session.execute(made.on_conflict_do_nothing().returning(Restraint.id)).scalars()
        noted += [Restraint(id=each, **known) for each in ids]
    return noted


def _notices(session: Session, enquiries: ColumnElement[bool], now: datetime) -> None:
    session.execute(
        update(Notice)
        .where(
            Notice.reference.in_(select(Enquiry.reference).where(enquiries)),
            Notice.state.in_(["waiting", "failed"]),
        )
        .values(state="void", settled_at=now, leased_until=None)
        .execution_options(synchronize_session=False)
    )


def _leads(session: Session, reach: Reach, until: datetime, *, whole: bool) -> None:
    everything = true() if whole else false()
    soon = everything & (Lead.status != "won") & (Lead.retain_until > until)
    session.execute(
        update(Lead)
        .where(reach.leads())
        .values(
            version=Lead.version + 1,
            restricted=Lead.restricted | everything,
            queue=case((everything, "held"), else_=Lead.queue),
            retain_until=case((soon, _literal(Lead.retain_until, until)), else_=Lead.retain_until),
        )
        .execution_options(synchronize_session=False)
    )


def _held(session: Session, reach: Reach, until: datetime) -> None:
    soon = or_(Enquiry.retain_until.is_(None), Enquiry.retain_until > until)
    session.execute(
        update(Enquiry)
        .where(reach.held())
        .values(
            state="withdrawn",
            retain_until=case((soon, _literal(Enquiry.retain_until, until)), else_=Enquiry.retain_until),
        )
        .execution_options(synchronize_session=False)
    )


def _literals(table: Any, values: Mapping[str, Any]) -> list[Any]:
    return [_literal(getattr(table, name), value) for name, value in values.items()]


def _literal(column: InstrumentedAttribute[Any], value: Any) -> Any:
    return literal(value, column.type)
