"""Pages of articles, and the two small things a reader does to one: reading it and keeping it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    abort,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from xinheng.articles.article import Article
from xinheng.articles.favourites import favourites
from xinheng.articles.library import library
from xinheng.articles.paging import page_of
from xinheng.articles.reads import read_counter
from xinheng.articles.search import LONGEST_QUERY, search
from xinheng.page_cache import private, public
from xinheng.readers import counts_as_person, referrer_host

blueprint = Blueprint("articles", __name__)

_DEVICE = re.compile(r"[0-9a-f]{32}")
_MOST_KEPT = 200


@blueprint.get("/articles/")
@public
def listing() -> str:
    page = page_of(library().articles, request.args.get("page"))
    return render_template("articles/list.html", page=page, library=library(), reads=read_counter().totals())


@blueprint.get("/categories/<slug>")
@public
def category(slug: str) -> str:
    held = library()
    if slug not in held.counts():
        abort(404)
    page = page_of(held.in_category(slug), request.args.get("page"))
    return render_template(
        "articles/category.html",
        category=held.categories[slug],
        page=page,
        library=held,
        reads=read_counter().totals(),
    )


@blueprint.get("/articles/<slug>")
@public
def article(slug: str) -> ResponseReturnValue:
    held = library()
    if slug in held.aliases:
        return redirect(url_for("articles.article", slug=held.aliases[slug]), code=301)
    found = _published(slug)
    return render_template(
        "articles/article.html",
        article=found,
        html=held.html(found),
        category=held.categories[found.category],
        author=held.authors[found.author],
        related=held.related(found),
        library=held,
        reads=read_counter().totals(),
    )


@blueprint.post("/articles/<slug>/reads")
def count_read(slug: str) -> ResponseReturnValue:
    """Count one read; answers with the count to show. Who isn't counted, robots and staff, gets the stored count."""
    found = _published(slug)
    agent = request.headers.get("User-Agent", "")
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    of_ours = current_app.config["SESSION_COOKIE_NAME"] in request.cookies
    if counts_as_person(agent, purpose) and not of_ours:
        own = urlsplit(current_app.config["ORIGIN"]).hostname or ""
        shown = read_counter().record(
            found.slug,
            address=request.remote_addr or "",
            agent=agent,
            referrer_host=referrer_host(request.form.get("referrer", "")),
            own_host=own,
        )
    else:
        shown = read_counter().total(found.slug)
    return private(jsonify(reads=shown))


@blueprint.get("/articles/read-counts")
def read_counts() -> ResponseReturnValue:
    """The counts of some articles, for lists that came from a cache: `?slugs=a,b`."""
    held, totals = library(), read_counter().totals()
    slugs = request.args.get("slugs", "").split(",")[:60]
    return private(jsonify({slug: totals[slug] for slug in slugs if slug in held.by_slug}))


@blueprint.route("/articles/<slug>/favourite", methods=["PUT", "DELETE"])
def favourite(slug: str) -> ResponseReturnValue:
    found = _published(slug)
    device = request.headers.get("X-Device", "")
    if not _DEVICE.fullmatch(device):
        abort(400)
    change = favourites().keep if request.method == "PUT" else favourites().drop
    return private(jsonify(favourites=change(found.slug, device)))


@blueprint.get("/favourites")
@public
def kept_list() -> str:
    """The reader's own list; what is on it only the device knows, so it comes empty."""
    return _kept_page(())


@blueprint.post("/favourites")
def kept_articles() -> ResponseReturnValue:
    """The articles of a device's list, asked for by `slugs=a,b` in the body: in an address it would be logged."""
    return private(make_response(_kept_page(request.form.get("slugs", "").split(",")[:_MOST_KEPT])))


def _kept_page(slugs: Iterable[str]) -> str:
    held = library()
    kept = [held.by_slug[slug] for slug in dict.fromkeys(slugs) if slug in held.by_slug]
    return render_template("articles/favourites.html", kept=kept, library=held, reads=read_counter().totals())


@blueprint.get("/search")
@public
def search_page() -> str:
    typed = "".join(sign if sign.isprintable() else " " for sign in request.args.get("q", ""))
    query = " ".join(typed.split())[:LONGEST_QUERY]
    held = library()
    return render_template(
        "articles/search.html",
        query=query,
        found=search(held, query),
        library=held,
        reads=read_counter().totals(),
    )


def _published(slug: str) -> Article:
    found = library().by_slug.get(slug)
    if found is None:
        abort(404)
    return found
