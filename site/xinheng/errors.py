"""Exceptions become pages that say what happened and what to do."""

from __future__ import annotations

import traceback
from typing import Any

from flask import Flask, make_response, render_template, request
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
from xinheng.db import DatabaseBusy
from xinheng.page_cache import private


class Site(Flask):
    """A Flask that logs where and what kind an error was, never its message: that may hold what was typed."""

    def log_exception(self, exc_info: Any) -> None:
        kind, _, trace = exc_info
        places = "".join(traceback.format_tb(trace)) if trace else ""
        self.logger.error("%s %s: %s\n%s", request.method, request.url_rule, kind and kind.__name__, places)


def install_error_pages(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(NoSuchPage, lambda error: _http_error(NotFound()))
    app.register_error_handler(DatabaseBusy, lambda error: _http_error(ServiceUnavailable(retry_after=5)))
    app.register_error_handler(InternalServerError, _internal_error)


def _http_error(error: HTTPException) -> Response:
    if error.code is not None and error.code < 400:
        return error.get_response()
    if isinstance(error, SecurityError):
        return private(Response("这里没有您要找的网站：请检查网址里的主机名。\n", 400, mimetype="text/plain"))
    code = error.code or 500
    template = "errors/404.html" if code == 404 else "errors/refused.html"
    newest = library().articles[:4] if code == 404 else ()
    response = make_response(render_template(template, code=code, newest=newest, library=library()), code)
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return private(response)


def _internal_error(error: InternalServerError) -> Response:
    return private(make_response(render_template("errors/500.html"), 500))
