"""Who works at the desk: the list, which a sales lead may read too, and one member's account, for administrators."""

from __future__ import annotations

from collections.abc import Mapping

from flask import abort, current_app, make_response, render_template, request
from werkzeug.wrappers import Response

from xinheng.crypto import new_row_id
from xinheng.desk.frame import blueprint, database, utc_now
from xinheng.desk.permission import current_member, requires
from xinheng.desk.proved import proved_lately
from xinheng.desk.sign_in_services import sign_in_services
from xinheng.i18n import gettext as _
from xinheng.leads.handover import open_leads_by_owner, open_leads_of
from xinheng.notices.channel import Message, NotSent
from xinheng.notices.channels import Switchboard
from xinheng.notices.mail import MAIL
from xinheng.staff.letters import letter_with_link
from xinheng.staff.links import Kind, MadeLink
from xinheng.staff.membership import AlreadyMember, NameTaken
from xinheng.staff.names import NotAnAddress, plain_address, plain_name
from xinheng.staff.people import Person, read_people, read_person
from xinheng.staff.permissions import Permission, RoleName


@blueprint.get("/people")
@requires(Permission.PEOPLE)
def people() -> str:
    with database().reading() as session:
        found = read_people(session, utc_now())
        open_leads = open_leads_by_owner(session)
    return render_template(
        "desk/people.html",
        here=[each for each in found if each.state != "left"],
        left=[each for each in found if each.state == "left"],
        open_leads=open_leads,
    )


@blueprint.get("/people/<row:member_id>")
@proved_lately()
@requires(Permission.ACCOUNTS)
def person(member_id: str) -> Response:
    return show_person(member_id)


@blueprint.get("/people/invite")
@proved_lately()
@requires(Permission.ACCOUNTS)
def invitation() -> Response:
    return _invitation_page()


@blueprint.post("/people/invite")
@proved_lately()
@requires(Permission.ACCOUNTS)
def invite() -> Response:
    """Invite somebody new, or back; the link is on the page that answers, and nowhere else."""
    email, name, roles = request.form.get("email", ""), request.form.get("name", ""), chosen_roles()
    errors: dict[str, str] = {}
    try:
        plain_address(email)
    except NotAnAddress:
        errors["email"] = _("这不像邮箱地址，例如 zhou.min@example.com") if email.strip() else _("请填写邮箱")
    if not plain_name(name):
        errors["name"] = _("请填写姓名")
    if not roles:
        errors["roles"] = _("请至少选一个角色")
    if not errors:
        try:
            made = sign_in_services().links.invite(email, name, roles, actor=current_member().id)
        except AlreadyMember:
            errors["email"] = _("这个邮箱已经有账号")
        except NameTaken:
            errors["name"] = name_taken()
        else:
            return show_link(made, "invite")
    return _invitation_page(errors, status=422)


def _invitation_page(errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    page = render_template(
        "desk/invite.html", errors=errors or {}, typed=request.form, chosen=chosen_roles(), mails=_mails()
    )
    return make_response(page, status)


def show_person(member_id: str, *, error: str = "", status: int = 200) -> Response:
    """The page of one member's account; 404 where there is none."""
    found, leads = the_person(member_id)
    page = render_template(
        "desk/person.html",
        person=found,
        chosen=chosen_roles() if error else found.member.role_names,
        roles_error=error,
        open_leads=leads,
        mails=_mails(),
    )
    return make_response(page, status)


def the_person(member_id: str) -> tuple[Person, int]:
    """A member and how many leads are open with them; 404 where there is none."""
    with database().reading() as session:
        found = read_person(session, member_id, utc_now())
        if found is None:
            abort(404)
        return found, open_leads_of(session, member_id)


def show_link(made: MadeLink, kind: Kind) -> Response:
    """The link, this once. It goes by mail where that was asked for: at once, for no outbox may keep it."""
    address = f"{current_app.config['ORIGIN']}/desk/join/{made.secret}"
    sent, fault = False, ""
    if request.form.get("mail") and _mails():
        try:
            _send(made, kind, address)
            sent = True
        except NotSent as why:
            fault = str(why)
    page = render_template(
        "desk/people_link.html", made=made, kind=kind, address=address, sent=sent, fault=fault
    )
    return make_response(page)


def chosen_roles() -> list[RoleName]:
    """The roles that were ticked."""
    return [role for role in RoleName if role.value in request.form.getlist("role")]


def name_taken() -> str:
    return _("已经有同事用这个名字，请加上部门或英文名，好分清是谁做的。")


def _mails() -> bool:
    """Whether a link can be mailed."""
    held: Switchboard = current_app.extensions["xinheng.channels"]
    return MAIL in held.on(utc_now())


def _send(made: MadeLink, kind: Kind, address: str) -> None:
    """Raises NotSent."""
    held: Switchboard = current_app.extensions["xinheng.channels"]
    text = letter_with_link(kind, current_app.extensions["xinheng.company"]().name, address)
    held.on(utc_now())[MAIL].send(Message(new_row_id(), "", text, recipient=made.member.email))
