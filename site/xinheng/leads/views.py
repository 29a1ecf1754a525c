"""The consultation form, its thank-you page, and what happens when something is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from flask import (
    Blueprint,
    abort,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from markupsafe import Markup
from werkzeug.wrappers import Response

from xinheng.addresses import address_prefix
from xinheng.company import Company
from xinheng.crypto import plain_reference
from xinheng.forms.builder import DeclaredForm, build_form
from xinheng.forms.definition import KNOWN_FIELDS, FormDeclaration, PublishedForm
from xinheng.leads.attached import PURPOSE
from xinheng.leads.attribution import public_path, read_attribution
from xinheng.leads.guard import Brought, Guard
from xinheng.leads.reception import Reception
from xinheng.leads.record import NotStored, UnknownForm
from xinheng.leads.submission import Submission
from xinheng.markup import render
from xinheng.origin_check import Confirmation, Verdict
from xinheng.page_cache import compress, private, public
from xinheng.phones import parse_phone

blueprint = Blueprint("leads", __name__)
_RESULT = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True)
class Consultation:
    """What the form's pages need of the application."""

    reception: Reception
    guard: Guard
    confirmation: Confirmation
    published: Callable[[], PublishedForm]
    company: Callable[[], Company]
    article_slugs: Callable[[], Collection[str]]
    own_host: str


@dataclass(frozen=True)
class ShownForm:
    """The form as a template shows it, empty or with what was typed."""

    declaration: FormDeclaration
    version: str
    notice: Markup
    form: DeclaredForm
    errors: dict[str, str]


def consultation() -> Consultation:
    held: Consultation = current_app.extensions["xinheng.consultation"]
    return held


def shown_form(form: DeclaredForm | None = None, assessment: str = "") -> ShownForm:
    """The published form; the one a page carries when it has typed nothing yet. With the token of a health check's
    result, it asks whether to attach that."""
    published = consultation().published()
    if form is None:
        form = build_form(published.declaration)(
            formdata=None, consent_version=published.version, assessment=assessment
        )
    return ShownForm(
        published.declaration,
        published.version,
        _notice(published.notice),
        form,
        dict(form.ordered_errors()),
    )


@lru_cache(maxsize=8)
def _notice(text: str) -> Markup:
    return render(text).html


@blueprint.get("/consultation")
@public
def form_page() -> str:
    return render_template("leads/consultation.html", shown=shown_form())


@blueprint.post("/consultation")
def submit() -> Response:
    published, now = consultation().published(), datetime.now(UTC)
    form = build_form(published.declaration)()
    if g.origin_verdict is Verdict.UNKNOWN and not _confirmed():
        return _again(form, 403, "leads/confirm.html", token=consultation().confirmation.token(_client()))
    if not form.validate():
        return _again(form, 422)
    try:
        recorded = consultation().reception.take(_judged(form, published.declaration, now), now)
    except UnknownForm:
        form.consent_version.data = ""
        return _again(form, 422)
    except NotStored as fault:
        current_app.logger.error("一份咨询没能存下：%s", fault)
        return _again(form, 503, "leads/not_stored.html")
    return private(redirect(url_for("leads.thanks", reference=recorded.reference), code=303))


@blueprint.get("/consultation/stamp")
def stamp() -> Response:
    """What a form asks for at its first focus: no part of the page, which may come from any cache."""
    greeting = consultation().guard.welcome(request.remote_addr or "", datetime.now(UTC))
    return private(jsonify(greeting))


@blueprint.get("/consultation/<reference>")
@compress.compressed()
def thanks(reference: str) -> Response:
    plain = plain_reference(reference)
    receipt = consultation().reception.receipt(plain) if plain else None
    if receipt is None:
        abort(404)
    response = make_response(render_template("leads/thanks.html", receipt=receipt, shown=shown_form()))
    response.headers["Referrer-Policy"] = (
        "no-referrer"  # its address is a secret, and the page has no form of ours
    )
    return private(response)


def _again(
    form: DeclaredForm, status: int, template: str = "leads/consultation.html", **context: str
) -> Response:
    """The form once more, with everything that was typed."""
    published = consultation().published()
    if form.consent_version.data != published.version:
        _ask_consent_again(form, published)  # the notice shown now is not the one that was ticked
    if "token" not in context and _confirmed():
        context["token"] = request.form[
            "confirm_token"
        ]  # confirmed once is enough while the words are mended
    if not form.touch.data:
        form.touch.data = _touch_without_script()
    response = make_response(render_template(template, shown=shown_form(form), **context), status)
    if status == 503:
        response.headers["Retry-After"] = "60"
    return private(response)


def _touch_without_script() -> str:
    """The page the form was filled in on, so that it isn't lost when the form comes back on a page of its own."""
    page = read_attribution(
        "", request.referrer or "", consultation().own_host, consultation().article_slugs()
    ).page
    return current_app.json.dumps({"page": public_path(page)}) if page else ""


def _judged(form: DeclaredForm, declaration: FormDeclaration, now: datetime) -> Submission:
    """The submission with its verdict, which only decides where it is kept: everybody gets the same answer."""
    submission = _submission(form, declaration)
    brought = Brought(
        address=request.remote_addr or "",
        trapped=form.trapped,
        stamp=form.stamp.data or "",
        proof=form.proof.data or "",
    )
    return replace(submission, verdict=consultation().guard.judge(submission, brought, now))


def _submission(form: DeclaredForm, declaration: FormDeclaration) -> Submission:
    held = consultation()
    values = {declared.name: form[declared.name].data or "" for declared in declaration.fields}
    result = form.assessment.data or ""
    agreed = {consent.purpose for consent in declaration.consents if form[consent.name].data}
    attaches = PURPOSE in agreed and _RESULT.fullmatch(result) is not None
    return Submission(
        need=values["need"],
        name=values.get("name", ""),
        phone=parse_phone(values["phone"]),
        details=values["details"],
        call_time=values.get("call_time", ""),
        extra={name: value for name, value in values.items() if name not in KNOWN_FIELDS and value},
        purposes=tuple(each for each in sorted(agreed) if each != PURPOSE or attaches),
        assessment=result if attaches else "",
        form_version=form.consent_version.data or "",
        typed_id=form.submission_id.data or "",
        attribution=read_attribution(
            form.touch.data or "", request.referrer or "", held.own_host, held.article_slugs()
        ),
    )


def _ask_consent_again(form: DeclaredForm, published: PublishedForm) -> None:
    """The page was made from words we can't prove: show the present ones, and ask for the tick again."""
    form.consent_version.data = published.version
    for consent in published.declaration.consents:
        form[consent.name].data = False
        if consent.required:
            form[consent.name].errors = ["上面的说明有更新，请读过后重新勾选"]


def _confirmed() -> bool:
    return consultation().confirmation.passes(request.form.get("confirm_token", ""), _client())


def _client() -> str:
    """The browser and network a confirm page was made for, hashed."""
    keys = current_app.extensions["xinheng.keys"]
    digest: bytes = keys.keyed_hash(
        "client", address_prefix(request.remote_addr or ""), request.headers.get("User-Agent", "")
    )
    return digest.hex()[:32]
