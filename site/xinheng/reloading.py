"""Data files that go live when they are saved, and whose last good version stays in use when a save is wrong."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from xinheng.documents import BadDocument
from xinheng.settings import Settings

Value = TypeVar("Value")
Version = tuple[tuple[str, int, int], ...]

log = logging.getLogger(__name__)


def version_of(files: Sequence[Path]) -> Version:
    """What changes when one of the files is saved, added or removed."""
    stats = []
    for file in files:
        try:
            stat = file.stat()
        except FileNotFoundError:
            continue
        stats.append((str(file), stat.st_mtime_ns, stat.st_size))
    return tuple(stats)


class Reloading(Generic[Value]):
    """A value read from files, read again when they change (looked at once in `every` seconds).

    `load` raises BadDocument for a bad file. The first `current` raises it on; later ones log it and keep the last good
    value. Where `kept` knows a newer good one, that is kept: a worker without visitors misses saves that others have seen,
    and all shall show the same.
    """

    def __init__(
        self,
        version: Callable[[], Version],
        load: Callable[[], Value],
        *,
        kept: Callable[[], Value | None] = lambda: None,
        every: float = 1.0,
    ) -> None:
        self._version_now = version
        self._load = load
        self._kept = kept
        self._every = every
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._version: Version | None = None
        self._value: Value | None = None

    def current(self) -> Value:
        if self._value is None:
            with self._lock:
                if self._value is None:
                    self._version, self._value = self._version_now(), self._load()
                    self._looked = time.monotonic()
            return self._value
        if time.monotonic() - self._looked > self._every and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._value

    def _look(self) -> None:
        self._looked = time.monotonic()
        try:
            version = self._version_now()
            if version == self._version:
                return
            self._value = self._load()
        except BadDocument as fault:
            log.error("保存的文件有误，继续使用上一个正确的版本：\n%s", fault)
            with suppress(Exception):  # gone again, or doesn't go with the other files of now
                kept = self._kept()
                self._value = self._value if kept is None else kept
        except Exception as fault:  # a file gone for a moment, a busy database: the next look tries again
            log.error("文件暂时读不了，继续使用上一个版本：%s", type(fault).__name__)
            return
        self._version = version


def last_good(
    folder: Path, name: str, spare: Path, load: Callable[[Path], Value]
) -> tuple[Callable[[], Value], Callable[[], Value | None]]:
    """A loader that copies the named file to `spare` when it was good, and starts from there when it is not; and what
    reads that copy, which another worker may have made, or gives None where there is none."""
    started = False

    def _kept() -> Value | None:
        return load(spare) if (spare / name).exists() else None

    def _load() -> Value:
        nonlocal started
        seen = version_of([folder / name])
        try:
            value = load(folder)
        except BadDocument as fault:
            kept = None if started else _kept()
            if kept is None:
                raise
            log.error("文件有误，用上一个正确的版本启动：\n%s", fault)
            value = kept
        else:
            _keep(folder / name, spare, seen)
        started = True
        return value

    return _load, _kept


def _keep(file: Path, spare: Path, seen: Version) -> None:
    """Copy a file that was found good, unless it was saved since it was seen; what was good without it needs no copy."""
    spare.mkdir(parents=True, exist_ok=True)
    if not seen:
        (spare / file.name).unlink(missing_ok=True)
        return
    fresh = spare / f"{file.name}.{os.getpid()}.new"
    shutil.copyfile(file, fresh)
    if version_of([file]) == seen:
        fresh.rename(spare / file.name)  # whole or not at all
    else:
        fresh.unlink()


def watched_form(
    settings: Settings, name: str, load: Callable[[Path], Value], surroundings: Callable[[], Version]
) -> Callable[[], Value]:
    """One file of forms/, loaded now and again when it is saved or what it names has changed."""

    def version() -> Version:
        return (*version_of([settings.forms / name]), *surroundings())

    spare = settings.data / "last-good" / "forms" if settings.production else None
    return _watched(settings.forms, name, spare, load, version)


def watched_content(settings: Settings, name: str, load: Callable[[Path], Value]) -> Callable[[], Value]:
    """One file of content/, loaded now and again when it is saved. Raises BadDocument, in production only where no copy is
    good."""
    spare = settings.data / "last-good" / "content" if settings.production else None
    return _watched(settings.content, name, spare, load, partial(version_of, [settings.content / name]))


def _watched(
    folder: Path,
    name: str,
    spare: Path | None,
    load: Callable[[Path], Value],
    version: Callable[[], Version],
) -> Callable[[], Value]:
    if spare:
        guarded, kept = last_good(folder, name, spare, load)
        current = Reloading(version, guarded, kept=kept).current
    else:
        current = Reloading(version, partial(load, folder)).current
    current()
    return current
