"""How long a result of the health check takes: all of it, score, band, red flags, reasons and estimate.

    PYTHONPATH=site:. python bench/health_check.py [--runs 300]

Each of the published examples is assessed, answers checked as they come from a visitor, `runs` times after a warm-up,
with the definition that ships. What else a machine does only adds, so the best of three rounds counts. The 95th
percentile of one result may take 1.5 ms; the exit code is 1 where it takes more.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from xinheng.health_check.answers import checked_answers
from xinheng.health_check.assessment import assess
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.loader import load_health_check

ROOT = Path(__file__).parent.parent
LIMIT = 0.0015  # seconds
WARM, ROUNDS = 20, 3


def measured(check: HealthCheck, answers: Mapping[str, object], runs: int) -> Sequence[float]:
    """Seconds of each run, the shortest first."""
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        assess(check, checked_answers(check, answers)).as_json()
        taken.append(time.perf_counter() - started)
    return sorted(taken)


def percentile(taken: Sequence[float], share: float) -> float:
    return taken[min(int(len(taken) * share), len(taken) - 1)]


def best_round(check: HealthCheck, answers: Mapping[str, object], runs: int) -> Sequence[float]:
    measured(check, answers, WARM)
    return min(
        (measured(check, answers, runs) for _ in range(ROUNDS)), key=lambda taken: percentile(taken, 0.95)
    )


def main() -> None:
    wanted = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    wanted.add_argument("--runs", type=int, default=300)
    runs = wanted.parse_args().runs
    check = load_health_check(ROOT / "forms", None)
    examples = json.loads((ROOT / "tests/health_check/vectors.json").read_text(encoding="utf-8"))
    well = True
    for example in examples:
        taken = best_round(check, example["answers"], runs)
        middle, late = median(taken), percentile(taken, 0.95)
        within = late <= LIMIT
        well &= within
        print(
            f"{example['id']}  median {middle * 1000:.3f} ms  p95 {late * 1000:.3f} ms  "
            f"limit {LIMIT * 1000:.1f} ms{'' if within else '  OVER'}"
        )
    raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
