"""The list of leads: filters, sorts, search, and the same done to several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from xinheng.desk.claims import why_no_more
from xinheng.desk.frame import (
    arguments_of,
    blueprint,
    colleague,
    database,
    is_row_id,
    keys,
    present_scope,
    remember_list,
    utc_now,
    work,
)
from xinheng.desk.lead_forms import FARTHEST, TOO_FAR, moment_on
from xinheng.desk.list_address import list_address, read_list
from xinheng.desk.permission import may, requires
from xinheng.desk.quarantine_pages import quarantine_address
from xinheng.desk.rows import need_words, rows_of
from xinheng.desk.saved_views import saved_views
from xinheng.i18n import gettext as _
from xinheng.i18n import ngettext
from xinheng.leads.deeds import BulkChange, Deed
from xinheng.leads.finding import MOST_COUNTED, Found, count_views, find_leads, find_person
from xinheng.leads.handover import left_with_leads
from xinheng.leads.models import Lead
from xinheng.leads.moves import REASONS, MoveRefused
from xinheng.leads.quarantine import find_held
from xinheng.leads.wanted import Match, Wanted, place_of
from xinheng.staff.colleagues import Colleague, read_colleagues
from xinheng.staff.permissions import Permission

MOST_AT_ONCE = 100
_BULK_STATUS = ("contacted", "interested", "proposal", "won", "lost", "invalid")


@blueprint.get("/leads")
@requires(Permission.LEADS)
def leads() -> str:
    """One page of the list."""
    wanted, scope, now = read_list(request.args), present_scope(), utc_now()
    with database().reading() as session:
        found = find_leads(session, scope, wanted, now)
        needs = need_words(session)
        rows = rows_of(session, keys(), found.leads, needs, now)
        counts = count_views(session, scope, now)
        people = read_colleagues(session)
        left_behind = left_with_leads(session, people.values()) if scope.everyone else []
        views = saved_views(session, scope.staff_id)
    remember_list(wanted, "list")
    return render_template(
        "desk/list.html",
        wanted=wanted,
        address=list_address(replace(wanted, place=None)),
        here=list_address(wanted),
        rows=rows,
        pages=_neighbours(found, wanted),
        counts=counts,
        most=MOST_COUNTED,
        views=views,
        needs=needs,
        people=people,
        owner_choices=_owner_choices(people, scope.staff_id, left_behind),
        bulk_owners=_bulk_owners(people, scope.staff_id),
        filtered=replace(wanted, view=None, place=None, sort="newest") != Wanted(),
        me=scope.staff_id,
        reasons=REASONS,
        bulk_status=_BULK_STATUS,
    )


@blueprint.post("/search")
@requires(Permission.LEADS)
def search() -> Response:
    """Find by phone, last four digits, whole name or reference, be it one in quarantine for whoever looks after that. What
    was typed never gets into an address."""
    typed = request.form.get("q", "")
    with database().reading() as session:
        found = find_person(session, keys(), present_scope(), typed)
        held = find_held(session, typed) if may(Permission.ALL_LEADS) else None
    if held is not None:
        flash(_("这份咨询还在隔离区，没有进线索"), "done")
        return redirect(quarantine_address(held), 303)
    if isinstance(found, Lead):
        return redirect(url_for("desk.lead", lead_id=found.id), 303)
    if isinstance(found, Match):
        return redirect(url_for("desk.leads") + "?" + list_address(Wanted(match=found)), 303)
    return redirect(url_for("desk.leads"), 303)


@blueprint.post("/leads/bulk")
@requires(Permission.LEADS)
def bulk() -> Response:
    """Assign several, move several, or set their next date."""
    back = redirect(
        url_for("desk.leads") + "?" + list_address(read_list(arguments_of(request.form.get("query", "")))),
        303,
    )
    chosen = request.form.getlist("lead")[:MOST_AT_ONCE]
    if not chosen:
        flash(_("请先勾选要改的线索"), "error")
        return back
    try:
        change = _bulk_change(request.form)
        changed = work().many(list(filter(is_row_id, chosen)), Deed(present_scope(), utc_now()), change)
    except MoveRefused:
        flash(_("请选一个原因"), "error")
        return back
    except BadChange as fault:
        flash(str(fault), "error")
        return back
    left = len(chosen) - changed
    if changed:
        flash(ngettext("已改%(num)s条线索", "已改%(num)s条线索", changed), "done")
    if left:
        flash(_why_left(change, left), "error")
    return back


def _why_left(change: BulkChange, left: int) -> str:
    """What became of those that weren't changed: a member who claims may have reached the limit."""
    if may(Permission.ALL_LEADS):
        return ngettext(
            "%(num)s条没有改：状态不允许，或已经不在列表里",
            "%(num)s条没有改：状态不允许，或已经不在列表里",
            left,
        )
    me = present_scope().staff_id
    claims = change.owner is not None and change.owner.id == me
    if claims and (why := why_no_more(me)):
        return _("%(count)s条没有认领：%(why)s", count=left, why=why)
    return ngettext("%(num)s条没有改：状态不允许，或不归您", "%(num)s条没有改：状态不允许，或不归您", left)


class BadChange(ValueError):
    """A change to several leads that can't be made; the message says what to do."""


def _bulk_change(form: Mapping[str, str]) -> BulkChange:
    match form.get("do", ""):
        case "assign":
            return _assignment(form.get("owner", ""))
        case "status" if form.get("status") in _BULK_STATUS:
            reason = form.get("reason", "") if form["status"] in REASONS else ""
            return BulkChange(status=form["status"], reason=reason)
        case "date":
            return BulkChange(follow_up_at=_date(form.get("date", "")))
    raise BadChange(_("请选择要做什么：分配、改状态或定日期"))


def _assignment(owner: str) -> BulkChange:
    if owner == "none":
        return BulkChange(assigned=True)
    member = colleague(owner)
    if member is None:
        raise BadChange(_("请选择交给谁"))
    if not may(Permission.ALL_LEADS) and owner != present_scope().staff_id:
        raise BadChange(_("一次分给别人要由销售主管来做；您可以认领，或在线索里单独转交"))
    return BulkChange(assigned=True, owner=member)


def _date(text: str) -> datetime:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 (a day, not an instant)
    except ValueError:
        raise BadChange(_("请选一个日期，例如 2026-03-12")) from None
    at, now = moment_on(day), utc_now()
    if at < now:
        raise BadChange(_("这个日期已经过去，请选今天或以后"))
    if at > now + FARTHEST:
        raise BadChange(str(TOO_FAR))
    return at


def _owner_choices(
    people: Mapping[str, Colleague], me: str, left_behind: Sequence[Colleague]
) -> Sequence[tuple[str, object]]:
    """Whose leads one can look at: one's own first, then nobody's, everybody else's, and those that somebody left."""
    others = [
        (member.id, member.name) for member in people.values() if member.takes_leads and member.id != me
    ]
    left = [
        (
            member.id,
            _("%(name)s（已停用）", name=member.name)
            if not member.active
            else _("%(name)s（不再接线索）", name=member.name),
        )
        for member in left_behind
    ]
    return [(me, _("我的")), ("none", _("未分配")), *others, *left]


def _bulk_owners(people: Mapping[str, Colleague], me: str) -> Sequence[tuple[str, object]]:
    """To whom several leads can be given at once."""
    everyone, now = may(Permission.ALL_LEADS), utc_now()
    others = [
        (
            member.id,
            member.name if member.present(now) else _("%(name)s（不在岗）", name=member.name),
        )
        for member in people.values()
        if everyone and member.takes_leads and member.id != me
    ]
    return [(me, _("我自己")), *others, ("none", _("放回未分配"))]


def _neighbours(found: Found, wanted: Wanted) -> Mapping[str, str]:
    """The addresses of the pages before and after, where there are any."""
    if not found.leads:
        return {"first": list_address(replace(wanted, place=None))} if wanted.place else {}
    pages = {}
    if found.earlier:
        first = place_of(found.leads[0], wanted, before=True)
        pages["before"] = list_address(replace(wanted, place=first))
    if found.later:
        last = place_of(found.leads[-1], wanted)
        pages["after"] = list_address(replace(wanted, place=last))
    return pages
