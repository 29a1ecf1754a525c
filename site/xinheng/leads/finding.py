"""Find leads: by what they wait for, by filters and sorts, by phone, name or reference; a page at a time, by key.

Nothing here sorts or filters on an encrypted field: phones and names are found by keyed indexes of the whole value or
of the last four digits. Each query walks one index (tests and bench/desk.py hold that).
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from xinheng.crypto import Keys, plain_reference
from xinheng.leads.models import CLOSED, NEVER, Enquiry, Lead
from xinheng.leads.scope import Scope
from xinheng.phones import NotAPhone, parse_phone
from xinheng.settings import SHANGHAI

View = Literal["first", "late", "today", "stuck"]
VIEWS: tuple[View, ...] = ("late", "first", "today", "stuck")
Sort = Literal["newest", "waiting", "due", "priority"]
USUAL_SORT: Mapping[View | None, Sort] = {
    None: "newest",
    "first": "waiting",
    "late": "due",
    "today": "due",
    "stuck": "waiting",
}
MOST_COUNTED = 999
PAGE = 40

_COLUMNS: Mapping[Sort, tuple[InstrumentedAttribute[Any], bool]] = {
    "newest": (Lead.last_enquiry_at, True),
    "waiting": (Lead.last_enquiry_at, False),
    "due": (Lead.follow_up_at, False),
    "priority": (Lead.priority, True),
}
"""Column and whether it runs downward; the id runs the same way."""


@dataclass(frozen=True, slots=True)
class Match:
    """A person searched for, as a keyed index: what is in an address says nothing about anybody."""

    column: Literal["phone", "last_four", "name"]
    index: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the row with this sort value and id, or `before` it."""

    value: datetime | int | None
    lead_id: str
    before: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list shows. `owner` is a staff id, `none`, or empty for all in scope; days are Shanghai's, both included."""

    view: View | None = None
    status: str = ""
    owner: str = ""
    need: str = ""
    source: str = ""
    level: str = ""
    since: date | None = None
    until: date | None = None
    match: Match | None = None
    sort: Sort = "newest"
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of leads, in order; whether there are more on either side."""

    leads: Sequence[Lead]
    earlier: bool
    later: bool


def find_leads(session: Session, scope: Scope, wanted: Wanted, now: datetime, most: int = PAGE) -> Found:
    """The leads of one page. Own leads and those of nobody are walked apart and merged, so that each has its index."""
    column, downward = _COLUMNS[wanted.sort]
    backward = wanted.place is not None and wanted.place.before
    down = downward != backward
    parts = [
        session.execute(_ordered(branch, wanted, column, down, now).limit(most + 1)).all()
        for branch in _branches(scope, wanted)
    ]
    nothing = NEVER if wanted.sort == "due" else -1
    rows = list(
        heapq.merge(*parts, key=lambda row: (nothing if row[1] is None else row[1], row[0]), reverse=down)
    )
    more = len(rows) > most
    ids = [row[0] for row in rows[:most]]
    leads = {lead.id: lead for lead in session.scalars(select(Lead).where(Lead.id.in_(ids)))}
    ordered = [leads[each] for each in (reversed(ids) if backward else ids)]
    return Found(
        ordered,
        earlier=more if backward else wanted.place is not None,
        later=more if not backward else True,
    )


def count_views(session: Session, scope: Scope, now: datetime, owner: str = "") -> dict[View, int]:
    """How many leads wait in each view, at most one more than MOST_COUNTED. One question, however many views."""
    wanted = [Wanted(view=view, owner=owner) for view in VIEWS]
    parts = [
        (view, part) for view, each in zip(VIEWS, wanted, strict=True) for part in _counts(scope, each, now)
    ]
    found = session.execute(select(*(part for _, part in parts))).one() if parts else ()
    counts: dict[View, int] = dict.fromkeys(VIEWS, 0)
    for (view, _), number in zip(parts, found, strict=True):
        counts[view] = min(counts[view] + number, MOST_COUNTED + 1)
    return counts


def find_person(session: Session, keys: Keys, scope: Scope, typed: str) -> Lead | Match | None:
    """What a search box means: the lead of a reference, else a phone, its last four digits, or a whole name.

    None where nothing was typed. A lead out of scope is not found by its reference.
    """
    text = typed.strip()
    if not text:
        return None
    if (reference := plain_reference(text)) and (lead := _by_reference(session, scope, reference)):
        return lead
    if re.fullmatch(r"\d{4}", digits := _digits(text)):
        return _match(keys, "last_four", digits)
    try:
        return _match(keys, "phone", parse_phone(text).e164)
    except NotAPhone:
        return _match(keys, "name", text)


def beside(
    session: Session, scope: Scope, wanted: Wanted, lead: Lead, now: datetime
) -> tuple[str | None, str | None]:
    """The ids of the leads before and after one in a list."""
    column, _ = _COLUMNS[wanted.sort]
    here = Place(getattr(lead, column.key), lead.id)
    after = find_leads(session, scope, replace(wanted, place=here), now, most=1).leads
    before = find_leads(session, scope, replace(wanted, place=replace(here, before=True)), now, most=1).leads
    return (before[-1].id if before else None, after[0].id if after else None)


def place_of(lead: Lead, sort: Sort, *, before: bool = False) -> Place:
    """The place of a lead in a list of this sort."""
    return Place(getattr(lead, _COLUMNS[sort][0].key), lead.id, before)


def day_bounds(now: datetime) -> tuple[datetime, datetime]:
    """The start of this day and of the next, in Shanghai."""
    start = datetime.combine(now.astimezone(SHANGHAI).date(), time(), SHANGHAI)
    return start, start + timedelta(days=1)


def _branches(scope: Scope, wanted: Wanted) -> list[ColumnElement[bool] | None]:
    """The owners to look among, each a condition of its own, so that each has its index.

    A person searched for is found by the index of the search alone: no database must prefer the owner's.
    """
    owners = _owners(scope, wanted)
    if owners is None:
        return [None]
    if wanted.match and owners:
        return [or_(*(_unindexed(Lead.owner_id) == owner for owner in owners))]
    return [Lead.owner_id == owner for owner in owners]


def _owners(scope: Scope, wanted: Wanted) -> Sequence[str | None] | None:
    """Staff ids, None among them for nobody; None for everybody."""
    if wanted.owner == "none":
        return [None]
    if wanted.owner:
        return [wanted.owner] if scope.everyone or wanted.owner == scope.staff_id else []
    return None if scope.everyone else [scope.staff_id, None]


def _unindexed(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """The same value by an expression that no index has."""
    return func.coalesce(column, column)


def _ordered(
    owner: ColumnElement[bool] | None,
    wanted: Wanted,
    column: InstrumentedAttribute[Any],
    down: bool,
    now: datetime,
) -> Select[Any]:
    query = select(Lead.id, column).where(*_conditions(wanted, now), Lead.restricted.is_(False))
    if owner is not None:
        query = query.where(owner)
    if wanted.place is not None:
        here = tuple_(literal(wanted.place.value, column.type), literal(wanted.place.lead_id))
        key = tuple_(column, Lead.id)
        query = query.where(key < here if down else key > here)
    order = (column.desc(), Lead.id.desc()) if down else (column, Lead.id)
    return query.order_by(*order)


def _conditions(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    filtered = _unindexed if wanted.match else _indexed
    if wanted.view:
        found.append(_in_view(wanted.view, now))
    if wanted.status:
        found += _of_status(wanted)
    for column, value in ((Lead.need, wanted.need), (Lead.source, wanted.source)):
        if value:
            found.append(filtered(column) == value)
    if wanted.level:
        found.append(filtered(Lead.level) == ("" if wanted.level == "none" else wanted.level))
    if wanted.since:
        found.append(Lead.last_enquiry_at >= datetime.combine(wanted.since, time(), SHANGHAI))
    if wanted.until:
        found.append(
            Lead.last_enquiry_at < datetime.combine(wanted.until + timedelta(days=1), time(), SHANGHAI)
        )
    if wanted.match:
        columns = {
            "phone": Lead.phone_index,
            "last_four": Lead.last_four_index,
            "name": Lead.name_index,
        }
        found.append(columns[wanted.match.column] == wanted.match.index)
    return found


def _of_status(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    filtered = _unindexed if wanted.match else _indexed
    if wanted.status == "open":
        yield filtered(Lead.closed).is_(False)
        return
    yield filtered(Lead.status) == wanted.status
    if wanted.status in CLOSED and not wanted.match:  # in the order of due dates they stand at the end
        yield Lead.follow_up_at >= literal(NEVER, Lead.follow_up_at.type)


def _in_view(view: View, now: datetime) -> ColumnElement[bool]:
    _, tomorrow = day_bounds(now)
    match view:
        case "first" | "stuck":
            return Lead.queue == view
        case "late":
            return and_(Lead.queue == "planned", Lead.follow_up_at < now)
        case "today":
            return and_(Lead.queue == "planned", Lead.follow_up_at >= now, Lead.follow_up_at < tomorrow)


def _counts(scope: Scope, wanted: Wanted, now: datetime) -> Iterator[ScalarSelect[int]]:
    """The number of leads of each branch, capped: each counts along its own index, and stops there."""
    for owner in _branches(scope, wanted):
        rows = select(Lead.id).where(*_conditions(wanted, now))
        rows = rows if owner is None else rows.where(owner)
        capped = rows.limit(MOST_COUNTED + 1).subquery()
        yield select(func.count()).select_from(capped).scalar_subquery()


def _by_reference(session: Session, scope: Scope, reference: str) -> Lead | None:
    lead = session.scalars(select(Lead).join(Enquiry).where(Enquiry.reference == reference)).first()
    return lead if lead is not None and scope.sees(lead) else None


def _match(keys: Keys, column: Literal["phone", "last_four", "name"], value: str) -> Match | None:
    index = keys.blind_index(column, value)
    return Match(column, index) if index else None


def _indexed(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    return column.expression


def _digits(text: str) -> str:
    """The text with full-width digits folded, so that ５６７８ finds what 5678 finds."""
    return text.translate(str.maketrans("０１２３４５６７８９", "0123456789"))
