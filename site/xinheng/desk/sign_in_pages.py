"""Signing in and out: the library's views, throttled, recorded, and with our pages."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
)
from flask.typing import ResponseReturnValue
from flask_security import views
from flask_security.recovery_codes import mf_recovery
from sqlalchemy.exc import DatabaseError

from xinheng.audit.log import AuditHeadMissing
from xinheng.db import DatabaseBusy
from xinheng.desk.permission import current_member, open_to_all, requires, signed_in_member
from xinheng.desk.sessions import PENDING
from xinheng.desk.sign_in_first_page import sign_in_page
from xinheng.desk.sign_in_forms import AgainForm, find_member
from xinheng.desk.sign_in_gate import stay_at_the_desk
from xinheng.desk.sign_in_member import Member, StaffDatastore
from xinheng.desk.sign_in_services import desk_session, network, own_address, sign_in_services
from xinheng.i18n import gettext as _
from xinheng.i18n import ngettext
from xinheng.staff import clock
from xinheng.staff.names import NotAnAddress, plain_address
from xinheng.staff.passwords import plain_one_time
from xinheng.staff.permissions import Permission
from xinheng.staff.throttle import Refusal

blueprint = Blueprint("sign_in", __name__, url_prefix="/desk")
"""In place of the library's own: its views find each other through the endpoints' names."""

blueprint.after_request(stay_at_the_desk)


@blueprint.route("/sign-in", methods=["GET", "POST"], endpoint="login")
@open_to_all
def sign_in() -> ResponseReturnValue:
    if request.method == "GET":
        return make_response(views.login())
    if signed_in_member() is not None:
        return redirect(
            "/desk/"
        )  # nothing is asked of the password, so nothing may be forgotten of wrong ones
    account = _account(request.form.get("email", ""))
    hard, soft = sign_in_services().throttle.sign_in(account, network(), clock.now())
    if hard:
        _note_refusal(hard, account)
        return too_often(hard, sign_in_page(wait(hard), email=request.form.get("email", "")))
    g.soft_refusal = soft is not None
    g.sign_in_method = "password"
    answer = _unprocessable(views.login())
    if answer.status_code != 422:
        sign_in_services().throttle.passed(account, network())
    elif soft:
        return too_often(soft, sign_in_page(wait(soft), email=request.form.get("email", "")))
    return answer


@blueprint.route("/sign-out", methods=["POST"], endpoint="sign_out")
@open_to_all
def sign_out() -> ResponseReturnValue:
    member = signed_in_member()
    answer = views.logout()
    desk_session().end()
    if member is not None:
        try:
            sign_in_services().accounts.note("sign_out", member.id, actor=member.id)
        except (DatabaseBusy, DatabaseError, AuditHeadMissing) as fault:
            # who wants to leave leaves: a record that fails must not keep a desk open
            current_app.logger.error("退出没有记下：%s", type(fault).__name__)
    return answer


@blueprint.route("/code", methods=["GET", "POST"], endpoint="two_factor_token_validation")
@open_to_all
def code() -> ResponseReturnValue:
    if request.method == "POST" and (refusal := _pending_refusal()):
        page = render_template(
            "desk/sign_in/code.html", two_factor_verify_code_form=None, sentence=wait(refusal)
        )
        return too_often(refusal, page)
    g.sign_in_method = "code"
    return _unprocessable(views.two_factor_token_validation())


@blueprint.route("/recovery", methods=["GET", "POST"], endpoint="mf_recovery")
@open_to_all
def recovery() -> ResponseReturnValue:
    if request.method == "POST" and (refusal := _pending_refusal()):
        page = render_template("desk/sign_in/recovery.html", mf_recovery_form=None, sentence=wait(refusal))
        return too_often(refusal, page)
    g.sign_in_method = "recovery"
    return _unprocessable(mf_recovery())


@blueprint.get("/code/help", endpoint="two_factor_rescue")
@open_to_all
def code_help() -> str:
    """For who has neither phone nor recovery codes. Nothing is sent by mail: a mailbox is no second factor."""
    return render_template("desk/sign_in/code_help.html")


@blueprint.route("/again", methods=["GET", "POST"], endpoint="verify")
@requires(Permission.OWN, unfinished=True)
def again() -> ResponseReturnValue:
    """The password once more, for what must not be done by whoever finds the desk open."""
    member, form = current_member(), AgainForm()
    back_to = own_address(form.next.data or request.args.get("next", ""))
    form.next.data = back_to
    shown = {"form": form, "typed": list(filter(None, [request.form.get("kept")]))}
    if request.method == "POST":
        if refusal := sign_in_services().throttle.code(member.id, clock.now()):
            page = render_template("desk/sign_in/again.html", **shown, sentence=wait(refusal))
            return too_often(refusal, page)
        typed = form.password.data or ""
        if member.one_time_password:
            typed = plain_one_time(typed)
        if form.validate() and sign_in_services().passwords.matches(member.password, typed):
            sign_in_services().throttle.code_passed(member.id)
            desk_session().renew()
            return redirect(back_to)
        if form.password.data:
            sign_in_services().accounts.note("sign_in_failed", member.id, actor=member.id)
            form.form_errors.append(_("密码不对。"))
        return make_response(render_template("desk/sign_in/again.html", **shown), 422)
    return render_template("desk/sign_in/again.html", **shown)


def signed_in(_app: object, user: Member, **_more: object) -> None:
    """Everything was right: a new session, and a line in the audit, without which nobody comes in."""
    desk_session().begin(user.id)
    method = g.get("sign_in_method", "password")
    sign_in_services().accounts.signed_in(user.id, method)
    if method != "password":
        sign_in_services().throttle.code_passed(user.id)


def _account(email: str) -> str:
    try:
        return plain_address(email)
    except NotAnAddress:
        return ""


def _note_refusal(refusal: Refusal, account: str) -> None:
    """The first of a row of refusals goes to the audit; the others would only fill it."""
    if refusal.first:
        member = find_member(account)
        sign_in_services().accounts.note("denied", member.id if member else "", reason="throttled")


def _pending_refusal() -> Refusal | None:
    """Count a try of a code by somebody whose password was right."""
    pending = session.get(PENDING)
    member = StaffDatastore(sign_in_services().database).find_user(fs_uniquifier=pending) if pending else None
    return sign_in_services().throttle.code(member.id, clock.now()) if member else None


def wait(refusal: Refusal) -> str:
    """How long to wait, in a sentence."""
    if refusal.seconds < 120:
        return ngettext(
            "试得太频繁了，请过%(num)s秒再试。", "试得太频繁了，请过%(num)s秒再试。", refusal.seconds
        )
    minutes = -(-refusal.seconds // 60)
    return ngettext("试得太频繁了，请过%(num)s分钟再试。", "试得太频繁了，请过%(num)s分钟再试。", minutes)


def too_often(refusal: Refusal, page: str) -> Response:
    """The page that says so, as an answer that programs understand too."""
    answer = make_response(page, 429)
    answer.headers["Retry-After"] = str(refusal.seconds)
    return answer


def _unprocessable(answer: ResponseReturnValue) -> Response:
    """A form that comes back after it was sent has an error in it."""
    response = make_response(answer)
    if request.method == "POST" and response.status_code == 200:
        response.status_code = 422
    return response
