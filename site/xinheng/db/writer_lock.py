"""One writer on this machine, in the order of arrival.

Threads of a process stand in a queue of their own; its first stands for the process in the queue of the machine. That
is a small file beside the lock: whoever comes takes the next number, locks the byte of that number, and has its turn
when no lower byte is locked. Locks end with their process, so one that is killed, waiting or writing, holds up nobody.

Changing from one process to another costs a millisecond on a busy machine, as much as a transaction: so the threads that
wait in a process follow each other for TOGETHER before it stands in line again, and nobody waits longer than that times
the number of processes.

Numbers only make it fair. What keeps others out is the advisory lock on the file itself (`flock`), which any program
may take, and which holds on systems without such numbers too.
"""

from __future__ import annotations

import fcntl
import os
import platform
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from xinheng.db.base import DatabaseBusy

TOGETHER = 0.02  # seconds in which threads of one process follow each other without standing in line again
_STEP = 0.0005  # seconds to wait for each that is ahead
_LONGEST = 0.003
_NUMBERED = platform.system() == "Linux" and struct.calcsize("P") == 8  # its locks, and their layout
_MUTEX = 8  # the byte locked by whoever takes a number; the next number lies before it
_FIRST = 16  # where the bytes of the numbers begin
_FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, process


class WriterLock:
    """The lock of one file; `held` is the whole of it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._threads = _ThreadQueue()
        self._machine: ExitStack | None = None  # what is open and locked; touched by whose turn it is only
        self._since = 0.0

    @contextmanager
    def held(self, within: float) -> Iterator[None]:
        """Hold the lock for the block. Raises DatabaseBusy after `within` seconds of waiting."""
        deadline = time.monotonic() + within
        if not self._threads.enter(deadline):
            raise DatabaseBusy(self._file.name)
        try:
            if self._machine is None:
                self._take(deadline)
            yield
        finally:
            keep = time.monotonic() - self._since < TOGETHER
            self._threads.leave(self._let_go, keep=keep)

    def _take(self, deadline: float) -> None:
        """Stand in the machine's line. Raises DatabaseBusy."""
        with ExitStack() as opened:
            try:
                self._lock(opened, deadline)
            except OSError as fault:
                raise DatabaseBusy(f"{self._file.name}：{fault.strerror}") from fault
            self._machine, self._since = opened.pop_all(), time.monotonic()

    def _let_go(self) -> None:
        if self._machine is not None:
            self._machine.close()
            self._machine = None

    def _lock(self, opened: ExitStack, deadline: float) -> None:
        """Open and lock; closing releases, as does the end of the process. Raises DatabaseBusy, OSError."""
        if _NUMBERED:
            line = _opened(self._file.with_suffix(".queue"), opened)
            self._until(partial(_lock_bytes, line, _MUTEX), deadline)
            number = _next_number(line)
            self._until(partial(_none_before, line, number), deadline)
        lock = _opened(self._file, opened)
        self._until(partial(_flocked, lock), deadline)

    def _until(self, ahead: Callable[[], int], deadline: float) -> None:
        """Wait until nobody is `ahead`; the more there are, the longer before looking again."""
        while number := ahead():
            left = deadline - time.monotonic()
            if left <= 0:
                raise DatabaseBusy(self._file.name)
            time.sleep(min(number * _STEP, _LONGEST, left))


class _ThreadQueue:
    """The threads of this process, one after the other."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def enter(self, deadline: float) -> bool:
        """Wait for one's turn; whether it came in time. Whoever had it calls `leave`."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            called = threading.Lock()
            called.acquire()
            self._waiting.append(called)
        if called.acquire(timeout=max(deadline - time.monotonic(), 0)):
            return True
        with self._guard:
            if called not in self._waiting:
                return True  # it came at the last moment
            self._waiting.remove(called)
            return False

    def leave(self, let_go: Callable[[], None], *, keep: bool) -> None:
        """The next one's turn; `let_go` is called before, unless there is one and he may keep what we had."""
        with self._guard:
            if not (keep and self._waiting):
                let_go()
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


def _opened(file: Path, opened: ExitStack) -> int:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    opened.callback(os.close, descriptor)
    return descriptor


def _flocked(descriptor: int) -> int:
    """0 once the file is locked, else 1: somebody is ahead."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 1
    return 0


def _next_number(line: int) -> int:
    """Take the next number and stand at its byte; the mutex, which the caller has, is let go."""
    number = int.from_bytes(os.pread(line, 8, 0), "little") + 1
    if number >= 1 << 48:  # nobody counts so far: the file was damaged
        number = 1
    os.pwrite(line, number.to_bytes(8, "little"), 0)
    _lock_bytes(line, _FIRST + number)
    fcntl.fcntl(line, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, fcntl.F_UNLCK, os.SEEK_SET, _MUTEX, 1, 0))
    return number


def _lock_bytes(line: int, start: int) -> int:
    """0 once the byte is locked, else 1."""
    try:
        fcntl.fcntl(line, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, 1, 0))
    except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, as the system likes
        return 1
    return 0


def _none_before(line: int, number: int) -> int:
    """0 when no lower number is held, else how far away one of them is."""
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _FIRST, number, 0)
    kind, _, start, _, _ = struct.unpack(_FLOCK, fcntl.fcntl(line, fcntl.F_OFD_GETLK, asked))
    return 0 if kind == fcntl.F_UNLCK else max(_FIRST + number - start, 1)
