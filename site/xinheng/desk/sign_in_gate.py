"""Before any page of the desk: a form's token, who it is, and what must be done first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import abort, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response

from xinheng.desk.permission import at_desk, permission_of, signed_in_member
from xinheng.desk.privacy_banners import privacy_banners
from xinheng.desk.sign_in_first_page import sign_in_page
from xinheng.desk.sign_in_services import desk_session, own_address, sign_in_services
from xinheng.desk.times import span
from xinheng.i18n import gettext as _
from xinheng.leads.spool import Spool
from xinheng.page_cache import private
from xinheng.staff.models import User
from xinheng.staff.permissions import needs_second_factor

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LATER = "second_factor_later"
WANTED = "wanted_page"
"""Where somebody was going when the second factor was asked for."""

_UNSAID = ("password", "code", "csrf_token", "next", "present", "new", "repeated", "email")
"""Fields whose text is never shown again."""

csrf = CSRFProtect()


@dataclass(frozen=True, slots=True)
class Banner:
    """A sentence at the top of the desk's pages, with where to go if there is such a page."""

    text: str
    action: str = ""
    href: str = ""


def check_token() -> None:
    """Whatever changes something at the desk carries its session's token. Raises CSRFError."""
    if at_desk() and request.method not in SAFE_METHODS and not request.routing_exception:
        csrf.protect()


def reopen_from_our_own() -> ResponseReturnValue | None:
    """A link in a mail arrives without the cookie, which is for our own pages only: so the page opens itself again."""
    came_from_elsewhere = request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}
    if not at_desk() or request.method != "GET" or request.routing_exception or not came_from_elsewhere:
        return None
    if signed_in_member() is not None:
        return None
    address = own_address(request.full_path.removesuffix("?"))
    return make_response(render_template("desk/sign_in/reopen.html", address=address))


def back_to_the_page() -> ResponseReturnValue | None:
    """The address of a deed, opened instead of sent (reloaded, or from the history): its page."""
    if at_desk() and request.method == "GET" and isinstance(request.routing_exception, MethodNotAllowed):
        return redirect(own_address(request.path))
    return None


def ask_to_sign_in() -> ResponseReturnValue:
    """Nobody is signed in, or no longer: to the sign-in and back. What was typed is shown, to be copied."""
    if request.method in SAFE_METHODS:
        return redirect(url_for("sign_in.login", next=own_address(request.full_path.removesuffix("?"))))
    sentence = _("登录已过期，刚才的操作没有保存。登录后会回到原来的页面。")
    return make_response(
        sign_in_page(sentence, back_to=own_address(request.referrer or ""), typed=typed_texts()), 401
    )


def unfinished_business(member: User) -> ResponseReturnValue | None:
    """What must be done before anything else; outside production it is offered once."""
    production = sign_in_services().production
    if production and member.one_time_password:
        return redirect(url_for("sign_in.change_password"))
    if member.second_factor or not needs_second_factor(member.role_names):
        return None
    if production or LATER not in desk_session():
        if request.method == "GET":
            desk_session()[WANTED] = own_address(request.full_path.removesuffix("?"))
        return redirect(url_for("sign_in.two_factor_setup"))
    return None


def desk_banners() -> list[Banner]:
    """What the present member should still do, for the layout of the desk's pages."""
    member = signed_in_member()
    if member is None:
        return []
    banners = _spool_banners()
    if member.one_time_password:
        address = url_for("sign_in.change_password")
        banners.append(Banner(_("您还在用系统生成的一次性密码。"), _("换成自己的密码"), address))
    if not member.second_factor:
        sentence = (
            _("您还没有设置两步验证。正式环境里，能看到线索的账号必须先设置。")
            if needs_second_factor(member.role_names)
            else _("建议设置两步验证：只有密码的账号容易被盗。")
        )
        banners.append(Banner(sentence, _("现在设置"), url_for("sign_in.two_factor_setup")))
    banners += [Banner(*each) for each in privacy_banners()]
    return banners


def _spool_banners() -> list[Banner]:
    """Enquiries that are not in any list yet: whoever waits for them must know."""
    spool: Spool = current_app.extensions["xinheng.spool"]
    waiting, banners = spool.waiting(), []
    if waiting.oldest is not None:
        age = span(datetime.now(UTC) - waiting.oldest)
        sentence = _(
            "有%(count)s份咨询还没进线索列表，最早的等了%(age)s：数据库暂时写不进去，它们加密存在备用文件夹里，恢复后自动入库。一直不减，请告诉管理员。",
            count=waiting.count,
            age=age,
        )
        banners.append(Banner(sentence))
    if waiting.aside:
        sentence = _("备用文件夹里有%(count)s份咨询打不开，请告诉管理员。", count=waiting.aside)
        banners.append(Banner(sentence))
    return banners


def token_refused(fault: CSRFError) -> ResponseReturnValue:
    """The token is missing, of another session, or the session is over. What was typed isn't lost."""
    if not at_desk():
        abort(400)
    if request.endpoint == "sign_in.login":
        sentence = _("页面开得太久了，请再登录一次。")
        page = sign_in_page(
            sentence, email=request.form.get("email", ""), back_to=own_address(request.form.get("next", ""))
        )
        return make_response(page, 400)
    if request.endpoint == "sign_in.sign_out":
        return redirect(url_for("sign_in.login"))
    if signed_in_member() is None:
        return ask_to_sign_in()
    fields = [(name, text) for name, text in request.form.items(multi=True) if name not in _UNSAID]
    secret = any(name in request.form for name in ("password", "present", "code"))
    page = render_template(
        "desk/sign_in/once_more.html",
        address=request.full_path.removesuffix("?"),
        back_to=own_address(request.referrer or ""),
        fields=[] if secret else fields,
        texts=typed_texts(),
        can_repeat=not secret and not request.files,
    )
    return make_response(page, 400)


def keep_private(response: Response) -> Response:
    """No page of the desk stays in a cache."""
    return private(response) if at_desk() else response


def stay_at_the_desk(response: Response) -> Response:
    """The sign-in leads nowhere but to the desk, whatever `next` says."""
    if response.location and permission_of(request.endpoint or "") is not None:
        response.headers["Location"] = own_address(response.location)
    return response


def typed_texts() -> list[str]:
    """What somebody wrote, as far as it is worth keeping: not choices, not secrets."""
    texts = (text.strip() for name, text in request.form.items(multi=True) if name not in _UNSAID)
    return [text for text in texts if len(text) > 12 or not text.isascii()]
