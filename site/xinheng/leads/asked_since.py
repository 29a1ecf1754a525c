"""Two leads were one for a while, and their persons asked meanwhile: what that brought follows the enquiries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from xinheng.leads.changing import Turn
from xinheng.leads.images import set_from
from xinheng.leads.joining import take_up_again
from xinheng.leads.merges import Merge
from xinheng.leads.models import Enquiry, Lead

_RESPONSE = ("first_response_due", "responded_at", "escalation")


def follow_enquiries(turn: Turn, kept: Lead, merged: Lead, row: Merge, before: Mapping[str, Any]) -> None:
    """Enquiries since the merge waited at the kept lead: where they are the other's, that waits for a response, is kept as
    long as they are to be, and is open."""
    came = (
        select(Enquiry).where(Enquiry.id > row.id).order_by(Enquiry.created_at.desc())
    )  # ids lie in order of time
    theirs = came.where(Enquiry.lead_id == merged.id, Enquiry.id.not_in(row.moved["enquiries"]))
    latest = turn.session.scalars(theirs.limit(1)).first()
    if latest is None:
        return
    merged.need, merged.retain_until = latest.need, max(merged.retain_until, kept.retain_until)
    for name in _RESPONSE:
        setattr(merged, name, getattr(kept, name))
    take_up_again(merged, turn.keys, turn.deed.now)
    own = turn.session.scalars(came.where(Enquiry.lead_id == kept.id).limit(1)).first()
    if own is None and kept.responded_at is None:
        set_from(kept, turn.keys, before, _RESPONSE)
