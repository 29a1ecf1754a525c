"""Covers: a steelyard drawn from an article's category and title, in balance.

The category gives the ground and the shape of the weights; the hash of the title gives their sizes, cords and the
fulcrum; the last arm follows from Σ area × distance being equal on both sides. Units are those of a 600 × 400 drawing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

BEAM_LEFT, BEAM_RIGHT, BEAM_Y = 36, 564, 118
SHAPES = {  # drawn on a grid of 24, hanging by the middle of their upper edge
    "circle": "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0z",
    "square": "M3 3h18v18H3z",
    "triangle": "M3 3h18L12 21z",
    "page": "M3 3h13l5 5v13H3z",
    "cash": "M3 12a9 9 0 0 1 18 0zM3 14h18v2H3zM6 18h12v2H6z",
    "diamond": "M12 2l10 10-10 10L2 12z",
    "shield": "M3 3h18v9c0 5-4 8-9 10c-5-2-9-5-9-10z",
    "chart": "M3 3h5v9H3zM9.5 3h5v13h-5zM16 3h5v18h-5z",
}


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight: where its cord hangs (x), where the cord ends (y), its scale, and the tone it is filled with."""

    x: float
    y: float
    scale: float
    tone: str


@dataclass(frozen=True, slots=True)
class Cover:
    """A beam with a fulcrum and three weights; `ticks` are (x, length) of the marks along the long arm."""

    fulcrum: int
    weights: tuple[Weight, ...]
    ticks: tuple[tuple[int, int], ...]


@lru_cache(maxsize=4096)
def cover(title: str) -> Cover:
    """The cover of a title; the same title always gives the same one."""
    numbers = _numbers(title)
    while True:
        fulcrum = 240 + next(numbers) % 46
        short_arm = 84 + next(numbers) % 24
        large = 6.4 + next(numbers) % 14 / 10
        near, far = 3.2 + next(numbers) % 12 / 10, 3.6 + next(numbers) % 14 / 10
        near_arm = 70 + next(numbers) % 48
        far_arm = (large**2 * short_arm - near**2 * near_arm) / far**2
        cords = [38 + next(numbers) % 46, 60 + next(numbers) % 70, 60 + next(numbers) % 70]
        fits_left = fulcrum - short_arm - large * 10 > BEAM_LEFT
        fits_right = fulcrum + far_arm + far * 10 < BEAM_RIGHT - 6
        apart = far_arm - near_arm > (near + far) * 10 + 12
        if fits_left and fits_right and apart:
            break
    weights = (
        Weight(fulcrum - short_arm, BEAM_Y + cords[0], large, "figure"),
        Weight(fulcrum + near_arm, BEAM_Y + cords[1], near, "second"),
        Weight(round(fulcrum + far_arm, 1), BEAM_Y + cords[2], far, "second"),
    )
    ticks = tuple(
        (x, 14 if step % 5 == 0 else 6) for step, x in enumerate(range(fulcrum + 18, BEAM_RIGHT, 18), 1)
    )
    return Cover(fulcrum, weights, ticks)


def _numbers(title: str) -> Iterator[int]:
    """An endless run of bytes from the title's hash."""
    digest = title.encode()
    while True:
        digest = hashlib.sha256(digest).digest()
        yield from digest
