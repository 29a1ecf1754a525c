"""What the privacy officer does on a request's page. Each deed is a POST; those that can't be undone, and a file of a
person's data, ask for the password again."""

from __future__ import annotations

from flask import abort, flash, make_response, redirect, request, session, url_for
from werkzeug.wrappers import Response

from xinheng.desk.frame import blueprint, database, is_row_id, keys
from xinheng.desk.permission import requires
from xinheng.desk.request_pages import NUMBER_SHOWN, officer, privacy_work, show_request
from xinheng.desk.sign_in_services import is_fresh
from xinheng.i18n import gettext as _
from xinheng.phones import NotAPhone, Phone, parse_phone
from xinheng.privacy.answering import LeftUndone, NotProved, RequestClosed, StillToCome
from xinheng.privacy.models import PrivacyRequest
from xinheng.privacy.person_file import as_csv, as_json, person_data
from xinheng.staff.permissions import Permission

LONGEST_ANSWER = 500
LONGEST_NAME = 40
_FORMATS = {"json": (as_json, "application/json"), "csv": (as_csv, "text/csv")}


@blueprint.errorhandler(RequestClosed)
def has_ended(_fault: RequestClosed) -> Response:
    flash(_("这个请求已经办结，没有再改"), "error")
    return _to_page((request.view_args or {})["request_id"])


@blueprint.errorhandler(StillToCome)
def still_to_come(_fault: StillToCome) -> Response:
    flash(_("没有删除：这个号码还有一份咨询没有入库，入库以后再删，才会一起删掉"), "error")
    return _to_page((request.view_args or {})["request_id"])


@blueprint.errorhandler(NotProved)
def not_proved(_fault: NotProved) -> Response:
    return show_request(
        (request.view_args or {})["request_id"],
        status=422,
        proof_error=_("先确认是本人，再办理；已删除的，不用再办；没有线索的，没有什么可更正"),
    )


@blueprint.post("/requests/<row:request_id>/reveal")
@requires(Permission.REQUESTS)
def reveal_request(request_id: str) -> Response:
    """Show the number, to call it back: recorded first."""
    privacy_work().look(request_id, officer(), "reveal")
    session[NUMBER_SHOWN] = request_id
    return _to_page(request_id)


@blueprint.post("/requests/<row:request_id>/proof")
@requires(Permission.REQUESTS)
def prove_request(request_id: str) -> Response:
    record_id = request.form.get("record", "")
    privacy_work().prove(request_id, officer(), record_id if is_row_id(record_id) else "")
    return _done(request_id, _("记下了：已回拨确认是本人"))


@blueprint.post("/requests/<row:request_id>/file")
@requires(Permission.REQUESTS)
def person_file(request_id: str) -> Response:
    """One person's data as a file, for them."""
    form = request.form.get("format", "")
    if form not in _FORMATS:
        abort(400)
    if not is_fresh():
        return _again(request_id)
    privacy_work().export(request_id, officer(), form)
    with database().reading() as reading:
        data = person_data(reading, keys(), reading.get_one(PrivacyRequest, request_id))
    write, kind = _FORMATS[form]
    response = make_response(write(data))
    response.headers["Content-Type"] = f"{kind}; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="personal-data.{form}"'
    return response


@blueprint.post("/requests/<row:request_id>/delete")
@requires(Permission.REQUESTS)
def delete_person(request_id: str) -> Response:
    if not is_fresh():
        return _again(request_id)
    privacy_work().delete(request_id, officer())
    return _done(request_id, _("已删除，不能恢复；请告诉本人"))


@blueprint.post("/requests/<row:request_id>/restrict")
@requires(Permission.REQUESTS)
def restrict_person(request_id: str) -> Response:
    restricted = request.form.get("restricted") != "no"
    privacy_work().restrict(request_id, officer(), restricted=restricted)
    return _done(request_id, _("已限制：销售看不到，也不再通知") if restricted else _("已解除限制"))


@blueprint.post("/requests/<row:request_id>/correct")
@requires(Permission.REQUESTS)
def correct_person(request_id: str) -> Response:
    """A name, and a phone where one is typed."""
    name, typed = request.form.get("name", "").strip(), request.form.get("phone", "").strip()
    phone: Phone | None = None
    try:
        phone = parse_phone(typed) if typed else None
        error = "" if name else _("请填写姓名")
        error = error if len(name) <= LONGEST_NAME else _("最多40字")
    except NotAPhone as fault:
        error = str(fault)
    if error:
        return show_request(request_id, status=422, correct_error=error, wanted_name=name, wanted_phone=typed)
    privacy_work().correct(request_id, officer(), name, phone)
    return _done(request_id, _("已更正"))


@blueprint.post("/requests/<row:request_id>/close")
@requires(Permission.REQUESTS)
def close_request(request_id: str) -> Response:
    """Done, or refused: then with a reason."""
    answer = request.form.get("answer", "").replace("\r\n", "\n").strip()
    refused = request.form.get("outcome") == "refused"
    error = _("请写明为什么不办，以及怎么投诉") if refused and not answer else ""
    if len(answer) > LONGEST_ANSWER:
        error = _("最多500字")
    if error:
        return show_request(request_id, status=422, close_error=error, wanted_answer=answer)
    try:
        privacy_work().close(request_id, officer(), "refused" if refused else "done", answer)
    except LeftUndone as fault:
        return show_request(request_id, status=422, close_error=_undone(fault))
    return _done(request_id, _("已记为拒绝；请把原因告诉本人") if refused else _("已办结；请告诉本人"))


def _undone(fault: LeftUndone) -> str:
    if fault.why == "delete":
        return _("他的信息还没有删除：先删除；不用删的，写明为什么")
    return _("还没有确认是本人，也没有办：先确认，再办理；不用办的，写明为什么")


def _done(request_id: str, told: str) -> Response:
    flash(told, "done")
    return _to_page(request_id)


def _to_page(request_id: str) -> Response:
    return redirect(url_for("desk.request_page", request_id=request_id), 303)


def _again(request_id: str) -> Response:
    """The password once more, and back: the button is pressed again then."""
    page = url_for("desk.request_page", request_id=request_id)
    return redirect(url_for("sign_in.verify", next=page), 303)
