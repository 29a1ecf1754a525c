"""What stays of somebody who was deleted: an id, when and why. In a table, and in a file that no backup takes along.

The file lies beside the keys: a database that is restored from a backup doesn't know who was deleted after it was made,
the file does. It is only ever added to. A line is `lead 1893…(32 digits) 2026-11-23T04:00:00+00:00 request`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from xinheng.db import LeadsBase, Moment

Reason = Literal["retention", "request"]
Kind = Literal["lead", "enquiry"]
FILE = "tombstones"
"""Its name in the folder of keys."""


class Tombstone(LeadsBase):
    """A lead, or an enquiry that had none, which was deleted: its id and nothing that was in it."""

    __tablename__ = "tombstones"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), nullable=False)
    reason: Mapped[str] = mapped_column(String(12), nullable=False)
    deleted_at: Mapped[datetime] = mapped_column(Moment, nullable=False)


class DeletedCount(LeadsBase):
    """How many leads of a month were deleted, by what reports count: no row tells of a person."""

    __tablename__ = "deleted_counts"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    need: Mapped[str] = mapped_column(String(32), primary_key=True)
    source: Mapped[str] = mapped_column(String(8), primary_key=True)
    status: Mapped[str] = mapped_column(String(12), primary_key=True)
    leads: Mapped[int] = mapped_column(Integer, nullable=False)
    enquiries: Mapped[int] = mapped_column(Integer, nullable=False)


class TombstoneFile:
    """The file beside the keys. It appears with the first deletion."""

    def __init__(self, keys_folder: Path) -> None:
        self.path = keys_folder / FILE

    def read(self) -> Mapping[str, Tombstone]:
        """All tombstones by id. A line cut off by a crash counts for nothing; the table has it still."""
        try:
            lines = self.path.read_text("ascii").split("\n")
        except FileNotFoundError:
            return {}
        found = (_parsed(line) for line in lines[:-1])
        return {each.id: each for each in found if each is not None}

    def append(self, tombstones: Iterable[Tombstone]) -> None:
        """Add lines, on the disk when this returns. Raises OSError."""
        text = "".join(f"{_line(each)}\n" for each in tombstones)
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


def _line(tombstone: Tombstone) -> str:
    moment = tombstone.deleted_at.astimezone(UTC).isoformat(timespec="seconds")
    return f"{tombstone.kind} {tombstone.id} {moment} {tombstone.reason}"


def _parsed(line: str) -> Tombstone | None:
    kind, _, rest = line.partition(" ")
    parts = rest.split(" ")
    if (
        kind not in get_args(Kind)
        or len(parts) != 3
        or parts[2] not in get_args(Reason)
        or len(parts[0]) != 32
    ):
        return None
    try:
        moment = datetime.fromisoformat(parts[1])
    except ValueError:
        return None
    return Tombstone(id=parts[0], kind=kind, reason=parts[2], deleted_at=moment) if moment.tzinfo else None
