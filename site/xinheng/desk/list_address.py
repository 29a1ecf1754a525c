"""A list's address: its filters, sort and place as a query string, read with suspicion and written in one way.

Nothing personal stands in it: a person searched for is a keyed index.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from urllib.parse import urlencode

from xinheng.forms.priority import Level, Source
from xinheng.leads.moves import MOVES, ROAD
from xinheng.leads.wanted import USUAL_SORT, VIEWS, Match, Place, Sort, Wanted

_KEY = re.compile(r"[a-z0-9_]{1,32}")
_SLUG = re.compile(r"[a-z0-9-]{1,80}")
_MATCH = re.compile(r"(phone|last_four|name)\.([0-9a-f]{32})")
_PLACE = re.compile(r"(after|before)\.(-|-?\d{1,16})\.([0-9a-f]{32})")
_MOST_POINTS = 2**31 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHOICES: Mapping[str, Collection[str]] = {
    "status": {*MOVES, "open"},
    "source": get_args(Source),
    "level": {*get_args(Level), "none"},
    "reached": ROAD,
}
_FILTERS = ("status", "owner", "need", "source", "level", "reached")
_DAYS = ("since", "until", "came_since", "came_until")


def read_list(arguments: Mapping[str, str]) -> Wanted:
    """What an address asks for; what can't be read is left out."""
    chosen: dict[str, Any] = {name: _day(arguments.get(name, "")) for name in _DAYS}
    chosen |= {
        name: value
        for name in _FILTERS
        if _KEY.fullmatch(value := arguments.get(name, "")) and value in _CHOICES.get(name, (value,))
    }
    view = next((each for each in VIEWS if each == arguments.get("view")), None)
    sort = arguments.get("sort")
    plain = Wanted(
        **chosen,
        view=view,
        article=slug if _SLUG.fullmatch(slug := arguments.get("article", "")) else "",
        match=_match(arguments.get("match", "")),
        sort=next((each for each in get_args(Sort) if each == sort), USUAL_SORT[view]),
    )
    if plain.of_report:
        plain = replace(plain, sort="came")
    place = _place(arguments.get("place", ""), plain.sort)
    return replace(plain, place=place)


def list_address(wanted: Wanted) -> str:
    """The query string of a list, without a leading question mark; the same list always gives the same one."""
    values = {
        "view": wanted.view or "",
        **{name: getattr(wanted, name) for name in _FILTERS},
        **{name: day.isoformat() if (day := getattr(wanted, name)) else "" for name in _DAYS},
        "article": wanted.article,
        "match": f"{wanted.match.column}.{wanted.match.index.hex()}" if wanted.match else "",
        "sort": "" if wanted.of_report or wanted.sort == USUAL_SORT[wanted.view] else wanted.sort,
        "place": _place_text(wanted.place),
    }
    return urlencode({name: value for name, value in values.items() if value})


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2100 else None


def _match(text: str) -> Match | None:
    found = _MATCH.fullmatch(text)
    return Match(found[1], bytes.fromhex(found[2])) if found else None  # type: ignore[arg-type]


def _place(text: str, sort: Sort) -> Place | None:
    """`after.<value>.<id>`: the value in microseconds since 1970 or in points, `-` for none."""
    found = _PLACE.fullmatch(text)
    if not found:
        return None
    number = None if found[2] == "-" else int(found[2])
    if sort == "priority" and number is not None and not -1 <= number <= _MOST_POINTS:
        return None
    value: datetime | int | None = number
    if number is not None and sort != "priority":
        try:
            value = _EPOCH + timedelta(microseconds=number)
        except OverflowError:
            return None
    if sort in {"newest", "waiting", "came"} and value is None:
        return None
    return Place(value, found[3], before=found[1] == "before")


def _place_text(place: Place | None) -> str:
    if place is None:
        return ""
    value = place.value
    if isinstance(value, datetime):
        value = _microseconds(value)
    return f"{'before' if place.before else 'after'}.{'-' if value is None else value}.{place.lead_id}"


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
