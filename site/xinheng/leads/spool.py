"""Where an enquiry waits while the database refuses it: sealed, one file each, named by its submission id.

A record is `XHS1 | length | sealed`, padded with zeros; sealed means encrypted, authenticated, and bound to its name. It
is whole on the disk before it gets that name, and the name is on the disk before anybody is told: so a power cut at any
moment leaves a whole record or none. What can't be opened (another key, a damaged disk) is set aside, never deleted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from xinheng.crypto import CannotDecrypt, Keys
from xinheng.leads.reserve import SLOT, Reserve, write_whole
from xinheng.leads.submission import Submission

MOST = 4096  # records; then the spool is full (64 MB)

_MARK = b"XHS1"
_HEAD = len(_MARK) + 4
_KEPT, _ASIDE = ".kept", ".aside"


class SpoolRefused(RuntimeError):
    """The spool can't take the record: no room, no permission, no folder, or full. The text says which."""


class Unreadable(RuntimeError):
    """A record that doesn't open, or that this version can't read; its message is the submission id."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """An enquiry as it came, and when."""

    submission: Submission
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the spool holds: how many wait to be stored, since when, and how many can't be opened."""

    count: int
    oldest: datetime | None
    aside: int


_RECORD = TypeAdapter(Spooled)


class Spool:
    """One folder, shared by all processes of this machine."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.folder = folder
        self._keys = keys
        self._reserve = Reserve(folder)

    def prepare(self) -> None:
        """Make the folder, for its owner only, clear away what was left half done, and fill the reserve.
        Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        self._reserve.clear()
        self._reserve.fill()

    def put(self, submission_id: str, record: Spooled) -> bool:
        """Keep a record, durably; False where it was there already. Raises SpoolRefused."""
        with _told_as_refused():
            if self.holds(submission_id):
                return False
            if len(self._names(_KEPT)) >= MOST:
                raise SpoolRefused(f"已有 {MOST} 份")
            self._write(submission_id, self._sealed(submission_id, record))
            return True

    def holds(self, submission_id: str) -> bool:
        """Whether a record that opens is kept under this id; it is durable then. Raises SpoolRefused."""
        try:
            self.read(submission_id)
        except FileNotFoundError:
            return False
        except Unreadable:
            self.set_aside(submission_id)
            return False
        with _told_as_refused():
            self._sync()  # whoever wrote it may not have come to it yet
        return True

    def read(self, submission_id: str) -> Spooled:
        """Open a record. Raises FileNotFoundError, and Unreadable."""
        data = self._file(submission_id).read_bytes()
        length = int.from_bytes(data[len(_MARK) : _HEAD])
        try:
            if data[: len(_MARK)] != _MARK or len(data) < _HEAD + length:
                raise Unreadable(submission_id)
            text = self._keys.open(data[_HEAD : _HEAD + length], _place(submission_id))
            return _RECORD.validate_json(text)
        except (CannotDecrypt, ValidationError):
            raise Unreadable(submission_id) from None  # what pydantic says would repeat what was typed

    def remove(self, submission_id: str) -> None:
        """Forget a record: it is stored. Raises OSError."""
        self._file(submission_id).unlink(missing_ok=True)
        self._sync()

    def set_aside(self, submission_id: str) -> None:
        """Keep a record out of the way of the others. Raises OSError."""
        with suppress(FileNotFoundError):
            self._file(submission_id).rename(self._file(submission_id).with_suffix(_ASIDE))
            self._sync()

    def take_up_again(self) -> None:
        """Put back what was set aside: the key may be there now. Raises OSError."""
        for name in self._names(_ASIDE):
            file = self._file(name)
            if not file.exists():
                (self.folder / f"{name}{_ASIDE}").rename(file)

    def ids(self) -> list[str]:
        """What waits, oldest first. Raises OSError."""
        return [name for _, name in sorted((at, name) for name, at in self._times())]

    def find(self, reference: str) -> Spooled | None:
        """The record that a visitor knows by this reference. A spool that can't be read has none."""
        with suppress(OSError, Unreadable):
            for name in self._names(_KEPT):
                if self._keys.reference(name) == reference:
                    return self.read(name)
        return None

    def holds_of(self, phone: str) -> bool:
        """Whether an enquiry with this number (E.164) waits here. Raises OSError."""
        for name in self.ids():
            with suppress(FileNotFoundError, Unreadable):  # stored meanwhile; or nobody's
                if self.read(name).submission.phone.e164 == phone:
                    return True
        return False

    def waiting(self) -> Waiting:
        """What the spool holds; nothing where it can't be read."""
        with suppress(OSError):
            times = [at for _, at in self._times()]
            oldest = datetime.fromtimestamp(min(times) / 1e9, UTC) if times else None
            return Waiting(len(times), oldest, len(self._names(_ASIDE)))
        return Waiting(0, None, 0)

    def refill(self) -> None:
        """Clear away what the killed left, and write new slots for those that were used. Raises OSError."""
        self._reserve.clear()
        self._reserve.fill()

    def takes_records(self) -> bool:
        """Whether a record could be written now."""
        try:
            return len(self._names(_KEPT)) < MOST and self._reserve.usable()
        except OSError:
            return False

    def _sealed(self, submission_id: str, record: Spooled) -> bytes:
        sealed = self._keys.seal(_RECORD.dump_json(record).decode(), _place(submission_id))
        data = _MARK + len(sealed).to_bytes(4) + sealed
        return data.ljust(SLOT, b"\0")

    def _write(self, submission_id: str, data: bytes) -> None:
        with self._reserve.part(len(data)) as (descriptor, part):
            write_whole(descriptor, data)
            os.fsync(descriptor)
            with suppress(FileExistsError):  # the same words, from another worker, at the same moment
                os.link(part, self._file(submission_id))
            self._sync()

    def _sync(self) -> None:
        """What was named, renamed or taken away in the folder is so after a power cut."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _times(self) -> list[tuple[str, int]]:
        """Ids and when they were written, in nanoseconds; one that is taken away meanwhile is left out."""
        found = []
        for name in self._names(_KEPT):
            with suppress(FileNotFoundError):
                found.append((name, self._file(name).stat().st_mtime_ns))
        return found

    def _names(self, ending: str) -> list[str]:
        return [name.removesuffix(ending) for name in os.listdir(self.folder) if name.endswith(ending)]

    def _file(self, submission_id: str) -> Path:
        return self.folder / f"{submission_id}{_KEPT}"


def _place(submission_id: str) -> str:
    return f"spool:record:{submission_id}"


@contextmanager
def _told_as_refused() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise SpoolRefused(os.strerror(fault.errno or 0)) from fault
