"""Leads as a list shows them: masked, with the reasons to call and when it is due, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.crypto import CannotDecrypt, Keys
from xinheng.desk.response_words import present_response, work_span
from xinheng.desk.times import day, short, span
from xinheng.form_versions import FormVersion
from xinheng.forms.definition import is_stored_form, stored_form
from xinheng.forms.priority import PriorityRules, Standing
from xinheng.i18n import gettext as _
from xinheng.leads.duplicates import marked
from xinheng.leads.file import facts_of, latest_enquiries
from xinheng.leads.listing import UNREADABLE, mask_name
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.numbers import without_numbers
from xinheng.leads.response import Response
from xinheng.phone_display import mask


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list. `due` says when, `step` what; `late` marks what should have been done."""

    lead: Lead
    name: str = field(repr=False)
    phone: str = field(repr=False)
    due: str
    step: str = field(repr=False)
    late: bool
    why: Standing
    need: str
    article: str
    possible_duplicate: bool = False


def rows_of(
    session: Session, keys: Keys, leads: Sequence[Lead], needs: Mapping[str, str], now: datetime
) -> Sequence[Row]:
    """The rows of leads, in their order; `needs` are those of `need_words`."""
    latest = latest_enquiries(session, [lead.id for lead in leads])
    rules: PriorityRules = current_app.extensions["xinheng.priority"]()
    doubled = marked(session, leads)
    rows = [_row(lead, latest[lead.id], keys, rules, needs, now) for lead in leads]
    return [replace(row, possible_duplicate=row.lead.id in doubled) for row in rows]


def need_words(session: Session) -> Mapping[str, str]:
    """The needs by key: those that the present form offers, then those that only an earlier one did."""
    form = current_app.extensions["xinheng.consultation"].published().declaration
    present = {option.key: option.label for option in form.field("need").options}
    versions = session.scalars(select(FormVersion.version).order_by(FormVersion.published_at.desc())).all()
    for version in versions:
        for key, label in _needs_of(session, version):
            present.setdefault(key, label)
    return present


_read: dict[str, Sequence[tuple[str, str]]] = {}
"""The needs of forms read before, by version: what was published doesn't change."""


def _needs_of(session: Session, version: str) -> Sequence[tuple[str, str]]:
    if version not in _read:
        text = session.get_one(FormVersion, version).form
        options = stored_form(text).declaration.field("need").options if is_stored_form(text) else ()
        _read[version] = [(option.key, option.label) for option in options]
    return _read[version]


def _row(
    lead: Lead, enquiry: Enquiry, keys: Keys, rules: PriorityRules, needs: Mapping[str, str], now: datetime
) -> Row:
    due, step, late = _due(lead, keys, present_response(lead, now), now)
    return Row(
        lead=lead,
        name=_masked_name(lead, keys),
        phone=_masked_phone(lead, keys),
        due=due,
        step=step,
        late=late,
        why=rules.standing(facts_of(lead, enquiry, keys), lead.last_enquiry_at, now),
        need=needs.get(lead.need, lead.need),
        article=enquiry.article,
    )


def _due(lead: Lead, keys: Keys, response: Response, now: datetime) -> tuple[str, str, bool]:
    """When something is due, what, and whether that is past. A call that is pressing comes before a plan that lies ahead."""
    planned = lead.follow_up_at
    if lead.queue == "first" or (response.pressing and (planned is None or planned > now)):
        return _first_call(lead, response, now)
    match lead.queue:
        case "planned":
            at = lead.due_since or now
            text = _("迟%(span)s", span=span(now - at)) if at < now else short(at, now)
            step = _step(lead, keys)
            if planned is not None and planned < at:  # by which it stands where it does
                step = _("原定%(day)s；%(step)s", day=day(planned, now), step=step)
            return text, step, at < now
        case "stuck":
            return _("没有下一步"), "", False
    return "", "", False


def _first_call(lead: Lead, response: Response, now: datetime) -> tuple[str, str, bool]:
    waited = span(now - lead.last_enquiry_at)
    step = _("首次联系，等了%(span)s", span=waited)
    due = lead.first_response_due
    match response.standing:
        case "late":
            return _("超时%(span)s", span=work_span(response.minutes)), step, True
        case "soon":
            return _("还剩%(span)s", span=work_span(response.minutes)), step, False
        case "open" if due is not None:
            return _("%(time)s前", time=short(due, now)), step, False
    return _("等了%(span)s", span=waited), _("首次联系"), False


def _step(lead: Lead, keys: Keys) -> str:
    if not lead.next_step:
        return _("再打一次") if lead.attempts else _("跟进")
    try:
        return without_numbers(lead.open(keys, "next_step"))
    except CannotDecrypt:
        return UNREADABLE


def _masked_name(lead: Lead, keys: Keys) -> str:
    try:
        return mask_name(lead.open(keys, "name"))
    except CannotDecrypt:
        return UNREADABLE


def _masked_phone(lead: Lead, keys: Keys) -> str:
    try:
        phone = mask(lead.open(keys, "phone"))
        return _("%(phone)s 有分机", phone=phone) if lead.open(keys, "extension") else phone
    except CannotDecrypt:
        return ""
