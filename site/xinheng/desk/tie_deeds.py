"""What staff say on a lead's page about who is the same person, and about the person's company."""

from __future__ import annotations

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from xinheng.crypto import plain_reference
from xinheng.desk.deed_answers import changed_meanwhile, deed_of_page, to_page
from xinheng.desk.frame import blueprint, database, keys, present_scope, work
from xinheng.desk.lead_page import show_lead
from xinheng.desk.permission import requires
from xinheng.desk.words import MERGE_REFUSED
from xinheng.i18n import gettext as _
from xinheng.leads.company_name import LONGEST
from xinheng.leads.deeds import AlreadyDone, LeadChanged
from xinheng.leads.merging import MergeRefused, undo_merge
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.naming import name_company
from xinheng.leads.parting import judge_pair
from xinheng.leads.scope import NoSuchLead
from xinheng.staff.permissions import Permission


@blueprint.post("/leads/<row:lead_id>/company")
@requires(Permission.LEADS)
def company(lead_id: str) -> Response:
    typed = request.form.get("company", "").strip()[:LONGEST]
    try:
        name_company(database(), keys(), lead_id, deed_of_page(versioned=True), typed)
    except NoSuchLead:
        abort(404)
    except AlreadyDone:
        return to_page(lead_id, "facts")
    except LeadChanged:
        return changed_meanwhile(lead_id, wanted_company=typed)
    flash(_("单位已改") if typed else _("单位已去掉"), "done")
    return to_page(lead_id, "facts")


@blueprint.post("/leads/<row:lead_id>/apart/<row:other_id>")
@requires(Permission.LEADS)
def apart(lead_id: str, other_id: str) -> Response:
    """Two are not the same person, or with `back` may be it again."""
    back = "back" in request.form
    try:
        judge_pair(database(), keys(), deed_of_page(), lead_id, other_id, apart=not back)
    except NoSuchLead:
        abort(404)
    told = _("已撤回，两条又可能是同一人") if back else _("记下了：不是同一人，以后不再提示")
    flash(told, "done")
    return to_page(lead_id, "ties")


@blueprint.post("/leads/<row:lead_id>/merges/<row:merge_id>/undo")
@requires(Permission.LEADS)
def undo(lead_id: str, merge_id: str) -> Response:
    try:
        undo_merge(database(), keys(), lead_id, deed_of_page(versioned=True), merge_id, work().handing)
    except NoSuchLead:
        abort(404)
    except LeadChanged:
        return changed_meanwhile(lead_id)
    except AlreadyDone:
        return to_page(lead_id, "ties")
    except MergeRefused as fault:
        return show_lead(lead_id, status=422, ties_error=str(MERGE_REFUSED[fault.reason]))
    flash(_("合并已撤销，又是两条线索了"), "done")
    return to_page(lead_id, "ties")


@blueprint.post("/leads/<row:lead_id>/merge")
@requires(Permission.LEADS)
def find_to_merge(lead_id: str) -> Response:
    """The page on which to merge with the lead of a reference that was typed."""
    scope, reference = present_scope(), plain_reference(request.form.get("reference", ""))
    with database().reading() as reading:
        mine = reading.get(Lead, lead_id)
        if mine is None or not scope.sees(mine):
            abort(404)
        query = select(Lead).join(Enquiry).where(Enquiry.reference == reference)
        other = reading.scalars(query).first() if reference else None
    if not request.form.get("reference", "").strip():
        return show_lead(lead_id, status=422, ties_error=_("请填写另一条线索的受理编号"))
    if other is None or not scope.sees(other):
        return show_lead(lead_id, status=422, ties_error=_("没有这个受理编号，或者那条线索不归您看"))
    if other.id == lead_id:
        return show_lead(lead_id, status=422, ties_error=_("这个受理编号就是这条线索的"))
    return redirect(url_for("desk.merge", lead_id=lead_id, other_id=other.id), 303)
