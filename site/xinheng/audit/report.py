"""What a check of the audit says, and how the end of the record is noted elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

What = Literal[
    "changed",  # the row or its chain isn't what was written
    "unproved",  # the row follows one that is missing or changed, and nothing says whether it is itself right
    "missing",  # taken out of the middle, or from the start
    "cut",  # taken off the end
    "inserted",  # outside of what the head covers
    "head_missing",
    "head_changed",
    "not_as_noted",  # the row of a noted head is gone or another
    "no_row_fits",  # another key, or all rewritten
]


class BadNote(ValueError):
    """A noted head that isn't written as the command prints it."""


@dataclass(frozen=True, slots=True)
class NotedHead:
    """The end of the record at some moment, short enough to be written down: `1286:` and 32 hexadecimal digits."""

    id: int
    chain: str

    @classmethod
    def of(cls, last_id: int, chain: bytes) -> NotedHead:
        return cls(last_id, chain.hex()[:32])

    @classmethod
    def parse(cls, text: str) -> NotedHead:
        """Raises BadNote."""
        match = re.fullmatch(r"([0-9]{1,10}):([0-9a-f]{32})?", text.strip().lower(), re.ASCII)
        if match is None or (match[2] is None) != (int(match[1]) == 0):
            raise BadNote(text)
        return cls(int(match[1]), match[2] or "")

    def __str__(self) -> str:
        return f"{self.id}:{self.chain}"


@dataclass(frozen=True, slots=True)
class Break:
    """What is wrong with the rows `first` to `last`; both are 0 where it is the head or the whole."""

    what: What
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """`rows` were checked, from row `since` on. Breaks stand in the order of rows, `unlisted` more were found."""

    rows: int
    since: int
    head: NotedHead | None
    breaks: tuple[Break, ...]
    unlisted: int

    @property
    def whole(self) -> bool:
        return not self.breaks
