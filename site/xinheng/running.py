"""Does the site run on this data folder? What must not happen meanwhile asks here: a restore, a change of keys."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "running.lock"


class InUse(OSError):
    """The site runs, or what needs it stopped is under way."""


def hold_running(folder: Path) -> int:
    """Hold the folder as long as the returned descriptor is open, here or in a forked worker. Raises InUse."""
    return _taken(folder, fcntl.LOCK_SH, "正在恢复备份或更换密钥，做完再启动")


@contextmanager
def while_stopped(folder: Path) -> Iterator[None]:
    """Keep the site from starting for the block. Raises InUse where it runs."""
    descriptor = _taken(folder, fcntl.LOCK_EX, "网站还在运行，请先停下")
    try:
        yield
    finally:
        os.close(descriptor)


def _taken(folder: Path, how: int, refusal: str) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InUse(f"{folder}：{refusal}") from None
    return descriptor
