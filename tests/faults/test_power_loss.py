"""The power goes: of the site's files what was synced is left, and whatever visitors were told is in it. Two minutes."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.browser.running import FORM, RunningSite, copy_of_site
from tests.conftest import ROOT
from tests.databases import a_writer_elsewhere
from tests.faults.kill_rounds import OWN, Told
from tests.faults.power_loss import WRITTEN, Lost, check, pictures
from tests.faults.safe_disk import Disk, LeftOut

from xinheng.crypto import load_keys
from xinheng.db import open_databases
from xinheng.leads.spool import Spool

pytestmark = pytest.mark.faults
VISITORS = 4
STORED = 90  # enquiries: enough that SQLite's log is brought into its file in between
SPOOLED = 8

RECORDING = """
from tests.faults.safe_disk import record
record({folder!r}, {data!r}, {left_out!r})
"""
NORMAL = """
from sqlalchemy import event
_leads = app.extensions["xinheng.databases"].leads
event.listen(_leads.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=NORMAL"))
_leads.dispose()
"""


class Recorded:
    """A running site whose syncs are recorded, and its visitors."""

    def __init__(self, folder: Path, left_out: LeftOut = "") -> None:
        root = folder / "site"
        root.mkdir()
        self.site = RunningSite(copy_of_site(root), PYTHONPATH=f"{ROOT / 'site'}{os.pathsep}{ROOT}")
        self.site.start()
        self.site.terminate()
        assert self.site.ended() == 0
        self.disk = Disk(folder / "disk")
        self.disk.begin(self.site.data)
        self.told = Told(self.disk.told)
        self.keys = load_keys(self.site.data / "keys", make=False)
        shipped = (root / "wsgi.py").read_text()
        recording = RECORDING.format(
            folder=str(self.disk.folder), data=str(self.site.data), left_out=left_out
        )
        first, start, rest = shipped.partition("import os\n")
        normal = NORMAL if left_out == "the database's sync" else ""
        (root / "wsgi.py").write_text(first + recording + start + rest + normal)
        self.site.start()

    def under_visitors(self, until: Callable[[], bool]) -> None:
        version = self.site.consent_version()
        deadline = time.monotonic() + 120

        def visit(_: int) -> None:
            while not until():
                assert time.monotonic() < deadline, self.site.log
                fields = FORM | {"consent_version": version, "submission_id": secrets.token_hex(16)}
                answer = self.site.request("POST", "/consultation", fields, OWN)
                self.told.add(answer.reference)

        with ThreadPoolExecutor(VISITORS) as pool:
            list(pool.map(visit, range(VISITORS)))

    def refused(self, until: Callable[[], bool]) -> None:
        """Another program holds the database until so much is in the spool."""
        databases = open_databases(self.site.data)
        with a_writer_elsewhere(databases.leads):
            self.under_visitors(until)

    def waiting(self) -> int:
        return len(Spool(self.site.data / "spool", self.keys).ids())

    def drained(self) -> None:
        deadline = time.monotonic() + 60
        while self.waiting():
            assert time.monotonic() < deadline, self.site.log
            time.sleep(0.05)


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Callable[..., Recorded]]:
    made: list[Recorded] = []

    def make(left_out: LeftOut = "") -> Recorded:
        made.append(Recorded(tmp_path, left_out))
        return made[-1]

    yield make
    for each in made:
        each.site.kill()


def cut_off(site: Recorded) -> None:
    """The power goes while some enquiries are in the spool."""
    site.refused(lambda: site.waiting() >= SPOOLED)
    site.site.kill()
    assert "Traceback" not in site.site.log, site.site.log


def look(site: Recorded, left: Path, draw: random.Random) -> tuple[set[str], int]:
    """Look at each cut; returns what was being synced, and how many records of the spool were met. Raises Lost."""
    during, spooled = set(), 0
    for picture in pictures(site.disk):
        during.add("a record" if picture.during.startswith("inode") else picture.during)
        for written in WRITTEN:
            spooled += check(picture.left(left, draw, written), site.keys, picture.told)
    return during, spooled


def test_whatever_was_told_survives_a_power_cut_at_any_sync(
    recorded: Callable[..., Recorded], tmp_path: Path
) -> None:
    """Then a site is started on what the last cut has left, and has all of it once."""
    site = recorded()
    site.under_visitors(lambda: len(site.told.all()) >= STORED)
    site.refused(lambda: site.waiting() >= SPOOLED)
    site.drained()
    cut_off(site)
    seed = secrets.randbelow(1 << 32)
    print(f"seed {seed}")
    during, spooled = look(site, tmp_path / "left", random.Random(seed))  # noqa: S311 (repeats a run)
    assert during == {"leads.db", "leads.db-wal", "a record", "names"}
    assert spooled
    print(f"{len(site.told.all())} references told; each cut left all that were told by then")
    starts_again(site, tmp_path / "left")


def starts_again(site: Recorded, left: Path) -> None:
    shutil.rmtree(site.site.data / "spool")
    shutil.copytree(left, site.site.data, dirs_exist_ok=True)
    (site.site.data / "leads.db-shm").unlink(missing_ok=True)
    shutil.copy(ROOT / "wsgi.py", site.site.root / "wsgi.py")
    assert site.waiting() >= SPOOLED
    site.site.start()
    site.drained()
    site.site.terminate()
    assert site.site.ended() == 0
    assert check(site.site.data, site.keys, frozenset(site.told.all())) == 0


@pytest.mark.parametrize("left_out", ["the database's sync", "the record's sync", "the folder's sync"])
def test_a_sync_that_is_left_out_is_noticed(
    left_out: LeftOut, recorded: Callable[..., Recorded], tmp_path: Path
) -> None:
    """What the test above is worth: with `synchronous=NORMAL`, or without an fsync of the spool, it turns red."""
    site = recorded(left_out)
    site.under_visitors(lambda: len(site.told.all()) >= SPOOLED)
    cut_off(site)
    with pytest.raises(Lost):
        look(site, tmp_path / "left", random.Random(0))  # noqa: S311
