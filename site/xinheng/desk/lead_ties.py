"""What a lead's page says of other leads: who may be the same person, who isn't, and what became part of this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from xinheng.crypto import CannotDecrypt
from xinheng.desk.frame import keys, present_scope
from xinheng.leads.duplicates import Possible, Why, duplicates_of
from xinheng.leads.listing import UNREADABLE, mask_name
from xinheng.leads.merges import UNDONE_WITHIN, merges_of
from xinheng.leads.models import Lead

MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ShownOther:
    """Another lead, its name masked."""

    lead: Lead
    name: str = field(repr=False)
    why: Sequence[Why]


@dataclass(frozen=True, slots=True)
class ShownMerge:
    """What became part of the lead, and until when it can be undone: None where it can't be now."""

    id: str
    merged_at: datetime
    staff_id: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Ties:
    """`more` are likely ones that aren't listed; `hidden` those that one may not see."""

    likely: Sequence[ShownOther]
    more: int
    apart: Sequence[ShownOther]
    hidden: int
    merges: Sequence[ShownMerge]


def ties_of(reading: Session, lead: Lead, now: datetime) -> Ties:
    found = duplicates_of(reading, present_scope(), lead)
    merges = merges_of(reading, lead.id)
    return Ties(
        likely=[_shown(each) for each in found.likely[:MOST_SHOWN]],
        more=max(len(found.likely) - MOST_SHOWN, 0),
        apart=[_shown(each) for each in found.apart[:MOST_SHOWN]],
        hidden=found.hidden,
        merges=[
            ShownMerge(
                each.id,
                each.merged_at,
                each.staff_id,
                each.merged_at + UNDONE_WITHIN if each is merges[0] and each.can_be_undone(now) else None,
            )
            for each in merges
        ],
    )


def _shown(possible: Possible) -> ShownOther:
    try:
        name = mask_name(possible.lead.open(keys(), "name"))
    except CannotDecrypt:
        name = UNREADABLE
    return ShownOther(possible.lead, name, possible.why)
