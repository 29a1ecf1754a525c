"""What an article is: the keys of its front matter, and what is derived from its text."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from xinheng.settings import SHANGHAI

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
CHARACTERS_A_MINUTE = 400
_NAMESPACE = uuid.UUID("6d1f1a52-8a0c-5b1e-9c0e-6f7f2f0c51aa")


def _moment(value: Any) -> Any:
    """`2026-03-02 10:05` in Shanghai's time, as editors write it; an ISO instant, as the index keeps it."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError("应写成 2026-03-02 10:05（北京时间）") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value.strip()[:10])
    except ValueError:
        raise ValueError("应写成 2026-03-02") from None


def _none_to_empty(value: Any) -> Any:
    return "" if value is None else value


def _slug(value: Any) -> Any:
    if not isinstance(value, str) or not SLUG.fullmatch(value) or len(value) > 80:
        raise ValueError("应由小写字母、数字和连字符组成，例如 ageing-report")
    return value


Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Text = Annotated[str, BeforeValidator(_none_to_empty)]
Slug = Annotated[str, BeforeValidator(_slug)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Source(_Strict):
    """Where a fact comes from. `id` is what `[^id]` in the text names."""

    id: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*$")
    publisher: str = Field(min_length=1)
    title: str = Field(min_length=1)
    date: Day
    url: str = Field(default="", pattern=r"^(https?://\S+)?$")


class FrontMatterFields(_Strict):
    """The keys of an article's front matter."""

    title: str = Field(min_length=1, max_length=40)
    category: str = Field(min_length=1)
    tags: tuple[str, ...] = Field(default=(), max_length=8)
    published: Moment | None = None
    updated: Moment | None = None
    author: str = Field(min_length=1)
    summary: Text = Field(default="", max_length=100)
    key_points: tuple[str, ...] = Field(default=(), max_length=5)
    ai: Literal["none", "assisted", "generated"]
    reviewed_by: Text = ""
    reviewed_at: Day | None = None
    sources: tuple[Source, ...] = ()
    aliases: tuple[Slug, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.reviewed_by) != bool(self.reviewed_at):
            raise ValueError("reviewed_by 和 reviewed_at 要么都写，要么都空着")
        if self.published and self.updated and self.updated < self.published:
            raise ValueError("updated 不能早于 published")
        if len({source.id for source in self.sources}) != len(self.sources):
            raise ValueError("sources 里有两项用了同一个 id")
        return self


class Heading(_Strict):
    anchor: str
    text: str


class Question(_Strict):
    question: str
    answer: str


class Article(FrontMatterFields):
    """An article that is published, or will be at its time. `sources` stand in order of citation."""

    slug: Slug
    published: Moment
    updated: Moment
    headings: tuple[Heading, ...]
    questions: tuple[Question, ...]
    characters: int
    version: str
    title_pieces: tuple[Annotated[str, StringConstraints(strip_whitespace=False)], ...]

    @property
    def minutes(self) -> int:
        """Reading time in minutes, at 400 characters a minute."""
        return max(1, round(self.characters / CHARACTERS_A_MINUTE))

    @property
    def changed(self) -> bool:
        """Whether it was updated after it was published."""
        return self.updated > self.published

    @property
    def uuid(self) -> uuid.UUID:
        """A stable id that is not the address."""
        return uuid.uuid5(_NAMESPACE, self.slug)


class Category(_Strict):
    slug: Slug
    name: str = Field(min_length=1)
    short: str = Field(min_length=1, max_length=6)
    description: str = Field(min_length=1, max_length=30)
    shape: Literal["circle", "square", "triangle", "page", "cash", "diamond", "shield", "chart"]
    ground: Literal["teal", "ink", "clay"]


class Author(_Strict):
    name: str = Field(min_length=1)
    about: str = Field(min_length=1)


class PageFields(_Strict):
    """The keys of a content page's front matter."""

    title: str = Field(min_length=1, max_length=30)
    summary: str = Field(min_length=1, max_length=100)
    updated: Moment
    footer: Text = ""


class Page(PageFields):
    """A content page; `html` holds `{legal_name}` and the like, filled from the company's facts when shown."""

    slug: Slug
    html: str
