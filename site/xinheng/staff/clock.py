"""The present moment, in one place: limits of sessions, throttles and codes all count from it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Now, with its zone."""
    return datetime.now(UTC)
