"""The page on which some enquiries of a lead become a lead of their own: two people had one number."""

from __future__ import annotations

from collections.abc import Collection

from flask import abort, flash, make_response, render_template, request
from werkzeug.wrappers import Response

from xinheng.desk import words
from xinheng.desk.deed_answers import deed_of_page, to_page
from xinheng.desk.frame import blueprint, database, is_row_id, keys
from xinheng.desk.lead_page import opened_file, record_opening
from xinheng.desk.permission import requires
from xinheng.i18n import gettext as _
from xinheng.leads.deeds import AlreadyDone, LeadChanged
from xinheng.leads.scope import NoSuchLead
from xinheng.leads.splitting import SplitRefused, split_lead, spoken_after
from xinheng.staff.colleagues import read_colleagues
from xinheng.staff.permissions import Permission


@blueprint.get("/leads/<row:lead_id>/split")
@requires(Permission.LEADS)
def split(lead_id: str) -> Response:
    """The enquiries, each with what follows it; opening the lead is recorded first."""
    try:
        record_opening(lead_id)
    except NoSuchLead:
        abort(404)
    return _page(lead_id)


@blueprint.post("/leads/<row:lead_id>/split")
@requires(Permission.LEADS)
def split_now(lead_id: str) -> Response:
    chosen = list(filter(is_row_id, request.form.getlist("enquiry")))
    try:
        new_id = split_lead(database(), keys(), lead_id, deed_of_page(versioned=True), chosen)
    except NoSuchLead:
        abort(404)
    except AlreadyDone as done:
        return to_page(str(done), "ties")
    except LeadChanged:
        told = _("有人刚改过这条线索，还没有拆分。下面是最新的情况，您勾选的还在；看过以后再拆一次。")
        return _page(lead_id, chosen, told, 409)
    except SplitRefused as fault:
        return _page(lead_id, chosen, str(words.SPLIT_REFUSED[fault.reason]), 422)
    flash(_("拆好了：这是新的一条，请核对姓名，定下一步"), "done")
    return to_page(new_id, "ties")


def _page(lead_id: str, chosen: Collection[str] = (), told: str = "", status: int = 200) -> Response:
    with database().reading() as reading:
        file = opened_file(reading, lead_id)
        people = read_colleagues(reading)
    asked_at = {each.id: each.created_at for each in file.enquiries}
    text = render_template(
        "desk/split.html",
        file=file,
        said_after=spoken_after(asked_at, file.events),
        chosen=chosen,
        told=told,
        people=people,
    )
    return make_response(text, status)
