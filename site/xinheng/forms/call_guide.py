"""What to say on the phone: forms/call_guide.toml, by the need that was chosen. Marketers change it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from xinheng.documents import BadDocument, Fault, read_toml, toml_fault, validated
from xinheng.forms.needs import unknown_needs
from xinheng.settings import SHANGHAI

CALL_GUIDE = "call_guide.toml"
PLACEHOLDERS: Final = ("visitor", "caller", "company", "when", "need")
ANSWER: Final = "answer"
"""The one blank of a question about a health check: what its visitor chose."""
MOST_OPENINGS: Final = 3
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def _sayable(say: str) -> str:
    """An opening sentence that names who calls, with blanks that can all be filled. Raises ValueError."""
    blanks = _PLACEHOLDER.findall(say)
    if unknown := [name for name in blanks if name not in PLACEHOLDERS]:
        raise ValueError(f"没有 {{{unknown[0]}}}，只能用 {'、'.join(f'{{{name}}}' for name in PLACEHOLDERS)}")
    if set("{}") & set(_PLACEHOLDER.sub("", say)):
        raise ValueError("花括号要成对，里面只写名字，例如 {caller}")
    if not {"caller", "company"} <= set(blanks):
        raise ValueError("要有 {caller} 和 {company}：先说自己是谁、哪家公司的")
    if "{visitor}" in say.removeprefix("{visitor}"):
        raise ValueError("{visitor} 只能写在最前面：没有姓名时要省得掉")
    return say


def _about_an_answer(ask: str) -> str:
    """A question that names the visitor's own answer, once. Raises ValueError."""
    if _PLACEHOLDER.findall(ask) != [ANSWER] or set("{}") & set(_PLACEHOLDER.sub("", ask)):
        raise ValueError("要有而且只有一处 {answer}：对方自己选的那一项")
    return ask


def _without_blanks(ask: str) -> str:
    """A question to be asked as it is written. Raises ValueError."""
    if set("{}") & set(ask):
        raise ValueError("对方答的是“不清楚”，这里没有可填的：不要写花括号")
    return ask


_Line = Annotated[str, StringConstraints(min_length=1, max_length=40)]
_Question = Annotated[str, StringConstraints(min_length=1, max_length=60)]
_Say = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(_sayable)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Offer(_Declared):
    """Something to give; `article` is the slug of the article that it is."""

    text: _Line
    article: str = ""


class Guide(_Declared):
    """What to ask, to give and to leave unsaid for some needs, or (`default`) for all that no guide names."""

    needs: tuple[str, ...] = ()
    default: bool = False
    say: _Say | None = None
    ask: tuple[_Line, ...] = Field(min_length=2, max_length=4)
    offer: tuple[Offer, ...] = Field(default=(), max_length=4)
    avoid: tuple[_Line, ...] = Field(default=(), max_length=4)

    @model_validator(mode="after")
    def _for_something(self) -> Self:
        if self.default == bool(self.needs):
            raise ValueError("needs 和 default = true 写一样，只写一样")
        return self


class Opening(_Declared):
    """What to ask first where the answer to a question of the health check was weak, or (`unsure`) 不清楚."""

    question: str
    ask: Annotated[_Question, AfterValidator(_about_an_answer)]
    unsure: Annotated[_Question, AfterValidator(_without_blanks)]


class CallGuide(_Declared):
    """All guides; `say` and `avoid` hold whatever the need, a guide's own `say` comes before it."""

    say: _Say
    avoid: tuple[_Line, ...] = Field(min_length=1, max_length=6)
    guides: tuple[Guide, ...] = Field(min_length=1, max_length=20)
    openings: tuple[Opening, ...] = Field(default=(), max_length=60)

    @model_validator(mode="after")
    def _one_for_each(self) -> Self:
        if sum(guide.default for guide in self.guides) != 1:
            raise ValueError("guides 里要有且只有一份 default = true：其余的需求都用它")
        named = [need for guide in self.guides for need in guide.needs]
        if twice := sorted({need for need in named if named.count(need) > 1}):
            raise ValueError(f"一项需求只能写在一份 guides 里：{'、'.join(twice)}")
        asked = [opening.question for opening in self.openings]
        if twice := sorted({question for question in asked if asked.count(question) > 1}):
            raise ValueError(f"一道题只能写一份 openings：{'、'.join(twice)}")
        return self

    def of(self, need: str) -> Guide:
        """The guide of a need, the default one where none names it."""
        default = next(guide for guide in self.guides if guide.default)
        return next((guide for guide in self.guides if need in guide.needs), default)


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls whom, and why. `need` in the form's words; `visitor` is empty unless the name was shown to the caller."""

    caller: str
    company: str
    need: str
    asked_at: datetime
    now: datetime
    visitor: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ShownGuide:
    """What is shown beside one lead: `say` with its blanks filled, all that is not to be said in `avoid`."""

    say: str = field(repr=False)
    ask: Sequence[str]
    offer: Sequence[Offer]
    avoid: Sequence[str]


def load_call_guide(
    forms: Path,
    needs: Collection[str] | None,
    slugs: Collection[str] | None,
    questions: Collection[str] | None = None,
) -> CallGuide:
    """Read the guide, which may name only these needs, articles and scored questions of the health check (None: not
    known, all pass). Raises BadDocument."""
    file = forms / CALL_GUIDE
    guide = validated(CallGuide, read_toml(file), file)
    faults = [
        *unknown_needs(file, _named_needs(guide), needs),
        *_unknown_articles(file, guide, slugs),
        *_unknown_questions(file, guide, questions),
    ]
    if faults:
        raise BadDocument(faults)
    return guide


def guide_for(guide: CallGuide, need: str, call: Call) -> ShownGuide:
    """What to say to somebody who chose `need`, a key."""
    chosen = guide.of(need)
    return ShownGuide(
        say=_spoken(chosen.say or guide.say, call),
        ask=chosen.ask,
        offer=chosen.offer,
        avoid=(*guide.avoid, *chosen.avoid),
    )


def opening_questions(guide: CallGuide, weak: Sequence[tuple[str, str | None]]) -> Sequence[str]:
    """What to ask somebody who did the health check, three questions at most. `weak`: questions, the weakest first, each
    with its answer in words, None for 不清楚."""
    of = {opening.question: opening for opening in guide.openings}
    found = [
        of[question].unsure if answer is None else of[question].ask.replace(f"{{{ANSWER}}}", answer)
        for question, answer in weak
        if question in of
    ]
    return found[:MOST_OPENINGS]


def day_in_words(moment: datetime, now: datetime) -> str:
    """今天, 昨天, 前天, 3月11日, 2025年3月11日, in Shanghai: part of a Chinese sentence whatever the reader's language."""
    local, today = moment.astimezone(SHANGHAI).date(), now.astimezone(SHANGHAI).date()
    days = (today - local).days
    if days < 3:
        return ("今天", "昨天", "前天")[max(days, 0)]
    year = f"{local.year}年" if local.year != today.year else ""
    return f"{year}{local.month}月{local.day}日"


def _spoken(say: str, call: Call) -> str:
    """The sentence with its blanks filled at once, so that a name in braces stays a name."""
    if not call.visitor:
        say = say.removeprefix("{visitor}").lstrip("，、：, ")
    values = {
        "visitor": call.visitor,
        "caller": call.caller,
        "company": call.company,
        "when": day_in_words(call.asked_at, call.now),
        "need": call.need,
    }
    return _PLACEHOLDER.sub(lambda blank: values[blank[1]], say)


def _named_needs(guide: CallGuide) -> Iterator[tuple[str, str]]:
    for number, each in enumerate(guide.guides):
        for place, need in enumerate(each.needs):
            yield f"guides.{number}.needs.{place}", need


def _unknown_articles(file: Path, guide: CallGuide, slugs: Collection[str] | None) -> Iterator[Fault]:
    for number, each in enumerate(guide.guides):
        for place, offer in enumerate(each.offer):
            if offer.article and slugs is not None and offer.article not in slugs:
                path = f"guides.{number}.offer.{place}.article"
                message = f"没有文章 {offer.article}，应为 content/articles/ 里的文件名，不带 .md"
                yield toml_fault(file, path, message)


def _unknown_questions(file: Path, guide: CallGuide, questions: Collection[str] | None) -> Iterator[Fault]:
    for number, each in enumerate(guide.openings):
        if questions is not None and each.question not in questions:
            message = f"health_check.toml 没有计分的题 {each.question}，应为 {'、'.join(questions)}"
            yield toml_fault(file, f"openings.{number}.question", message)
