"""What people ask for, and what their health checks came to: by need, by level, and one against the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flask import render_template

from xinheng.desk.frame import blueprint, database
from xinheng.desk.level_names import level_names
from xinheng.desk.permission import requires
from xinheng.desk.report_frame import QUALIFIED, RANGES, Figure, Leads, chosen_weeks
from xinheng.desk.rows import need_words
from xinheng.leads.lead_counts import leads_by
from xinheng.leads.moves import came_to
from xinheng.staff.permissions import Permission

STAGES: Final = ("new", "contacted", QUALIFIED, "won")
"""How far the leads of a column came, at least: the first column has them all."""
UNCHECKED: Final = ""
"""The level of a lead that brought no result."""
Counts = Counter[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One need or level, with a figure for each stage."""

    key: str
    figures: Sequence[Figure]


@blueprint.get("/reports/needs")
@requires(Permission.REPORTS)
def need_report() -> str:
    """Leads by need and level."""
    weeks = chosen_weeks()
    counts: Counts = Counter()
    with database().reading() as session:
        names = need_words(session)
        for need, level, reached, number in leads_by(session, weeks, "need", "level", "reached"):
            for stage in STAGES:
                counts[need, level, stage] += number if came_to(reached, stage) else 0
    needs = [*names, *sorted({need for need, *_ in counts} - set(names))]
    levels = [*level_names(), UNCHECKED]
    leads = Leads.of(weeks)
    return render_template(
        "desk/reports/needs.html",
        weeks=weeks,
        ranges=RANGES,
        names=names,
        levels=levels,
        by_need=[_row(leads, _sums(counts, 0), "need", need) for need in needs],
        by_level=[_row(leads, _sums(counts, 1), "level", level) for level in levels],
        crossed=[_crossed(leads, counts, need, levels) for need in needs],
        any=any(counts.values()),
    )


def _sums(counts: Counts, place: int) -> Mapping[tuple[str, str], int]:
    """By need (place 0) or level (1), and stage."""
    found: Counter[tuple[str, str]] = Counter()
    for key, number in counts.items():
        found[key[place], key[2]] += number
    return found


def _row(leads: Leads, sums: Mapping[tuple[str, str], int], name: str, key: str) -> Row:
    wanted = {name: key or "none"}
    return Row(key, [leads.figure(sums[key, stage], **wanted, reached=stage) for stage in STAGES])


def _crossed(leads: Leads, counts: Counts, need: str, levels: Sequence[str]) -> Row:
    """One need against all levels."""
    figures = [leads.figure(counts[need, level, "new"], need=need, level=level or "none") for level in levels]
    return Row(need, figures)
