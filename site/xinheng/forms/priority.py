"""Whom to call first: rules in forms/priority.toml that add points, each with the words that say why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xinheng.crypto import fingerprint
from xinheng.documents import BadDocument, read_toml, validated
from xinheng.forms.needs import unknown_needs
from xinheng.referrers import CampaignChannel

PRIORITY = "priority.toml"
Level = Literal["low", "moderate", "elevated", "high", "insufficient"]
"""Of a health check's result; `insufficient` where too much is unsure for one level."""
Source = Literal["search", "social", "direct", "own", "other"]

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_FINE = 1000
"""Parts of a point: so that leads of one hour differ in freshness, and all fits the 31 bits of a column for centuries."""

_FORMULA = "1"
"""Raised where `rank` counts otherwise: then all leads are ranked anew."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """What rules may look at. `details` in characters, `articles` read in the visit, `enquiries` of this person, `answers`
    to fields that need none."""

    need: str = ""
    level: str = ""
    source: str = ""
    channel: str = ""
    details: int = 0
    articles: int = 0
    enquiries: int = 1
    answers: int = 0
    named: bool = False
    call_time: bool = False


class Condition(BaseModel):
    """All that is written must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    need: tuple[str, ...] = ()
    level: tuple[Level, ...] = ()
    source: tuple[Source, ...] = ()
    channel: tuple[CampaignChannel, ...] = ()
    details_at_least: int = Field(default=0, ge=0)
    articles_at_least: int = Field(default=0, ge=0)
    enquiries_at_least: int = Field(default=0, ge=0)
    answers_at_least: int = Field(default=0, ge=0)
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
            and (not self.channel or facts.channel in self.channel)
            and facts.details >= self.details_at_least
            and facts.articles >= self.articles_at_least
            and facts.enquiries >= self.enquiries_at_least
            and facts.answers >= self.answers_at_least
            and facts.named >= self.named
            and facts.call_time >= self.call_time
        )


class Rule(BaseModel):
    """Points for a lead of which the condition holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    when: Condition
    points: int = Field(ge=1, le=100)
    words: str = Field(min_length=1, max_length=20)


class Freshness(BaseModel):
    """How much a lead loses with each day since it last asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    points_per_day: int = Field(default=0, ge=0, le=20)


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a lead stands where it does: the rules that hold, the weightiest first, and what its age takes off, in points."""

    rules: Sequence[Rule]
    aged: int

    @property
    def total(self) -> int:
        """Of two leads the one with more stands higher, today as on any other day."""
        return sum(rule.points for rule in self.rules) - self.aged


class PriorityRules(BaseModel):
    """All rules, in the order in which their words are shown among equals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] = Field(min_length=1, max_length=40)
    freshness: Freshness = Freshness()

    @cached_property
    def version(self) -> str:
        """Another one where another order may come of it."""
        return fingerprint(_FORMULA + self.model_dump_json())[:16]

    def rank(self, facts: LeadFacts, asked_at: datetime) -> int:
        """What leads are sorted by: the points of the rules, and points for each day from a fixed one until it last asked.

        All leads lose the same with each day, so the order between two of them never changes by itself, and an index keeps it.
        """
        fresh = self.freshness.points_per_day * ((asked_at - _EPOCH) / _DAY)
        return max(0, round(_FINE * (self.points(facts) + fresh)))

    def standing(self, facts: LeadFacts, asked_at: datetime, now: datetime) -> Standing:
        """Why a lead stands where it does."""
        return Standing(self.why(facts), round(self.freshness.points_per_day * ((now - asked_at) / _DAY)))

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
