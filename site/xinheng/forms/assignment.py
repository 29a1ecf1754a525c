"""Who takes a lead: by hand, by turns among those on duty, or out of a pool; forms/assignment.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xinheng.documents import read_toml, validated

ASSIGNMENT = "assignment.toml"

Way = Literal["hand", "round_robin", "pool"]
"""`hand`: somebody gives or claims it. `round_robin`: each gets the next in turn. `pool`: who has room claims one, and what
nobody works goes back."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RoundRobin(_Part):
    """Turns: nobody is given more than so many in a day, however many others are away."""

    most_a_day: int = Field(default=10, ge=1, le=200)


class Pool(_Part):
    """Claims and their limits; hours are working hours, and 0 never gives back."""

    claims_a_day: int = Field(default=10, ge=1, le=200)
    return_after_hours: int = Field(default=24, ge=0, le=400)
    warn_before_hours: int = Field(default=8, ge=1, le=80)
    not_again_for_hours: int = Field(default=16, ge=0, le=400)

    @model_validator(mode="after")
    def _warns_in_time(self) -> Self:
        if self.return_after_hours and self.warn_before_hours >= self.return_after_hours:
            raise ValueError("warn_before_hours 应小于 return_after_hours")
        return self


class AssignmentRules(_Part):
    """The way, and how many open leads one member has at most. `absent_owner` says what becomes of a known person's lead
    who asks again while its owner is away: it is given to the next in turn, or the sales leads are told."""

    way: Way = "hand"
    capacity: int = Field(default=60, ge=1, le=5000)
    absent_owner: Literal["give", "tell"] = "tell"
    round_robin: RoundRobin = RoundRobin()
    pool: Pool = Pool()


def load_assignment(forms: Path) -> AssignmentRules:
    """Read the rules. Raises BadDocument with file, key and what was expected."""
    file = forms / ASSIGNMENT
    return validated(AssignmentRules, read_toml(file), file)
