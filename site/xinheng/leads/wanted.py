"""What a list of leads asks for, and as which queries: each branch walks one index (tests and bench/desk.py hold that)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, literal, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from xinheng.db import unindexed
from xinheng.leads.merges import leads_of_last_four, leads_of_number
from xinheng.leads.models import CLOSED, NEVER, Lead
from xinheng.leads.moves import ROAD, came_to
from xinheng.leads.scope import Scope
from xinheng.settings import SHANGHAI

View = Literal["first", "late", "today", "stuck"]
VIEWS: tuple[View, ...] = ("late", "first", "today", "stuck")
Sort = Literal["newest", "waiting", "due", "priority", "came"]
USUAL_SORT: Mapping[View | None, Sort] = {
    None: "newest",
    "first": "due",
    "late": "due",
    "today": "due",
    "stuck": "due",
}

COLUMNS: Mapping[Sort, tuple[InstrumentedAttribute[Any], bool]] = {
    "newest": (Lead.last_enquiry_at, True),
    "waiting": (Lead.last_enquiry_at, False),
    "due": (Lead.follow_up_at, False),
    "priority": (Lead.priority, True),
    "came": (Lead.created_at, True),
}
"""Column and whether it runs downward; the id runs the same way. What waits for its first contact is due when the first
response is, see `sort_of`. Where nothing is planned all are due never, and stand in the order in which they came."""


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
    """What a list shows. `owner` is a staff id, `none`, or empty for all in scope; days are Shanghai's, both included.

    What a figure of a report counts is found by when its leads first came (`came_since`, `came_until`), how far they got at
    least (`reached`) and an article: such a list is sorted by `came`, whose index holds every filter.
    """

    view: View | None = None
    status: str = ""
    owner: str = ""
    need: str = ""
    source: str = ""
    level: str = ""
    since: date | None = None
    until: date | None = None
    came_since: date | None = None
    came_until: date | None = None
    reached: str = ""
    article: str = ""
    match: Match | None = None
    sort: Sort = "newest"
    place: Place | None = None

    @property
    def of_report(self) -> bool:
        """Whether it can only be told from the index of when leads first came."""
        return bool(self.came_since or self.came_until or self.reached or self.article)


def sort_of(wanted: Wanted) -> tuple[InstrumentedAttribute[Any], bool]:
    """The column a list is sorted by, and whether it runs downward."""
    if wanted.view == "first" and wanted.sort == "due":
        return Lead.first_response_due, False
    return COLUMNS[wanted.sort]


def place_of(lead: Lead, wanted: Wanted, *, before: bool = False) -> Place:
    """The place of a lead in a list."""
    return Place(getattr(lead, sort_of(wanted)[0].key), lead.id, before)


def day_bounds(now: datetime) -> tuple[datetime, datetime]:
    """The start of this day and of the next, in Shanghai."""
    start = datetime.combine(now.astimezone(SHANGHAI).date(), time(), SHANGHAI)
    return start, start + timedelta(days=1)


def is_downward(wanted: Wanted) -> bool:
    """Whether the list is read downward: from the highest value on."""
    backward = wanted.place is not None and wanted.place.before
    return sort_of(wanted)[1] != backward


def after_all(wanted: Wanted) -> Any:
    """What stands for no value, as it is stored."""
    return -1 if wanted.sort == "priority" else NEVER


def branches(scope: Scope, wanted: Wanted) -> list[ColumnElement[bool] | None]:
    """The owners to look among, each a condition of its own, so that each has its index.

    A person searched for, and the leads of a report, are found by one index alone: no database must prefer the owner's.
    """
    owners = _owners(scope, wanted)
    if owners is None:
        return [None]
    if _has_its_index(wanted) and owners:
        return [or_(*(unindexed(Lead.owner_id) == owner for owner in owners))]
    return [Lead.owner_id == owner for owner in owners]


def _owners(scope: Scope, wanted: Wanted) -> Sequence[str | None] | None:
    """Staff ids, None among them for nobody; None for everybody."""
    if wanted.owner == "none":
        return [None]
    if wanted.owner:
        return [wanted.owner] if scope.everyone or wanted.owner == scope.staff_id else []
    return None if scope.everyone else [scope.staff_id, None]


def _has_its_index(wanted: Wanted) -> bool:
    """Whether there is one index for it, which every filter is looked at in."""
    return bool(wanted.match) or wanted.sort == "came"


def ordered(owner: ColumnElement[bool] | None, wanted: Wanted, now: datetime) -> Select[Any]:
    """The ids and sort values of one branch, in the order the list is read."""
    column, down = sort_of(wanted)[0], is_downward(wanted)
    query = select(Lead.id, column.label("value")).where(*conditions(wanted, now), Lead.restricted.is_(False))
    if owner is not None:
        query = query.where(owner)
    if wanted.place is not None:
        here = tuple_(literal(wanted.place.value, column.type), literal(wanted.place.lead_id))
        key = tuple_(column, Lead.id)
        query = query.where(key < here if down else key > here)
    return query.order_by(*((column.desc(), Lead.id.desc()) if down else (column, Lead.id)))


def conditions(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    """What a list's leads have in common, but for whose they are and where the page begins."""
    found: list[ColumnElement[bool]] = []
    filtered = unindexed if _has_its_index(wanted) else _indexed
    if wanted.view:
        found.append(_in_view(wanted.view, now))
    if wanted.status:
        found += _of_status(wanted)
    for column, value in (
        (Lead.need, wanted.need),
        (Lead.source, wanted.source),
        (Lead.article, wanted.article),
    ):
        if value:
            found.append(filtered(column) == value)
    if wanted.level:
        found.append(filtered(Lead.level) == ("" if wanted.level == "none" else wanted.level))
    if wanted.reached:
        found.append(filtered(Lead.reached).in_(_from(wanted.reached)))
    came = unindexed if wanted.match else _indexed
    found += _between(filtered(Lead.last_enquiry_at), wanted.since, wanted.until)
    found += _between(came(Lead.created_at), wanted.came_since, wanted.came_until)
    if wanted.match:
        found.append(_is_matched(wanted.match))
    return found


def _is_matched(match: Match) -> ColumnElement[bool]:
    """A number may be a lead's first or a further one."""
    match match.column:
        case "phone":
            return Lead.id.in_(leads_of_number(match.index))
        case "last_four":
            return Lead.id.in_(leads_of_last_four(match.index))
    return Lead.name_index == match.index


def _from(stage: str) -> Sequence[str]:
    """A stage of the road and all that come after it."""
    return [each for each in ROAD if came_to(each, stage)]


def _between(
    column: ColumnElement[Any], since: date | None, until: date | None
) -> Iterator[ColumnElement[bool]]:
    """From the start of one day in Shanghai to the end of another."""
    if since:
        yield column >= literal(datetime.combine(since, time(), SHANGHAI), Lead.created_at.type)
    if until:
        end = datetime.combine(until + timedelta(days=1), time(), SHANGHAI)
        yield column < literal(end, Lead.created_at.type)


def _of_status(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    filtered = unindexed if _has_its_index(wanted) else _indexed
    if wanted.status == "open":
        yield filtered(Lead.closed).is_(False)
        return
    yield filtered(Lead.status) == wanted.status
    if wanted.status in CLOSED and wanted.sort == "due" and not wanted.match:  # there they stand at the end
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


def _indexed(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    return column.expression
