"""Who is asked: the draft of the browser that sends a request, and whether its steps count."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from flask import current_app, request
from werkzeug.wrappers import Response

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.health_check.answers import Answers
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.drafts import FINISHED_KEPT, Draft, Drafts
from xinheng.health_check.tidying import Room
from xinheng.health_check.versions import CheckVersions
from xinheng.health_check.way import take_up
from xinheng.page_cache import private
from xinheng.readers import counts_as_person
from xinheng.referrers import KINDS
from xinheng.week_counts import Origin

COOKIE_PATH: Final = "/health-check"
COOKIE_KEPT: Final = FINISHED_KEPT
"""As long as anything can be found by it: the last result, to compare the next with."""


@dataclass(frozen=True)
class HealthCheckDesk:
    """What the pages of the check need of the application. `article_slugs` are those of the articles that there are;
    `secure`: visitors come over https."""

    versions: CheckVersions
    drafts: Drafts
    room: Room
    leads: Database
    keys: Keys
    article_slugs: Callable[[], Collection[str]]
    secure: bool

    @property
    def cookie(self) -> str:
        return "__Secure-check" if self.secure else "check"


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A check under way: its draft, opened, and the definition that it goes on under."""

    token: str
    draft: Draft
    check: HealthCheck

    @property
    def answers(self) -> Answers:
        return self.draft.answers


def health_checks() -> HealthCheckDesk:
    held: HealthCheckDesk = current_app.extensions["xinheng.health_checks"]
    return held


def own_token() -> str:
    """The token that this browser brought; empty where it brought none."""
    return request.cookies.get(health_checks().cookie, "")


def under_way(token: str | None = None) -> UnderWay | None:
    """The check of a token, or of this browser. Raises DatabaseBusy."""
    desk = health_checks()
    token = own_token() if token is None else token
    draft = desk.drafts.find(token, datetime.now(UTC))
    return UnderWay(token, draft, _definition_of(draft)) if draft else None


@contextmanager
def going_on(token: str | None = None) -> Iterator[UnderWay | None]:
    """The check of a token, or of this browser, to be gone on with; what is changed in the draft is stored at the end.

    Raises DatabaseBusy.
    """
    desk = health_checks()
    token = own_token() if token is None else token
    with desk.drafts.changing(token, datetime.now(UTC), counts=counts_as_visitor()) as draft:
        yield UnderWay(token, draft, _definition_of(draft)) if draft else None


def counts_as_visitor() -> bool:
    """Neither a robot nor somebody of ours: a browser that has been at the desk brings that session."""
    agent = request.headers.get("User-Agent", "")
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    of_ours = current_app.config["SESSION_COOKIE_NAME"] in request.cookies
    return counts_as_person(agent, purpose) and not of_ours


def begun_from() -> Origin:
    """What the form that begins a check tells of its visitor: the kind of place they came from, and the article that they
    read last. Without script it tells neither."""
    source, article = request.form.get("source", ""), request.form.get("article", "")
    return Origin(
        source=next((kind for kind in KINDS if kind == source), "direct"),
        article=article if article in health_checks().article_slugs() else "",
    )


def remember(response: Response, token: str) -> Response:
    """Give this browser the token of its check."""
    desk = health_checks()
    response.set_cookie(
        desk.cookie,
        token,
        max_age=COOKIE_KEPT,
        path=COOKIE_PATH,
        secure=desk.secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def kept_private(response: Response) -> Response:
    """In no cache and no search engine; and where it leads away, nobody is told from which address."""
    response.headers["Referrer-Policy"] = "same-origin"
    return private(response)


def _definition_of(draft: Draft) -> HealthCheck:
    versions: CheckVersions = health_checks().versions
    return take_up(draft, versions.of(draft.version), versions.current())
