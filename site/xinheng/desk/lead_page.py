"""One lead's page: why to call, what was asked, what happened, what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask import abort, current_app, make_response, redirect, render_template, request, session, url_for
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from xinheng.audit import log as audit
from xinheng.audit.log import AuditHeadMissing
from xinheng.audit.reading import Entry, recent, revealed_since
from xinheng.desk.attached_checks import AttachedChecks, attached_checks, first_questions
from xinheng.desk.frame import (
    blueprint,
    calendar,
    database,
    keys,
    present_scope,
    remember_list,
    remembered_list,
    utc_now,
)
from xinheng.desk.lead_forms import NoteForm, PlanForm
from xinheng.desk.lead_ties import ties_of
from xinheng.desk.level_names import level_names
from xinheng.desk.list_address import list_address, read_list
from xinheng.desk.permission import current_member, requires
from xinheng.desk.response_words import present_response, work_span
from xinheng.forms.call_guide import Call, CallGuide, ShownGuide, guide_for
from xinheng.forms.priority import PriorityRules
from xinheng.leads.drafts import read_draft
from xinheng.leads.file import LeadFile, open_file
from xinheng.leads.finding import beside
from xinheng.leads.listing import UNREADABLE
from xinheng.leads.merges import where_it_is_now
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.moves import MOVES, REASONS, ROAD, next_try
from xinheng.leads.scope import NoSuchLead
from xinheng.leads.wanted import day_bounds
from xinheng.leads.work import lead_lock
from xinheng.notices.outbox import acknowledge, unseen
from xinheng.settings import SHANGHAI
from xinheng.staff.colleagues import read_colleagues
from xinheng.staff.models import User
from xinheng.staff.permissions import Permission

_MOST_CHANGES = 8
SHOWN_ONCE = "number_shown_once"
"""In the session: the lead whose number the next opening of its page shows."""

_BESIDE_ME = timedelta(minutes=10)
"""How long somebody who opened a lead is named to whoever opens it next."""


@blueprint.get("/leads/<row:lead_id>")
@requires(Permission.LEADS)
def lead(lead_id: str) -> Response:
    """The page; opening it is recorded, and its notices are seen. What can't be recorded isn't shown."""
    if "view" in request.args:
        remember_list(read_list(request.args), "today")
    try:
        record_opening(lead_id)
    except NoSuchLead:
        return where_it_went(lead_id)
    except (DatabaseError, AuditHeadMissing) as fault:
        current_app.logger.error("访问记录写不进去：%s", type(fault).__name__)
        abort(503)
    return show_lead(lead_id, revealed=session.pop(SHOWN_ONCE, None) == lead_id)


def show_lead(
    lead_id: str,
    *,
    status: int = 200,
    revealed: bool = False,
    note: NoteForm | None = None,
    plan: PlanForm | None = None,
    **told: Any,
) -> Response:
    """The page as an answer. `told` are `changed_since` (a version); `status_error`, `phone_error`, `owner_error` and
    `ties_error`, `claim_error` (sentences); `wanted_status`, `wanted_reason`, `wanted_owner` and `wanted_company` (what was
    chosen)."""
    member, now = current_member(), utc_now()
    with database().reading() as reading:
        file = opened_file(reading, lead_id, revealed=revealed)
        ties = ties_of(reading, file.lead, now)
        wanted, page = remembered_list()
        before, after = beside(reading, present_scope(), wanted, file.lead, now)
        others = recent(reading, lead_id, ("view", "reveal"), now - _BESIDE_ME)
        people = read_colleagues(reading)
        draft = read_draft(reading, keys(), lead_id, member.id)
    seen = told.get("changed_since", file.lead.version)
    checks = attached_checks(file)
    text = render_template(
        "desk/lead.html",
        file=file,
        lead=file.lead,
        me=member,
        now=now,
        people=people,
        beside_me=_named_once(others, member.id),
        draft=draft,
        note=note or NoteForm(note=draft.text if draft else ""),
        plan=plan or _plan_form(file),
        back=_back(page, list_address(wanted), lead_id),
        before=before,
        after=after,
        changed="changed_since" in told,
        ask_next=request.args.get("then") == "next" and lacks_next_step(file.lead, now),
        changes=[event for event in file.events if event.version > seen][:_MOST_CHANGES],
        checks=checks,
        names_of=level_names,
        ties=ties,
        **_rules_of(file, checks, now),
        **told,
    )
    return make_response(text, status)


def lacks_next_step(found: Lead, now: datetime) -> bool:
    """Whether a lead that was contacted has nothing planned, or only what is past."""
    return found.queue == "stuck" or (
        found.queue == "planned" and found.follow_up_at is not None and found.follow_up_at <= now
    )


def opened_file(reading: Session, lead_id: str, *, revealed: bool = False) -> LeadFile:
    """The lead as the present member may see it: with its number if they own it and looked at it today."""
    member = current_member()
    today, _ = day_bounds(utc_now())
    owned = reading.scalars(select(Lead.owner_id).where(Lead.id == lead_id)).first() == member.id
    shown = revealed or (owned and revealed_since(reading, member.id, lead_id, today))
    try:
        return open_file(reading, keys(), present_scope(), lead_id, revealed=shown)
    except NoSuchLead:
        abort(404)


def where_it_went(lead_id: str) -> Response:
    """A lead that was merged is found under its old address by whoever may see what it became."""
    with database().reading() as reading:
        kept_id = where_it_is_now(reading, lead_id)
        kept = reading.get(Lead, kept_id) if kept_id else None
    if kept is None or not present_scope().sees(kept):
        abort(404)
    return redirect(url_for("desk.lead", lead_id=kept.id), 302)


def _rules_of(file: LeadFile, checks: AttachedChecks, now: datetime) -> dict[str, object]:
    """What the rules say about a lead: why to call, what to say, which moves there are, when to call
    first and when again."""
    rules: PriorityRules = current_app.extensions["xinheng.priority"]()
    return {
        "why": rules.standing(file.facts, file.lead.last_enquiry_at, now),
        "guide": _what_to_say(file, checks, current_member()),
        "road": ROAD,
        "moves": MOVES[file.lead.status],
        "reasons": REASONS,
        "response": present_response(file.lead, now),
        "work_span": work_span,
        "proposed": next_try(file.lead.attempts + 1, now, calendar()),
    }


def record_opening(lead_id: str) -> None:
    """Write down who looks, and that the notices of this lead have been seen. Raises NoSuchLead.

    Who opened it in the last ten minutes is on record already: a page that comes back after each deed adds nothing.
    """
    member, now = current_member(), utc_now()
    with database().reading() as reading:
        references = _references(reading, lead_id)
        on_record = any(
            entry.actor == member.id for entry in recent(reading, lead_id, ("view",), now - _BESIDE_ME)
        )
        if on_record and not unseen(reading, references, member.email):
            return
    with database().writing(over=[lead_lock(lead_id)]) as writing:
        acknowledge(writing, _references(writing, lead_id), member.email, now)
        audit.record(
            writing, keys(), actor=member.id, action="view", subject_kind="lead", subject_id=lead_id, now=now
        )


def _references(reading: Session, lead_id: str) -> Sequence[str]:
    """The references of a lead's enquiries. Raises NoSuchLead where the present member may not see it."""
    found = reading.get(Lead, lead_id)
    if found is None or not present_scope().sees(found):
        raise NoSuchLead(lead_id)
    return reading.scalars(select(Enquiry.reference).where(Enquiry.lead_id == lead_id)).all()


def _what_to_say(file: LeadFile, checks: AttachedChecks, member: User) -> ShownGuide:
    """The call guide of this lead's need, its blanks filled for who calls; with a health check its questions come first."""
    guide: CallGuide = current_app.extensions["xinheng.call_guide"]()
    call = Call(
        caller=member.name,
        company=current_app.extensions["xinheng.company"]().name,
        need=file.latest.need,
        asked_at=file.latest.created_at,
        now=utc_now(),
        visitor=file.name if file.revealed and file.facts.named and file.name != UNREADABLE else "",
    )
    shown = guide_for(guide, file.facts.need, call)
    check = checks.brief
    return replace(shown, ask=first_questions(guide, shown.ask, check)) if check else shown


def _plan_form(file: LeadFile) -> PlanForm:
    """The plan as it stands, to be changed."""
    at = file.lead.due_since
    local = at.astimezone(SHANGHAI) if at else None
    return PlanForm(
        date=local.date() if local else None,
        time=local.time() if local else None,
        step="" if file.next_step == UNREADABLE else file.next_step,
    )


def _back(page: str, query: str, lead_id: str) -> str:
    """The address of the list this lead was opened from, at its row."""
    if page == "today":
        return f"{url_for('desk.home')}#lead-{lead_id}"
    return f"{url_for('desk.leads')}{'?' if query else ''}{query}#lead-{lead_id}"


def _named_once(entries: Sequence[Entry], me: str) -> Mapping[str, datetime]:
    """Who else was here and when last, by staff id."""
    seen: dict[str, datetime] = {}
    for entry in entries:
        if entry.actor != me:
            seen[entry.actor] = max(entry.at, seen.get(entry.actor, entry.at))
    return seen
