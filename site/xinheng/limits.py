"""How many may come in a time: `XINHENG_LIMITS`. Enquiries over it wait for a look, requests for some minutes."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"(?P<name>[a-z]+)=(?P<most>[1-9][0-9]{0,5})/(?P<number>[1-9][0-9]{0,3})(?P<unit>[smhd])")
LONGEST = 30 * 86400
"""Seconds after which nothing counts any more, whatever is set."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` within `within` seconds."""

    most: int
    within: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Enquiries from one network, of one phone and in all; for `text`, phones that send the same words; for `request`,
    requests about one's own data from one network."""

    address: Limit = Limit(10, 600)
    phone: Limit = Limit(5, 86400)
    text: Limit = Limit(2, 7 * 86400)
    all: Limit = Limit(40, 3600)
    request: Limit = Limit(10, 600)


def parse_limits(text: str) -> Limits | None:
    """`address=10/10m all=40/1h`: what isn't named keeps its default; `off` is None. Raises ValueError with the part."""
    if text == "off":
        return None
    found: dict[str, Limit] = {}
    names = {each.name for each in fields(Limits)}
    for part in text.split():
        read = _PART.fullmatch(part)
        if read is None or read["name"] not in names or read["name"] in found:
            raise ValueError(part)
        within = int(read["number"]) * _UNITS[read["unit"]]
        if within > LONGEST:
            raise ValueError(part)
        found[read["name"]] = Limit(int(read["most"]), within)
    return replace(Limits(), **found)
