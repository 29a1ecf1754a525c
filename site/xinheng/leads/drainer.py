"""Brings what waits in the spool into the database: each record once, and only then is it taken away."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

from xinheng.db import DatabaseBusy
from xinheng.leads.record import EnquiryDesk, NotStored, UnknownForm
from xinheng.leads.spool import Spool, Unreadable
from xinheng.notices.outbox import utc_now

LOOK_EVERY = 1.0  # seconds
PAUSE = (
    15  # seconds after a round in which something could not be stored for a reason that won't pass by itself
)

log = logging.getLogger(__name__)


def run(desk: EnquiryDesk, spool: Spool, stopping: threading.Event) -> None:
    """Empty the spool whenever the database takes records, until told to stop; a record under way is finished."""
    with suppress(OSError):
        spool.take_up_again()
    while not stopping.is_set():
        stopping.wait(LOOK_EVERY if _round(desk, spool, stopping) else PAUSE)


def drain(desk: EnquiryDesk, spool: Spool, stopping: threading.Event | None = None) -> bool:
    """Store what waits, oldest first. False where something is left, and not because the database is busy.

    Raises OSError where the spool can't be read."""
    well = True
    for submission_id in spool.ids():
        if stopping is not None and stopping.is_set():
            break
        try:
            _store(desk, spool, submission_id)
        except (NotStored, UnknownForm, OSError) as fault:
            if isinstance(fault.__cause__, DatabaseBusy):
                break
            log.error("备用文件夹里的一份没能入库（%s）：%s", submission_id, _reason(fault))
            well = False
    return well


def _round(desk: EnquiryDesk, spool: Spool, stopping: threading.Event) -> bool:
    """Whatever is wrong now, the next round comes: what waits must not wait for a restart."""
    try:
        well = drain(desk, spool, stopping)
        with suppress(OSError):  # no room for new slots, which /readyz tells
            spool.refill()
    except Exception as fault:
        log.error("清空备用文件夹时出错，%d 秒后再试：%s", PAUSE, type(fault).__name__)
        return False
    return well


def _reason(fault: Exception) -> str:
    """What may stand in the log: an error of the system would name its file, a form its version as it was sent."""
    return str(fault) if isinstance(fault, NotStored) else type(fault).__name__


def _store(desk: EnquiryDesk, spool: Spool, submission_id: str) -> None:
    try:
        record = spool.read(submission_id)
    except FileNotFoundError:
        return  # another server on this folder was quicker
    except Unreadable:
        log.error("备用文件夹里的一份打不开，另外放着：%s", submission_id)
        spool.set_aside(submission_id)
        return
    done = desk.record(record.submission, record.submitted_at, under=submission_id, stored_at=utc_now())
    spool.remove(submission_id)
    log.info("备用文件夹里的咨询 %s 已入库", done.reference)
