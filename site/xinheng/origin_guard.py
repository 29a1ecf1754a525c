"""What changes something comes from our own pages; of a form whose browser doesn't say so, its visitor is asked once more."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, abort, current_app, g, request

from xinheng.addresses import address_prefix
from xinheng.crypto import Keys
from xinheng.origin_check import Confirmation, Verdict, judge
from xinheng.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def guard_origin(app: Flask, settings: Settings, may_be_confirmed: Collection[str]) -> None:
    """Refuse what comes from elsewhere. Endpoints that may be confirmed ask `unconfirmed` themselves: they have the form."""
    keys: Keys = app.extensions["xinheng.keys"]
    app.extensions["xinheng.confirmation"] = Confirmation(keys.web)

    @app.before_request
    def check() -> None:
        if request.method in SAFE_METHODS or request.routing_exception:
            return  # an unknown address or host is refused as such, by the routing
        g.origin_verdict = judge(request.headers, settings.origins)
        asks = request.endpoint in may_be_confirmed and g.origin_verdict is Verdict.UNKNOWN
        if g.origin_verdict is not Verdict.OWN and not asks:
            abort(403)


def unconfirmed() -> bool:
    """Whether nothing says where the form comes from, and its visitor hasn't confirmed it either."""
    return g.origin_verdict is Verdict.UNKNOWN and not _token_that_came()


def confirm_token() -> str:
    """What the form carries when it is shown once more: the token it was confirmed by, so that once is enough while
    mistakes are mended; a new one to confirm it with; or nothing, where its browser says where it comes from."""
    if g.origin_verdict is Verdict.OWN:
        return ""
    return _token_that_came() or _confirmation().token(_client())


def _token_that_came() -> str:
    token = request.form.get("confirm_token", "")
    return token if _confirmation().passes(token, _client()) else ""


def _confirmation() -> Confirmation:
    held: Confirmation = current_app.extensions["xinheng.confirmation"]
    return held


def _client() -> str:
    """The browser and network a confirm page was made for, hashed."""
    keys: Keys = current_app.extensions["xinheng.keys"]
    network, browser = address_prefix(request.remote_addr or ""), request.headers.get("User-Agent", "")
    return keys.keyed_hash("client", network, browser).hex()[:32]
