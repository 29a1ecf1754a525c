"""Staff say that two leads are not the same person, for good, or take that back."""

from __future__ import annotations

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.changing import changing
from xinheng.leads.deeds import Deed
from xinheng.leads.merges import set_apart, take_together


def judge_pair(
    database: Database, keys: Keys, deed: Deed, lead_id: str, other_id: str, *, apart: bool
) -> bool:
    """The rights to both are needed. False where it was said before. Raises NoSuchLead."""
    with changing(database, keys, deed, [lead_id, other_id]) as turn:
        pair = [turn.lead(each, None) for each in (lead_id, other_id)]
        if apart:
            done = set_apart(turn.session, lead_id, other_id, deed.scope.staff_id, deed.now)
        else:
            done = take_together(turn.session, lead_id, other_id)
        if done:
            what = "apart" if apart else "together"
            for lead, other in (pair, reversed(pair)):
                turn.event(lead, what)
                turn.audit("edit", lead.id, {"what": what, "to": other.id})
        return done
