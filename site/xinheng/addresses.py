"""Web addresses that strangers send: taken apart without trust."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_NOWHERE = SplitResult("", "", "", "", "")


def split_address(text: str) -> SplitResult:
    """The parts of an address; of one that is none (`http://[bad`), empty parts."""
    try:
        parts = urlsplit(text)
        _ = parts.port, parts.hostname  # both are parsed, and can fail, only when asked for
    except ValueError:
        return _NOWHERE
    return parts
