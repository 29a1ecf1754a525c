"""`make audit`: ask a public source of advisories about every package of the locks.

A source that can't be reached, or that doesn't know a package, has examined nothing: that is said, and the command ends
with 2. It ends with 1 where an advisory was found.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SOURCES = ("pypi", "osv")
UNREACHED = (
    "NOT AUDITED: no source of advisories can be reached from here (they are at {sources}; a mirror of packages is none).\n"
    "Run `make audit` where one can."
)


def report_of(lock: Path, source: str) -> dict[str, Any]:
    """What pip-audit found, as it tells it in JSON; empty where it could not ask."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--requirement",
        str(lock),
        "--require-hashes",
        "--disable-pip",
    ]
    options = ["--vulnerability-service", source, "--progress-spinner", "off", "--format", "json"]
    ran = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    try:
        found: dict[str, Any] = json.loads(ran.stdout)
    except json.JSONDecodeError:
        return {}
    return found


def examined(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The packages that the source knows; the others it has said nothing about, whatever pip-audit sums up."""
    return [package for package in report.get("dependencies", []) if "skip_reason" not in package]


def findings(report: dict[str, Any]) -> list[str]:
    """One line for each advisory."""
    return [
        f"{package['name']} {package['version']}: {each['id']} {' '.join(each.get('aliases', []))}, "
        f"fixed in {', '.join(each['fix_versions']) or 'no version yet'}"
        for package in examined(report)
        for each in package["vulns"]
    ]


def told(lock: str, reports: Sequence[dict[str, Any]]) -> tuple[str, int]:
    """What to say of a lock, and the exit code, by the reports of the sources in the order they were asked."""
    best = max(reports, key=lambda report: len(examined(report)), default={})
    known, every = len(examined(best)), len(best.get("dependencies", []))
    if not known:
        return f"{lock}: {UNREACHED.format(sources=' and '.join(SOURCES))}", 2
    lines = [f"{lock}: {line}" for line in findings(best)]
    if known < every:
        unknown = sorted(each["name"] for each in best["dependencies"] if "skip_reason" in each)
        lines.append(f"{lock}: NOT AUDITED, for the source doesn't know them: {', '.join(unknown)}")
    lines.append(f"{lock}: {known} of {every} packages examined, {len(findings(best))} advisories")
    return "\n".join(lines), 1 if findings(best) else 2 if known < every else 0


def main(locks: Sequence[str]) -> int:
    codes = []
    for lock in locks:
        reports: list[dict[str, Any]] = []
        for source in SOURCES:
            reports.append(report_of(Path(lock), source))
            if len(examined(reports[-1])) == len(reports[-1].get("dependencies", [])) > 0:
                break
        text, code = told(lock, reports)
        print(text)
        codes.append(code)
    return 1 if 1 in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
