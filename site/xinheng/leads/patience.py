"""How long an enquiry waits for a database that refuses.

Whoever waits holds a thread. While the database is away for longer, two seconds of each enquiry would take all threads,
and readers would wait with them: so after one has waited in vain, the next ones give it a moment only and go to the
spool, but for one every few seconds that waits in full. The first that is stored ends this.
"""

from __future__ import annotations

import threading
import time

MOMENT = 0.1  # seconds
IN_FULL_AGAIN = 3.0  # seconds after which one enquiry waits in full again


class Patience:
    """That of one process, shared by its threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._refused = False
        self._next_in_full = 0.0

    def wait(self, most: float) -> float:
        """Seconds that this enquiry waits, `most` at most."""
        with self._guard:
            now = time.monotonic()
            if self._refused and now < self._next_in_full:
                return min(most, MOMENT)
            self._next_in_full = now + IN_FULL_AGAIN
            return most

    def refused(self) -> None:
        """An enquiry waited in vain."""
        with self._guard:
            self._refused = True

    def served(self) -> None:
        """The database took an enquiry."""
        with self._guard:
            self._refused = False
