"""Whom to call first: rules in forms/priority.toml that add points, each with the words that say why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xinheng.documents import BadDocument, read_toml, validated
from xinheng.forms.needs import unknown_needs

PRIORITY = "priority.toml"
Level = Literal["low", "moderate", "elevated", "high", "insufficient"]
"""Of a health check's result; `insufficient` where too much is unsure for one level."""
Source = Literal["search", "social", "direct", "own", "other"]


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """What rules may look at. `details` in characters, `articles` read in the visit, `enquiries` of this person."""

    need: str = ""
    level: str = ""
    source: str = ""
    details: int = 0
    articles: int = 0
    enquiries: int = 1
    named: bool = False
    call_time: bool = False


class Condition(BaseModel):
    """All that is written must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    need: tuple[str, ...] = ()
    level: tuple[Level, ...] = ()
    source: tuple[Source, ...] = ()
    details_at_least: int = Field(default=0, ge=0)
    articles_at_least: int = Field(default=0, ge=0)
    enquiries_at_least: int = Field(default=0, ge=0)
    named: bool = False
    call_time: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self == type(self).model_construct():
            raise ValueError("when 里至少写一个条件")
        return self

    def holds(self, facts: LeadFacts) -> bool:
        return (
            (not self.need or facts.need in self.need)
            and (not self.level or facts.level in self.level)
            and (not self.source or facts.source in self.source)
            and facts.details >= self.details_at_least
            and facts.articles >= self.articles_at_least
            and facts.enquiries >= self.enquiries_at_least
            and facts.named >= self.named
            and facts.call_time >= self.call_time
        )


class Rule(BaseModel):
    """Points for a lead of which the condition holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    when: Condition
    points: int = Field(ge=1, le=100)
    words: str = Field(min_length=1, max_length=20)


class PriorityRules(BaseModel):
    """All rules, in the order in which their words are shown among equals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] = Field(min_length=1, max_length=40)

    def points(self, facts: LeadFacts) -> int:
        """The sum of all rules that hold."""
        return sum(rule.points for rule in self._holding(facts))

    def why(self, facts: LeadFacts) -> Sequence[Rule]:
        """The rules that hold, the weightiest first."""
        return sorted(self._holding(facts), key=lambda rule: -rule.points)

    def _holding(self, facts: LeadFacts) -> Sequence[Rule]:
        return [rule for rule in self.rules if rule.when.holds(facts)]


def load_priority(forms: Path, needs: Collection[str] | None = None) -> PriorityRules:
    """Read the rules, which may name only these needs (None: not known, all pass).

    Raises BadDocument with file, key and what was expected.
    """
    file = forms / PRIORITY
    rules = validated(PriorityRules, read_toml(file), file)
    named = (
        (f"rules.{number}.when.need.{place}", need)
        for number, rule in enumerate(rules.rules)
        for place, need in enumerate(rule.when.need)
    )
    if faults := unknown_needs(file, named, needs):
        raise BadDocument(faults)
    return rules
