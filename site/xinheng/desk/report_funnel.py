"""From an article read to a deal: each step week by week, and by the kind of place people came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from flask import render_template, request

from xinheng.desk.frame import blueprint, database
from xinheng.desk.permission import requires
from xinheng.desk.report_frame import (
    RANGES,
    Figure,
    Leads,
    chosen_weeks,
    counters,
    share,
    week_words,
)
from xinheng.leads.lead_counts import leads_by
from xinheng.leads.moves import came_to
from xinheng.referrers import KINDS
from xinheng.staff.permissions import Permission
from xinheng.week_counts import Visits, visits_by_source
from xinheng.weeks import Weeks

Name = Literal["reads", "begun", "finished", "enquiries", "contacted", "won"]
OF: Final[Mapping[Name, Name | None]] = {
    "reads": None,
    "begun": "reads",
    "finished": "begun",
    "enquiries": "reads",
    "contacted": "enquiries",
    "won": "enquiries",
}
"""The steps in order, and which one each is told as a share of."""
REACHED: Final[Mapping[Name, str]] = {"enquiries": "new", "contacted": "contacted", "won": "won"}
"""How far the leads of a step came, at least."""
Counts = Counter[tuple[date, str, Name]]


@dataclass(frozen=True, slots=True)
class Step:
    """One step in all: `share` in percent of the one named in OF; `weekly` has a number for each week."""

    name: Name
    of: Name | None
    figure: Figure
    share: float | None
    weekly: Sequence[int]


@dataclass(frozen=True, slots=True)
class Row:
    """One week, or one kind of place, with a figure for each step. `part`: the week isn't over."""

    name: str
    figures: Sequence[Figure]
    part: bool = False


@blueprint.get("/reports")
@requires(Permission.REPORTS)
def reports() -> str:
    """The funnel of all, or of those from one kind of place."""
    weeks = chosen_weeks()
    source = next((kind for kind in KINDS if kind == request.args.get("source")), "")
    counts = _counted(weeks)
    weekly = _weekly(counts, source)
    return render_template(
        "desk/reports/funnel.html",
        weeks=weeks,
        ranges=RANGES,
        sources=KINDS,
        source=source,
        steps=_steps(weekly, weeks, source),
        by_week=_by_week(weekly, weeks, source),
        by_source=_by_source(counts, weeks),
        any=any(counts.values()),
    )


def _counted(weeks: Weeks) -> Counts:
    """Everything, by week, kind of place and step."""
    found: Counts = Counter()
    with counters().reading() as session:
        for (week, source), visits in visits_by_source(session, weeks).items():
            _add_visits(found, week, source, visits)
    with database().reading() as session:
        for week, source, reached, number in leads_by(session, weeks, "week", "source", "reached"):
            for name, least in REACHED.items():
                if came_to(reached, least):
                    found[week, source, name] += number
    return found


def _add_visits(found: Counts, week: date, source: str, visits: Visits) -> None:
    found[week, source, "reads"] += visits.reads
    found[week, source, "begun"] += visits.begun
    found[week, source, "finished"] += visits.finished


def _weekly(counts: Counts, source: str) -> Counter[tuple[date, Name]]:
    """By week and step, of one kind of place or of all."""
    sums: Counter[tuple[date, Name]] = Counter()
    for (week, kind, name), number in counts.items():
        if source in ("", kind):
            sums[week, name] += number
    return sums


def _steps(weekly: Mapping[tuple[date, Name], int], weeks: Weeks, source: str) -> Sequence[Step]:
    numbers = {name: [weekly[monday, name] for monday in weeks.mondays] for name in OF}
    leads = Leads.of(weeks)
    steps = []
    for name, of in OF.items():
        total = sum(numbers[name])
        part = share(total, sum(numbers[of])) if of else None
        steps.append(Step(name, of, _figure(leads, name, total, source), part, numbers[name]))
    return steps


def _by_week(weekly: Mapping[tuple[date, Name], int], weeks: Weeks, source: str) -> Sequence[Row]:
    """The newest first."""
    rows = []
    for monday in reversed(weeks.mondays):
        leads = Leads.of(Weeks(monday, 1))
        figures = [_figure(leads, name, weekly[monday, name], source) for name in OF]
        rows.append(Row(week_words(monday), figures, part=monday == weeks.last))
    return rows


def _by_source(counts: Counts, weeks: Weeks) -> Sequence[Row]:
    sums: Counter[tuple[str, Name]] = Counter()
    for (_, kind, name), number in counts.items():
        sums[kind, name] += number
    leads = Leads.of(weeks)
    return [Row(kind, [_figure(leads, name, sums[kind, name], kind) for name in OF]) for kind in KINDS]


def _figure(leads: Leads, name: Name, number: int, source: str) -> Figure:
    if name not in REACHED:
        return Figure(number)
    return leads.figure(number, source=source, reached=REACHED[name])
