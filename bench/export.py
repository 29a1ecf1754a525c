"""What an export of many leads takes: memory above all, and that nobody waits for the database meanwhile.

    PYTHONPATH=site:. python bench/export.py [--leads 100000] [--database sqlite|postgresql|both] [--keep FOLDER]

Each format is ordered by a sales lead over HTTP's own way into the application (session, audit, the file, every byte of
the answer), in a process of its own. Its memory may grow by 100 MB at most, from what it had before the order; no look
at the database may last longer than two seconds. The exit code is 1 otherwise.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from desk import opened, postgres_url
from desk_cases import Visitor
from sqlalchemy import event

from xinheng.leads.exports import Exports
from xinheng.staff.accounts import Accounts

MOST_MEMORY = 100 * 1024  # KiB
LONGEST_LOOK = 2.0  # seconds
FORMATS = ("csv", "xlsx")
BOSS = "lead@xinheng.example"


def memory(name: str) -> int:
    """`VmRSS` or `VmHWM` of this process, in KiB."""
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


def order(folder: Path, url: str, format_: str) -> bool:
    """Order one file and tell what it took; True if it stayed inside the limits."""
    with opened(folder, url) as bench:
        store, keys = bench.database, bench.keys
        bench.app.extensions["xinheng.exports"] = Exports(store, keys, 2_000_000)
        printed = Accounts(store, keys).reset(BOSS)
        member = next(each for each in Accounts(store, keys).all() if each.email == BOSS)
        assert printed is not None
        visitor = Visitor(bench.app, member, printed.password)
        page = visitor.client.get("/desk/leads/export").get_data(as_text=True)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token
        looks = watch(bench.database.engine)
        Path("/proc/self/clear_refs").write_text("5")  # the highest mark begins anew
        before, start = memory("VmRSS"), time.perf_counter()
        answer = visitor.client.post(
            "/desk/leads/export",
            data={"csrf_token": token[1], "format": format_, "full": "yes", "reason": "量一量要多少内存"},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        size = sum(map(len, answer.iter_encoded()))
        answer.close()
        took, grown = time.perf_counter() - start, memory("VmHWM") - before
    assert answer.status_code == 200
    assert answer.content_length == size
    longest = max(looks)
    well = grown <= MOST_MEMORY and longest <= LONGEST_LOOK
    print(
        f"{format_:5}{took:6.1f} s {size / 1e6:6.1f} MB; memory {before / 1024:.0f} + {grown / 1024:.0f} MB;"
        f" longest transaction {longest:.2f} s of {len(looks)}{'' if well else '  OVER'}",
        flush=True,
    )
    return well


def watch(engine: object) -> list[float]:
    """The seconds of every transaction from now on."""
    looks, began = [0.0], threading.local()

    @event.listens_for(engine, "begin")
    def _begin(_connection: object) -> None:
        began.at = time.perf_counter()

    @event.listens_for(engine, "rollback")
    @event.listens_for(engine, "commit")
    def _end(_connection: object) -> None:
        looks.append(time.perf_counter() - began.at)

    return looks


def run(database: str, options: argparse.Namespace) -> bool:
    kept = options.keep and options.keep / f"{database}-{options.leads}"
    folder = kept or Path(tempfile.mkdtemp(prefix="xinheng-bench-"))
    try:
        with ExitStack() as stack:
            name = f"xinheng_bench_{options.leads}"
            url = stack.enter_context(postgres_url(name, keep=bool(kept))) if database != "sqlite" else ""
            with opened(folder / "data", url) as bench:
                bench.prepare(options.leads)
                bench.settle()
            print(f"{database}, {options.leads:,} leads", flush=True)
            wanted = [sys.executable, __file__, "--folder", str(folder / "data"), "--url", url, "--order"]
            results = [subprocess.run([*wanted, each]).returncode for each in FORMATS]
            return not any(results)
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--keep", type=Path, help="a folder for the databases, made once and measured again")
    parser.add_argument("--order", choices=FORMATS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.order:
        return 0 if order(options.folder, options.url, options.order) else 1
    databases = ("sqlite", "postgresql") if options.database == "both" else (options.database,)
    results = [run(database, options) for database in databases]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
