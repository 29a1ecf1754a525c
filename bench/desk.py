"""How fast the desk answers with many leads, on SQLite and on PostgreSQL, and whether each query has its index.

    python bench/desk.py [--leads 100000] [--leads 1000000] [--database sqlite|postgresql|both] [--keep FOLDER]

Each case is a real request of a member of staff who signed in (the whole answer: session, permission, queries,
decryption, template), three times to warm up and then thirty times; its 95th percentile may take 50 ms. A case that
takes more is measured again, three times at most, and its best round counts: what else a machine does only adds.

At 100,000 leads the limit holds for every sort with every single filter, for deep pages, searches and the lead's page;
at 1,000,000 for what people open all day: what is due, the four views, the newest, a phone, a lead. The other cases are
measured there too, with fewer runs, and not judged.

Every statement is explained: one that reads a large table as a whole fails the benchmark, at any size. The exit code
is 1 for that and for a case over the limit. --keep makes the databases in a folder, or measures those that it holds
(PostgreSQL's on the server that TEST_PG_URL names).
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from desk_cases import Bench, Case
from desk_plans import Plan, Statement, plan_of, seconds, watched
from sqlalchemy import create_engine, make_url, text

from xinheng.app import create_app
from xinheng.settings import Settings

ROOT = Path(__file__).parent.parent
LIMIT = 0.050  # seconds
ALL_JUDGED_UP_TO = 100_000
WARM, RUNS, FEW_RUNS, ROUNDS = 3, 30, 5, 3
DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "max_wal_size": "1GB",
    "shared_buffers": "256MB",
    "jit": "on",
}
"""What PostgreSQL has out of the box, but for a buffer of the size that one gives it."""


@dataclass(frozen=True, slots=True)
class Measured:
    name: str
    judged: bool
    times: Sequence[float]
    computing: Sequence[float]
    plans: Sequence[tuple[Statement, Plan]] = field(repr=False)

    @property
    def p95(self) -> float:
        return _p95(self.times)

    @property
    def slow(self) -> bool:
        return self.judged and self.p95 > LIMIT

    @property
    def faults(self) -> Sequence[str]:
        return [fault for _, plan in self.plans for fault in plan.faults]


def measure(bench: Bench, case: Case, *, all_judged: bool, most_runs: int) -> Measured:
    """Warm up, take the time of each run, then look at the plans of what one more run executes."""
    judged = case.daily or all_judged
    runs = most_runs if judged else min(most_runs, FEW_RUNS)
    for _ in range(WARM):
        next(case.requests)()
    rounds = [_round(case, runs)]
    while judged and _p95(rounds[-1][0]) > LIMIT and len(rounds) < ROUNDS:
        rounds.append(_round(case, runs))
    times, computing = min(rounds, key=lambda each: _p95(each[0]))
    engine = bench.database.engine
    with watched(engine) as statements:
        next(case.requests)()
    plans = [(statement, plan_of(engine, statement)) for statement in statements]
    return Measured(case.name, judged, times, computing, plans)


def _round(case: Case, runs: int) -> tuple[Sequence[float], Sequence[float]]:
    """The seconds of each run, by the clock and of computing."""
    times, computing = [], []
    for _ in range(runs):
        request = next(case.requests)
        start, computed = time.perf_counter(), time.thread_time()
        request()
        times.append(time.perf_counter() - start)
        computing.append(time.thread_time() - computed)
    return times, computing


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[math.ceil(len(times) * 0.95) - 1]


def report(bench: Bench, title: str, measured: Sequence[Measured]) -> bool:
    """Print the table, the slowest first, and what is wrong; True if nothing is."""
    print(f"\n{title}\n{'p95':>8}{'median':>8}{'of it CPU':>11}  ms, the slowest first")
    for each in sorted(measured, key=lambda each: -each.p95):
        mark = "OVER" if each.slow else "" if each.judged else "not judged"
        scan = "WHOLE TABLE" if each.faults else ""
        numbers = (
            f"{each.p95 * 1000:8.1f}{median(each.times) * 1000:8.1f}{median(each.computing) * 1000:11.1f}"
        )
        print(f"{numbers}  {each.name}  {mark} {scan}".rstrip())
    wrong = [each for each in measured if each.slow or each.faults]
    told: set[str] = set()
    for each in sorted(wrong, key=lambda each: -each.p95):
        _tell_plans(bench, each, told)
    slow, whole = sum(each.slow for each in wrong), sum(bool(each.faults) for each in wrong)
    judged = sum(each.judged for each in measured)
    _tell_load()
    print(
        f"\n{title}: {len(measured)} cases, {judged} judged, {slow} over {LIMIT * 1000:.0f} ms, {whole} read a whole table"
    )
    return not wrong


def _tell_load() -> None:
    """A machine that has other work makes every answer late: its times say nothing about the desk."""
    load, processors = os.getloadavg()[1], os.cpu_count() or 1
    if load > processors:
        print(
            f"\nThe machine is busy: {load:.1f} processes want {processors} processors. Measure again when it is quiet."
        )


def _tell_plans(bench: Bench, measured: Measured, told: set[str]) -> None:
    print(f"\n{measured.name}: p95 {measured.p95 * 1000:.1f} ms")
    for statement, plan in measured.plans:
        if not statement.text.lstrip().upper().startswith("SELECT"):
            continue
        alone = seconds(bench.database.engine, statement)
        if alone < 0.003 and not plan.faults:
            continue
        print(f"  {alone * 1000:.1f} ms{'  WHOLE TABLE' if plan.faults else ''}: {plan.text}")
        if statement.text not in told:
            told.add(statement.text)
            print(f"      {re.sub(r'^SELECT .*? FROM', 'SELECT … FROM', ' '.join(statement.text.split()))}")


@contextmanager
def opened(folder: Path, url: str) -> Iterator[Bench]:
    """The application on SQLite files in a folder, or on a PostgreSQL database."""
    settings = Settings.from_env({"XINHENG_DATA": str(folder), "DATABASE_URL": url}, ROOT)
    app = create_app(settings)
    try:
        yield Bench(app, datetime.now(UTC))
    finally:
        app.extensions["xinheng.reads"].stop()
        app.extensions["xinheng.databases"].dispose()


@contextmanager
def postgres_url(name: str, *, keep: bool) -> Iterator[str]:
    """A database on the server that TEST_PG_URL names, which may be kept there, or on one of our own, on the disk."""
    sys.path.insert(0, str(ROOT))
    from tests import postgres  # the tests' way to a server, with the settings of one that must lose nothing

    postgres.OPTIONS |= DURABLE
    postgres.ROOM = sys.maxsize  # on the disk, not in memory
    with postgres.running_server() as server:
        if not keep:
            with server.database() as url:
                yield url
            return
        given = make_url(os.environ["TEST_PG_URL"]).set(drivername="postgresql+psycopg")
        engine = create_engine(given, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            if not connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
                connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        engine.dispose()
        yield given.set(database=name).render_as_string(hide_password=False)


def run(database: str, number: int, options: argparse.Namespace) -> bool:
    """Make and measure one database; True if all is well."""
    kept = options.keep and options.keep / f"{database}-{number}"
    folder = kept or Path(tempfile.mkdtemp(prefix="xinheng-bench-"))
    try:
        with ExitStack() as stack:
            name = f"xinheng_bench_{number}"
            postgres = database == "postgresql"
            url = stack.enter_context(postgres_url(name, keep=bool(kept))) if postgres else ""
            bench = stack.enter_context(opened(folder / "data", url))
            bench.prepare(number)
            bench.settle()
            measured = []
            for visitor in bench.visitors():
                for case in bench.cases(visitor):
                    if options.only and not re.search(options.only, case.name):
                        continue
                    all_judged = number <= ALL_JUDGED_UP_TO
                    measured.append(measure(bench, case, all_judged=all_judged, most_runs=options.runs))
            return report(bench, f"{database}, {bench.count():,} leads", measured)
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def arguments() -> argparse.Namespace:
    """The command line; the module's docstring is its help."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--leads", type=int, action="append", help="how many; may be given several times")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--keep", type=Path, help="a folder for the databases, made once and measured again")
    parser.add_argument("--only", help="a regular expression: measure the cases whose names it finds")
    parser.add_argument("--runs", type=int, default=RUNS, help="of each case that is judged")
    return parser.parse_args()


def main() -> int:
    """Measure each database at each size; 0 if all is well."""
    options = arguments()
    databases = ("sqlite", "postgresql") if options.database == "both" else (options.database,)
    results = [
        run(database, number, options) for number in options.leads or [100_000] for database in databases
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
