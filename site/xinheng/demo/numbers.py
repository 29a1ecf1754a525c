"""Telephone numbers that nobody has, yet that read like any other.

In the mainland no range is set aside for invented numbers, so these lie where the numbering plan gives none to a
subscriber, while `parse_phone` takes them for well formed:

- mobiles in 1349, which the plan keeps for satellite telephones, apart from the operators' 1340 to 1348;
- landlines that begin with 1 after the area code: subscribers' numbers begin with 2 to 8, 1 is for services;
- 400 numbers in 4002, 4003 and 4005, of which no operator holds any: 4000, 4001 and 4006 to 4009 are theirs.

Abroad there are ranges for books and films: Ofcom's 020 7946 0xxx, the 555-01xx of North America, and those that
Australia's and Sweden's authorities list.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

AREAS = ("021", "010", "0755", "0571", "0512", "0574", "020", "028", "0531")
FOREIGN = (
    "+44 20 7946 0{:03}",
    "+1 212 555 01{:02}",
    "+1 415 555 01{:02}",
    "+61 491 570 1{:02}",
    "+46 70 17406{:02}",
)
_AUSTRALIAN, _SWEDISH = (56, 57, 58, 59), range(5, 100)


def mobiles(draw: random.Random) -> Iterator[str]:
    """Mobiles as people type them, no two alike."""
    for subscriber in draw.sample(range(10**7), 10_000):
        digits = f"1349{subscriber:07}"
        spaced = f"{digits[:3]} {digits[3:7]} {digits[7:]}"
        yield draw.choice((digits, digits, digits, spaced, spaced.replace(" ", "-"), f"+86 {spaced}"))


def landlines(draw: random.Random) -> Iterator[str]:
    """Landlines with their area code; every third has an extension, typed in one of several ways."""
    for subscriber in draw.sample(range(2 * 10**6, 10**7), 10_000):
        area = draw.choice(AREAS)
        number = f"{area}-1{subscriber:07}"
        way = draw.choice(("", "", " 转 {}", "-{}", " 转{}，找财务"))
        yield number + way.format(draw.randrange(100, 9000))


def services(draw: random.Random) -> Iterator[str]:
    """400 numbers."""
    for subscriber in draw.sample(range(10**6), 10_000):
        yield f"400{draw.choice('235')}{subscriber:06}"


def foreign(draw: random.Random) -> Iterator[str]:
    """Numbers abroad; there are few, so that they come again after a while."""
    while True:
        form = draw.choice(FOREIGN)
        if "61 491" in form:
            yield form.format(draw.choice(_AUSTRALIAN))
        elif "46 70" in form:
            yield form.format(draw.choice(_SWEDISH))
        else:
            yield form.format(draw.randrange(100))
