"""All open leads of one member go to others, before the member leaves or takes none any more."""

from __future__ import annotations

from collections.abc import Sequence

from xinheng.db import Database
from xinheng.leads.deeds import BulkChange, Deed
from xinheng.leads.handover import ids_of_open_leads
from xinheng.leads.work import LeadWork
from xinheng.staff.colleagues import Colleague

_AT_ONCE = 100  # leads of one transaction, and of one mail


def hand_over_all(
    database: Database, work: LeadWork, staff_id: str, heirs: Sequence[Colleague], deed: Deed
) -> int:
    """Deal a member's open leads out to the heirs in turn; without heirs they belong to nobody again. Returns how many
    have another owner now.

    A hundred at a time: broken off anywhere, the rest is still the member's. The new owners are told by mail.
    """
    with database.reading() as session:
        ids = ids_of_open_leads(session, staff_id)
    receivers: Sequence[Colleague | None] = heirs or [None]
    done = 0
    for place, receiver in enumerate(receivers):
        share = ids[place :: len(receivers)]
        for start in range(0, len(share), _AT_ONCE):
            change = BulkChange(assigned=True, owner=receiver)
            done += work.many(share[start : start + _AT_ONCE], deed, change)
    return done
