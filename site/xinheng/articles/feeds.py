"""What machines read: the Atom feed with full texts, and the sitemap."""

from __future__ import annotations

from flask import Blueprint, current_app, make_response, render_template
from werkzeug.wrappers import Response

from xinheng.articles.library import library
from xinheng.markup import absolute
from xinheng.page_cache import public

FEED_LENGTH = 30

blueprint = Blueprint("feeds", __name__)


@blueprint.get("/feed.xml")
@public
def feed() -> Response:
    held = library()
    newest = held.articles[:FEED_LENGTH]
    texts = {article.slug: absolute(held.html(article), current_app.config["ORIGIN"]) for article in newest}
    return _xml("articles/feed.xml", "application/atom+xml", articles=newest, texts=texts, library=held)


@blueprint.get("/sitemap.xml")
@public
def sitemap() -> Response:
    return _xml("articles/sitemap.xml", "application/xml", library=library())


def _xml(template: str, kind: str, **context: object) -> Response:
    response = make_response(render_template(template, **context))
    response.headers["Content-Type"] = f"{kind}; charset=utf-8"
    return response
