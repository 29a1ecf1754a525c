"""What is due: the desk's first page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from xinheng.desk.frame import blueprint, database, keys, present_scope, utc_now
from xinheng.desk.list_address import read_list
from xinheng.desk.permission import may, requires
from xinheng.desk.rows import Row, need_words, rows_of
from xinheng.desk.saved_views import saved_views
from xinheng.desk.times import headline
from xinheng.leads.finding import MOST_COUNTED, Found, count_views, find_pages
from xinheng.leads.wanted import USUAL_SORT, VIEWS, Wanted
from xinheng.staff.colleagues import read_colleagues
from xinheng.staff.permissions import Permission

_SHOWN = 8


@blueprint.get("/")
@requires(Permission.OWN)
def home() -> ResponseReturnValue:
    """Each to their own work: leads, else persons' requests, the audit, content, oneself."""
    if may(Permission.LEADS):
        return today()
    if may(Permission.REQUESTS):
        return redirect(url_for("desk.requests"))
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
        shown = [view for view in VIEWS if counts[view]]
        wanted = [Wanted(view=view, owner=owner, sort=USUAL_SORT[view]) for view in shown]
        found = find_pages(session, scope, wanted, now, _SHOWN)
        rows = rows_of(session, keys(), [lead for page in found for lead in page.leads], needs, now)
        people = read_colleagues(session)
        views = saved_views(session, scope.staff_id)
    return render_template(
        "desk/today.html",
        now=headline(now),
        counts=counts,
        most=MOST_COUNTED,
        groups=list(zip(shown, _apart(rows, found), strict=True)),
        owner=owner,
        views=views,
        people=people,
        me=scope.staff_id,
    )


def _apart(rows: Sequence[Row], pages: Sequence[Found]) -> Iterator[Sequence[Row]]:
    """The rows of each page, of all rows in a row."""
    left = iter(rows)
    for page in pages:
        yield list(islice(left, len(page.leads)))
