"""content/processors.toml: whom personal data or notices are entrusted to, as the law wants it on record.

A notice channel is switched on only while an entry names it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from xinheng.documents import read_toml, validated
from xinheng.reloading import watched_content
from xinheng.settings import SHANGHAI, Settings

PROCESSORS = "processors.toml"
KEPT_YEARS = 3
"""How long an entry stays in the file after its end; then it may be taken out."""

ChannelName = Literal["mail", "wecom", "dingtalk", "feishu"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Processor(_Entry):
    """One who is given something. `end` is the last day; without one it goes on.

    `role` says whether they act for us (`processor`) or decide for themselves what they do with it (`recipient`).
    """

    name: str = Field(min_length=1, max_length=60)
    contact: str = Field(min_length=1, max_length=100)
    role: Literal["processor", "recipient"] = "processor"
    purpose: str = Field(min_length=1, max_length=100)
    kinds: tuple[str, ...] = Field(min_length=1, max_length=20)
    contract: str = Field(min_length=1, max_length=60)
    start: date
    end: date | None = None
    channel: ChannelName | None = None

    @field_validator("kinds")
    @classmethod
    def _kinds_are_words(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if not all(kind.strip() for kind in kinds):
            raise ValueError("每一项都要写出来，不能为空")
        return kinds

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"end（{self.end}）不能早于 start（{self.start}）")
        return self

    def current(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day <= self.end)

    def must_stay(self, day: date) -> bool:
        """Whether the entry must still be kept: three years from its end on."""
        return self.end is None or (day.year - KEPT_YEARS, day.month, day.day) <= (
            self.end.year,
            self.end.month,
            self.end.day,
        )


class Register(_Entry):
    """All entries, in the order of the file."""

    processors: tuple[Processor, ...] = ()

    def current(self, now: datetime) -> tuple[Processor, ...]:
        """Those to whom something is given today, by the site's clock."""
        day = now.astimezone(SHANGHAI).date()
        return tuple(each for each in self.processors if each.current(day))

    def outdated(self, now: datetime) -> tuple[Processor, ...]:
        """Those that ended over three years ago: they may be taken out."""
        day = now.astimezone(SHANGHAI).date()
        return tuple(each for each in self.processors if not each.must_stay(day))

    def for_channel(self, channel: str, now: datetime) -> Processor | None:
        """The entry that allows a channel today."""
        return next((each for each in self.current(now) if each.channel == channel), None)


def load_processors(content: Path) -> Register:
    """Read content/processors.toml; a folder without one has no entries. Raises BadDocument."""
    file = content / PROCESSORS
    if not file.exists():
        return Register()
    return validated(Register, read_toml(file), file)


def watched_processors(settings: Settings) -> Callable[[], Register]:
    """The register as it is saved now; read once at least. Raises BadDocument, in production only where no copy is good."""
    return watched_content(settings, PROCESSORS, load_processors)
