"""What administrators do with accounts. Each deed asks who it is if that was a while ago, and stands in the audit."""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from xinheng.desk.frame import blueprint, database, utc_now, work
from xinheng.desk.people_pages import chosen_roles, name_taken, show_link, show_person, the_person
from xinheng.desk.permission import current_member, requires
from xinheng.desk.proved import proved_lately
from xinheng.desk.sign_in_services import sign_in_services
from xinheng.i18n import gettext as _
from xinheng.i18n import ngettext
from xinheng.leads.deeds import Deed
from xinheng.leads.scope import Scope
from xinheng.leads.succession import hand_over_all
from xinheng.notices.outbox import enqueue
from xinheng.staff.accounts import LastAdministrator
from xinheng.staff.colleagues import Colleague, read_colleagues
from xinheng.staff.letters import letter_of_second_factor
from xinheng.staff.membership import AlreadyMember, NameTaken, is_last_administrator
from xinheng.staff.people import Person
from xinheng.staff.permissions import Permission, permissions_of


@blueprint.post("/people/<row:member_id>/roles")
@proved_lately()
@requires(Permission.ACCOUNTS)
def set_roles(member_id: str) -> Response:
    person, leads = the_person(member_id)
    roles = chosen_roles()
    if not roles:
        return show_person(member_id, error=_("请至少选一个角色"), status=422)
    try:
        sign_in_services().accounts.set_roles(person.member.email, roles, actor=current_member().id)
    except LastAdministrator:
        return show_person(member_id, error=last_administrator(), status=422)
    flash(_("角色已改，他在各处的登录都已退出"), "done")
    if leads and Permission.LEADS not in permissions_of(roles):
        told = ngettext(
            "他还有%(num)s条进行中的线索，现在没有人跟进：请销售主管在“全部线索”里交给别人",
            "他还有%(num)s条进行中的线索，现在没有人跟进：请销售主管在“全部线索”里交给别人",
            leads,
        )
        flash(told, "error")
    return _to_page(member_id)


@blueprint.post("/people/<row:member_id>/password")
@proved_lately()
@requires(Permission.ACCOUNTS)
def reset_password(member_id: str) -> Response:
    """Take the password away and show a link by which the member sets another."""
    the_person(member_id)
    try:
        return show_link(sign_in_services().links.reset(member_id, actor=current_member().id), "reset")
    except LookupError:
        return _changed(member_id)


@blueprint.post("/people/<row:member_id>/invite")
@proved_lately()
@requires(Permission.ACCOUNTS)
def invite_again(member_id: str) -> Response:
    """A new link for who never came in, or who comes back."""
    the_person(member_id)
    try:
        return show_link(
            sign_in_services().links.invite_again(member_id, actor=current_member().id), "invite"
        )
    except AlreadyMember:
        return _changed(member_id)
    except NameTaken:
        flash(name_taken(), "error")
        return _to_page(member_id)


@blueprint.post("/people/<row:member_id>/withdraw")
@proved_lately()
@requires(Permission.ACCOUNTS)
def withdraw_invitation(member_id: str) -> Response:
    person, _leads = the_person(member_id)
    if person.works_here:
        return _changed(member_id)
    sign_in_services().accounts.remove(person.member.email, actor=current_member().id)
    flash(_("邀请已撤回，链接不能用了"), "done")
    return _to_page(member_id)


@blueprint.post("/people/<row:member_id>/second-factor")
@proved_lately()
@requires(Permission.ACCOUNTS)
def reset_second_factor(member_id: str) -> Response:
    """Take the second factor away; the member is told, for it may not have been their wish."""
    person, _leads = the_person(member_id)
    if not person.member.second_factor or not person.works_here:
        return _changed(member_id)
    sign_in_services().accounts.reset(
        person.member.email, password=False, second_factor=True, actor=current_member().id
    )
    text = letter_of_second_factor(current_app.config["ORIGIN"])
    with database().writing() as session:
        enqueue(
            session, kind="account", reference="", text=text, now=utc_now(), recipient=person.member.email
        )
    flash(_("两步验证已取消，他在各处的登录都已退出；有发信邮箱的，已通知本人"), "done")
    return _to_page(member_id)


@blueprint.post("/people/<row:member_id>/sessions")
@proved_lately()
@requires(Permission.ACCOUNTS)
def sign_out_everywhere(member_id: str) -> Response:
    the_person(member_id)
    count = sign_in_services().accounts.sign_out_everywhere(member_id, actor=current_member().id)
    flash(ngettext("已退出%(num)s处登录", "已退出%(num)s处登录", count), "done")
    return _to_page(member_id)


@blueprint.get("/people/<row:member_id>/leave")
@proved_lately()
@requires(Permission.ACCOUNTS)
def leaving(member_id: str) -> Response:
    """How many leads the member has open, and who may have them."""
    return _leave_page(member_id)


@blueprint.post("/people/<row:member_id>/leave")
@proved_lately()
@requires(Permission.ACCOUNTS)
def leave(member_id: str) -> Response:
    """Hand over what is open, then end the account."""
    person, leads = the_person(member_id)
    if not person.works_here or _is_last_administrator(person):
        return _leave_page(member_id)
    actor, heirs = current_member().id, _heirs(member_id)
    if leads and heirs is None:
        return _leave_page(member_id, error=_("请选一个人，或选别的办法"), status=422)
    deed = Deed(Scope(actor, everyone=True), utc_now())
    given = hand_over_all(database(), work(), member_id, heirs or [], deed)
    try:
        sign_in_services().accounts.remove(person.member.email, actor=actor)
    except LastAdministrator:
        return _leave_page(member_id)
    flash(_("%(name)s的账号已停用，各处都已退出", name=person.member.name), "done")
    if given:
        flash(ngettext("交出了%(num)s条线索", "交出了%(num)s条线索", given), "done")
    return redirect(url_for("desk.people"), 303)


def _leave_page(member_id: str, *, error: str = "", status: int = 200) -> Response:
    person, leads = the_person(member_id)
    if not person.works_here:
        return _changed(member_id)
    page = render_template(
        "desk/leave.html",
        person=person,
        open_leads=leads,
        takers=_takers(member_id),
        last_administrator=_is_last_administrator(person),
        chosen=request.form,
        shared=request.form.getlist("share"),
        error=error,
    )
    return make_response(page, status)


def _heirs(member_id: str) -> Sequence[Colleague] | None:
    """Who is to have the leads; empty for the pool, None where nobody was chosen."""
    takers = {each.id: each for each in _takers(member_id)}
    match request.form.get("to", ""):
        case "pool":
            return []
        case "one":
            chosen = [request.form.get("owner", "")]
        case "share":
            chosen = request.form.getlist("share")
        case _:
            chosen = []
    return [takers[each] for each in chosen if each in takers] or None


def _takers(member_id: str) -> Sequence[Colleague]:
    """The others to whom leads can be given."""
    with database().reading() as session:
        everybody = read_colleagues(session).values()
    return [each for each in everybody if each.takes_leads and each.id != member_id]


def _is_last_administrator(person: Person) -> bool:
    with database().reading() as session:
        return is_last_administrator(session, person.member)


def last_administrator() -> str:
    return _("这是最后一个管理员：请先让别人也当管理员")


def _changed(member_id: str) -> Response:
    """Somebody else did something to the account meanwhile, or the button was pressed twice."""
    flash(_("没有改：这个账号的状态已经变了，请看现在的样子"), "error")
    return _to_page(member_id)


def _to_page(member_id: str) -> Response:
    return redirect(url_for("desk.person", member_id=member_id), 303)
