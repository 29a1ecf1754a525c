"""What load balancers ask: is the process alive, and can it take an enquiry."""

from __future__ import annotations

import logging
import threading
import time
from typing import Literal

from flask import Blueprint, Response, current_app, jsonify

from xinheng.db import Database, DatabaseBusy
from xinheng.disk import Disk
from xinheng.leads.spool import Spool
from xinheng.leaving import Leaving
from xinheng.migrations import touch

WITHIN = 1.0  # seconds a write to the database may take to begin
ASKED_AGAIN_AFTER = 1.0  # seconds; a stranger who asks without end must not keep the database writing

State = Literal["ok", "degraded", "unavailable", "leaving"]

blueprint = Blueprint("health", __name__)
log = logging.getLogger(__name__)


class Readiness:
    """Whether enquiries can be taken: by the database, or at least by the spool."""

    def __init__(self, database: Database, spool: Spool, disk: Disk) -> None:
        self._database = database
        self._spool = spool
        self._disk = disk
        self._asking = threading.Lock()
        self._state: State = "ok"
        self._asked_at = float("-inf")

    def state(self) -> State:
        """As found a second ago at most; one thread looks, the others wait for what it finds."""
        with self._asking:
            if time.monotonic() - self._asked_at > ASKED_AGAIN_AFTER:
                found = self._look()
                if found != self._state:
                    log.warning("能否收咨询：%s", found)
                self._state, self._asked_at = found, time.monotonic()
            return self._state

    def _look(self) -> State:
        stored, spooled = self._writes(), self._spool.takes_records()
        if not stored and not spooled:
            return "unavailable"
        return "ok" if stored and spooled and not self._disk.little else "degraded"

    def _writes(self) -> bool:
        try:
            touch(self._database, "leads", within=WITHIN)
        except Exception as fault:
            if not isinstance(fault, DatabaseBusy):
                log.error("数据库写不进去：%s", type(fault).__name__)
            return False
        return True


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process is alive and answers; it looks at nothing else."""
    return _told("ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Whether to send visitors here: yes while either the database or the spool takes enquiries, and until told to stop."""
    leaving: Leaving = current_app.extensions["xinheng.leaving"]
    leaving.asked()
    if leaving.announced:
        return _told("leaving"), 503
    readiness: Readiness = current_app.extensions["xinheng.readiness"]
    state = readiness.state()
    return _told(state), 503 if state == "unavailable" else 200


def _told(state: State) -> Response:
    response = jsonify(status=state)
    response.cache_control.no_store = True
    return response
