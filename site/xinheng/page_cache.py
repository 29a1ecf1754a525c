"""Pages that everyone sees alike: cacheable by anything, revalidated by ETag, compressed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import make_response, request
from flask.typing import ResponseReturnValue
from flask_compress import Compress
from werkzeug.wrappers import Response

FRESH_FOR = 60  # seconds
STALE_FOR = 600

Arguments = ParamSpec("Arguments")

compress = Compress()


def public(view: Callable[Arguments, ResponseReturnValue]) -> Callable[Arguments, Response]:
    """Mark a view's answer as the same for everyone. It must not touch the session."""

    @wraps(view)
    def cached(*arguments: Arguments.args, **named: Arguments.kwargs) -> Response:
        response = make_response(view(*arguments, **named))
        if response.status_code == 200:
            response.cache_control.public = True
            response.cache_control.max_age = FRESH_FOR
            response.cache_control["stale-while-revalidate"] = str(STALE_FOR)
            response.add_etag(weak=True)
            response.make_conditional(request)
        return response

    compressed: Callable[Arguments, Response] = compress.compressed()(cached)
    return compressed


def private(response: Response) -> Response:
    """Keep an answer out of every cache and search engine."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
