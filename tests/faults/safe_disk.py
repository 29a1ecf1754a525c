"""Records what is safe on the disk of the running site: each file as it was at its last sync, and nothing else.

The site's own processes do it, from a wsgi.py that calls `record`: before each sync of the leads' database, its log or
the spool they take a picture of what is safe by then, of what is being synced, and of how much visitors were told.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.faults.syncs import hear_fsync, hear_sqlite

LeftOut = Literal["", "the database's sync", "the record's sync", "the folder's sync"]
"""Which sync a site doesn't make: what the test must notice."""
DATABASE = ("leads.db", "leads.db-wal")


class Disk:
    """A folder with what is safe: `files` by name (of the spool by inode), and the spool's names in `names`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files, self.pictures, self.told = folder / "files", folder / "pictures", folder / "told"

    def begin(self, data: Path) -> None:
        """All that lies in a stopped site's data is safe."""
        for each in (self.files, self.pictures):
            each.mkdir(parents=True)
        self.told.touch()
        for name in DATABASE:
            if (data / name).exists():
                shutil.copy(data / name, self.files / name)
        (self.files / "names").write_text("{}")

    def sync(self, key: str, content: Callable[[], bytes]) -> None:
        """Take a picture, and then have this content safe: what it is at this moment, for another process may have synced
        a newer one while we waited."""
        with self._alone():
            fresh = self.folder / "fresh"
            fresh.write_bytes(content())
            self._take_picture(key, fresh)
            fresh.rename(self.files / key)

    def sync_names(self, spool: Path) -> None:
        """Take a picture, and then have the spool's names safe."""

        def names() -> bytes:
            with os.scandir(spool) as entries:
                kept = {each.name: each.inode() for each in entries if each.name.endswith(".kept")}
            return json.dumps(kept).encode()

        self.sync("names", names)

    def _take_picture(self, key: str, fresh: Path) -> None:
        number = int(self._count()) + 1
        picture = self.folder / "unfinished"
        picture.mkdir()
        for file in self.files.iterdir():
            (picture / file.name).hardlink_to(file)
        (picture / "fresh").hardlink_to(fresh)
        (picture / "about").write_text(json.dumps({"key": key, "told": self.told.stat().st_size}))
        picture.rename(self.pictures / f"{number:06}")
        (self.folder / "count").write_text(str(number))

    def _count(self) -> str:
        count = self.folder / "count"
        return count.read_text() if count.exists() else "0"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def record(folder: str, data: str, left_out: LeftOut = "") -> None:
    """From now on record the syncs of this process and its forks. A sync that is left out is not made."""
    disk, place = Disk(Path(folder)), Path(data)

    def file_synced(path: str, content: Callable[[], bytes]) -> None:
        if Path(path).parent == place and Path(path).name in DATABASE:
            disk.sync(Path(path).name, content)

    def descriptor_synced(descriptor: int) -> bool:
        found, path = os.fstat(descriptor), Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if path == place / "spool":
            if left_out == "the folder's sync":
                return False
            disk.sync_names(path)
        elif path.parent == place / "spool" and stat.S_ISREG(found.st_mode):
            if left_out == "the record's sync":
                return False
            disk.sync(f"inode-{found.st_ino}", lambda: os.pread(descriptor, found.st_size, 0))
        return True

    hear_sqlite(file_synced)
    hear_fsync(descriptor_synced)
