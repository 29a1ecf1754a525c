"""Power cuts of a recorded site: what each would leave, and whether all that visitors were told is in it.

Each picture is looked at three times: as if the power went before the sync that was under way, in the middle of it, and
after it.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tests.faults.kill_rounds import ORPHANS
from tests.faults.safe_disk import DATABASE, Disk

from xinheng.crypto import Keys
from xinheng.leads.spool import Spool, Unreadable

Written = Literal["nothing", "a part", "all"]
WRITTEN: tuple[Written, ...] = get_args(Written)
"""How much of what was being synced is on the disk."""
SECTOR = 512  # bytes that a disk writes whole


class Lost(AssertionError):
    """An enquiry that was acknowledged is neither in the database nor in the spool."""


@dataclass(frozen=True)
class Picture:
    """What was safe when a sync began. `during` is what that sync was of."""

    folder: Path
    told: frozenset[str]
    during: str

    def left(self, to: Path, draw: random.Random, written: Written) -> Path:
        """A data folder as this power cut leaves it."""
        shutil.rmtree(to, ignore_errors=True)
        (to / "spool").mkdir(parents=True)
        fresh = (self.folder / "fresh").read_bytes()

        def content(key: str) -> bytes:
            file = self.folder / key
            safe = file.read_bytes() if file.exists() else b""
            if key != self.during or written == "nothing" or (key == "names" and written == "a part"):
                return safe
            return fresh if written == "all" else _mixed(safe, fresh, draw)

        for name in DATABASE:
            (to / name).write_bytes(content(name))
        for name, inode in json.loads(content("names")).items():
            (to / "spool" / name).write_bytes(content(f"inode-{inode}"))
        return to


def pictures(disk: Disk) -> Iterator[Picture]:
    """What was taken until now, and at last what is safe at the end."""
    told = disk.told.read_bytes()
    for folder in sorted(disk.pictures.iterdir()):
        about = json.loads((folder / "about").read_text())
        yield Picture(folder, frozenset(told[: about["told"]].decode().split()), about["key"])
        shutil.rmtree(folder)
    shutil.copy(disk.files / "names", disk.files / "fresh")
    yield Picture(disk.files, frozenset(told.decode().split()), "names")


def check(left: Path, keys: Keys, told: frozenset[str]) -> int:
    """Whatever was told is in the database or the spool, and the database is whole. Returns how many the spool has.
    Raises Lost."""
    waiting = set(_readable(Spool(left / "spool", keys), keys))
    with closing(sqlite3.connect(left / "leads.db")) as database:
        stored = [row[0] for row in database.execute("SELECT reference FROM enquiries")]
        assert len(set(stored)) == len(stored)
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for orphans in ORPHANS:
            assert database.execute(orphans).fetchone() == (0,), orphans
    if lost := told - set(stored) - waiting:
        raise Lost(f"{len(lost)} of {len(told)} are lost")
    return len(waiting)


def _readable(spool: Spool, keys: Keys) -> Iterator[str]:
    for each in spool.ids():
        try:
            spool.read(each)
        except Unreadable:
            continue
        yield keys.reference(each)


def _mixed(safe: bytes, fresh: bytes, draw: random.Random) -> bytes:
    """Each sector as it was or as it is to be."""
    longest = max(len(safe), len(fresh))
    both = [each.ljust(longest, b"\0") for each in (safe, fresh)]
    starts = itertools.takewhile(lambda at: at < longest, itertools.count(0, SECTOR))
    mixed = b"".join(draw.choice(both)[at : at + SECTOR] for at in starts)
    return mixed[: len(fresh)] if draw.random() < 0.5 else mixed
