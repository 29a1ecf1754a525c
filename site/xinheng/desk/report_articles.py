"""What each article brings: reads, checks begun by those who read it last, enquiries from its page, leads that came far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from flask import render_template

from xinheng.articles.library import library
from xinheng.desk.frame import blueprint, database
from xinheng.desk.permission import requires
from xinheng.desk.report_frame import QUALIFIED, RANGES, Figure, Leads, chosen_weeks, counters
from xinheng.leads.lead_counts import leads_by
from xinheng.leads.moves import came_to
from xinheng.staff.permissions import Permission
from xinheng.week_counts import Visits, visits_by_article
from xinheng.weeks import Weeks


@dataclass(frozen=True, slots=True)
class Row:
    """One article; `title` is its slug where it isn't published any more, and empty for enquiries from no article."""

    slug: str
    title: str
    visits: Visits
    enquiries: Figure
    qualified: Figure


@blueprint.get("/reports/articles")
@requires(Permission.REPORTS)
def article_report() -> str:
    """Those with anything to tell, what brings enquiries first."""
    weeks = chosen_weeks()
    rows = sorted(
        _rows(weeks), key=lambda row: (not row.slug, -row.enquiries.number, -row.visits.reads, row.slug)
    )
    return render_template(
        "desk/reports/articles.html",
        weeks=weeks,
        ranges=RANGES,
        rows=rows,
        most=max((row.visits.reads for row in rows), default=0),
    )


def _rows(weeks: Weeks) -> Iterator[Row]:
    with counters().reading() as session:
        visits = visits_by_article(session, weeks)
    enquiries: Counter[str] = Counter()
    qualified: Counter[str] = Counter()
    with database().reading() as session:
        for slug, reached, number in leads_by(session, weeks, "article", "reached"):
            enquiries[slug] += number
            qualified[slug] += number if came_to(reached, QUALIFIED) else 0
    leads, articles = Leads.of(weeks), library().by_slug
    for slug in {*visits, *enquiries}:
        yield Row(
            slug,
            articles[slug].title if slug in articles else slug,
            visits.get(slug, Visits()),
            leads.figure(enquiries[slug], article=slug) if slug else Figure(enquiries[slug]),
            leads.figure(qualified[slug], article=slug, reached=QUALIFIED)
            if slug
            else Figure(qualified[slug]),
        )
