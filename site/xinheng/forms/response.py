"""How soon somebody must try to reach a person who asked, and what happens when nobody does: forms/response.toml.

All times are working minutes: nobody is late at night, and nobody is reminded on a holiday.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xinheng.documents import BadDocument, read_toml, validated
from xinheng.forms.needs import unknown_needs
from xinheng.forms.priority import Condition, LeadFacts

RESPONSE = "response.toml"
MOST_MINUTES = 20 * 24 * 60

Told = Literal["owner", "sales_lead", "all"]
"""Who hears of it: the lead's owner by mail, each sales lead by mail, or everybody by every channel."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseRule(_Entry):
    """A shorter time for leads of which the condition holds."""

    when: Condition
    within: int = Field(ge=1, le=MOST_MINUTES)


class LateStep(_Entry):
    """What is done so many minutes after the time was over."""

    after: int = Field(ge=0, le=MOST_MINUTES)
    tell: tuple[Told, ...] = Field(min_length=1, max_length=3)
    reassign: bool = False


class ResponseRules(_Entry):
    """`within` where no rule holds; `remind` minutes before the end a lead is nearly due, and its owner told; 0 for never.

    The times as they are here hold for a site without the file: four hours, and sales leads told of what is late.
    """

    within: int = Field(default=240, ge=1, le=MOST_MINUTES)
    remind: int = Field(default=30, ge=0, le=MOST_MINUTES)
    rules: tuple[ResponseRule, ...] = Field(default=(), max_length=40)
    late: tuple[LateStep, ...] = Field(
        default=(LateStep(after=0, tell=("owner", "sales_lead")),), max_length=10
    )

    @model_validator(mode="after")
    def _one_after_the_other(self) -> Self:
        for earlier, later in pairwise(self.late):
            if later.after <= earlier.after:
                raise ValueError(f"late 里的 after 应一个比一个晚：{later.after} 不比 {earlier.after} 晚")
        return self

    def minutes(self, facts: LeadFacts) -> int:
        """The time for a lead: the shortest of all rules that hold."""
        return min((rule.within for rule in self.rules if rule.when.holds(facts)), default=self.within)


def load_response(forms: Path, needs: Collection[str] | None = None) -> ResponseRules:
    """Read the rules, which may name only these needs (None: not known, all pass); a folder without the file has the
    usual ones. Raises BadDocument with file, key and what was expected.
    """
    file = forms / RESPONSE
    if not file.exists():
        return ResponseRules()
    rules = validated(ResponseRules, read_toml(file), file)
    named = (
        (f"rules.{number}.when.need.{place}", need)
        for number, rule in enumerate(rules.rules)
        for place, need in enumerate(rule.when.need)
    )
    if faults := unknown_needs(file, named, needs):
        raise BadDocument(faults)
    return rules
