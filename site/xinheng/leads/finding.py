"""Find leads: by what they wait for, by filters and sorts, by phone, name or reference; a page at a time, by key.

Nothing here sorts or filters on an encrypted field: phones and names are found by keyed indexes of the whole value or
of the last four digits. Each query walks one index (tests and bench/desk.py hold that).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, ScalarSelect, func, literal_column, select, union_all
from sqlalchemy.orm import Session

from xinheng.crypto import Keys, plain_reference
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.scope import Scope
from xinheng.leads.wanted import (
    VIEWS,
    Match,
    View,
    Wanted,
    after_all,
    branches,
    conditions,
    is_downward,
    ordered,
    place_of,
)
from xinheng.phones import NotAPhone, parse_phone

MOST_COUNTED = 999
PAGE = 40


@dataclass(frozen=True, slots=True)
class Found:
    """One page of leads, in order; whether there are more on either side."""

    leads: Sequence[Lead]
    earlier: bool
    later: bool


def find_leads(session: Session, scope: Scope, wanted: Wanted, now: datetime, most: int = PAGE) -> Found:
    """The leads of one page, in order."""
    return find_pages(session, scope, [wanted], now, most)[0]


def find_pages(
    session: Session, scope: Scope, wanted: Sequence[Wanted], now: datetime, most: int
) -> Sequence[Found]:
    """The first leads of several lists, with two questions for all. Their sorts are all by time, or all by priority."""
    pages = _places(session, scope, wanted, now, most + 1)
    ids = {each for page in pages for each in page[:most]}
    leads = {lead.id: lead for lead in session.scalars(select(Lead).where(Lead.id.in_(ids)))} if ids else {}
    return [
        _found([leads[each] for each in page[:most]], each_wanted, more=len(page) > most)
        for page, each_wanted in zip(pages, wanted, strict=True)
    ]


def _found(leads: Sequence[Lead], wanted: Wanted, *, more: bool) -> Found:
    backward = wanted.place is not None and wanted.place.before
    return Found(
        leads[::-1] if backward else leads,
        earlier=more if backward else wanted.place is not None,
        later=more if not backward else True,
    )


def _places(
    session: Session, scope: Scope, wanted: Sequence[Wanted], now: datetime, most: int
) -> Sequence[Sequence[str]]:
    """The ids of each list, as far as `most`, in the direction it is read. Own leads and those of nobody are walked
    apart, each along its own index, and merged here."""
    questions = [
        ordered(owner, each, now)
        .limit(most)
        .add_columns(literal_column(str(number)).label("list"))
        .subquery()
        for number, each in enumerate(wanted)
        for owner in branches(scope, each)
    ]
    found: list[list[tuple[Any, str]]] = [[] for _ in wanted]
    for row in session.execute(union_all(*map(select, questions))) if questions else ():
        found[row.list].append((after_all(wanted[row.list]) if row.value is None else row.value, row.id))
    return [
        [lead_id for _, lead_id in sorted(rows, reverse=is_downward(each))]
        for rows, each in zip(found, wanted, strict=True)
    ]


def count_lists(session: Session, scope: Scope, wanted: Sequence[Wanted], now: datetime) -> list[int]:
    """How many leads each list holds, at most one more than MOST_COUNTED. One question, however many lists."""
    parts = [(place, part) for place, each in enumerate(wanted) for part in _counts(scope, each, now)]
    found = session.execute(select(*(part for _, part in parts))).one() if parts else ()
    counts = [0] * len(wanted)
    for (place, _), number in zip(parts, found, strict=True):
        counts[place] = min(counts[place] + number, MOST_COUNTED + 1)
    return counts


def count_views(session: Session, scope: Scope, now: datetime, owner: str = "") -> dict[View, int]:
    """How many leads wait in each view, at most one more than MOST_COUNTED."""
    wanted = [Wanted(view=view, owner=owner) for view in VIEWS]
    return dict(zip(VIEWS, count_lists(session, scope, wanted, now), strict=True))


def count_late_responses(session: Session, scope: Scope, now: datetime) -> int:
    """How many of those that wait for their first contact should have been called by now, as far as MOST_COUNTED."""
    waiting = Wanted(view="first")
    parts = list(_counts(scope, waiting, now, Lead.first_response_due < now))
    found = session.execute(select(*parts)).one() if parts else ()
    return min(sum(found), MOST_COUNTED + 1)


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
    here = place_of(lead, wanted)
    sides = [replace(wanted, place=replace(here, before=before)) for before in (True, False)]
    before, after = _places(session, scope, sides, now, most=1)
    return before[0] if before else None, after[0] if after else None


def _counts(
    scope: Scope, wanted: Wanted, now: datetime, *more: ColumnElement[bool]
) -> Iterator[ScalarSelect[int]]:
    """The number of leads of each branch, capped: each counts along its own index, and stops there."""
    for owner in branches(scope, wanted):
        rows = select(Lead.id).where(*conditions(wanted, now), *more)
        rows = rows if owner is None else rows.where(owner)
        capped = rows.limit(MOST_COUNTED + 1).subquery()
        yield select(func.count()).select_from(capped).scalar_subquery()


def _by_reference(session: Session, scope: Scope, reference: str) -> Lead | None:
    lead = session.scalars(select(Lead).join(Enquiry).where(Enquiry.reference == reference)).first()
    return lead if lead is not None and scope.sees(lead) else None


def _match(keys: Keys, column: Literal["phone", "last_four", "name"], value: str) -> Match | None:
    index = keys.blind_index(column, value)
    return Match(column, index) if index else None


def _digits(text: str) -> str:
    """The text with full-width digits folded, so that ５６７８ finds what 5678 finds."""
    return text.translate(str.maketrans("０１２３４５６７８９", "0123456789"))
