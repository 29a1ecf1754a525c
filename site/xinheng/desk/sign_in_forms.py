"""Forms of the sign-in: the library's, with our fields and sentences, and one computation for everybody."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as later
from flask_security.forms import Form, LoginForm, TwoFactorRescueForm, TwoFactorVerifyCodeForm
from flask_security.recovery_codes import MfRecoveryForm
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from xinheng.desk.sign_in_member import Member, StaffDatastore
from xinheng.desk.sign_in_services import own_address, sign_in_services
from xinheng.i18n import gettext as _
from xinheng.staff.names import NotAnAddress, plain_address
from xinheng.staff.passwords import MOST, plain_one_time

_TOO_LONG = later("太长了。")
_TYPED = 4 * MOST  # as typed, before it is normalised


class SignInForm(LoginForm):
    """Address and password. Unknown, wrong and disabled get the same sentence after the same work."""

    email = StringField(later("邮箱"), validators=[Length(max=254, message=_TOO_LONG)])  # type: ignore[assignment]
    password = PasswordField(later("密码"), validators=[Length(max=_TYPED, message=_TOO_LONG)])
    remember = None  # type: ignore[assignment]  # takes the library's field away
    soft_refusal = False
    """Set where this account was tried too often from everywhere: only a second factor lets somebody in."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.next.data:
            self.next.data = own_address(self.next.data)

    def validate(self, **options: Any) -> bool:
        if not super(LoginForm, self).validate(**options):
            return False
        if not self.email.data or not self.password.data:
            self.form_errors.append(_("请填写邮箱和密码。"))
            return False
        member = find_member(self.email.data)
        if self._proves(member) and not (self.soft_refusal and not (member and member.second_factor)):
            self.user = member
            return True
        sign_in_services().accounts.note("sign_in_failed", member.id if member else "")
        self.form_errors.append(_("邮箱或密码不对，或者账号已停用。"))
        return False

    def _proves(self, member: Member | None) -> bool:
        typed = self.password.data or ""
        if member is not None and member.one_time_password:
            typed = plain_one_time(typed)
        passwords = sign_in_services().passwords
        stored = member.password if member else None
        if not passwords.matches(stored, typed):
            return False
        if member is not None and passwords.is_dated(member.password):
            sign_in_services().accounts.rehash(member.id, member.password, typed)
        return True


def find_member(email: str) -> Member | None:
    """The active member with an address as it was typed."""
    try:
        address = plain_address(email)
    except NotAnAddress:
        return None
    return StaffDatastore(sign_in_services().database).find_user(email=address)


class CodeForm(TwoFactorVerifyCodeForm):
    """A code of the authenticator, at sign-in."""

    code = StringField(
        later("六位数字"),
        validators=[InputRequired(later("请填写六位数字。")), Length(max=32, message=_TOO_LONG)],
    )


class HelpForm(TwoFactorRescueForm):
    """What the library lists beside the code; our page has links in its place. Its own list is of an outdated kind."""

    help_setup = SelectField(choices=[])  # type: ignore[assignment]


class RecoveryForm(MfRecoveryForm):
    """A recovery code in place of the phone."""

    code = StringField(
        later("恢复代码"),
        validators=[InputRequired(later("请填写恢复代码。")), Length(max=64, message=_TOO_LONG)],
    )


class SetUpForm(Form):
    """The first code of a new authenticator."""

    code = StringField(
        later("六位数字"),
        validators=[InputRequired(later("请填写六位数字。")), Length(max=32, message=_TOO_LONG)],
    )


class AgainForm(FlaskForm):  # type: ignore[misc]  # an untyped package
    """The password once more, before something that must not be done by whoever finds the desk open."""

    password = PasswordField(
        later("密码"),
        validators=[InputRequired(later("请填写密码。")), Length(max=_TYPED, message=_TOO_LONG)],
    )
    next = HiddenField()


class PasswordForm(FlaskForm):  # type: ignore[misc]  # an untyped package
    """The present password and the new one, twice."""

    present = PasswordField(
        later("现在的密码"),
        validators=[InputRequired(later("请填写现在的密码。")), Length(max=_TYPED, message=_TOO_LONG)],
    )
    new = PasswordField(
        later("新密码"),
        validators=[InputRequired(later("请填写新密码。")), Length(max=_TYPED, message=_TOO_LONG)],
    )
    repeated = PasswordField(
        later("再写一次新密码"),
        validators=[InputRequired(later("请再写一次新密码。")), Length(max=_TYPED, message=_TOO_LONG)],
    )


class JoinForm(FlaskForm):  # type: ignore[misc]  # an untyped package
    """A first password, or another one, by a link; who joins says what to be called."""

    name = StringField(
        later("显示的名字"),
        validators=[InputRequired(later("请填写名字。")), Length(max=40, message=_TOO_LONG)],
    )
    new = PasswordField(
        later("密码"),
        validators=[InputRequired(later("请填写密码。")), Length(max=_TYPED, message=_TOO_LONG)],
    )
    repeated = PasswordField(
        later("再写一次密码"),
        validators=[InputRequired(later("请再写一次密码。")), Length(max=_TYPED, message=_TOO_LONG)],
    )
