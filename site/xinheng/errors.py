"""Exceptions become pages that say what happened and what to do."""

from __future__ import annotations

from flask import Flask, current_app, make_response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from xinheng.articles.library import library
from xinheng.page_cache import private


def install_error_pages(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InternalServerError, _internal_error)


def _http_error(error: HTTPException) -> Response:
    if error.code is not None and error.code < 400:
        return error.get_response()
    code = error.code or 500
    template = "errors/404.html" if code == 404 else "errors/refused.html"
    newest = library().articles[:4] if code == 404 else ()
    response = make_response(render_template(template, code=code, newest=newest, library=library()), code)
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return private(response)


def _internal_error(error: InternalServerError) -> Response:
    """An error of ours: logged with the path and the kind of error only, for what was typed may be in its message."""
    original = error.original_exception
    current_app.logger.error(
        "%s %s: %s", request.method, request.url_rule or "-", type(original or error).__name__
    )
    return private(make_response(render_template("errors/500.html"), 500))
