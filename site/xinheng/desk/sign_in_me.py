"""What belongs to a member: name, language, password, second factor, sessions."""

from __future__ import annotations

from datetime import timedelta

from flask import (
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as later

from xinheng.desk import words
from xinheng.desk.permission import current_member, requires
from xinheng.desk.sign_in_codes import DeskTotp
from xinheng.desk.sign_in_forms import PasswordForm, SetUpForm
from xinheng.desk.sign_in_gate import LATER, WANTED
from xinheng.desk.sign_in_pages import blueprint, too_often, wait
from xinheng.desk.sign_in_services import desk_session, is_fresh, own_address, sign_in_services
from xinheng.i18n import another_language
from xinheng.i18n import gettext as _
from xinheng.settings import SHANGHAI
from xinheng.staff import clock
from xinheng.staff.membership import NameTaken
from xinheng.staff.models import User
from xinheng.staff.passwords import LEAST, MOST, PasswordRefused, Refused, plain_one_time
from xinheng.staff.permissions import Permission, needs_second_factor

LANGUAGES = {"zh": "中文", "en": "English"}
_REFUSED = {
    Refused.TOO_SHORT: later("太短：至少%(least)s个字符。"),
    Refused.TOO_LONG: later("太长：最多%(most)s个字符。"),
    Refused.COMMON: later("太常见或太有规律，别人容易猜到。几个不相干的词连起来就很好。"),
    Refused.OWN_WORDS: later("里面几乎只有公司、网站或您自己的名字，别人容易猜到。"),
    Refused.SAME: later("和现在的密码一样。"),
}
NEW_SECRET = "new_totp"  # noqa: S105 (a key in the session; the secret under it is sealed)


@blueprint.get("/me", endpoint="me")
@requires(Permission.OWN)
def me() -> str:
    return _my_page()


def _my_page(*, typed: str = "", error: str = "") -> str:
    member = current_member()
    return render_template(
        "desk/sign_in/me.html",
        member=member,
        roles=[words.ROLE[name] for name in sorted(member.role_names) if name in words.ROLE],
        languages=LANGUAGES,
        sessions=sign_in_services().sessions.of(member.id, clock.now()),
        present=desk_session().number,
        codes_left=len(member.mf_recovery_codes),
        name_typed=typed or member.name,
        tomorrow=clock.now().astimezone(SHANGHAI).date() + timedelta(days=1),
        name_error=error,
    )


@blueprint.get("/me/sessions", endpoint="my_sessions")
@requires(Permission.OWN)
def my_sessions() -> Response:
    return redirect(url_for("sign_in.me", _anchor="sessions"))  # type: ignore[return-value]


@blueprint.post("/me/sessions", endpoint="end_sessions")
@requires(Permission.OWN)
def end_sessions() -> ResponseReturnValue:
    """End one of one's sessions by its number, or all but the present one."""
    member, number = current_member(), request.form.get("number", "")
    if number and number == desk_session().number:
        abort(400)  # that is what signing out is for
    accounts = sign_in_services().accounts
    if number:
        accounts.end_own_sessions(member.id, number=number)
    else:
        accounts.end_own_sessions(member.id, but=desk_session().number or "")
    return redirect(url_for("sign_in.me", _anchor="sessions"))


@blueprint.post("/me/name", endpoint="set_name")
@requires(Permission.OWN)
def set_name() -> ResponseReturnValue:
    typed = request.form.get("name", "")
    try:
        sign_in_services().accounts.set_name(current_member().id, typed)
    except NameTaken:
        error = _("已经有同事用这个名字，请加上部门或英文名，好分清是谁做的。")
        return make_response(_my_page(typed=typed, error=error), 422)
    return redirect(url_for("sign_in.me"))


@blueprint.post("/me/language", endpoint="set_language")
@requires(Permission.OWN, unfinished=True)
def set_language() -> ResponseReturnValue:
    language = request.form.get("language", "")
    if language not in LANGUAGES:
        abort(400)
    sign_in_services().accounts.set_language(current_member().id, language)
    another_language()
    return redirect(own_address(request.form.get("next", "") or url_for("sign_in.me")))


@blueprint.route("/password", methods=["GET", "POST"], endpoint="change_password")
@requires(Permission.OWN, unfinished=True)
def change_password() -> ResponseReturnValue:
    member, form = current_member(), PasswordForm()
    if request.method == "POST":
        if refusal := sign_in_services().throttle.code(member.id, clock.now()):
            return too_often(refusal, _password_page(member, form, wait(refusal)))
        if form.validate() and _password_changed(member, form):
            return redirect(url_for("sign_in.me"))
        return make_response(_password_page(member, form), 422)
    return _password_page(member, form)


@blueprint.route("/second-factor", methods=["GET", "POST"], endpoint="two_factor_setup")
@requires(Permission.OWN, unfinished=True)
def second_factor() -> ResponseReturnValue:
    """Set up the authenticator, or another one in its place."""
    member, form = current_member(), SetUpForm()
    if must_replace_password(member):
        return redirect(url_for("sign_in.change_password"))
    if not is_fresh():
        return redirect(url_for("sign_in.verify", next=request.path))
    totp = authenticator()
    secret = session.setdefault(NEW_SECRET, totp.generate_totp_secret())
    if request.method == "POST":
        if refusal := sign_in_services().throttle.code(member.id, clock.now()):
            return too_often(refusal, _set_up_page(member, form, secret, wait(refusal)))
        if form.validate() and (step := totp.step_of(form.code.data or "", secret)) is not None:
            return _set_up(member, secret, step)
        if form.code.data:
            form.code.errors = [_("不对。请看手机上现在显示的六位数字；手机的时间要准。")]
        return make_response(_set_up_page(member, form, secret), 422)
    return _set_up_page(member, form, secret)


@blueprint.post("/second-factor/later", endpoint="second_factor_later")
@requires(Permission.OWN, unfinished=True)
def second_factor_later() -> ResponseReturnValue:
    """Put it off until the next sign-in; not in production."""
    if sign_in_services().production and needs_second_factor(current_member().role_names):
        abort(403)
    session[LATER] = True
    return redirect(own_address(session.pop(WANTED, "/desk/")))


@blueprint.route("/second-factor/codes", methods=["GET", "POST"], endpoint="mf_recovery_codes")
@requires(Permission.OWN)
def recovery_codes() -> ResponseReturnValue:
    """New recovery codes in place of the old."""
    member = current_member()
    if not member.second_factor:
        return redirect(url_for("sign_in.two_factor_setup"))
    if not is_fresh():
        return redirect(url_for("sign_in.verify", next=request.path))
    if request.method == "POST":
        codes = sign_in_services().second_factors.new_codes(member.id)
        return render_template("desk/sign_in/recovery_codes.html", codes=codes)
    return render_template("desk/sign_in/new_codes.html", left=len(member.mf_recovery_codes))


def must_replace_password(member: User) -> bool:
    return sign_in_services().production and member.one_time_password


def authenticator() -> DeskTotp:
    held: DeskTotp = current_app.extensions["security"].totp_factory
    return held


def _set_up(member: User, secret: str, step: int) -> ResponseReturnValue:
    """Keep the proven authenticator; its recovery codes are shown this once."""
    codes = sign_in_services().second_factors.set_up(member.id, secret, step)
    sign_in_services().throttle.code_passed(member.id)
    session.pop(NEW_SECRET, None)
    desk_session().renew()
    return render_template("desk/sign_in/recovery_codes.html", codes=codes)


def _set_up_page(member: User, form: SetUpForm, secret: str, sentence: str = "") -> str:
    required = needs_second_factor(member.role_names)
    return render_template(
        "desk/sign_in/second_factor.html",
        form=form,
        sentence=sentence,
        picture=authenticator().picture(member.email, secret),
        link=authenticator().get_totp_uri(member.email, secret),
        key=authenticator().spelled_key(secret),
        replaces=member.second_factor,
        may_wait=not (sign_in_services().production and required),
    )


def _password_page(member: User, form: PasswordForm, sentence: str = "") -> str:
    return render_template(
        "desk/sign_in/password.html",
        form=form,
        sentence=sentence,
        one_time=member.one_time_password,
        must=must_replace_password(member),
        least=LEAST,
    )


def _password_changed(member: User, form: PasswordForm) -> bool:
    """Change it, or say beside the field why not."""
    services = sign_in_services()
    present = form.present.data or ""
    typed = plain_one_time(present) if member.one_time_password else present
    if not services.passwords.matches(member.password, typed):
        services.accounts.note("sign_in_failed", member.id, actor=member.id)
        form.present.errors = [_("现在的密码不对。")]
        return False
    if form.new.data != form.repeated.data:
        form.repeated.errors = [_("两次写的新密码不一样。")]
        return False
    try:
        mark = services.accounts.change_password(
            member.id,
            form.new.data or "",
            own_words=services.own_words(member),
            session_number=desk_session().number,
        )
    except PasswordRefused as fault:
        form.new.errors = [refused_words(fault.reason)]
        return False
    services.throttle.code_passed(member.id)
    session["_user_id"] = mark
    desk_session().renew()
    return True


def refused_words(reason: Refused) -> str:
    """Why a new password isn't accepted, in a sentence."""
    return str(_REFUSED[reason] % {"least": LEAST, "most": MOST})
