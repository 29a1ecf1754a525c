"""The database refuses the running site: a full disk, another program, a restart in the middle. About three minutes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest
from tests.browser.running import RunningSite, copy_of_site
from tests.conftest import ROOT
from tests.faults.visitors import ask, stored, until, waiting

pytestmark = pytest.mark.faults
LOCKED = 60  # seconds
VISITORS, THINKING = 60, 5.0  # who ask again every five seconds: twelve enquiries a second


@pytest.fixture
def site(tmp_path: Path) -> Iterator[RunningSite]:
    running = RunningSite(copy_of_site(tmp_path), workers=2)
    try:
        running.start()
        yield running
    finally:
        running.kill()


class Exclusively:
    """Another program, without our lock, holds the database."""

    def __init__(self, site: RunningSite) -> None:
        self._connection = sqlite3.connect(site.data / "leads.db", isolation_level=None, timeout=10)
        self._connection.execute("BEGIN EXCLUSIVE")

    def end(self) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


def test_while_another_program_holds_the_database_everybody_gets_a_reference(site: RunningSite) -> None:
    other = Exclusively(site)
    told = ask(site, 6)
    assert waiting(site) == set(told)
    assert {site.get(f"/consultation/{each}").status for each in told} == {200}
    assert site.get("/readyz").status == 200
    other.end()
    until(lambda: not waiting(site), site)
    assert stored(site) == told
    assert {site.get(f"/consultation/{each}").status for each in told} == {200}
    assert site.rows("SELECT count(*) FROM leads")[0][0] == 1
    site.stop()


def test_what_waits_in_the_spool_is_stored_at_the_next_start(site: RunningSite) -> None:
    other = Exclusively(site)
    told = ask(site, 3)
    site.terminate()
    assert site.ended() == 0
    assert waiting(site) == set(told)
    other.end()
    site.start()
    until(lambda: not waiting(site), site)
    assert stored(site) == told
    site.stop()


def test_a_rolling_restart_with_a_live_spool_loses_nothing(site: RunningSite) -> None:
    """The new server is there before the old one goes, and both may drain the same folder."""
    other, told, stopped = Exclusively(site), [], threading.Event()
    told += ask(site, 4)
    newer = RunningSite(site.root, workers=2)
    newer.log_file = site.root / "newer.log"

    def keep_asking() -> None:
        while not stopped.is_set():
            told.extend(ask(newer))

    other.end()
    asking = threading.Thread(target=keep_asking)
    try:
        newer.start()
        asking.start()
        site.terminate()
        assert site.ended() == 0
        until(lambda: not waiting(site), newer)
        stopped.set()
        asking.join()
        newer.terminate()
        assert newer.ended() == 0
    finally:
        stopped.set()
        if asking.ident is not None:
            asking.join()
        newer.kill()
    assert stored(site) == sorted(told)
    assert (
        site.rows("SELECT count(*) FROM outbox WHERE reference NOT IN (SELECT reference FROM enquiries)")[0][
            0
        ]
        == 0
    )


def test_a_database_that_is_locked_for_a_minute_holds_up_neither_visitors_nor_readers(
    site: RunningSite,
) -> None:
    """More ask than there are threads: if each waited for the database, none would be left for readers. How long pages
    took is printed; what keeps it short is held by tests/leads/test_patience.py."""
    told: list[str] = []
    waits: list[float] = []
    stopped = threading.Event()

    def visit(number: int) -> None:
        stopped.wait(THINKING * number / VISITORS)
        while not stopped.is_set():
            asked = time.monotonic()
            told.extend(ask(site))
            waits.append(time.monotonic() - asked)
            stopped.wait(THINKING)

    usual = read(site, seconds=3)
    with ExitStack() as ends, ThreadPoolExecutor(VISITORS) as pool:
        other = Exclusively(site)
        ends.callback(stopped.set)
        visits = [pool.submit(visit, number) for number in range(VISITORS)]
        meanwhile = read(site, seconds=LOCKED)
        stopped.set()
        for each in visits:
            each.result()
    assert waiting(site) == set(told)
    print(
        f"{len(told)} enquiries while locked: median {median(waits):.2f} s, longest {max(waits):.2f} s; a page took "
        f"{median(usual) * 1000:.0f} ms before, {median(meanwhile) * 1000:.0f} ms meanwhile, {max(meanwhile):.2f} s at most"
    )
    other.end()
    until(lambda: not waiting(site), site)
    assert stored(site) == sorted(told)
    site.stop()


def read(site: RunningSite, seconds: float) -> list[float]:
    """Read one article again and again; how long each page took, in seconds."""
    found: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        asked = time.monotonic()
        assert site.get("/articles/ageing-report").status == 200
        found.append(time.monotonic() - asked)
        time.sleep(0.05)
    return found


def test_where_the_spool_is_full_too_nobody_is_told_a_reference_and_all_that_was_typed_stays(
    tmp_path: Path,
) -> None:
    root = copy_of_site(tmp_path)
    few = "from xinheng.leads import spool\nspool.MOST = 4\n"
    wsgi = (root / "wsgi.py").read_text()
    (root / "wsgi.py").write_text(f"{wsgi}\n{few}")
    site = RunningSite(root, workers=2)
    try:
        site.start()
        other = Exclusively(site)
        told = ask(site, 4)
        answer = site.post_form(submission_id="f" * 32, details="备用文件夹也满了的那一份")
        assert answer.status == 503
        assert "备用文件夹也满了的那一份" in answer.text
        assert "f" * 32 in answer.text
        assert site.get("/readyz").status == 503
        other.end()
        until(lambda: not waiting(site), site)
        told.append(site.post_form(submission_id="f" * 32, details="备用文件夹也满了的那一份").reference)
        assert stored(site) == sorted(told)
        site.stop()
    finally:
        site.kill()


def may_mount() -> bool:
    command = ["unshare", "--map-root-user", "--mount", "true"]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("mount", [True, False], ids=["a small disk", "a limit on files"])
def test_on_a_full_disk_the_reserve_takes_enquiries_and_room_mends_it_without_a_restart(
    tmp_path: Path, mount: bool
) -> None:
    """Where no mount is allowed, both run with the limit on files, which stands in for the disk."""
    script = [sys.executable, "-m", "tests.faults.full_disk", str(tmp_path)]
    mounted = mount and may_mount()
    command = ["unshare", "--map-root-user", "--mount", *script] if mounted else [*script, "--no-mount"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'site'}:{ROOT}"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=200)
    assert done.stdout.endswith("ok\n"), done.stdout + done.stderr
