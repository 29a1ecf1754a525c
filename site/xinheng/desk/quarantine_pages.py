"""隔离区: enquiries that look odd, for whoever leads sales to look through: not spam, or spam."""

from __future__ import annotations

from typing import cast

from flask import current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from xinheng.crypto import CannotDecrypt
from xinheng.db import DatabaseBusy
from xinheng.desk.frame import blueprint, database, is_row_id, utc_now
from xinheng.desk.permission import at_desk, current_member, may, requires
from xinheng.i18n import gettext as _
from xinheng.i18n import ngettext
from xinheng.leads.models import Enquiry, State
from xinheng.leads.quarantine import MOST_COUNTED, PAGE, SPAM_KEPT, Quarantine, count_waiting, just_before
from xinheng.staff.permissions import Permission

_SHOWN = ("quarantined", "spam")


@blueprint.app_context_processor
def waiting() -> dict[str, object]:
    """For the navigation: how many wait, counted only where it is shown."""
    if not at_desk():
        return {}
    return {"quarantined": _waiting, "most_quarantined": MOST_COUNTED}


@blueprint.get("/quarantine")
@requires(Permission.ALL_LEADS)
def quarantine() -> str:
    """One page, newest first: what waits, or what was called spam."""
    state = _state(request.args.get("state", ""))
    before = request.args.get("before", "")
    page = _held().look(current_member().id, state, before if is_row_id(before) else "", utc_now())
    return render_template(
        "desk/quarantine.html", page=page, state=state, turned=bool(before), days=SPAM_KEPT.days
    )


@blueprint.post("/quarantine")
@requires(Permission.ALL_LEADS)
def settle_quarantined() -> Response:
    """One enquiry by its own button, or all that are ticked."""
    form = request.form
    release, spam = form.get("release"), form.get("spam")
    chosen = [release or spam or ""] if release or spam else form.getlist("enquiry")
    ids = list(filter(is_row_id, chosen))[:PAGE]
    if not ids:
        flash(_("请先勾选要处理的咨询"), "error")
    elif release or form.get("do") == "release":
        _release(ids)
    elif spam or form.get("do") == "spam":
        _reject(ids)
    return redirect(url_for("desk.quarantine", state=_address(_state(form.get("state", "")))), 303)


def quarantine_address(held: Enquiry) -> str:
    """The page of the quarantine that begins with this enquiry."""
    state = _address(_state(held.state))
    return url_for("desk.quarantine", state=state, before=just_before(held.id), _anchor=f"held-{held.id}")


def _release(ids: list[str]) -> None:
    held, member, now = _held(), current_member(), utc_now()
    done = unreadable = 0
    for each in ids:
        try:
            done += held.release(each, member.id, now) is not None
        except CannotDecrypt:
            unreadable += 1
    if done:
        flash(ngettext("已放行%(num)s份，进了线索", "已放行%(num)s份，进了线索", done), "done")
    if unreadable:
        flash(ngettext("%(num)s份打不开：密钥不符", "%(num)s份打不开：密钥不符", unreadable), "error")
    _say_the_rest(len(ids) - done - unreadable)


def _reject(ids: list[str]) -> None:
    held, member, now = _held(), current_member(), utc_now()
    done = sum(held.reject(each, member.id, now) for each in ids)
    if done:
        flash(ngettext("%(num)s份记为垃圾", "%(num)s份记为垃圾", done), "done")
    _say_the_rest(len(ids) - done)


def _say_the_rest(left: int) -> None:
    if left:
        flash(ngettext("%(num)s份已经处理过", "%(num)s份已经处理过", left), "done")


def _state(text: str) -> State:
    return cast(State, text) if text in _SHOWN else "quarantined"


def _address(state: State) -> str | None:
    return None if state == "quarantined" else state


def _waiting() -> int:
    if not may(Permission.ALL_LEADS):
        return 0
    try:
        with database().asking() as session:
            return count_waiting(session)
    except DatabaseBusy:
        return 0  # a page that says so must not fail on its navigation


def _held() -> Quarantine:
    held: Quarantine = current_app.extensions["xinheng.quarantine"]
    return held
