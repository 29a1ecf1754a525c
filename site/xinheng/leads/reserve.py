"""A folder's reserve: files written beforehand, so that a full disk still takes a record.

A free slot is `<32 hex>.free`, SLOT bytes of zeros. Whoever needs one locks it and renames it to `….part`, so two never
have the same; the lock ends with the process, and what it left half done is cleared away.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SLOT = 16 * 1024  # bytes; a long enquiry takes 8 KB, sealed
SLOTS = 32  # kept free: what a full disk takes until there is room again

JUST_MADE = 5  # seconds in which a file may not be locked yet by whoever made it

_FREE, _PART = ".free", ".part"


class Reserve:
    """The slots of one folder, shared by all processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fill(self) -> None:
        """Write new slots until SLOTS are free; those of a wrong size are replaced. Raises OSError on a full disk."""
        whole = 0
        for name in self._names(_FREE):
            with suppress(FileNotFoundError):  # taken at this moment
                if (self._folder / name).stat().st_size == SLOT:
                    whole += 1
                else:
                    (self._folder / name).unlink()
        for _ in range(SLOTS - whole):
            with self._new() as (descriptor, part):
                write_whole(descriptor, bytes(SLOT))
                part.rename(part.with_suffix(_FREE))

    def clear(self) -> None:
        """Take away what processes left half done when they were killed: nobody was told of it."""
        for name in self._names(_PART):
            with suppress(FileNotFoundError, BlockingIOError):
                descriptor = _locked(self._folder / name)
                try:
                    if time.time() - os.fstat(descriptor).st_mtime > JUST_MADE:
                        (self._folder / name).unlink()
                finally:
                    os.close(descriptor)

    @contextmanager
    def part(self, size: int) -> Iterator[tuple[int, Path]]:
        """An open file to write `size` bytes into, from the reserve where they fit; gone after the block.

        Raises OSError where there is neither a slot nor room."""
        taken = self._slot() if size <= SLOT else None
        if taken is None:
            with self._new() as made:
                yield made
            return
        descriptor, part = taken
        with _gone_afterwards(descriptor, part):
            yield taken

    def usable(self) -> bool:
        """Whether a record could be written now. Takes nothing from the reserve. Raises OSError."""
        taken = self._slot()
        if taken is None:
            with self._new() as (descriptor, _):
                write_whole(descriptor, bytes(SLOT))
                return True
        descriptor, part = taken
        try:
            part.rename(part.with_suffix(_FREE))
        finally:
            os.close(descriptor)
        return True

    def _slot(self) -> tuple[int, Path] | None:
        for name in self._names(_FREE):
            free = self._folder / name
            with suppress(FileNotFoundError, BlockingIOError):  # somebody else has just taken it
                descriptor = _locked(free)
                try:
                    free.rename(free.with_suffix(_PART))
                except OSError:
                    os.close(descriptor)
                    raise
                return descriptor, free.with_suffix(_PART)
        return None

    @contextmanager
    def _new(self) -> Iterator[tuple[int, Path]]:
        part = self._folder / f"{secrets.token_hex(16)}{_PART}"
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with _gone_afterwards(descriptor, part):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor, part

    def _names(self, ending: str) -> list[str]:
        return [name for name in os.listdir(self._folder) if name.endswith(ending)]


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of `data` at the start of a file. Raises OSError."""
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], written)


def _locked(file: Path) -> int:
    """Open a file and lock it. Raises FileNotFoundError, and BlockingIOError where its writer lives."""
    descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def _gone_afterwards(descriptor: int, part: Path) -> Iterator[None]:
    try:
        yield
    finally:
        part.unlink(missing_ok=True)
        os.close(descriptor)
