"""What persons ask about their own data: the queue of the privacy officer, and one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import abort, current_app, make_response, render_template, session
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from xinheng.crypto import CannotDecrypt
from xinheng.desk import words
from xinheng.desk.frame import blueprint, database, keys, utc_now
from xinheng.desk.permission import current_member, requires
from xinheng.i18n import gettext as _
from xinheng.leads.listing import UNREADABLE, mask_name
from xinheng.leads.models import Lead
from xinheng.leads.numbers import without_numbers
from xinheng.phone_display import mask
from xinheng.privacy.answering import NoSuchRequest, Officer, PrivacyWork, ended, leads_of, waiting
from xinheng.privacy.models import PrivacyRequest
from xinheng.sealed import Sealed
from xinheng.staff.colleagues import read_colleagues
from xinheng.staff.permissions import Permission

NUMBER_SHOWN = "request_number_shown"
"""In the session: the request whose number the next opening of its page shows."""

SOON = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class ShownLead:
    """A lead that a request may be about."""

    lead: Lead
    name: str = field(repr=False)
    phone: str = field(repr=False)


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
        found = _leads(reading, row)
        mine = next((each for each in found if each.lead.id == row.lead_id), None)
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
        found=found,
        mine=mine,
        people=people,
        now=utc_now(),
        **more,
    )
    return make_response(page, status)


def privacy_work() -> PrivacyWork:
    return PrivacyWork(database(), keys(), current_app.extensions["xinheng.deletion"])


def officer() -> Officer:
    return Officer(current_member().id, utc_now())


def due_words(due_at: datetime, now: datetime) -> str:
    """逾期3天, 今天到期, 还有5天."""
    days = (due_at.date() - now.astimezone(due_at.tzinfo).date()).days
    if due_at < now:
        return _("逾期%(count)s天", count=max(-days, 1))
    return _("今天到期") if days == 0 else _("还有%(count)s天", count=days)


blueprint.record_once(lambda state: state.app.add_template_global(due_words))


def _leads(reading: Session, row: PrivacyRequest) -> Sequence[ShownLead]:
    found = {each.id: each for each in leads_of(reading, row)}
    named = reading.get(Lead, row.lead_id) if row.lead_id else None
    if named is not None:  # after a correction of the phone, the one it was proved for
        found.setdefault(named.id, named)
    return [
        ShownLead(each, mask_name(_opened(each, "name")), mask(_opened(each, "phone")))
        for each in found.values()
    ]


def _opened(row: Sealed, column: str) -> str:
    if not getattr(row, column):
        return ""
    try:
        return row.open(keys(), column)
    except CannotDecrypt:
        return UNREADABLE
