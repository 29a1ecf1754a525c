"""The vocabulary of forms/health_check.toml, closed: every key is explained in forms/README.md, and a test says so.

Types are checked here; what must hold between the parts is in soundness.py, when the file is read. So a definition
that was right in its day can be taken up again from the database whatever the rules say by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Final, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

from xinheng.crypto import fingerprint
from xinheng.health_check.parameters import Parameters

LevelId = Literal["low", "moderate", "elevated", "high"]
ConfidenceId = Literal["good", "fair", "weak", "insufficient"]
Degree = Literal["低", "中", "高"]
Run = Literal["low", "mid", "high"]
LEVELS: Final[tuple[LevelId, ...]] = get_args(LevelId)
CONFIDENCES: Final[tuple[ConfidenceId, ...]] = get_args(ConfidenceId)
UNSURE: Final = "unsure"
"""The key of 不清楚: the answer that stands for three options."""

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,31}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Number = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
Percent = Annotated[int, Strict(), Field(ge=0, le=100)]
Share = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Strict(), Field(ge=1, le=20)]


class _Declared(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, populate_by_name=True, serialize_by_alias=True
    )


class Choice(_Declared):
    """One answer that is offered."""

    key: Key
    label: Label


class ProfileOption(Choice):
    """An answer about the business; none is better than another.

    `factor`: of the industry, 1 is usual. `value`: a share of credit sales. `low`, `mid`, `high`: 万元 a year.
    """

    factor: Number = 1.0
    value: Share = 0.0
    low: Number = 0.0
    mid: Number = 0.0
    high: Number = 0.0


class ScoredOption(Choice):
    """An answer with its points, 0 good to 100 bad.

    `value`: what the estimate reckons with, in the unit of its question (days, months, a share or a factor).
    `ageing`: shares of the overdue money that are 1–30, 31–60, 61–90, 91–180 and over 180 days late; they add to 1.
    `stock`: factor of the loss on what is overdue already.
    """

    points: Percent
    value: Number = 0.0
    ageing: tuple[Share, Share, Share, Share, Share] = (0.0, 0.0, 0.0, 0.0, 0.0)
    stock: Number = 1.0


class Unsure(_Declared):
    """The options that stand for 不清楚: best plausible, typical, worst plausible."""

    low: Key
    mid: Key
    high: Key

    def of(self, run: Run) -> str:
        """The key of the option that stands for 不清楚 in this run."""
        return self.high if run == "high" else self.low if run == "low" else self.mid


class Reason(_Declared):
    """Why a question adds to the score, and what to do; `article` is the slug of what to read on."""

    code: Id
    title: Label
    effort: Degree
    impact: Degree
    article: str = ""
    advice: Text


class Question(_Declared):
    """What every question has. `id` stands in addresses and stored answers and never changes its meaning.

    `help` stands beside the answers; `why` says why it is asked.
    """

    id: Key
    text: Text
    help: Text
    why: Text


class ProfileQuestion(Question):
    """Not scored. `default` stands where it isn't answered; `allow_number` names the exact amount in its place."""

    default: str = ""
    allow_number: Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]{0,31})?$")] = ""
    options: tuple[ProfileOption, ...] = Field(min_length=2, max_length=20)

    @cached_property
    def by_key(self) -> Mapping[str, ProfileOption]:
        return {option.key: option for option in self.options}


class ScoredQuestion(Question):
    """`weight` in percent of its dimension; options from good to bad."""

    dimension: Id = Field(alias="dim")
    weight: Annotated[int, Strict(), Field(ge=1, le=100)]
    options: tuple[ScoredOption, ...] = Field(min_length=2, max_length=10)
    unsure: Unsure
    reason: Reason

    @cached_property
    def by_key(self) -> Mapping[str, ScoredOption]:
        """The options, 不清楚 not among them."""
        return {option.key: option for option in self.options}

    @cached_property
    def rank(self) -> Mapping[str, int]:
        """The place of each option, 0 the best."""
        return {option.key: place for place, option in enumerate(self.options)}


class Dimension(_Declared):
    """`weight` in percent of the score; `control`: counts for 内控系数; left out where `only_if_not` is answered."""

    id: Id
    name: Label
    weight: Annotated[int, Strict(), Field(ge=1, le=100)]
    control: Annotated[bool, Strict()] = False
    only_if_not: dict[Key, Key] = Field(default_factory=dict)


class Level(_Declared):
    """A range of the displayed score, from `starts` to the next one's."""

    id: LevelId
    name: Label
    starts: Percent = Field(alias="from")
    summary: Text


class Confidence(_Declared):
    """How sure the result is: up to this share of the weight that was asked answered 不清楚."""

    id: ConfidenceId
    name: Label
    max_unsure_share: Share


class Prompt(_Declared):
    """A gentle hint where two answers hardly fit; it never changes the score."""

    id: Id
    at_least: dict[Key, Key] = Field(default_factory=dict)
    at_most: dict[Key, Key] = Field(default_factory=dict)
    text: Text


class RedFlag(_Declared):
    """`floor` is the least level where every answer of `all` is at least this bad, or the runway (months) at most so."""

    id: Id
    floor: LevelId
    all: dict[Key, Key] = Field(default_factory=dict)
    runway_at_most: Number | None = None
    text: Text


class ReasonCodes(_Declared):
    """How many reasons are shown, and which dimensions come after the others."""

    count: Count
    max_per_dimension: Count
    listed_last: tuple[Id, ...] = ()


class HealthCheck(_Declared):
    """The whole check, one version of it."""

    version: Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}$")]
    language: Literal["zh-CN"]
    unsure_label: Label
    disclaimer: Text
    levels: tuple[Level, ...]
    confidence: tuple[Confidence, ...]
    dimensions: tuple[Dimension, ...]
    profile: tuple[ProfileQuestion, ...]
    questions: tuple[ScoredQuestion, ...]
    consistency: tuple[Prompt, ...] = ()
    red_flags: tuple[RedFlag, ...] = ()
    reason_codes: ReasonCodes
    parameters: Parameters

    @cached_property
    def stored(self) -> str:
        """The whole of it as JSON, as it is kept beside the answers that were given under it."""
        return self.model_dump_json(exclude_unset=True)

    @cached_property
    def hash(self) -> str:
        """The first 16 hexadecimal digits of the hash of all that is written: which version this surely is."""
        return fingerprint(self.stored)[:16]

    @cached_property
    def asked(self) -> Mapping[str, ProfileQuestion | ScoredQuestion]:
        """All questions by id, in the order in which they are asked."""
        return {each.id: each for each in self.profile} | {each.id: each for each in self.questions}

    @cached_property
    def scored(self) -> Mapping[str, ScoredQuestion]:
        return {each.id: each for each in self.questions}

    @cached_property
    def number_keys(self) -> Mapping[str, str]:
        """Keys of exact amounts, each with the question that it answers."""
        return {each.allow_number: each.id for each in self.profile if each.allow_number}

    def dimension(self, id: str) -> Dimension:
        """Raises KeyError."""
        return _found(self.dimensions, id)

    def level(self, id: str) -> Level:
        """Raises KeyError."""
        return _found(self.levels, id)

    def red_flag(self, id: str) -> RedFlag:
        """Raises KeyError."""
        return _found(self.red_flags, id)

    def prompt(self, id: str) -> Prompt:
        """A consistency prompt. Raises KeyError."""
        return _found(self.consistency, id)

    @cached_property
    def offered(self) -> Mapping[str, Mapping[str, Choice]]:
        """The answers of each question by key, 不清楚 last."""
        unsure = {UNSURE: Choice.model_construct(key=UNSURE, label=self.unsure_label)}
        profile: dict[str, Mapping[str, Choice]] = {each.id: each.by_key for each in self.profile}
        return profile | {each.id: {**each.by_key, **unsure} for each in self.questions}

    def answer_words(self, question: str, answer: str) -> str:
        """The words of an answer; of a question or option that isn't there, the key itself."""
        choice = self.offered.get(question, {}).get(answer)
        return choice.label if choice else answer


Identified = TypeVar("Identified", Dimension, Level, RedFlag, Prompt)


def _found(among: tuple[Identified, ...], id: str) -> Identified:
    for each in among:
        if each.id == id:
            return each
    raise KeyError(id)
