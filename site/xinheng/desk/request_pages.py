"""What persons ask about their own data: the queue of the privacy officer, and one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import abort, current_app, make_response, render_template, session
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from xinheng.crypto import CannotDecrypt
from xinheng.desk import words
from xinheng.desk.frame import blueprint, database, keys, utc_now
from xinheng.desk.permission import current_member, requires
from xinheng.i18n import gettext as _
from xinheng.leads.listing import UNREADABLE, mask_name
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.numbers import without_numbers
from xinheng.leads.quarantine import masked_phone
from xinheng.phone_display import mask
from xinheng.privacy.answering import NoSuchRequest, Officer, PrivacyWork, ended, waiting
from xinheng.privacy.models import PrivacyRequest
from xinheng.privacy.person import is_one_person, person_of, possible
from xinheng.sealed import Sealed
from xinheng.staff.colleagues import read_colleagues
from xinheng.staff.permissions import Permission

NUMBER_SHOWN = "request_number_shown"
"""In the session: the request whose number the next opening of its page shows."""

SOON = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A lead, or an enquiry without one, that a request may be about. `state` is a lead's only where it is held back; its
    `reference` is that of its latest enquiry."""

    id: str
    state: str
    day: datetime
    reference: str
    name: str = field(repr=False)
    phone: str = field(repr=False)

    @property
    def held_back(self) -> bool:
        return self.state in {"restricted", "withdrawn"}


@blueprint.get("/requests")
@requires(Permission.REQUESTS)
def requests() -> str:
    """What is open, the earliest due on top; and the latest that ended. No word of what was typed."""
    with database().reading() as reading:
        open_ones, closed = waiting(reading), ended(reading)
        people = read_colleagues(reading)
    return render_template(
        "desk/requests.html", waiting=open_ones, ended=closed, people=people, now=utc_now(), soon=SOON
    )


@blueprint.get("/requests/<row:request_id>")
@requires(Permission.REQUESTS)
def request_page(request_id: str) -> Response:
    """One request; opening it is recorded first."""
    try:
        privacy_work().look(request_id, officer())
    except NoSuchRequest:
        abort(404)
    return show_request(request_id, revealed=session.pop(NUMBER_SHOWN, None) == request_id)


def show_request(request_id: str, *, status: int = 200, revealed: bool = False, **more: Any) -> Response:
    """The page, with whatever a deed has to say."""
    with database().reading() as reading:
        row = reading.get(PrivacyRequest, request_id)
        if row is None:
            abort(404)
        found = person_of(reading, keys(), row) if row.proof else possible(reading, row)
        one_person = is_one_person(reading, keys(), row)
        records = [*(_lead(reading, each) for each in found.leads), *map(_held, found.held)]
        people = read_colleagues(reading)
    number, typed, answer = (_opened(row, column) for column in ("phone", "words", "answer"))
    page = render_template(
        "desk/request.html",
        request_row=row,
        kind=words.REQUEST[row.kind],
        phone=number if revealed else mask(number) if number else "",
        revealed=revealed and bool(number) and number != UNREADABLE,
        typed_words=typed if revealed else without_numbers(typed),
        answer=answer if revealed else without_numbers(answer),
        records=records,
        leads=len(found.leads),
        one_person=one_person,
        held_back=[each for each in records if each.held_back],
        can_be_lifted=any(each.state == "restricted" for each in records),
        people=people,
        now=utc_now(),
        **more,
    )
    return make_response(page, status)


def privacy_work() -> PrivacyWork:
    held = current_app.extensions
    return PrivacyWork(database(), keys(), held["xinheng.deletion"], held["xinheng.spool"])


def officer() -> Officer:
    return Officer(current_member().id, utc_now())


def due_words(due_at: datetime, now: datetime) -> str:
    """逾期3天, 今天到期, 还有5天."""
    days = (due_at.date() - now.astimezone(due_at.tzinfo).date()).days
    if due_at < now:
        return _("逾期%(count)s天", count=max(-days, 1))
    return _("今天到期") if days == 0 else _("还有%(count)s天", count=days)


blueprint.record_once(lambda state: state.app.add_template_global(due_words))


def _lead(reading: Session, lead: Lead) -> ShownRecord:
    latest = select(Enquiry.reference).where(Enquiry.lead_id == lead.id).order_by(Enquiry.created_at.desc())
    return ShownRecord(
        lead.id,
        "restricted" if lead.restricted else "",
        lead.last_enquiry_at,
        reading.scalars(latest.limit(1)).first() or "",
        mask_name(_opened(lead, "name")),
        mask(_opened(lead, "phone")),
    )


def _held(enquiry: Enquiry) -> ShownRecord:
    name, phone = mask_name(_opened(enquiry, "name")), masked_phone(enquiry, keys())
    return ShownRecord(enquiry.id, enquiry.state, enquiry.created_at, enquiry.reference, name, phone)


def _opened(row: Sealed, column: str) -> str:
    if not getattr(row, column):
        return ""
    try:
        return row.open(keys(), column)
    except CannotDecrypt:
        return UNREADABLE
