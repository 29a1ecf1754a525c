"""Does a form come from our own pages? Without a token or cookie, so that pages with a form can be cached by anything.

The order is that of Go's http.CrossOriginProtection, with Referer as a last resort for old web views: Sec-Fetch-Site,
else Origin, else Referer. Where none of them is sent, or Origin is `null`, the answer is "unknown", and the visitor is
asked to confirm on a page that carries a signed token for ten minutes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum

from itsdangerous import BadSignature, TimestampSigner
from werkzeug.datastructures import Headers

from xinheng.addresses import split_address

CONFIRM_FOR = 10 * 60  # seconds


class Verdict(Enum):
    OWN = "own"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


def judge(headers: Mapping[str, str] | Headers, origins: Collection[str]) -> Verdict:
    """Judge a request that changes something by its headers, against the configured origins."""
    if site := headers.get("Sec-Fetch-Site", ""):
        return Verdict.OWN if site in {"same-origin", "none"} else Verdict.FOREIGN
    if (origin := headers.get("Origin", "")) and origin != "null":
        return Verdict.OWN if origin in origins else Verdict.FOREIGN
    if referrer := headers.get("Referer", ""):
        parts = split_address(referrer)
        return Verdict.OWN if f"{parts.scheme}://{parts.netloc}" in origins else Verdict.FOREIGN
    return Verdict.UNKNOWN


class Confirmation:
    """Tokens of the confirm page. One is good for the browser and network it was made for, for ten minutes."""

    def __init__(self, key: bytes) -> None:
        self._signer = TimestampSigner(key, salt="confirm-form")

    def token(self, client: str) -> str:
        return self._signer.sign(client).decode()[len(client) + 1 :]

    def passes(self, token: str, client: str) -> bool:
        if not token or not token.isascii():
            return False
        try:
            self._signer.unsign(f"{client}.{token}", max_age=CONFIRM_FOR)
        except BadSignature:
            return False
        return True
