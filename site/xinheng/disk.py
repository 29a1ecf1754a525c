"""How much room a disk has left. The last of it is for enquiries: what is none isn't written any more.

Below both lines the spool has its own room, written beforehand, see leads/reserve.py.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

_GB = 1024**3


@dataclass(frozen=True, slots=True)
class Line:
    """A share of the disk; of a large disk not so much, for there a share is more than anybody needs to keep free."""

    share: float
    most: int  # bytes

    def passed(self, total: int, free: int) -> bool:
        """Whether less than this is free. Both in bytes."""
        return free < min(total * self.share, self.most)


LITTLE = Line(0.20, 4 * _GB)  # somebody must see to it
SHORT = Line(0.10, _GB)  # reads and favourites aren't counted, no backup is made


@dataclass(frozen=True, slots=True)
class Disk:
    """The disks that some folders lie on; none is never short."""

    folders: tuple[Path, ...] = ()

    @property
    def little(self) -> bool:
        """Whether one of them has little room left, or can't be asked."""
        return self._past(LITTLE)

    @property
    def short(self) -> bool:
        """Whether one of them has room for enquiries only, or can't be asked."""
        return self._past(SHORT)

    def _past(self, line: Line) -> bool:
        try:
            return any(line.passed(each.total, each.free) for each in map(shutil.disk_usage, self.folders))
        except OSError:
            return True

    def shared_with(self, folder: Path) -> bool:
        """Whether a folder, which may have to be made yet, lies on one of them. Raises OSError."""
        there = next(each for each in (folder, *folder.parents) if each.exists())
        return there.stat().st_dev in {each.stat().st_dev for each in self.folders}


ANY_DISK = Disk()
"""What lies on no disk of this machine."""
