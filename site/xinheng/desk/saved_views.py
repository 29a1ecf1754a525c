"""Lists that a member of staff keeps under a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flask import flash, redirect, request, url_for
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from xinheng.crypto import new_row_id
from xinheng.db import insert_into
from xinheng.desk.frame import arguments_of, blueprint, database
from xinheng.desk.list_address import list_address, read_list
from xinheng.desk.permission import current_member, requires
from xinheng.i18n import gettext as _
from xinheng.leads.models import SavedView
from xinheng.staff.permissions import Permission

MOST = 20
LONGEST_NAME = 20


def saved_views(session: Session, staff_id: str) -> Sequence[SavedView]:
    """A member's lists, in the order of their making."""
    query = select(SavedView).where(SavedView.staff_id == staff_id).order_by(SavedView.id)
    return list(session.scalars(query))


@blueprint.post("/views")
@requires(Permission.LEADS)
def save_view() -> Response:
    """Keep the list under a name; a name used before now means this list."""
    typed = "".join(sign for sign in request.form.get("name", "") if sign.isprintable())
    name = " ".join(typed.split())[:LONGEST_NAME]
    wanted = replace(read_list(arguments_of(request.form.get("query", ""))), place=None, match=None)
    if not name:
        flash(_("请先给这个视图起个名字"), "error")
    elif not _kept(current_member().id, name, list_address(wanted)):
        flash(_("最多存%(most)s个视图，请先删掉一个", most=MOST), "error")
    else:
        flash(_("已存下视图“%(name)s”", name=name), "done")
    return redirect(url_for("desk.leads") + "?" + list_address(wanted), 303)


@blueprint.post("/views/<row:view_id>/delete")
@requires(Permission.LEADS)
def delete_view(view_id: str) -> Response:
    """Back to the list it was deleted from, or to the first page."""
    mine = delete(SavedView).where(SavedView.id == view_id, SavedView.staff_id == current_member().id)
    with database().writing() as session:
        name = session.scalar(mine.returning(SavedView.name))
    if name is not None:
        flash(_("已删掉视图“%(name)s”", name=name), "done")
    if "query" not in request.form:
        return redirect(url_for("desk.home"), 303)
    wanted = read_list(arguments_of(request.form["query"]))
    return redirect(url_for("desk.leads") + "?" + list_address(wanted), 303)


def _kept(staff_id: str, name: str, query: str) -> bool:
    with database().writing() as session:
        others = select(func.count()).where(SavedView.staff_id == staff_id, SavedView.name != name)
        if session.scalars(others).one() >= MOST:
            return False
        row = insert_into(session, SavedView).values(
            id=new_row_id(), staff_id=staff_id, name=name, query=query
        )
        session.execute(row.on_conflict_do_update(index_elements=["staff_id", "name"], set_={"query": query}))
    return True
