"""What reaches the log: one event, no telephone, no mail address, no identity number, and no line that somebody forged.

Log calls name nothing that a visitor typed. This is the net below that rule: whatever comes through is covered here, on
its way out. Of an exception its kind and its places are written, never its message or what variables held.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType

_KEPT = r"\b[0-9a-f]{32}\b|\b(?:XH|SQ|HC)-[0-9A-Z]{5}-[0-9A-Z]{5}\b|\b[0-9]{4}-[0-9]{2}-[0-9]{2}(?![-0-9])"
"""Ids of rows, references and days are no numbers of persons."""

_MAIL = r"(?P<first>[\w.+-])[\w.+-]*@(?P<host>[\w-]+(?:\.[\w-]+)+)"
_NUMBER = r"[+＋]?\d(?:[\s\-–—−()（）.·]{0,2}\d){6,}[Xx]?"
_PERSONAL = re.compile(f"(?P<kept>{_KEPT})|(?P<mail>{_MAIL})|(?P<number>{_NUMBER})")
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_INDENT = "\n    "


class CoveringFormatter(logging.Formatter):
    """Time (UTC, with its zone), level, logger, the request's name if there is one, and message; further lines are
    indented, so that none looks like an event of its own. `request_name` gives the present request's, or nothing."""

    def __init__(self, request_name: Callable[[], str] = str) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(request)s: ")
        self._request_name = request_name

    def format(self, record: logging.LogRecord) -> str:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = f"log call with wrong arguments: {record.pathname}:{record.lineno}"
        record.asctime = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        name = self._request_name()
        record.request = f" [{name}]" if name else ""
        told = covered(message)
        if record.exc_info and record.exc_info[0] is not None:
            told += f"\n{_places(record.exc_info[0], record.exc_info[2])}"
        return self.formatMessage(record) + _INDENT.join(told.splitlines())


def covered(text: str) -> str:
    """The text with what could be a person's number or mail address taken out."""
    return _PERSONAL.sub(_cover, text)


def start_logging(request_name: Callable[[], str]) -> None:
    """One event after the other, to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(CoveringFormatter(request_name))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def log_what_nobody_caught() -> None:
    """What ends a process or a thread goes the same way, not past it with its message."""
    log = logging.getLogger("xinheng")
    sys.excepthook = lambda kind, fault, trace: log.critical("没有料到的错误", exc_info=(kind, fault, trace))
    threading.excepthook = lambda told: log.critical(
        "没有料到的错误", exc_info=(told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback)
    )


def _cover(found: re.Match[str]) -> str:
    if found["kept"] or _ADDRESS.fullmatch(found[0]):
        return found[0]
    return f"{found['first']}***@{found['host']}" if found["mail"] else "[号码]"


def _places(kind: type[BaseException], trace: TracebackType | None) -> str:
    return "".join([*traceback.format_tb(trace), kind.__name__])
