"""How long an enquiry waits for a database that takes nothing: so that articles are read on meanwhile.

Who waits holds one of the worker's threads. A few may wait their full time, and are stored once the database takes
records again; the others wait for half a second, enough where many come at one moment, and not at all once it is known
that the database refuses. Who doesn't wait goes to the spool.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PLACES = 4  # enquiries of one worker that may wait their full time; half of its threads
HURRIED = 0.5  # seconds for the others
REMEMBERED = 5.0  # seconds after a refusal in which nobody without a place waits


class Patience:
    """Of one worker."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(PLACES)
        self._refused_at = -math.inf

    @contextmanager
    def turn(self) -> Iterator[float]:
        """Take a place if there is one; gives the seconds to wait at most: without end, HURRIED, or none."""
        placed = self._places.acquire(blocking=False)
        try:
            yield math.inf if placed else 0.0 if self._refuses() else HURRIED
        finally:
            if placed:
                self._places.release()

    def refused(self) -> None:
        """The database could not be written to in the time there was."""
        self._refused_at = time.monotonic()

    def stored(self) -> None:
        """The database takes records."""
        self._refused_at = -math.inf

    def _refuses(self) -> bool:
        return time.monotonic() - self._refused_at < REMEMBERED
