"""The site on a disk that is full: run in a mount namespace of its own, on a small disk in memory.

    unshare --map-root-user --mount python -m tests.faults.full_disk FOLDER

Without the right to mount, `--no-mount` limits how large the server's files may grow instead, which SQLite meets as a
full disk, and the reserve of the spool doesn't.
"""

from __future__ import annotations

import argparse
import resource
import secrets
import subprocess
import time
from pathlib import Path

from tests.browser.running import RunningSite, copy_of_site

from xinheng.crypto import load_keys
from xinheng.leads.reserve import SLOTS
from xinheng.leads.spool import Spool

DISK = "64m"
LEAST = 64 * 1024  # bytes; a slot must fit, and the log
MORE = 12  # enquiries sent beyond what the reserve holds


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("folder", type=Path)
    wanted.add_argument("--no-mount", action="store_true")
    chosen = wanted.parse_args()
    disk = chosen.folder / "disk"
    disk.mkdir()
    (chosen.folder / "site").mkdir()
    if not chosen.no_mount:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "disk", disk], check=True)
    site = RunningSite(copy_of_site(chosen.folder / "site"), XINHENG_DATA=str(disk / "var"))
    site.data = disk / "var"
    try:
        site.start()
        filled(site, disk, mounted=not chosen.no_mount)
    except AssertionError:
        print(site.log)
        raise
    finally:
        site.kill()
    print("ok")


def filled(site: RunningSite, disk: Path, *, mounted: bool) -> None:
    keys = load_keys(site.data / "keys", make=False)
    spool = Spool(site.data / "spool", keys)
    fill(site, disk, mounted=mounted)
    told = {site.post_form(submission_id=secrets.token_hex(16)).reference for _ in range(SLOTS - 1)}
    state = site.get("/readyz").text
    assert "degraded" in state if mounted else "unavailable" not in state
    waiting = {keys.reference(each) for each in spool.ids()}
    assert waiting, "the database took them all: the disk is not full"
    stored = {row[0] for row in site.rows("SELECT reference FROM enquiries")}
    assert told == waiting | stored
    assert site.get(f"/consultation/{sorted(waiting)[0]}").status == 200
    refused = 0
    for _ in range(MORE if mounted else 0):
        answer = site.post_form(submission_id="f" * 32 if refused else secrets.token_hex(16))
        if answer.status == 303:
            told.add(answer.reference)
        else:
            refused += answer.status == 503
            assert site.get("/consultation").status == 200
    assert refused or not mounted, "the reserve has an end, and then it is said so"
    empty(site, disk, mounted=mounted)
    deadline = time.monotonic() + 60
    while spool.ids():
        assert time.monotonic() < deadline, f"not drained:\n{site.log}"
        time.sleep(0.1)
    told.add(site.post_form(submission_id="f" * 32).reference)
    stored = [row[0] for row in site.rows("SELECT reference FROM enquiries")]
    assert sorted(told) == sorted(stored)
    assert len(list(spool.folder.glob("*.free"))) == SLOTS or not mounted


def fill(site: RunningSite, disk: Path, *, mounted: bool) -> None:
    if not mounted:
        wal = site.data / "leads.db-wal"
        limit(site, max(wal.stat().st_size if wal.exists() else 0, LEAST))
        return
    with (disk / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            return


def empty(site: RunningSite, disk: Path, *, mounted: bool) -> None:
    """Room again, without a restart."""
    if mounted:
        (disk / "filler").unlink()
    else:
        limit(site, resource.RLIM_INFINITY)


def limit(site: RunningSite, size: int) -> None:
    for process in site._processes():
        resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
