"""Whose leads a member of staff may see and work."""

from __future__ import annotations

from dataclasses import dataclass

from xinheng.leads.models import Lead


class NoSuchLead(LookupError):
    """There is no such lead, or not for this member of staff: the answer is the same."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A member of staff as leads know one: their own leads and those of nobody, or with `everyone` all."""

    staff_id: str
    everyone: bool = False

    def sees(self, lead: Lead) -> bool:
        return not lead.restricted and (self.everyone or lead.owner_id in (self.staff_id, None))
