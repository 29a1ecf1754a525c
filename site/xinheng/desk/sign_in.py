"""Wires the sign-in into the application: the library on our tables, sessions on our side, the gate before the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, abort, has_request_context, session
from flask_security import FormInfo, Security, user_authenticated
from flask_wtf.csrf import CSRFError

from xinheng.company import Company
from xinheng.crypto import Keys
from xinheng.desk import join_pages, sign_in_me  # noqa: F401 (their pages register themselves)
from xinheng.desk.calendar_banner import calendar_banners
from xinheng.desk.disk_banner import disk_banners
from xinheng.desk.notice_banner import notice_banners
from xinheng.desk.permission import may, refuse_what_is_not_permitted, signed_in_member
from xinheng.desk.sessions import DeskSession, DeskSessions
from xinheng.desk.sign_in_codes import DeskTotp, RecoveryCodes
from xinheng.desk.sign_in_first_page import sign_in_form
from xinheng.desk.sign_in_forms import CodeForm, HelpForm, RecoveryForm, SignInForm
from xinheng.desk.sign_in_gate import (
    ask_to_sign_in,
    back_to_the_page,
    check_token,
    csrf,
    desk_banners,
    keep_private,
    reopen_from_our_own,
    token_refused,
    unfinished_business,
)
from xinheng.desk.sign_in_member import StaffDatastore
from xinheng.desk.sign_in_pages import blueprint, signed_in
from xinheng.desk.sign_in_services import PASSWORD_COST, SignIn, sign_in_services
from xinheng.settings import Settings
from xinheng.staff.models import User
from xinheng.staff.passwords import COST
from xinheng.staff.permissions import Permission

__all__ = ["blueprint", "start_sign_in"]


class DeskSecurity(Security):
    """The library without its own drawing of QR codes: ours needs no picture from a `data:` address."""

    def _check_modules(self, module: str, config_name: str) -> bool:
        return module == "qrcode" or bool(
            super()._check_modules(module, config_name)  # type: ignore[no-untyped-call]
        )


def start_sign_in(app: Flask, settings: Settings) -> None:
    """Start the sign-in. It needs keys, databases and the company, and the origin guard before it."""
    keys: Keys = app.extensions["xinheng.keys"]
    company: Callable[[], Company] = app.extensions["xinheng.company"]
    database = app.extensions["xinheng.databases"].leads
    app.extensions["xinheng.sign_in"] = SignIn(
        database, keys, settings.production, company, urlsplit(settings.origin).hostname or ""
    )
    configure_sessions(app, settings, keys)
    configure_library(app, settings, keys, company().name)
    csrf.init_app(app)
    json_provider = app.json
    security = DeskSecurity(
        app,
        StaffDatastore(database),
        register_blueprint=False,
        totp_cls=DeskTotp,
        mf_recovery_codes_util_cls=RecoveryCodes,
        two_factor_verify_code_form=CodeForm,
        two_factor_rescue_form=HelpForm,
        mf_recovery_form=RecoveryForm,
    )
    app.json = json_provider  # the library puts its own in its place, for lazy texts that we never send
    security.set_form_info("login_form", FormInfo(instantiator=sign_in_form, cls=SignInForm))
    quiet_login_manager(security)
    user_authenticated.connect(signed_in, app)
    app.register_blueprint(blueprint)
    guard_desk(app)


def configure_sessions(app: Flask, settings: Settings, keys: Keys) -> None:
    app.config.update(
        SECRET_KEY=keys.web,
        SESSION_COOKIE_NAME="__Host-sid" if settings.secure else "sid",
        SESSION_COOKIE_SECURE=settings.secure,
        WTF_CSRF_CHECK_DEFAULT=False,  # public forms have no token; the gate checks the desk's
        WTF_CSRF_TIME_LIMIT=None,  # a token lasts as long as its session
        WTF_CSRF_SSL_STRICT=False,  # the origin guard has looked at where the request comes from
    )
    app.config.setdefault(PASSWORD_COST, COST)
    services: SignIn = app.extensions["xinheng.sign_in"]
    app.session_interface = DeskSessions(services.sessions, keys.web)


def configure_library(app: Flask, settings: Settings, keys: Keys, company: str) -> None:
    """All that the library could do beyond a password and an authenticator stays off."""
    options: dict[str, Any] = {
        "BLUEPRINT_NAME": blueprint.name,
        "API_ENABLED_METHODS": ["session"],
        "FLASH_MESSAGES": False,
        "I18N_DIRNAME": ["builtin", str(settings.translations)],
        "LOGIN_USER_TEMPLATE": "desk/sign_in/sign_in.html",
        "LOGOUT_METHODS": ["POST"],
        "MULTI_FACTOR_RECOVERY_CODES": True,
        "MULTI_FACTOR_RECOVERY_TEMPLATE": "desk/sign_in/recovery.html",
        "PASSWORD_SCHEMES": ["argon2"],
        "PASSWORD_SINGLE_HASH": ["argon2"],
        "POST_LOGIN_VIEW": "/desk/",
        "POST_LOGOUT_VIEW": "/desk/sign-in",
        "TOTP_ISSUER": f"{company}工作台",
        "TOTP_SECRETS": {"1": keys.keyed_hash("totp").hex()},
        "TWO_FACTOR": True,
        "TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "TWO_FACTOR_IMPLEMENTATIONS": {"code": "flask_security.twofactor.CodeTfPlugin"},
        "TWO_FACTOR_RESCUE_EMAIL": False,
        "TWO_FACTOR_VERIFY_CODE_TEMPLATE": "desk/sign_in/code.html",
        "CLI_USERS_NAME": None,
        "CLI_ROLES_NAME": None,
    }
    app.config.update({f"SECURITY_{name}": value for name, value in options.items()})


def quiet_login_manager(security: Security) -> None:
    """Only the session says who it is: no token in a header, no identity on public pages, no address in a session."""
    manager = security.login_manager
    manager._request_callback = None
    manager.session_protection = None
    manager._session_identifier_generator = str
    security.principal.identity_loaders.clear()
    security.want_json(lambda request: False)


def guard_desk(app: Flask) -> None:
    """What happens before and after each request to the desk, in this order."""
    app.before_request(without_sessions)
    app.before_request(back_to_the_page)
    app.before_request(reopen_from_our_own)
    app.before_request(check_token)
    app.before_request(refuse_what_is_not_permitted(ask_to_sign_in, unfinished_business, _denied))
    app.after_request(keep_private)
    app.register_error_handler(CSRFError, token_refused)
    app.jinja_env.globals.update(
        desk_banners=lambda: [*disk_banners(), *notice_banners(), *calendar_banners(), *desk_banners()],
        signed_in_member=signed_in_member,
        may=may,
        Permission=Permission,
    )
    app.extensions["xinheng.language"] = chosen_language


def without_sessions() -> None:
    """Where sessions can't be read, nobody is asked to sign in again: the desk is away for a moment."""
    if isinstance(session, DeskSession) and session.unavailable:
        abort(503)


def chosen_language() -> str | None:
    """The language the present member chose; None where nobody did."""
    member = signed_in_member() if has_request_context() else None
    return None if member is None or member.language == "zh" else member.language


def _denied(member: User) -> None:
    sign_in_services().accounts.note("denied", member.id, actor=member.id, reason="permission")
