"""What staff do on a lead's page. Each deed is a POST that ends on the page again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import (
    abort,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from sqlalchemy.exc import DatabaseError
from werkzeug.wrappers import Response

from xinheng.audit import log as audit
from xinheng.audit.log import AuditHeadMissing
from xinheng.db import DatabaseBusy
from xinheng.desk.claims import claim_words
from xinheng.desk.deed_answers import changed_meanwhile, deed_of_page, to_page
from xinheng.desk.frame import (
    blueprint,
    colleague,
    database,
    keys,
    present_scope,
    utc_now,
    work,
)
from xinheng.desk.lead_forms import NoteForm, PlanForm, in_days
from xinheng.desk.lead_page import SHOWN_ONCE, lacks_next_step, show_lead
from xinheng.desk.permission import current_member, may, requires
from xinheng.desk.times import short
from xinheng.i18n import gettext as _
from xinheng.leads.assignment import ClaimRefused
from xinheng.leads.deeds import AlreadyDone, LeadChanged
from xinheng.leads.drafts import save_draft
from xinheng.leads.models import Lead
from xinheng.leads.moves import MoveRefused
from xinheng.leads.scope import NoSuchLead
from xinheng.leads.work import LONGEST_NOTE, LONGEST_STEP, lead_lock
from xinheng.staff.permissions import Permission

Done = TypeVar("Done")

_QUICK = {"1": 1, "3": 3, "7": 7}


@blueprint.errorhandler(AlreadyDone)
def pressed_twice(_fault: AlreadyDone) -> Response:
    """A button pressed twice: the page shows what the first one did."""
    return redirect(url_for("desk.lead", **request.view_args or {}), 303)


@blueprint.post("/leads/<row:lead_id>/reveal")
@requires(Permission.LEADS)
def reveal(lead_id: str) -> Response:
    """Show the number: recorded first. To its owner it stays open that day, to others until they leave the page."""
    try:
        _record_reveal(lead_id)
    except NoSuchLead:
        abort(404)
    except (DatabaseError, DatabaseBusy, AuditHeadMissing) as fault:
        current_app.logger.error("查看记录写不进去：%s", type(fault).__name__)
        error = _("查看记录暂时写不进去，所以没有显示号码。请稍后再试；一直不行，请告诉管理员。")
        return show_lead(lead_id, status=503, phone_error=error)
    session[SHOWN_ONCE] = lead_id
    return to_page(lead_id, "contact")


@blueprint.post("/leads/<row:lead_id>/notes")
@requires(Permission.LEADS)
def write_note(lead_id: str) -> Response:
    form = NoteForm(request.form)
    if not form.validate():
        return show_lead(lead_id, status=422, note=form)
    text = form.note.data or ""
    try:
        work().write_note(lead_id, deed_of_page(), text, connected=form.connected.data)
    except NoSuchLead:  # handed to somebody else while it was typed
        return make_response(render_template("errors/desk.html", code=404, typed=[text]), 404)
    flash(_("记下了"), "done")
    return _after_contact(lead_id, "timeline") if form.connected.data else to_page(lead_id, "timeline")


@blueprint.put("/leads/<row:lead_id>/draft")
@requires(Permission.LEADS)
def keep_draft(lead_id: str) -> Response:
    """Keep what is being typed; the answer says when."""
    text, member, now = request.form.get("note", "")[:LONGEST_NOTE], current_member(), utc_now()
    with database().writing() as writing:
        lead = writing.get(Lead, lead_id)
        if lead is None or not present_scope().sees(lead):
            abort(404)
        save_draft(writing, keys(), lead_id, member.id, text, now)
    return jsonify(saved=short(now, now))


@blueprint.post("/leads/<row:lead_id>/no-answer")
@requires(Permission.LEADS)
def no_answer(lead_id: str) -> Response:
    try:
        at = _do(lead_id, lambda: work().no_answer(lead_id, deed_of_page(versioned=True)))
    except LeadChanged:
        return changed_meanwhile(lead_id)
    except MoveRefused:
        return _closed(lead_id)
    flash(_("已记未接通，下次%(time)s再打；不合适就改下一步", time=short(at, utc_now())), "done")
    return to_page(lead_id, "next")


@blueprint.post("/leads/<row:lead_id>/wechat")
@requires(Permission.LEADS)
def added_wechat(lead_id: str) -> Response:
    _do(lead_id, lambda: work().added_wechat(lead_id, deed_of_page()))
    flash(_("已记：加了微信"), "done")
    return _after_contact(lead_id, "timeline")


@blueprint.post("/leads/<row:lead_id>/next")
@requires(Permission.LEADS)
def plan(lead_id: str) -> Response:
    """Set the next step: a day typed, or a quick one, or none any more."""
    form, quick = PlanForm(request.form), request.form.get("in", "")
    if quick == "none":
        at, step = None, ""
    elif quick in _QUICK:
        at, step = in_days(_QUICK[quick]), (request.form.get("step") or "").strip()[:LONGEST_STEP]
    elif form.validate():
        at, step = form.moment(), form.step.data or ""
    else:
        return show_lead(lead_id, status=422, plan=form)
    try:
        _do(lead_id, lambda: work().plan(lead_id, deed_of_page(versioned=True), at, step))
    except LeadChanged:
        return changed_meanwhile(lead_id, plan=form)
    except MoveRefused:
        return _closed(lead_id)
    flash(_("下一步：%(time)s", time=short(at, utc_now())) if at else _("已取消下一步"), "done")
    return to_page(lead_id, "next")


@blueprint.post("/leads/<row:lead_id>/status")
@requires(Permission.LEADS)
def move(lead_id: str) -> Response:
    status, reason = request.form.get("status", ""), request.form.get("reason", "")
    try:
        _do(lead_id, lambda: work().move(lead_id, deed_of_page(versioned=True), status, reason))
    except LeadChanged:
        return changed_meanwhile(lead_id, wanted_status=status, wanted_reason=reason)
    except MoveRefused as fault:
        error = _("请选一个原因") if str(fault) == "reason" else _("现在的状态不能直接改成这个，请按顺序来")
        return show_lead(lead_id, status=422, status_error=error, wanted_status=status, wanted_reason=reason)
    flash(_("状态已改"), "done")
    return _after_contact(lead_id, "status")


@blueprint.post("/leads/<row:lead_id>/owner")
@requires(Permission.LEADS)
def assign(lead_id: str) -> Response:
    """Take a lead, hand it to somebody, or give it back to all."""
    chosen = request.form.get("owner", "")
    owner = colleague(chosen)
    if chosen != "none" and owner is None:
        return show_lead(lead_id, status=422, owner_error=_("请选择交给谁"))
    try:
        _do(lead_id, lambda: work().assign(lead_id, deed_of_page(versioned=True), owner))
    except LeadChanged:
        return changed_meanwhile(lead_id, wanted_owner=chosen)
    except ClaimRefused as fault:
        return show_lead(lead_id, status=422, claim_error=claim_words(fault))
    if owner and owner.id != current_member().id and not may(Permission.ALL_LEADS):
        flash(_("已转给%(name)s，您的列表里不再有这条线索", name=owner.name), "done")
        return redirect(url_for("desk.home"), 303)
    flash(_("负责人：%(name)s", name=owner.name) if owner else _("已放回未分配"), "done")
    return to_page(lead_id, "facts")


def _record_reveal(lead_id: str) -> None:
    """Write down who is shown the number, before it is. Raises NoSuchLead."""
    member = current_member()
    with database().writing(over=[lead_lock(lead_id)]) as writing:
        lead = writing.get(Lead, lead_id)
        if lead is None or not present_scope().sees(lead):
            raise NoSuchLead(lead_id)
        audit.record(
            writing,
            keys(),
            actor=member.id,
            action="reveal",
            subject_kind="lead",
            subject_id=lead_id,
            now=utc_now(),
        )


def _do(lead_id: str, deed: Callable[[], Done]) -> Done:
    """Do something to a lead; one that isn't there or isn't theirs is not found."""
    try:
        return deed()
    except NoSuchLead:
        abort(404)


def _closed(lead_id: str) -> Response:
    """A lead that has ended takes no plan."""
    error = _("这条线索已经结束；要再跟进，请先在这里改回前面的状态")
    return show_lead(lead_id, status=422, status_error=error)


def _after_contact(lead_id: str, part: str) -> Response:
    """Back to the page; where nothing comes next any more, it asks what does."""
    with database().reading() as reading:
        found = reading.get(Lead, lead_id)
        asks = found is not None and lacks_next_step(found, utc_now())
    if not asks:
        return to_page(lead_id, part)
    return redirect(url_for("desk.lead", lead_id=lead_id, _anchor="ask-next", then="next"), 303)
