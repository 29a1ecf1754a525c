"""What visitors and staff do, at a moment in the past, through the same services as the real ones."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from xinheng.assessments import Assessment
from xinheng.audit.log import Value, record
from xinheng.audit.models import Action, SubjectKind
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.demo.checks import Checks
from xinheng.demo.requests import Requests
from xinheng.demo.staff import Colleague
from xinheng.forms.assignment import AssignmentRules
from xinheng.forms.priority import LeadFacts, Level, PriorityRules
from xinheng.forms.response import ResponseRules
from xinheng.leads.assignment import Assigner
from xinheng.leads.attached import PURPOSE
from xinheng.leads.deeds import Deed
from xinheng.leads.drafts import save_draft
from xinheng.leads.escalation import Escalation
from xinheng.leads.merging import Pair, merge_leads
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.naming import name_company
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.submission import Attribution, Submission
from xinheng.leads.trail import Trail
from xinheng.leads.work import LeadWork
from xinheng.notices.outbox import acknowledge
from xinheng.phones import parse_phone
from xinheng.privacy.models import Kind
from xinheng.staff.models import User
from xinheng.working_days import Calendar

_NOWHERE = Attribution()
_BEFORE = timedelta(minutes=2)
"""How long before the form the health check was done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One enquiry to be made. `level` is what the health check found that comes with it."""

    need: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    details: str = field(repr=False)
    call_time: str = ""
    marketing: bool = False
    level: Level | None = None
    attribution: Attribution = _NOWHERE


@dataclass(slots=True)
class Case:
    """A lead in the making: its id and the reference of its latest enquiry, once there is one; the number of the request
    that its person sent."""

    lead_id: str = ""
    reference: str = ""
    request: str = ""


Act = Callable[[datetime], object]
"""Something that is done at a moment."""


class Acts:
    """Everybody's hands."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        members: Mapping[Colleague, User],
        *,
        site: str,
        calendar: Calendar,
        priority: Callable[[], PriorityRules],
        response: Callable[[], ResponseRules],
        form_version: str,
        checks: Checks,
        requests: Requests,
    ) -> None:
        self._database = database
        self._keys = keys
        self._form_version = form_version
        self._checks = checks
        self._desk = EnquiryDesk(
            database, keys, site=site, priority=priority, response=response, calendar=lambda: calendar
        )
        self._requests = requests
        self._response = response
        assigner = Assigner(AssignmentRules, lambda: calendar, second_factor=False)
        self._escalation = Escalation(Trail(keys), assigner, lambda: calendar, response, site=site)
        self.calendar = calendar
        self.work = LeadWork(database, keys, site=site, calendar=lambda: calendar, response=response)
        self.members = members

    def ask(self, case: Case, asked: Asked, at: datetime) -> None:
        """A visitor sends the form, and attaches the health check they have just done."""
        purposes = {"callback"} | ({"marketing"} if asked.marketing else set())
        result = ""
        if asked.level:
            result = self._checks.finish(asked.level, at - _BEFORE)
            purposes.add(PURPOSE)
        recorded = self._desk.record(
            Submission(
                need=asked.need,
                name=asked.name,
                phone=parse_phone(asked.phone),
                details=asked.details,
                call_time=asked.call_time,
                extra={},
                purposes=tuple(sorted(purposes)),
                assessment=result,
                form_version=self._form_version,
                typed_id=secrets.token_hex(16),
                attribution=asked.attribution,
            ),
            at,
        )
        with self._database.writing() as session:
            found = select(Enquiry.lead_id).where(Enquiry.reference == recorded.reference)
            case.lead_id, case.reference = str(session.scalars(found).one()), recorded.reference

    def minutes(self, need: str) -> int:
        """Within how many working minutes somebody must call who has this need, if no more is known."""
        return self._response().minutes(LeadFacts(need=need))

    def escalate(self, at: datetime) -> None:
        """What is due soon, or late, is told of."""
        self._escalation(self._database, at)

    def deed(self, who: Colleague, at: datetime) -> Deed:
        """What a member does is done with everybody's leads in reach: whose they are changes on the way."""
        return Deed(Scope(self.members[who].id, everyone=True), at)

    def name_company(self, case: Case, who: Colleague, company: str, at: datetime) -> None:
        name_company(self._database, self._keys, case.lead_id, self.deed(who, at), company)

    def merge(self, kept: Case, other: Case, who: Colleague, at: datetime) -> None:
        """Two leads of one person become one, as the page proposes it."""
        with self._database.reading() as session:
            versions = [session.get_one(Lead, each.lead_id).version for each in (kept, other)]
        pair = Pair(kept.lead_id, other.lead_id, versions[0], versions[1])
        merge_leads(self._database, self._keys, self.deed(who, at), pair, ["need"])

    def look(self, case: Case, who: Colleague, at: datetime, *, reveal: bool = False) -> None:
        """Open the lead's page, and have the number shown."""
        member = self.members[who]
        actions: tuple[Action, ...] = ("view", "reveal") if reveal else ("view",)
        with self._database.writing() as session:
            found = select(Enquiry.reference).where(Enquiry.lead_id == case.lead_id)
            acknowledge(session, session.scalars(found).all(), member.email, at)
            for action in actions:
                record(
                    session,
                    self._keys,
                    actor=member.id,
                    action=action,
                    subject_kind="lead",
                    subject_id=case.lead_id,
                    now=at,
                )

    def note_audit(
        self,
        who: Colleague,
        action: Action,
        at: datetime,
        *,
        subject: Colleague | None = None,
        **detail: Value,
    ) -> None:
        """Something about staff that the audit keeps."""
        subject_kind: SubjectKind = "staff"
        with self._database.writing() as session:
            record(
                session,
                self._keys,
                actor="" if action == "sign_in_failed" else self.members[who].id,
                action=action,
                subject_kind=subject_kind,
                subject_id=self.members[subject or who].id,
                detail=detail,
                now=at,
            )
            if action == "sign_in":
                session.get_one(User, self.members[who].id).last_seen_at = at

    def draft(self, case: Case, who: Colleague, text: str, at: datetime) -> None:
        """Leave a note half written."""
        with self._database.writing() as session:
            save_draft(session, self._keys, case.lead_id, self.members[who].id, text, at)

    def request(
        self, case: Case, asked: Asked, kind: Kind, at: datetime, *, proved: bool = True, words: str = ""
    ) -> None:
        """The person asks about their own data; who knows the reference of their enquiry is taken for them."""
        reference = case.reference if proved else ""
        case.request = self._requests.receive(kind, asked.phone, reference, words, at)

    def answer(self, case: Case, at: datetime, words: str, *, restrict: bool = False) -> None:
        """The privacy officer does what was asked."""
        self._requests.answer(case.request, words, at, restrict=restrict)

    def make_unreadable(self, case: Case) -> None:
        """Seal it with a key that isn't here, as after a restore with the wrong keys."""
        other = replace(self._keys, field=secrets.token_bytes(32))
        with self._database.writing() as session:
            lead = session.get_one(Lead, case.lead_id)
            for column in ("name", "phone", "extension"):
                lead.seal(other, column, "?")
            for enquiry in lead.enquiries:
                for column in ("name", "phone", "details", "extra"):
                    enquiry.seal(other, column, "?")
            ids = [enquiry.assessment_id for enquiry in lead.enquiries]
            for result in session.scalars(select(Assessment).where(Assessment.id.in_(ids))):
                result.seal(other, "answers", "?")
