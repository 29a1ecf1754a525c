"""Who works how many leads, how soon people get an answer, and what comes of it. For sales leads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import render_template

from xinheng.desk.frame import blueprint, database
from xinheng.desk.permission import requires
from xinheng.desk.report_frame import RANGES as ALL_RANGES
from xinheng.desk.report_frame import Figure, Leads, chosen_weeks
from xinheng.leads.by_person import PersonsLeads, leads_by_person
from xinheng.staff.colleagues import Colleague, read_colleagues
from xinheng.staff.permissions import Permission

RANGES: Final = ALL_RANGES[:-1]
"""Up to a year: who worked here two years ago says little, and all leads would have to be read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One member, or nobody (`member` is None)."""

    member: Colleague | None
    leads: PersonsLeads
    open: Figure
    came: Figure
    won: Figure


@blueprint.get("/reports/people")
@requires(Permission.ALL_LEADS)
def people_report() -> str:
    """All who take leads, and whoever has some."""
    weeks = chosen_weeks(RANGES)
    with database().reading() as session:
        people = read_colleagues(session)
        found = leads_by_person(session, people, weeks)
    takers = [member.id for member in people.values() if member.takes_leads or member.id in found]
    leads = Leads.of(weeks)
    rows = [_row(leads, people[each], found.get(each, PersonsLeads())) for each in takers]
    rows += [_row(leads, None, found[None])] if None in found else []
    return render_template(
        "desk/reports/people.html", weeks=weeks, ranges=RANGES, rows=rows, most=_most(rows)
    )


def _row(leads: Leads, member: Colleague | None, found: PersonsLeads) -> Row:
    owner = member.id if member else "none"
    return Row(
        member,
        found,
        open=leads.now(found.open, status="open", owner=owner),
        came=leads.figure(found.came, owner=owner),
        won=leads.figure(found.won, owner=owner, reached="won"),
    )


def _most(rows: Sequence[Row]) -> int:
    return max((row.leads.open for row in rows), default=0)
