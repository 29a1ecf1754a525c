"""Record an enquiry: one durable transaction for enquiry, lead, consents, events and the notice to staff."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.crypto import Keys, fingerprint, new_row_id
from xinheng.db import Database, DatabaseBusy
from xinheng.form_versions import FormVersion, publish_form
from xinheng.forms.definition import PublishedForm, is_stored_form, stored_form
from xinheng.forms.priority import PriorityRules
from xinheng.leads.attached import attach_result, newest_level
from xinheng.leads.file import facts_of
from xinheng.leads.models import CLOSED, Consent, Enquiry, Lead, LeadEvent
from xinheng.leads.submission import WINDOW, Submission
from xinheng.leads.telling import tell
from xinheng.phones import last_four, reaches_one_person
from xinheng.referrers import referrer_kind

WAIT = 2.0  # seconds an enquiry waits for the writer's turn
ASKED_AGAIN = "又来咨询了，请回电"
_WINDOW = timedelta(seconds=WINDOW)


class UnknownForm(ValueError):
    """The page was made from a form we never published: the notice that was shown can't be proved."""


class NotStored(RuntimeError):
    """The enquiry could not be stored; nothing was kept, and no reference may be shown."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stored enquiry. `repeated` is true where it had been stored before."""

    reference: str
    repeated: bool


class EnquiryDesk:
    """Takes enquiries. Knows the database and the keys, not the request."""

    def __init__(
        self, database: Database, keys: Keys, *, site: str, priority: Callable[[], PriorityRules]
    ) -> None:
        self._database = database
        self._keys = keys
        self._site = site
        self._priority = priority
        self._published: set[str] = set()

    def publish(self, form: PublishedForm) -> None:
        """Keep a form's words before it is shown."""
        publish_form(self._database, form.version, form.model_dump_json())
        self._published.add(form.version)

    def knows_form(self, version: str) -> bool:
        """Whether this version is surely stored, as far as can be told without the database."""
        return version in self._published

    def record(self, submission: Submission, now: datetime, *, under: str = "") -> Recorded:
        """Store an enquiry, or find it stored. Raises UnknownForm, and NotStored when the database refuses.

        `under` is the id by which it was acknowledged before, where it was: it is stored under that and no other.
        """
        names = self._decided_on(submission, now, under)
        try:
            with self._database.writing(within=WAIT, over=names) as session:
                return self._record(session, submission, now, under)
        except UnknownForm:
            raise
        except DatabaseBusy as fault:
            raise NotStored(f"DatabaseBusy, {fault}") from fault
        except Exception as fault:  # whatever it is, a fault of ours too, must not cost the enquiry
            raise NotStored(type(fault).__name__) from fault

    def _decided_on(self, submission: Submission, now: datetime, under: str) -> list[bytes]:
        """What no other enquiry may decide on meanwhile: whether these ids are stored, and whose phone it is."""
        phone = self._keys.blind_index("phone", submission.phone.e164)
        ids = {under, *submission.own_ids(self._keys, now)} - {""}
        return [*(each.encode() for each in ids), *([phone] if phone else [])]

    def _record(self, session: Session, submission: Submission, now: datetime, under: str) -> Recorded:
        payload_hash = submission.payload_hash(self._keys)
        submission_id, known = (
            (under, next(iter(_by_submission(session, [under])), None))
            if under
            else self._identify(session, submission, payload_hash, now)
        )
        if known:
            return Recorded(known.reference, repeated=True)
        form = self._form(session, submission.form_version)
        enquiry = self._enquiry(submission, submission_id, payload_hash, now)
        purposes = attach_result(session, self._keys, enquiry, submission, now)
        if submission.verdict.suspicious:
            enquiry.state = "quarantined"
            enquiry.retain_until = now + timedelta(days=form.retention_days)
            session.add(enquiry)
        else:
            self.admit(session, enquiry, submission, form, now)
        session.add_all(_consents(enquiry, form, purposes, now))
        return Recorded(enquiry.reference, repeated=False)

    def admit(
        self, session: Session, enquiry: Enquiry, submission: Submission, form: PublishedForm, now: datetime
    ) -> Lead:
        """Give an enquiry to its person's lead, in the caller's transaction, and queue the notices. Its own time counts
        for the lead; `now`, which is later where it was held back, for what is due."""
        until = enquiry.created_at + timedelta(days=form.retention_days)
        lead, reopened = self._lead(session, submission, enquiry.created_at, now, until)
        enquiry.lead_id = lead.id
        session.add(enquiry)
        session.flush()
        if enquiry.assessment_id:
            lead.level = newest_level(session, self._keys, lead.id)
        lead.priority = self._priority().points(facts_of(lead, enquiry, self._keys))
        session.add(
            LeadEvent(
                lead_id=lead.id,
                kind="enquiry",
                enquiry_id=enquiry.id,
                version=lead.version,
                happened_at=enquiry.created_at,
            )
        )
        if reopened:
            session.add(
                LeadEvent(
                    lead_id=lead.id,
                    kind="reopened",
                    enquiry_id=enquiry.id,
                    version=lead.version,
                    happened_at=now,
                )
            )
        tell(session, form, enquiry, lead, reopened=reopened, site=self._site, now=now)
        return lead

    def _identify(
        self, session: Session, submission: Submission, payload_hash: bytes, now: datetime
    ) -> tuple[str, Enquiry | None]:
        """The id to store under, and the enquiry already stored if this is a repeat.

        Before 0.2 the first words were stored under the browser's own id."""
        ids, own_ids = submission.ids(self._keys, now), submission.own_ids(self._keys, now)
        stored = {row.submission_id: row for row in _by_submission(session, [*ids, *own_ids])}
        for place, candidates in enumerate(zip(ids, own_ids, strict=True)):
            for known in filter(None, map(stored.get, candidates)):
                fresh = place == 0 or now - known.created_at < _WINDOW
                if fresh and known.payload_hash == payload_hash:
                    return known.submission_id, known
        return own_ids[0], None

    def _form(self, session: Session, version: str) -> PublishedForm:
        row = session.get(FormVersion, version) if version.isalnum() else None  # PostgreSQL takes no NUL
        if row is None or not is_stored_form(row.form):
            raise UnknownForm(version)
        return stored_form(row.form)

    def _lead(
        self, session: Session, submission: Submission, at: datetime, now: datetime, retain_until: datetime
    ) -> tuple[Lead, bool]:
        """The lead of this phone: the same mobile is the same person, a switchboard has many; True if it reopened."""
        index = self._keys.blind_index("phone", submission.phone.e164)
        found = select(Lead).where(Lead.phone_index == index).order_by(Lead.created_at.desc())
        same = list(session.scalars(found.with_for_update()))  # staff may be closing it at this moment
        known = next((lead for lead in same if not lead.restricted), None)
        if known is not None and reaches_one_person(submission.phone):
            return known, self._touch(known, submission, at, now, retain_until)
        lead = self._new_lead(submission, index, at, retain_until)
        lead.possible_duplicate = known is not None
        session.add(lead)
        session.flush()
        return lead, False

    def _touch(
        self, lead: Lead, submission: Submission, at: datetime, now: datetime, retain_until: datetime
    ) -> bool:
        """A known person asks again: up to the top, due at once, kept longer, and open again if it was closed."""
        lead.enquiry_count += 1
        lead.version += 1
        if at >= lead.last_enquiry_at:  # one from the spool may be older than what came since
            lead.last_enquiry_at = at
            lead.need = submission.need
        lead.attempts = 0
        lead.retain_until = max(lead.retain_until, retain_until)
        if submission.name and lead.name_index is None:
            lead.seal(self._keys, "name", submission.name)
            lead.name_index = self._keys.blind_index("name", submission.name)
        reopened = lead.status in CLOSED
        if reopened:
            lead.status, lead.reason = "new", ""
        if lead.status != "new" or lead.follow_up_at is not None:
            lead.follow_up_at = min(lead.follow_up_at or now, now)
            lead.seal(self._keys, "next_step", ASKED_AGAIN)
        lead.requeue()
        return reopened

    def _new_lead(
        self, submission: Submission, index: bytes | None, now: datetime, retain_until: datetime
    ) -> Lead:
        lead = Lead(
            id=new_row_id(),
            need=submission.need,
            source=referrer_kind(submission.attribution.first.host, urlsplit(self._site).netloc),
            phone_kind=submission.phone.kind,
            phone_index=index,
            last_four_index=self._keys.blind_index("last_four", last_four(submission.phone)),
            name_index=self._keys.blind_index("name", submission.name),
            enquiry_count=1,
            created_at=now,
            last_enquiry_at=now,
            retain_until=retain_until,
        )
        lead.seal(self._keys, "name", submission.name)
        lead.seal(self._keys, "phone", submission.phone.e164)
        lead.seal(self._keys, "extension", submission.phone.extension)
        return lead

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
            created_at=now,
        )
        enquiry.seal(self._keys, "name", submission.name)
        enquiry.seal(self._keys, "phone", submission.phone.typed)
        enquiry.seal(self._keys, "details", submission.details)
        enquiry.seal(self._keys, "extra", json.dumps(dict(submission.extra), ensure_ascii=False))
        return enquiry


def _by_submission(session: Session, ids: Sequence[str]) -> Sequence[Enquiry]:
    return list(session.scalars(select(Enquiry).where(Enquiry.submission_id.in_(ids))))


def _consents(enquiry: Enquiry, form: PublishedForm, purposes: Sequence[str], now: datetime) -> list[Consent]:
    return [
        Consent(
            enquiry_id=enquiry.id,
            purpose=consent.purpose,
            form_version=enquiry.form_version,
            text_sha256=fingerprint(form.consent_text(consent)),
            given_at=now,
        )
        for consent in form.declaration.consents
        if consent.purpose in purposes
    ]
