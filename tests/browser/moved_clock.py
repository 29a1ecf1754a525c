"""A running site whose clock is moved while it runs: every process of it reads by how much from one file."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

# every module of ours reads the moment from this class, and the age of files from this function
_MOVED = """
import datetime, pathlib, sys, time
_jump, _datetime, _time = pathlib.Path({jump!r}), datetime.datetime, time.time
class _Kind(type):
    def __instancecheck__(self, value):
        return isinstance(value, _datetime)
class _Moved(_datetime, metaclass=_Kind):
    @classmethod
    def now(cls, zone=None):
        return _datetime.now(zone) + datetime.timedelta(seconds=int(_jump.read_text()))
time.time = lambda: _time() + int(_jump.read_text())
for _name, _module in list(sys.modules.items()):
    if _name.startswith("xinheng.") and getattr(_module, "datetime", None) is _datetime:
        _module.datetime = _Moved
"""


class MovedClock:
    """The clock of the site in `root`, right at first. It goes on from wherever it was moved to."""

    def __init__(self, root: Path, jump: Path) -> None:
        self._jump = jump
        self.by(timedelta())
        with (root / "wsgi.py").open("a") as wsgi:
            wsgi.write(_MOVED.format(jump=str(jump)))

    def by(self, jump: timedelta) -> None:
        """Let it run so much ahead of the machine's."""
        fresh = self._jump.with_suffix(".fresh")
        fresh.write_text(str(int(jump.total_seconds())))
        os.replace(fresh, self._jump)

    def to(self, moment: datetime) -> None:
        """Let it show this moment."""
        self.by(moment - datetime.now(UTC))
