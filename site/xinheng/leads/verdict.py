"""What is thought of an enquiry: how odd it looks, and why. Odd ones wait in quarantine; none is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

Reason = Literal[
    "trap", "forged_stamp", "too_quick",
    "address", "phone", "all", "same_text",
    "links", "link", "no_chinese", "few_words", "fake_phone", "odd_phone",
]  # fmt: skip
"""Everything that speaks against an enquiry; the desk has words for each."""

REASONS: tuple[Reason, ...] = get_args(Reason)
ENOUGH = 100
POINTS: Mapping[Reason, int] = MappingProxyType(
    dict.fromkeys(REASONS, ENOUGH) | {"link": 40, "few_words": 40, "odd_phone": 60}
)
"""What each weighs. Those below ENOUGH happen to real people too: it takes two of them."""

CROWDED: frozenset[Reason] = frozenset({"address", "phone", "all"})
"""What only says that many come at once: a proof of work takes these away."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Reasons in the order they were found; `score` in points."""

    reasons: tuple[Reason, ...] = ()

    @property
    def score(self) -> int:
        return sum(POINTS[reason] for reason in self.reasons)

    @property
    def suspicious(self) -> bool:
        return self.score >= ENOUGH

    def with_reasons(self, more: Iterable[Reason]) -> Verdict:
        return Verdict((*self.reasons, *more))


CLEAN = Verdict()
