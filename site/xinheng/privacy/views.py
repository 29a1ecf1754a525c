"""The public page of a request and its receipt."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

from flask import Blueprint, abort, current_app, make_response, redirect, render_template, request, url_for
from sqlalchemy.exc import DatabaseError
from werkzeug.wrappers import Response

from xinheng.audit.log import AuditHeadMissing
from xinheng.db import DatabaseBusy
from xinheng.forms.builder import DeclaredForm
from xinheng.origin_guard import confirm_token, unconfirmed
from xinheng.page_cache import compress, private, public
from xinheng.phones import parse_phone
from xinheng.privacy.deadline import WORKING_DAYS
from xinheng.privacy.pace import Pace
from xinheng.privacy.receiving import Asked, PrivacyDesk
from xinheng.privacy.request_form import FIELDS, request_form

Why = Literal["", "confirm", "too_many", "not_stored"]
"""Why the form is shown once more, where its mistakes aren't the reason."""

blueprint = Blueprint("privacy", __name__, url_prefix="/privacy/request")


@blueprint.get("")
@public
def form_page() -> str:
    return _page(request_form()(formdata=None))


@blueprint.post("")
def submit() -> Response:
    form, now = request_form()(), datetime.now(UTC)
    if unconfirmed():
        return _again(form, 403, "confirm")
    if not form.validate():
        return _again(form, 422)
    if wait := _pace().wait(request.remote_addr or "", now):
        return _again(form, 429, "too_many", wait)
    asked = Asked(
        form["kind"].data, parse_phone(form["phone"].data), form["reference"].data, form["words"].data
    )
    try:
        receipt = _desk().receive(asked, now)
    except (DatabaseBusy, DatabaseError, AuditHeadMissing, OSError) as fault:
        current_app.logger.error("一份个人信息请求没能存下：%s", type(fault).__name__)
        return _again(form, 503, "not_stored", 60)
    return private(redirect(url_for("privacy.received", number=receipt.number), 303))


@blueprint.get("/<number>")
@compress.compressed()
def received(number: str) -> Response:
    """The receipt: the same page whoever asked for whatever."""
    receipt = _desk().find(number) if re.fullmatch(r"SQ-[0-9A-Z]{5}-[0-9A-Z]{5}", number, re.ASCII) else None
    if receipt is None:
        abort(404)
    response = make_response(render_template("privacy/received.html", receipt=receipt, days=WORKING_DAYS))
    response.headers["Referrer-Policy"] = "no-referrer"
    return private(response)


def _again(form: DeclaredForm, status: int, why: Why = "", wait: int = 0) -> Response:
    """The form once more, with everything that was typed; `wait` in seconds."""
    response = make_response(_page(form, why, minutes=-(-wait // 60), token=confirm_token()), status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return private(response)


def _page(form: DeclaredForm, why: Why = "", *, minutes: int = 0, token: str = "") -> str:
    return render_template(
        "privacy/request.html",
        fields=FIELDS,
        form=form,
        errors=dict(form.ordered_errors()),
        why=why,
        minutes=minutes,
        token=token,
        days=WORKING_DAYS,
    )


def _desk() -> PrivacyDesk:
    held: PrivacyDesk = current_app.extensions["xinheng.privacy"]
    return held


def _pace() -> Pace:
    held: Pace = current_app.extensions["xinheng.pace"]
    return held
