"""Who is on duty and what they have to do: the sales leads' page; and what a member says of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from xinheng.desk import words
from xinheng.desk.claims import assigner
from xinheng.desk.frame import blueprint, colleague, database, utc_now
from xinheng.desk.permission import current_member, requires
from xinheng.forms.assignment import AssignmentRules
from xinheng.i18n import gettext as _
from xinheng.leads.absence import due_with
from xinheng.leads.assignment import Load
from xinheng.leads.finding import MOST_COUNTED
from xinheng.leads.wanted import View
from xinheng.settings import SHANGHAI
from xinheng.staff.colleagues import read_colleagues
from xinheng.staff.duty import MOST_CAPACITY, Duty
from xinheng.staff.models import User
from xinheng.staff.permissions import Permission, RoleName

_FARTHEST = timedelta(days=366)


class BadDuty(ValueError):
    """What was typed can't be so; the message says what to do."""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """One line of the page. `due` is how many leads are late, and wait for a first contact; `turns` whether they take any."""

    member: User
    present: bool
    load: Load
    due: Mapping[View, int]
    turns: bool


@blueprint.get("/duty")
@requires(Permission.ALL_LEADS)
def duty() -> str:
    """Everybody who takes leads, and by which rules."""
    rules: AssignmentRules = current_app.extensions["xinheng.assignment_rules"]()
    with database().reading() as session:
        lines = _lines(session)
    return render_template(
        "desk/duty.html", lines=lines, rules=rules, words=words, most=MOST_COUNTED, tomorrow=_tomorrow()
    )


@blueprint.post("/duty/<row:staff_id>")
@requires(Permission.ALL_LEADS)
def set_duty(staff_id: str) -> Response:
    """Say for somebody else whether they are there, and how much they take."""
    member = colleague(staff_id)
    if member is None:
        abort(404)
    try:
        capacity = _capacity(request.form.get("capacity", ""))
        _set_presence(staff_id)
        _duty().set_capacity(staff_id, capacity, actor=current_member().id)
        flash(_("已改%(name)s的值班", name=member.name), "done")
    except BadDuty as fault:
        flash(str(fault), "error")
    return redirect(url_for("desk.duty", _anchor=f"member-{staff_id}"), 303)


@blueprint.post("/me/duty")
@requires(Permission.LEADS)
def my_duty() -> Response:
    """Say of oneself whether one is there."""
    member = current_member()
    try:
        _set_presence(member.id)
        flash(_("已改值班"), "done")
    except BadDuty as fault:
        flash(str(fault), "error")
    return redirect(url_for("sign_in.me", _anchor="duty"), 303)


def _lines(session: Session) -> list[OnDuty]:
    now = utc_now()
    takers = [each.id for each in read_colleagues(session).values() if each.takes_leads]
    members = {each.id: each for each in session.scalars(select(User).where(User.id.in_(takers)))}
    loads = assigner().loads(session, list(members.values()), now)
    due = due_with(session, takers, now)
    return [
        OnDuty(member, member.present(now), loads[each], due[each], RoleName.SALES.value in member.role_names)
        for each in takers
        if (member := members.get(each))
    ]


def _duty() -> Duty:
    held: Duty = current_app.extensions["xinheng.duty"]
    return held


def _set_presence(staff_id: str) -> None:
    on_duty, until = read_presence(request.form, utc_now())
    _duty().set_presence(staff_id, on_duty=on_duty, absent_until=until, actor=current_member().id)


def read_presence(form: Mapping[str, str], now: datetime) -> tuple[bool, datetime | None]:
    """Whether somebody is on duty, and until when they are away. Raises BadDuty."""
    match form.get("presence", ""):
        case "on":
            return True, None
        case "off":
            return False, None
        case "until":
            return True, _back(form.get("back", ""), now)
    raise BadDuty(_("请选在岗或不在岗"))


def _back(text: str, now: datetime) -> datetime:
    """The start of the day on which somebody is back, in Shanghai."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadDuty(_("请选回来的日期，例如 2026-03-12")) from None
    back = datetime.combine(day, time(), SHANGHAI)
    if not now < back <= now + _FARTHEST:
        raise BadDuty(_("回来的日期要在明天以后、一年以内"))
    return back


def _capacity(text: str) -> int | None:
    """How many open leads at most; nothing as the rules say."""
    typed = text.strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) < 6 and int(typed) <= MOST_CAPACITY):
        raise BadDuty(_("最多几条要写0到%(most)s的整数，或者留空", most=MOST_CAPACITY))
    return int(typed)


def _tomorrow() -> date:
    return utc_now().astimezone(SHANGHAI).date() + timedelta(days=1)
