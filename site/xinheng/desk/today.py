"""What is due: the desk's first page."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from xinheng.desk.frame import blueprint, database, keys, present_scope, utc_now
from xinheng.desk.list_address import read_list
from xinheng.desk.permission import may, requires
from xinheng.desk.rows import need_words, rows_of
from xinheng.desk.saved_views import saved_views
from xinheng.desk.times import headline
from xinheng.leads.finding import MOST_COUNTED, USUAL_SORT, VIEWS, Wanted, count_views, find_leads
from xinheng.staff.colleagues import read_colleagues
from xinheng.staff.permissions import Permission

_SHOWN = 8


@blueprint.get("/")
@requires(Permission.OWN)
def home() -> ResponseReturnValue:
    """Each to their own work: leads, else the audit, else content, else oneself."""
    if may(Permission.LEADS):
        return today()
    if may(Permission.AUDIT):
        return redirect(url_for("desk.audit"))
    return redirect(url_for("desk.content" if may(Permission.CONTENT) else "sign_in.me"))


def today() -> str:
    """The first few of each view, with how many there are."""
    scope, now = present_scope(), utc_now()
    owner = read_list(request.args).owner
    with database().reading() as session:
        counts = count_views(session, scope, now, owner)
        needs = need_words(session)
        groups = []
        for view in filter(counts.get, VIEWS):
            wanted = Wanted(view=view, owner=owner, sort=USUAL_SORT[view])
            found = find_leads(session, scope, wanted, now, _SHOWN)
            groups.append((view, rows_of(session, keys(), found.leads, needs, now)))
        people = read_colleagues(session)
        views = saved_views(session, scope.staff_id)
    return render_template(
        "desk/today.html",
        now=headline(now),
        counts=counts,
        most=MOST_COUNTED,
        groups=groups,
        owner=owner,
        views=views,
        people=people,
        me=scope.staff_id,
    )
