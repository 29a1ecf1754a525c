"""Files made for one download: whole or not at all, seen by nobody else, and gone once they are read."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from xinheng.leads.spreadsheets import Table, Writer

_FORGOTTEN = 60 * 60  # seconds after which nobody is still making a file


class AnotherIsMade(RuntimeError):
    """One file at a time: two would take the time of visitors."""


class MadeFiles:
    """`folder` is made as needed, for its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[Callable[[Table, Writer], BinaryIO]]:
        """What makes a file, while nobody else makes one. Raises AnotherIsMade."""
        if not self._turn.acquire(blocking=False):
            raise AnotherIsMade
        try:
            yield self._make
        finally:
            self._turn.release()

    def _make(self, table: Table, write: Writer) -> BinaryIO:
        """The finished file, open at its beginning and without a name. Raises OSError where there is no room."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.clear()
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            file = Path(place, "leads")
            write(table, file)
            return file.open("rb")  # the name goes with the folder, the file when it is closed

    def clear(self) -> None:
        """What a process left that was killed while it wrote."""
        for left in self._folder.glob("*"):
            with suppress(FileNotFoundError):  # another process has just finished with it
                if left.stat().st_mtime < time.time() - _FORGOTTEN:
                    shutil.rmtree(left, ignore_errors=True)


def make_private(file: Path, table: Table, write: Writer) -> None:
    """Make a file at a place of its own (0600), whole or not at all. Raises FileExistsError, OSError."""
    with tempfile.TemporaryDirectory(dir=file.parent) as place:
        spare = Path(place, "leads")
        write(table, spare)
        spare.chmod(0o600)
        with spare.open("rb") as written:
            os.fsync(written.fileno())
        os.link(spare, file)  # never over what is there
