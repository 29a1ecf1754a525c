"""Taking the leads of a list away as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from flask import Response, abort, current_app, make_response, render_template, request
from sqlalchemy.exc import DatabaseError
from werkzeug.wsgi import FileWrapper

from xinheng.audit.log import AuditHeadMissing
from xinheng.db import DatabaseBusy
from xinheng.desk.export_words import Names, columns, file_name, filter_words, head, row_maker, tail
from xinheng.desk.frame import blueprint, database, present_scope, utc_now
from xinheng.desk.level_names import level_names
from xinheng.desk.list_address import list_address, read_list
from xinheng.desk.permission import current_member, may, requires
from xinheng.desk.proved import proved_lately
from xinheng.desk.rows import need_words
from xinheng.i18n import gettext as _
from xinheng.leads.exports import LONGEST_REASON, SHORTEST_REASON, Exports, Format, Order, TooMany
from xinheng.leads.made_files import AnotherIsMade, MadeFiles
from xinheng.leads.numbers import without_numbers
from xinheng.leads.spreadsheets import MEDIA_TYPES, WRITERS, Cell, Table
from xinheng.leads.wanted import Wanted
from xinheng.staff.colleagues import read_colleagues
from xinheng.staff.permissions import Permission

PROVED_WITHIN = 5 * 60
"""Seconds since the password was given: a file of many people's data is not for whoever finds the desk open."""

_FORMATS: Sequence[Format] = ("xlsx", "csv")
_PIECE = 64 * 1024


@blueprint.get("/leads/export")
@proved_lately(PROVED_WITHIN)
@requires(Permission.EXPORT)
def export() -> Response:
    """What would be in the file, and what must be said before."""
    return _page(_wanted())


@blueprint.post("/leads/export")
@proved_lately(PROVED_WITHIN)
@requires(Permission.EXPORT)
def export_file() -> Response:
    """Write down who takes what away and why, then make the file, then give it out."""
    wanted, now, form = _wanted(), utc_now(), request.form
    format_ = next((each for each in _FORMATS if each == form.get("format")), None)
    full = bool(form.get("full"))
    if full and not may(Permission.ALL_LEADS):
        abort(403)
    reason = " ".join(form.get("reason", "").split())
    if format_ is None:
        return _page(wanted, trouble=_("请选一种格式"), status=422)
    if error := _reason_error(reason):
        return _page(wanted, error=error, status=422)
    order = Order(present_scope(), wanted, format_, current_member().id, reason, full)
    try:
        ids = exports().find(order.scope, wanted, now)
        if not ids:
            return _page(wanted, status=422)
        return _given_out(order, ids, now)
    except TooMany:
        return _page(wanted, status=422)
    except AnotherIsMade:
        return _page(wanted, trouble=_("另一份导出正在生成。您填的都还在，请过几秒再点“导出”"), status=503)
    except (DatabaseError, DatabaseBusy, AuditHeadMissing, OSError) as fault:
        current_app.logger.error("没有导出：%s", type(fault).__name__)
        trouble = _(
            "这次没有导出来：记录写不进去、数据库正忙，或者磁盘满了。请稍后再试；一直不行，请告诉管理员。"
        )
        return _page(wanted, trouble=trouble, status=503)


def exports() -> Exports:
    held: Exports = current_app.extensions["xinheng.exports"]
    return held


def _given_out(order: Order, ids: Sequence[str], now: datetime) -> Response:
    """The file as an answer of known length: one that breaks off on its way is known to have broken off."""
    made: MadeFiles = current_app.extensions["xinheng.made_files"]
    with made.turn() as make:
        exports().record(order, len(ids), now)
        file = make(_table(order, ids, now), WRITERS[order.format])
    size = file.seek(0, 2)
    file.seek(0)
    response = Response(FileWrapper(file, _PIECE), direct_passthrough=True)
    name = file_name(current_member().name, now, order.format)
    response.headers["Content-Type"] = MEDIA_TYPES[order.format]
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"leads.{order.format}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    return response


def _table(order: Order, ids: Sequence[str], now: datetime) -> Table:
    names, done = _names(), [0]
    row = row_maker(names)
    filters = filter_words(order.wanted, names, own=not order.scope.everyone)

    def rows() -> Iterator[Sequence[Cell]]:
        for lead in exports().read(order, ids):
            done[0] += 1
            yield row(lead)

    above = head(current_member().name, now, len(ids), filters, full=order.full)
    return Table(above, columns(), rows(), lambda: tail(len(ids) - done[0]))


def _names() -> Names:
    with database().reading() as session:
        people = {each.id: each.name for each in read_colleagues(session).values()}
        return Names(people, need_words(session), level_names())


def _wanted() -> Wanted:
    return replace(read_list(request.args), place=None)


def _reason_error(reason: str) -> str:
    if len(reason) < SHORTEST_REASON:
        return _("请写明为什么导出，至少四个字")
    if len(reason) > LONGEST_REASON:
        return _("最多100字")
    if without_numbers(reason) != reason:
        return _("这里不要写电话")
    return ""


def _page(wanted: Wanted, *, error: str = "", trouble: str = "", status: int = 200) -> Response:
    """The form; `error` is about the reason, `trouble` about all of it."""
    scope, count = present_scope(), None
    with suppress(TooMany):
        count = len(exports().find(scope, wanted, utc_now()))
    shown: dict[str, Any] = {
        "count": count,
        "most": exports().most,
        "filters": filter_words(wanted, _names(), own=not scope.everyone),
        "address": list_address(wanted),
        "typed": request.form,
        "error": error,
        "trouble": trouble,
    }
    return make_response(render_template("desk/export.html", **shown), status)
