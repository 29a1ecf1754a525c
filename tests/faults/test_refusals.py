"""The database refuses the running site: a full disk, another program, a restart in the middle. About a minute."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser.running import RunningSite, copy_of_site
from tests.conftest import ROOT
from tests.faults.visitors import ask, stored, until, waiting

pytestmark = pytest.mark.faults


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
