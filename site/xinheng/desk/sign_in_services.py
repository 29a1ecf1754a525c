"""What the pages of the sign-in need of the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from flask import current_app, request, session
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from xinheng.addresses import address_prefix
from xinheng.company import Company
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.desk.permission import DESK, path_at_desk
from xinheng.desk.sessions import DeskSession
from xinheng.staff import clock
from xinheng.staff.accounts import Accounts
from xinheng.staff.links import Links
from xinheng.staff.models import User
from xinheng.staff.passwords import Passwords
from xinheng.staff.second_factor import SecondFactors
from xinheng.staff.sessions import SessionStore
from xinheng.staff.throttle import Throttle

FRESH_FOR = 10 * 60
"""Seconds after proving who one is in which the second factor, or somebody's account, may be changed."""

PASSWORD_COST = "PASSWORD_COST"  # noqa: S105 (the name of a setting)


@dataclass(frozen=True)
class SignIn:
    database: Database
    keys: Keys
    production: bool
    company: Callable[[], Company]
    host: str

    @property
    def passwords(self) -> Passwords:
        return Passwords(current_app.config[PASSWORD_COST])

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.database, self.keys, self.passwords)

    @property
    def links(self) -> Links:
        return Links(self.database, self.keys, self.passwords)

    @property
    def second_factors(self) -> SecondFactors:
        return SecondFactors(self.database, self.keys)

    @property
    def sessions(self) -> SessionStore:
        return SessionStore(self.database)

    @property
    def throttle(self) -> Throttle:
        return Throttle(self.database, self.keys)

    def own_words(self, member: User) -> tuple[str, ...]:
        """What a password must not be made of: names of the company, the site and the person."""
        company = self.company()
        hosts = [
            part
            for part in (*self.host.split("."), *company.email.partition("@")[2].split("."))
            if len(part) > 3
        ]
        return (
            "xinheng",
            company.name,
            company.legal_name[:4],
            *hosts,
            member.email.partition("@")[0],
            member.name,
        )


def sign_in_services() -> SignIn:
    held: SignIn = current_app.extensions["xinheng.sign_in"]
    return held


def desk_session() -> DeskSession:
    """This request's session; only pages of the desk have one."""
    held = session._get_current_object()  # type: ignore[attr-defined]
    if not isinstance(held, DeskSession):
        raise RuntimeError("only the desk has sessions")
    return held


def is_fresh(within: int = FRESH_FOR) -> bool:
    """Whether the present member proved who they are in the last `within` seconds."""
    proved = desk_session().get("proved_at", 0)
    return clock.now().timestamp() - float(proved) < within


def network() -> str:
    """The network this request comes from."""
    return address_prefix(request.remote_addr or "")


def own_address(address: str) -> str:
    """An address of the desk that can be opened, without a host; anything else becomes the desk's first page.

    One that only answers a form becomes the page above it: /desk/leads/…/status is no page, /desk/leads/… is.
    """
    parts = urlsplit(address)
    dotted = any(unquote(part) in {".", ".."} for part in parts.path.split("/"))
    odd = "\\" in address or not address.isprintable() or "//" in parts.path or dotted
    elsewhere = parts.scheme not in {"", "http", "https"} or bool(parts.scheme) != bool(parts.netloc)
    if odd or elsewhere or parts.netloc not in {"", request.host} or not path_at_desk(parts.path):
        return DESK + "/"
    page = _page_above(parts.path)
    if page != parts.path:
        return page
    return urlunsplit(("", "", parts.path, parts.query, parts.fragment))


def _page_above(path: str) -> str:
    """The path itself, or what stands above it as long as it only takes forms."""
    routes = current_app.url_map.bind(request.host)
    while True:
        try:
            routes.match(unquote(path), method="GET")
        except MethodNotAllowed:
            path = path.rpartition("/")[0]
        except (NotFound, RequestRedirect):
            return path
        else:
            return path
