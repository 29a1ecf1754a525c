"""Told to stop: every worker says so at /readyz, and ends its connections, while the site still answers for a moment.

So a load balancer sends the next visitor elsewhere before nobody listens any more.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable, Iterable
from typing import Any

WATCHED = 60.0  # seconds after the last question at /readyz in which somebody is taken to ask again
_TOLD, _ASKED = 0, 1


class Leaving:
    """Whether this site is about to stop, and whether anybody asks. One memory for all processes forked from here."""

    def __init__(self) -> None:
        self._moments = memoryview(mmap.mmap(-1, 16)).cast("d")  # by the machine's monotonic clock; 0: never

    @property
    def announced(self) -> bool:
        """Whether the site was told to stop."""
        return self._moments[_TOLD] > 0

    def announce(self) -> None:
        """From now on the site is leaving."""
        self._moments[_TOLD] = time.monotonic()

    @property
    def watched(self) -> bool:
        """Whether somebody, likely a load balancer, has asked lately if visitors may be sent here."""
        asked = self._moments[_ASKED]
        return asked > 0 and time.monotonic() - asked < WATCHED

    def asked(self) -> None:
        """Somebody asks."""
        self._moments[_ASKED] = time.monotonic()


class LastAnswers:
    """WSGI layer: once the site is leaving, each answer ends its connection; none is kept that would break under
    somebody's next request."""

    def __init__(self, application: Callable[..., Iterable[bytes]], leaving: Leaving) -> None:
        self._application = application
        self._leaving = leaving

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, ("Connection", "close")], *rest)

        return self._application(environ, start if self._leaving.announced else start_response)
