"""The quarantine: enquiries that look odd. Somebody says 不是垃圾, and it goes on as if it had come just so; or 是垃圾."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xinheng.audit import log as audit
from xinheng.audit.models import Action, SubjectKind
from xinheng.crypto import CannotDecrypt, Keys, plain_reference
from xinheng.db import Database
from xinheng.form_versions import FormVersion
from xinheng.forms.definition import stored_form
from xinheng.leads.joining import lock_leads
from xinheng.leads.listing import UNREADABLE, mask_name
from xinheng.leads.models import HELD, Enquiry, LeadEvent, State
from xinheng.leads.numbers import without_numbers
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.spam_counts import count_spam
from xinheng.leads.submission import Attribution, Submission, Touch
from xinheng.leads.verdict import Reason
from xinheng.phone_display import mask
from xinheng.phones import parse_phone

SPAM_KEPT = timedelta(days=30)
"""How long what staff called spam stays, so that a mistake can be undone."""

PAGE = 40
MOST_COUNTED = 99


@dataclass(frozen=True, slots=True)
class HeldEnquiry:
    """An enquiry as the page of the quarantine shows it: masked, numbers in its text hidden."""

    id: str
    reference: str
    created_at: datetime
    need: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    details: str = field(repr=False)
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class HeldPage:
    """One page, newest first. `older` is the id to go on from, empty on the last page."""

    enquiries: Sequence[HeldEnquiry]
    older: str


class Quarantine:
    def __init__(self, database: Database, keys: Keys, desk: EnquiryDesk) -> None:
        self._database = database
        self._keys = keys
        self._desk = desk

    def look(self, staff_id: str, state: State, before: str, now: datetime) -> HeldPage:
        """One page, once it is noted who saw it."""
        with self._database.reading() as session:
            page = read_page(session, self._keys, state, before)
        if page.enquiries:
            detail: Mapping[str, str | int] = {"what": "quarantine", "count": len(page.enquiries)}
            with self._database.writing() as session:
                self._audit(session, staff_id, "view", "list", "", detail, now)
        return page

    def release(self, enquiry_id: str, staff_id: str, now: datetime) -> str | None:
        """Not spam: its person's lead is made or joined, as if it had just come in; staff are told. Returns the lead's
        id, or None where it isn't held any more, or its person took consent back. Raises CannotDecrypt."""
        with self._database.reading() as session:
            held = session.get(Enquiry, enquiry_id)
            if held is None or held.state not in HELD:
                return None
            submission = self._as_submitted(held)
        index = self._keys.blind_index("phone", submission.phone.e164)
        with self._database.writing(over=[enquiry_id.encode(), *([index] if index else [])]) as session:
            lock_leads(session, index)  # before the enquiry, as whoever takes consent back
            held = session.get(Enquiry, enquiry_id, with_for_update=True)
            if held is None or held.state not in HELD:
                return None
            form = stored_form(session.get_one(FormVersion, held.form_version).form)
            count_spam(session, held, spam=-(held.state == "spam"), released=1)
            held.state, held.retain_until = "accepted", None
            lead = self._desk.admit(session, held, submission, form, now)
            session.add(
                LeadEvent(
                    lead_id=lead.id,
                    kind="released",
                    enquiry_id=held.id,
                    staff_id=staff_id,
                    version=lead.version,
                    happened_at=now,
                )
            )
            session.flush()
            self._audit(
                session, staff_id, "edit", "lead", lead.id, {"what": "quarantine", "to": "accepted"}, now
            )
            return lead.id

    def reject(self, enquiry_id: str, staff_id: str, now: datetime) -> bool:
        """Spam: out of sight, and deleted in 30 days. False where it isn't waiting any more."""
        with self._database.writing(over=[enquiry_id.encode()]) as session:
            held = session.get(Enquiry, enquiry_id, with_for_update=True)
            if held is None or held.state != "quarantined":
                return False
            held.state = "spam"
            count_spam(session, held, spam=1)
            held.retain_until = min(held.retain_until or now + SPAM_KEPT, now + SPAM_KEPT)
            session.flush()
            self._audit(
                session, staff_id, "edit", "enquiry", held.id, {"what": "quarantine", "to": "spam"}, now
            )
            return True

    def _as_submitted(self, held: Enquiry) -> Submission:
        """What was sent, as far as making a lead needs it."""
        first = held.first_touch
        return Submission(
            need=held.need,
            name=held.open(self._keys, "name"),
            phone=parse_phone(held.open(self._keys, "phone")),
            details=held.open(self._keys, "details"),
            call_time=held.call_time,
            extra=json.loads(held.open(self._keys, "extra")),
            purposes=(),  # the consents are stored
            form_version=held.form_version,
            attribution=Attribution(
                page=held.page,
                article=held.article,
                first=Touch(first.get("host", ""), first.get("path", ""), first.get("utm", {})),
                articles_read=tuple(held.articles_read),
            ),
        )

    def _audit(
        self,
        session: Session,
        staff_id: str,
        action: Action,
        subject_kind: SubjectKind,
        subject_id: str,
        detail: Mapping[str, str | int],
        now: datetime,
    ) -> None:
        audit.record(
            session,
            self._keys,
            actor=staff_id,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            detail=detail,
            now=now,
        )


def read_page(session: Session, keys: Keys, state: State, before: str, most: int = PAGE) -> HeldPage:
    """A page of those in one state; `before` is the id of the last one shown, or empty. Ids lie in order of time."""
    query = select(Enquiry).where(Enquiry.state == state, Enquiry.lead_id.is_(None))
    if before:
        query = query.where(Enquiry.id < before)
    rows = session.scalars(query.order_by(Enquiry.id.desc()).limit(most + 1)).all()
    versions = {row.form_version for row in rows}
    forms = {
        row.version: stored_form(row.form).declaration
        for row in session.scalars(select(FormVersion).where(FormVersion.version.in_(versions)))
    }
    shown = [
        _shown(row, keys, forms[row.form_version].field("need").option_label(row.need)) for row in rows[:most]
    ]
    return HeldPage(shown, older=shown[-1].id if len(rows) > most else "")


def find_held(session: Session, typed: str) -> Enquiry | None:
    """The enquiry in quarantine, or called spam, that a reference names."""
    reference = plain_reference(typed)
    held = select(Enquiry).where(Enquiry.reference == reference, Enquiry.state.in_(HELD))
    return session.scalars(held).first() if reference else None


def just_before(enquiry_id: str) -> str:
    """From where a page begins with this enquiry."""
    return f"{int(enquiry_id, 16) + 1:032x}"


def count_waiting(session: Session) -> int:
    """How many wait for a look, at most one more than MOST_COUNTED."""
    waiting = select(Enquiry.id).where(Enquiry.state == "quarantined").limit(MOST_COUNTED + 1)
    return session.scalar(select(func.count()).select_from(waiting.subquery())) or 0


def waiting_since(session: Session) -> datetime | None:
    """When the one that waits longest came; ids rise with time."""
    oldest = select(Enquiry.created_at).where(Enquiry.state == "quarantined").order_by(Enquiry.id).limit(1)
    return session.scalar(oldest)


def _shown(row: Enquiry, keys: Keys, need: str) -> HeldEnquiry:
    return HeldEnquiry(
        id=row.id,
        reference=row.reference,
        created_at=row.created_at,
        need=need,
        name=mask_name(_opened(row, keys, "name")),
        phone=masked_phone(row, keys),
        details=without_numbers(_opened(row, keys, "details")),
        reasons=row.suspicion,
    )


def _opened(row: Enquiry, keys: Keys, column: str) -> str:
    try:
        return row.open(keys, column)
    except CannotDecrypt:
        return UNREADABLE


def masked_phone(row: Enquiry, keys: Keys) -> str:
    """The number of an enquiry, as it may be shown to whoever hasn't asked for it."""
    try:
        return mask(parse_phone(row.open(keys, "phone")).e164)
    except CannotDecrypt:
        return UNREADABLE
