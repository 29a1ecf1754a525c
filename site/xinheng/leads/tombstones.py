"""What stays of somebody who was deleted: an id, when and why. And what may no longer be done with a record since its
person asked. In tables, and in a file that no backup takes along.

The file lies beside the keys: a database that is restored from a backup doesn't know who was deleted, and who took consent
back, after it was made; the file does. It is only ever added to. A line is
`lead 1893…(32 digits) 2026-11-23T04:00:00+00:00 request`, or with `withdraw` at its end.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from xinheng.db import LeadsBase, Moment

Reason = Literal["retention", "request"]
Kind = Literal["lead", "enquiry"]
What = Literal["withdraw", "stop_marketing", "detach_result", "restricted", "unrestricted"]
FILE = "tombstones"
"""Its name in the folder of keys."""

log = logging.getLogger(__name__)


class Tombstone(LeadsBase):
    """A lead or an enquiry which was deleted, or a request that was emptied with them: its id and nothing that was in it."""

    __tablename__ = "tombstones"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), nullable=False)
    reason: Mapped[str] = mapped_column(String(12), nullable=False)
    deleted_at: Mapped[datetime] = mapped_column(Moment, nullable=False)


class Restraint(LeadsBase):
    """What the person of a lead, or of an enquiry that has none, had done to it: its id, what, and since when."""

    __tablename__ = "restraints"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    what: Mapped[str] = mapped_column(String(16), primary_key=True)
    since: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), nullable=False)

    @property
    def key(self) -> tuple[str, str, datetime]:
        return self.id, self.what, self.since


class TombstoneFile:
    """The file beside the keys. It appears with the first deletion or restraint."""

    def __init__(self, keys_folder: Path) -> None:
        self.path = keys_folder / FILE

    def read(self) -> Mapping[str, Tombstone]:
        """All tombstones by id. A line cut off by a crash counts for nothing; the table has it still."""
        return {each.id: each for each in self._lines() if isinstance(each, Tombstone)}

    def restraints(self) -> Sequence[Restraint]:
        """All restraints, each once, the earliest first."""
        found = {each.key: each for each in self._lines() if isinstance(each, Restraint)}
        return sorted(found.values(), key=lambda each: each.since)

    def append(self, records: Iterable[Tombstone | Restraint]) -> None:
        """Add lines, on the disk when this returns. Raises OSError."""
        text = "".join(f"{_line(each)}\n" for each in records)
        if not text:
            return
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                text = f"\n{text}"  # the last line was cut off: it must not spoil the next one
            os.write(descriptor, text.encode("ascii"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def note(self, records: Iterable[Tombstone | Restraint]) -> None:
        """Add lines of what is done already: a file that can't be written is told of, and made up for by the next run."""
        try:
            self.append(records)
        except OSError as fault:
            log.error("删除记录没有写进 %s：%s；下次清理时补上", self.path, fault.strerror)

    def _lines(self) -> Iterator[Tombstone | Restraint]:
        try:
            lines = self.path.read_text("ascii").split("\n")
        except FileNotFoundError:
            return
        for line in lines[:-1]:
            if found := _parsed(line):
                yield found


def _line(record: Tombstone | Restraint) -> str:
    if isinstance(record, Restraint):
        return f"{record.kind} {record.id} {_moment(record.since, 'microseconds')} {record.what}"
    return f"{record.kind} {record.id} {_moment(record.deleted_at, 'seconds')} {record.reason}"


def _moment(moment: datetime, exactly: str) -> str:
    return moment.astimezone(UTC).isoformat(timespec=exactly)


def _parsed(line: str) -> Tombstone | Restraint | None:
    kind, _, rest = line.partition(" ")
    parts = rest.split(" ")
    if kind not in _KINDS or len(parts) != 3 or len(parts[0]) != 32:
        return None
    try:
        moment = datetime.fromisoformat(parts[1])
    except ValueError:
        return None
    if not moment.tzinfo:
        return None
    if parts[2] in get_args(Reason):
        return Tombstone(id=parts[0], kind=kind, reason=parts[2], deleted_at=moment)
    if parts[2] in get_args(What) and kind in get_args(Kind):
        return Restraint(id=parts[0], kind=kind, what=parts[2], since=moment)
    return None


_KINDS = (*get_args(Kind), "request")
