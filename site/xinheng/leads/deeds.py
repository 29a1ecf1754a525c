"""What may be done to a lead: who does it, what it leaves on the timeline, and what stands in its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from xinheng.leads.models import CLOSED, Lead
from xinheng.leads.moves import MOVES
from xinheng.leads.scope import Scope
from xinheng.staff.colleagues import Colleague
from xinheng.staff.models import User


class LeadChanged(RuntimeError):
    """Somebody changed the lead after the page was opened: nothing was written."""


class AlreadyDone(RuntimeError):
    """The same person did the same a moment ago: the button was pressed twice, and once is enough."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Who does something, when, and which version of the lead they were looking at (None: whichever it is)."""

    scope: Scope
    now: datetime
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """The event that a deed leaves. `always`: pressing twice is looked for even where no version tells of it."""

    kind: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    note: str = field(default="", repr=False)
    always: bool = False


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What is done to several leads at once: only what is set. `assigned` with no `owner` gives them back to all."""

    status: str = ""
    reason: str = ""
    assigned: bool = False
    owner: User | Colleague | None = None
    follow_up_at: datetime | None = None

    def fits(self, lead: Lead) -> bool:
        """Whether the lead may take it: its status may follow, and a closed one takes no plan."""
        if self.status and self.status not in MOVES[lead.status]:
            return False
        same_owner = self.assigned and (self.owner.id if self.owner else None) == lead.owner_id
        return not same_owner and not (self.follow_up_at and (self.status or lead.status) in CLOSED)
