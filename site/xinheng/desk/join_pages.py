"""The page behind a link: whoever was invited, or forgot their password, sets one. Opening it uses nothing up."""

from __future__ import annotations

from flask import make_response, render_template
from werkzeug.wrappers import Response

from xinheng.desk.permission import open_to_all, signed_in_member
from xinheng.desk.sign_in_forms import JoinForm
from xinheng.desk.sign_in_me import refused_words
from xinheng.desk.sign_in_pages import blueprint, too_often, wait
from xinheng.desk.sign_in_services import network, sign_in_services
from xinheng.i18n import gettext as _
from xinheng.staff import clock
from xinheng.staff.links import LinkRefused, Opened
from xinheng.staff.membership import NameTaken
from xinheng.staff.passwords import LEAST, PasswordRefused
from xinheng.staff.permissions import needs_second_factor
from xinheng.staff.throttle import LINK, Refusal

_GONE = 410


@blueprint.get("/join/<secret>", endpoint="join")
@open_to_all
def join(secret: str) -> Response:
    try:
        opened = sign_in_services().links.find(secret)
    except LinkRefused as fault:
        refusal = _counted()
        return _refused("throttled", refusal) if refusal else _refused(fault.why)
    return _page(secret, opened, JoinForm(formdata=None, data={"name": opened.member.name}))


@blueprint.post("/join/<secret>", endpoint="join_with_password")
@open_to_all
def join_with_password(secret: str) -> Response:
    """Set the password. Signing in comes after it, with the second factor where there is one."""
    if refusal := _counted():
        return _refused("throttled", refusal)
    links, form = sign_in_services().links, JoinForm()
    try:
        opened = links.find(secret)
        if signed_in_member() is not None:
            return _page(secret, opened, form)
        if not _is_set(secret, opened, form):
            return _page(secret, opened, form, status=422)
    except LinkRefused as fault:
        return _refused(fault.why)
    needed = not opened.member.second_factor and needs_second_factor(opened.member.role_names)
    return make_response(
        render_template("desk/sign_in/joined.html", member=opened.member, second_factor=needed)
    )


def _is_set(secret: str, opened: Opened, form: JoinForm) -> bool:
    """Set it, or say beside the field why not. Raises LinkRefused."""
    if opened.kind == "reset":
        del form.name
    if not form.validate():
        return False
    if form.new.data != form.repeated.data:
        form.repeated.errors = [_("两次写的新密码不一样。")]
        return False
    try:
        sign_in_services().links.use(
            secret,
            form.new.data or "",
            name=(form.name.data or "") if form.name else "",
            own_words=sign_in_services().own_words(opened.member),
        )
    except PasswordRefused as fault:
        form.new.errors = [refused_words(fault.reason)]
    except NameTaken:
        form.name.errors = [_("已经有同事用这个名字，请加上部门或英文名，好分清是谁做的。")]
    else:
        return True
    return False


def _counted() -> Refusal | None:
    return sign_in_services().throttle.counted(LINK, network(), clock.now())


def _page(secret: str, opened: Opened, form: JoinForm, status: int = 200) -> Response:
    """The form; to somebody who is signed in, that it isn't for them."""
    page = render_template("desk/sign_in/join.html", secret=secret, opened=opened, form=form, least=LEAST)
    return make_response(page, status)


def _refused(why: str, refusal: Refusal | None = None) -> Response:
    page = render_template("desk/sign_in/no_link.html", why=why, sentence=wait(refusal) if refusal else "")
    return too_often(refusal, page) if refusal else make_response(page, _GONE)
