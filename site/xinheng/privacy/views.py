"""The public page of a request and its receipt."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from flask import Blueprint, abort, current_app, make_response, redirect, render_template, url_for
from sqlalchemy.exc import DatabaseError
from werkzeug.wrappers import Response

from xinheng.audit.log import AuditHeadMissing
from xinheng.db import DatabaseBusy
from xinheng.forms.builder import DeclaredForm
from xinheng.page_cache import compress, private, public
from xinheng.phones import parse_phone
from xinheng.privacy.deadline import WORKING_DAYS
from xinheng.privacy.receiving import Asked, PrivacyDesk
from xinheng.privacy.request_form import FIELDS, request_form

blueprint = Blueprint("privacy", __name__, url_prefix="/privacy/request")


@blueprint.get("")
@public
def form_page() -> str:
    return _page(request_form()(formdata=None))


@blueprint.post("")
def submit() -> Response:
    form = request_form()()
    if not form.validate():
        return private(make_response(_page(form), 422))
    asked = Asked(
        form["kind"].data, parse_phone(form["phone"].data), form["reference"].data, form["words"].data
    )
    try:
        receipt = _desk().receive(asked, datetime.now(UTC))
    except (DatabaseBusy, DatabaseError, AuditHeadMissing, OSError) as fault:
        current_app.logger.error("一份个人信息请求没能存下：%s", type(fault).__name__)
        response = make_response(_page(form, not_stored=True), 503)
        response.headers["Retry-After"] = "60"
        return private(response)
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


def _page(form: DeclaredForm, *, not_stored: bool = False) -> str:
    return render_template(
        "privacy/request.html",
        fields=FIELDS,
        form=form,
        errors=dict(form.ordered_errors()),
        not_stored=not_stored,
        days=WORKING_DAYS,
    )


def _desk() -> PrivacyDesk:
    held: PrivacyDesk = current_app.extensions["xinheng.privacy"]
    return held
