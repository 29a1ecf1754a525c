"""How fast the desk's reports answer with many leads and many reads, on SQLite and on PostgreSQL.

    python bench/reports.py [--leads 100000] [--database sqlite|postgresql|both] [--keep FOLDER]

Leads are those of bench/desk.py; the reads are ten million, as 300 articles have them in two years from five kinds of
places. Each report is a real request of a member of staff who signed in, over twelve weeks and over the most that can be
chosen, and so is the list that its broadest figure leads to; its 95th percentile may take 300 ms. Half an hour's changes of leads
wait to be added up. The exit code is 1 for a case over the limit, and where a statement reads all leads, enquiries or
events.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from desk import Measured, measure, opened, postgres_url
from desk_cases import Bench, Case, Visitor
from desk_leads import article_of
from desk_loader import Loader
from desk_shares import ARTICLES
from sqlalchemy import func, select

from xinheng.articles.reads import ReadCount
from xinheng.desk.report_frame import RANGES, USUAL_RANGE
from xinheng.desk.report_people import RANGES as RANGES_OF_PEOPLE
from xinheng.leads.lead_counts import LeadCount, LeadCountChange, add_up
from xinheng.leads.models import Lead
from xinheng.referrers import KINDS
from xinheng.settings import SHANGHAI
from xinheng.week_counts import Origin, WeekTally
from xinheng.weeks import week_of

LIMIT = 0.300  # seconds
RUNS = 20
DAYS = 730
READS = 10_000_000
PAGES = ("", "/articles", "/needs", "/people", "/spam")


def count_reads(bench: Bench) -> None:
    """Ten million reads, and a check begun for every twentieth."""
    counters = bench.app.extensions["xinheng.databases"].counters
    with counters.reading() as session:
        if session.scalar(select(func.count()).select_from(ReadCount)):
            return
    reads = READS // (ARTICLES * DAYS * len(KINDS))
    today = bench.now.astimezone(SHANGHAI).date()
    loader = Loader(counters)
    for first in range(0, DAYS, 30):
        days = [today - timedelta(days=number) for number in range(first, min(first + 30, DAYS))]
        loader.load(ReadCount, list(_rows(days, reads)))
        tally = WeekTally()
        for day in days:
            for source in KINDS:
                for place in range(ARTICLES):
                    origin = Origin(source, article_of(place))
                    tally.add("reads", week_of(day), origin, reads)
                    tally.add("begun", week_of(day), origin, reads // 20 or place % 2)
        with counters.writing() as session:
            tally.add_to(session.connection())


def _rows(days: list[date], reads: int) -> Iterator[dict[str, object]]:
    for day in days:
        for place in range(ARTICLES):
            for source in KINDS:
                yield {"article": article_of(place), "day": day, "source": source, "reads": reads}


def add_up_leads(bench: Bench) -> None:
    """As housekeeping does every hour; then some change again."""
    add_up(bench.database)
    with bench.database.writing() as session:
        for lead in session.scalars(select(Lead).order_by(Lead.id.desc()).limit(200)):
            lead.reached = "contacted" if lead.reached == "new" else "new"


def cases(visitor: Visitor) -> Iterator[Case]:
    """Every report over the usual weeks and over the most, and the broadest list that a figure leads to."""
    for path in PAGES:
        most = (RANGES_OF_PEOPLE if path == "/people" else RANGES)[-1]
        for weeks in dict.fromkeys((USUAL_RANGE, most)):
            address = f"/desk/reports{path}?weeks={weeks}"
            yield Case(
                f"{path or '/funnel'}, {weeks} weeks", iter(lambda a=address: lambda: visitor.get(a), None)
            )
    yield Case("/desk/health-check", iter(lambda: lambda: visitor.get("/desk/health-check?days=90"), None))


def run(database: str, number: int, keep: Path | None) -> bool:
    """Make and measure one database; True if all is well."""
    kept = keep and keep / f"{database}-{number}"
    folder = kept or Path(tempfile.mkdtemp(prefix="xinheng-bench-"))
    try:
        with ExitStack() as stack:
            name = f"xinheng_bench_{number}"
            url = stack.enter_context(postgres_url(name, keep=bool(kept))) if database == "postgresql" else ""
            bench = stack.enter_context(opened(folder / "data", url))
            bench.prepare(number)
            count_reads(bench)
            add_up_leads(bench)
            bench.settle()
            _, lead = bench.visitors()
            measured = [measure(bench, case, all_judged=False, most_runs=RUNS) for case in cases(lead)]
            return report(bench, f"{database}, {bench.count():,} leads", measured)
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def report(bench: Bench, title: str, measured: list[Measured]) -> bool:
    """Print the table, the slowest first; True if nothing is over the limit."""
    with bench.database.reading() as session:
        rows, waiting = (
            session.scalar(select(func.count()).select_from(table)) for table in (LeadCount, LeadCountChange)
        )
    print(
        f"\n{title}, {READS:,} reads; {rows:,} rows of counts, {waiting:,} changes waiting\n{'p95':>8}{'of it CPU':>11}  ms"
    )
    for each in sorted(measured, key=lambda each: -each.p95):
        mark = "OVER" if each.p95 > LIMIT else ""
        numbers = f"{each.p95 * 1000:8.1f}{median(each.computing) * 1000:11.1f}"
        print(f"{numbers}  {each.name}  {mark} {'; '.join(each.faults)}".rstrip())
    return not any(each.p95 > LIMIT or each.faults for each in measured)


def main() -> int:
    """Measure each database; 0 if all is well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--keep", type=Path, help="a folder for the databases, made once and measured again")
    options = parser.parse_args()
    databases = ("sqlite", "postgresql") if options.database == "both" else (options.database,)
    results = [run(each, options.leads, options.keep) for each in databases]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
