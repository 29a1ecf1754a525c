"""Home, content pages, and the addresses that machines expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta

from flask import Blueprint, Response, abort, current_app, make_response, render_template
from markupsafe import Markup

from xinheng.articles.article import Article
from xinheng.articles.library import Library, library
from xinheng.articles.reads import read_counter, recent_reads
from xinheng.company import Company
from xinheng.page_cache import public
from xinheng.processors import Register

MOST_READ = 6
NEWEST = 5
SECURITY_TXT_HOLDS = timedelta(days=180)
_PROCESSORS = "<p>{processors}</p>"
_FACTS = ("legal_name", "address", "hotline", "hours", "email", "retention_days", "credit_code")

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
@public
def home() -> str:
    held = library()
    recent = recent_reads()
    return render_template(
        "pages/home.html",
        library=held,
        newest=held.articles[:NEWEST],
        most_read=_most_read(held, recent),
        recent=recent,
        reads=read_counter().totals(),
    )


@blueprint.get("/<slug>")
@public
def page(slug: str) -> str:
    found = library().pages.get(slug)
    if found is None:
        abort(404)
    company: Callable[[], Company] = current_app.extensions["xinheng.company"]
    register: Callable[[], Register] = current_app.extensions["xinheng.processors"]
    before, listed, after = _filled(found.html, company()).partition(_PROCESSORS)
    return render_template(
        "pages/page.html",
        page=found,
        before=before,
        processors=register().current(datetime.now(UTC)) if listed else None,
        after=after,
        library=library(),
    )


@blueprint.get("/robots.txt")
@public
def robots() -> Response:
    return _plain(render_template("pages/robots.txt"))


@blueprint.get("/.well-known/security.txt")
@public
def security() -> Response:
    """Where to report a weakness (RFC 9116). What it says holds for half a year from today, as long as the site runs."""
    expires = datetime.combine(datetime.now(UTC) + SECURITY_TXT_HOLDS, time(), UTC)
    return _plain(render_template("pages/security.txt", expires=f"{expires:%Y-%m-%dT%H:%M:%SZ}"))


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    return current_app.send_static_file("img/favicon.ico")


def _plain(text: str) -> Response:
    response = make_response(text)
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return response


def _filled(html: str, company: Company) -> Markup:
    """A content page with the company's facts in the places of `{hotline}` and the like."""
    filled = Markup(html)  # noqa: S704 (made by markup.render)
    links = {
        "hotline": Markup('<a class="nowrap" href="tel:{0}">{0}</a>').format(company.hotline),
        "email": Markup('<a href="mailto:{0}">{0}</a>').format(company.email),
    }
    for name in _FACTS:
        filled = filled.replace(f"{{{name}}}", links.get(name, str(getattr(company, name))))
    return filled


def _most_read(held: Library, recent: Mapping[str, int]) -> list[Article]:
    """What was read most in the last 30 days; articles nobody has read yet are not called so."""
    read = [article for article in held.articles if recent.get(article.slug)]
    return sorted(read, key=lambda article: (-recent[article.slug], article.slug))[:MOST_READ]
