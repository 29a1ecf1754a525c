"""Exceptions become pages that say what happened and what to do."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, g, has_request_context, make_response, render_template, request
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    NotFound,
    SecurityError,
    ServiceUnavailable,
)
from werkzeug.wrappers import Response

from xinheng.articles.library import library
from xinheng.articles.paging import NoSuchPage
from xinheng.audit.log import AuditHeadMissing
from xinheng.db import DatabaseBusy
from xinheng.desk.permission import signed_in_member
from xinheng.desk.sign_in_gate import typed_texts
from xinheng.page_cache import private
from xinheng.privacy.answering import NoSuchRequest
from xinheng.rendering import Templates


class Site(Flask):
    """A Flask that logs where and what kind an error was, never its message: that may hold what was typed.

    None of its functions is a coroutine, so none is looked at for being one: a page calls some fifteen.
    """

    jinja_environment = Templates

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def log_exception(self, exc_info: Any) -> None:
        kind, _, trace = exc_info
        places = "".join(traceback.format_tb(trace)) if trace else ""
        self.logger.error("%s %s: %s\n%s", request.method, request.url_rule, kind and kind.__name__, places)


def request_name() -> str:
    """What the present request is called in the log and on an error page, so that whoever reads one finds the other;
    empty outside a request. Made when it is first asked for: most requests need none."""
    if not has_request_context():
        return ""
    if "request_name" not in g:
        g.request_name = secrets.token_hex(4)
    name: str = g.request_name
    return name


def install_error_pages(app: Flask) -> None:
    app.add_template_global(request_name)
    app.register_error_handler(HTTPException, _http_error)
    for missing in (NoSuchPage, NoSuchRequest):
        app.register_error_handler(missing, lambda error: _http_error(NotFound()))
    for fault in (DatabaseBusy, AuditHeadMissing):
        app.register_error_handler(fault, _unavailable)
    app.register_error_handler(InternalServerError, _internal_error)


def _unavailable(error: Exception) -> Response:
    """The database, or the record without which nothing personal is shown: said to operators, without its message."""
    current_app.logger.error("%s %s: %s", request.method, request.url_rule, type(error).__name__)
    return _http_error(ServiceUnavailable(retry_after=5))


def _http_error(error: HTTPException) -> Response:
    if error.code is not None and error.code < 400:
        return error.get_response()
    if isinstance(error, SecurityError):
        return private(Response("这里没有您要找的网站：请检查网址里的主机名。\n", 400, mimetype="text/plain"))
    code = error.code or 500
    if signed_in_member() is not None:
        return _answer(_desk_page(code), error, code)
    template = "errors/404.html" if code == 404 else "errors/refused.html"
    newest = library().articles[:4] if code == 404 else ()
    return _answer(render_template(template, code=code, newest=newest, library=library()), error, code)


def _answer(page: str, error: HTTPException, code: int) -> Response:
    response = make_response(page, code)
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return private(response)


def _desk_page(code: int) -> str:
    """The page for staff, with what they typed: it may stand nowhere else."""
    typed = [] if request.method in {"GET", "HEAD"} else typed_texts()
    return render_template("errors/desk.html", code=code, typed=typed)


def _internal_error(error: InternalServerError) -> Response:
    if signed_in_member() is not None:
        return private(make_response(_desk_page(500), 500))
    return private(make_response(render_template("errors/500.html"), 500))
