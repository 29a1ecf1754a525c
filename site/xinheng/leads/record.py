"""Record an enquiry: one durable transaction for enquiry, lead, consents, events and the notice to staff.

On SQLite all enquiries take turns: whatever can be is made ready before the turn, and rows that are only added go in past
the session's unit of work.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from xinheng.crypto import Keys, fingerprint, new_row_id
from xinheng.db import Database, DatabaseBusy, LeadsBase, insert_row, insert_rows
from xinheng.form_versions import FormVersion, publish_form
from xinheng.forms.definition import PublishedForm, is_stored_form, stored_form
from xinheng.forms.priority import PriorityRules
from xinheng.forms.response import ResponseRules
from xinheng.leads.attached import attach_result, newest_level
from xinheng.leads.file import facts_of
from xinheng.leads.joining import join_lead
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent
from xinheng.leads.response import expect_response
from xinheng.leads.spam_counts import count_spam
from xinheng.leads.submission import WINDOW, Submission, id_of_words
from xinheng.leads.telling import tell
from xinheng.phones import Phone
from xinheng.working_days import Calendar

WAIT = 2.0  # seconds an enquiry waits for the writer's turn
CatchUp = Callable[[Session, Enquiry, Phone], None]
"""Told, in the same transaction, of an enquiry that is stored long after it was acknowledged: its person may have asked
something meanwhile."""

_WINDOW = timedelta(seconds=WINDOW)
_BY_SUBMISSION = select(
    Enquiry.submission_id, Enquiry.reference, Enquiry.payload_hash, Enquiry.created_at
).where(Enquiry.submission_id.in_(bindparam("ids", expanding=True)))


class UnknownForm(ValueError):
    """The page was made from a form we never published: the notice that was shown can't be proved."""


class NotStored(RuntimeError):
    """The enquiry could not be stored; nothing was kept, and no reference may be shown."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stored enquiry. `repeated` is true where it had been stored before."""

    reference: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class _Ready:
    """A submission with all that is known of it before the database is asked. `enquiry` is the row to store if it is no
    repeat; `under` the id by which it was acknowledged before, where it was. It came at `now`, and to the desk at
    `stored_at`."""

    submission: Submission = field(repr=False)
    now: datetime
    stored_at: datetime
    under: str
    ids: Sequence[str]
    own_ids: Sequence[str]
    enquiry: Enquiry = field(repr=False)

    @property
    def decided_on(self) -> list[bytes]:
        """What no other enquiry may decide on meanwhile: whether these ids are stored, and whose phone it is."""
        phone = self.enquiry.phone_index
        return [*(each.encode() for each in {self.under, *self.own_ids} - {""}), *([phone] if phone else [])]


class EnquiryDesk:
    """Takes enquiries. Knows the database and the keys, not the request.

    `response` and `calendar` say by when somebody must call; without them it is four hours from Monday to Friday.
    """

    def __init__(
        self,
        database: Database,
        keys: Keys,
        *,
        site: str,
        priority: Callable[[], PriorityRules],
        response: Callable[[], ResponseRules] = ResponseRules,
        calendar: Callable[[], Calendar] = Calendar,
        catch_up: CatchUp = lambda session, enquiry, phone: None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._site = site
        self._priority = priority
        self._response = response
        self._calendar = calendar
        self._catch_up = catch_up
        self._published: set[str] = set()
        self._forms: dict[str, PublishedForm] = {}

    def publish(self, form: PublishedForm) -> None:
        """Keep a form's words before it is shown."""
        publish_form(self._database, form.version, form.model_dump_json())
        self._published.add(form.version)

    def knows_form(self, version: str) -> bool:
        """Whether this version is surely stored, as far as can be told without the database."""
        return version in self._published

    def record(
        self,
        submission: Submission,
        now: datetime,
        *,
        under: str = "",
        stored_at: datetime | None = None,
        within: float = math.inf,
    ) -> Recorded:
        """Store an enquiry, or find it stored. Raises UnknownForm, and NotStored when the database refuses.

        `under` is the id by which it was acknowledged before, where it was: it is stored under that and no other, and at
        `stored_at`, by which staff are told of it. `within` is how many seconds there are, where they are fewer than WAIT.
        """
        try:
            ready = self._ready(submission, now, stored_at or now, under)
            with self._database.writing(within=min(within, WAIT), over=ready.decided_on) as session:
                return self._record(session, ready)
        except UnknownForm:
            raise
        except DatabaseBusy as fault:
            raise NotStored(f"DatabaseBusy, {fault}") from fault
        except Exception as fault:  # whatever it is, a fault of ours too, must not cost the enquiry
            raise NotStored(type(fault).__name__) from fault

    def _ready(self, submission: Submission, now: datetime, stored_at: datetime, under: str) -> _Ready:
        payload_hash, ids = submission.payload_hash(self._keys), submission.ids(self._keys, now)
        own_ids = [id_of_words(self._keys, each, payload_hash) for each in ids]
        enquiry = self._enquiry(submission, under or own_ids[0], payload_hash, now)
        return _Ready(submission, now, stored_at, under, ids, own_ids, enquiry)

    def _record(self, session: Session, ready: _Ready) -> Recorded:
        if reference := _stored_before(session, ready):
            return Recorded(reference, repeated=True)
        submission, enquiry, now = ready.submission, ready.enquiry, ready.now
        form = self._form(session, submission.form_version)
        purposes = attach_result(session, self._keys, enquiry, submission, now)
        if submission.verdict.suspicious:
            enquiry.state = "quarantined"
            enquiry.retain_until = now + timedelta(days=form.retention_days)
            insert_row(session, enquiry)
            count_spam(session, enquiry, held=1)
        else:
            self.admit(session, enquiry, submission, form, ready.stored_at)
        insert_rows(session, Consent, _consents(enquiry, form, purposes, now))
        if ready.under:
            self._catch_up(session, enquiry, submission.phone)
        return Recorded(enquiry.reference, repeated=False)

    def admit(
        self, session: Session, enquiry: Enquiry, submission: Submission, form: PublishedForm, now: datetime
    ) -> Lead:
        """Give an enquiry to its person's lead, in the caller's transaction, and queue the notices. Its own time counts
        for the lead; `now`, which is later where it was held back, for what is due."""
        at = enquiry.created_at
        until = at + timedelta(days=form.retention_days)
        joined = join_lead(
            session, self._keys, submission, at=at, now=now, retain_until=until, site=self._site
        )
        lead = joined.lead
        if enquiry.assessment_id:
            lead.level = newest_level(session, self._keys, lead.id, enquiry.assessment_id)
        facts = facts_of(lead, enquiry, self._keys)
        lead.priority = self._priority().rank(facts, lead.last_enquiry_at)
        expect_response(lead, self._calendar().add_working_minutes(now, self._response().minutes(facts)))
        _store(session, lead)
        enquiry.lead_id = lead.id
        _store(session, enquiry)
        told = {"lead_id": lead.id, "enquiry_id": enquiry.id, "version": lead.version}
        events = [told | {"kind": "enquiry", "happened_at": at}]
        if joined.reopened:
            events.append(told | {"kind": "reopened", "happened_at": now})
        insert_rows(session, LeadEvent, events)
        tell(session, form, enquiry, joined, site=self._site, now=now)
        return lead

    def _form(self, session: Session, version: str) -> PublishedForm:
        """What was published once never changes: each version is read once."""
        known = self._forms.get(version)
        if known is None:
            row = session.get(FormVersion, version) if version.isalnum() else None  # PostgreSQL takes no NUL
            if row is None or not is_stored_form(row.form):
                raise UnknownForm(version)
            known = self._forms[version] = stored_form(row.form)
        return known

    def _enquiry(
        self, submission: Submission, submission_id: str, payload_hash: bytes, now: datetime
    ) -> Enquiry:
        attribution = submission.attribution
        enquiry = Enquiry(
            id=new_row_id(),
            reference=self._keys.reference(submission_id),
            submission_id=submission_id,
            payload_hash=payload_hash,
            form_version=submission.form_version,
            need=submission.need,
            call_time=submission.call_time,
            page=attribution.page,
            article=attribution.article,
            first_touch=attribution.first.as_data(),
            last_touch=attribution.last.as_data(),
            articles_read=list(attribution.articles_read),
            state="accepted",
            suspicion=list(submission.verdict.reasons),
            phone_index=self._keys.blind_index("phone", submission.phone.e164),
            created_at=now,
        )
        enquiry.seal(self._keys, "name", submission.name)
        enquiry.seal(self._keys, "phone", submission.phone.typed)
        enquiry.seal(self._keys, "details", submission.details)
        enquiry.seal(self._keys, "extra", json.dumps(dict(submission.extra), ensure_ascii=False))
        return enquiry


def _stored_before(session: Session, ready: _Ready) -> str:
    """The reference under which these very words are stored already, or nothing.

    Before 0.2 the first words were stored under the browser's own id."""
    if ready.under:
        return next((each.reference for each in _by_submission(session, [ready.under])), "")
    stored = {row.submission_id: row for row in _by_submission(session, [*ready.ids, *ready.own_ids])}
    for place, candidates in enumerate(zip(ready.ids, ready.own_ids, strict=True)):
        for known in filter(None, map(stored.get, candidates)):
            fresh = place == 0 or ready.now - known.created_at < _WINDOW
            if fresh and known.payload_hash == ready.enquiry.payload_hash:
                return str(known.reference)
    return ""


def _by_submission(session: Session, ids: Sequence[str]) -> Sequence[Row[str, str, bytes, datetime]]:
    return session.connection().execute(_BY_SUBMISSION, {"ids": ids}).all()


def _store(session: Session, row: LeadsBase) -> None:
    """Insert what is new; what the session read before it writes itself."""
    if row not in session:
        insert_row(session, row)


def _consents(
    enquiry: Enquiry, form: PublishedForm, purposes: Sequence[str], now: datetime
) -> Sequence[dict[str, Any]]:
    return [
        {
            "enquiry_id": enquiry.id,
            "purpose": consent.purpose,
            "form_version": enquiry.form_version,
            "text_sha256": fingerprint(form.consent_text(consent)),
            "given_at": now,
        }
        for consent in form.declaration.consents
        if consent.purpose in purposes
    ]
