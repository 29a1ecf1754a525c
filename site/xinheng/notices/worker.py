"""The outbox's worker beside the web workers: one loop that spreads notices to channels, and one for each channel.

So a channel that is dead or slow holds up itself only.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from xinheng.db import Database, DatabaseBusy
from xinheng.notices.channel import Channel, Message, NotSent
from xinheng.notices.channels import CHANNELS, Switchboard
from xinheng.notices.left_behind import put_right, to_put_right
from xinheng.notices.outbox import Notice, claim, due, postpone, settle, spread, unspread, utc_now

LOOK_EVERY = 1.0  # seconds
SWEEP_EVERY = 60.0  # seconds
PAUSE = 5  # seconds after an error that was not foreseen

Sweep = Callable[[Database, datetime], int]
"""Something looked at once a minute; returns how many notices it made or freed."""

log = logging.getLogger(__name__)


@dataclass
class PostOffice:
    """Sends what is due by the channels that are on. `sweeps` are those of others, who know what should be told."""

    database: Database
    switchboard: Switchboard
    sweeps: Sequence[Sweep] = ()
    _swept: float = field(default=float("-inf"), init=False)

    def run(self, stopping: threading.Event) -> None:
        """Send what is due until told to stop; a sending under way is finished."""
        works = [self._sort, *(self._sender(name) for name in CHANNELS)]
        threads = [threading.Thread(target=_loop, args=(work, stopping)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _sender(self, name: str) -> Callable[[], int]:
        def send() -> int:
            channel = self.switchboard.on(utc_now()).get(name)
            return send_one(self.database, channel) if channel else 0

        return send

    def _sort(self) -> int:
        if time.monotonic() - self._swept > SWEEP_EVERY:
            self._swept = time.monotonic()
            self.sweep()
        return spread_new(self.database, self.switchboard.on(utc_now()))

    def sweep(self) -> None:
        """Put right what nobody would take up, and let others store what should have been told. What one of them can't do
        holds up neither the others nor the notices: it is tried again with the next sweep."""
        now = utc_now()
        channels = self.switchboard.on(now)
        works = [*self.sweeps, lambda database, now: free_left_behind(database, channels, now)]
        if count := sum(self._done(each, now) for each in works):
            log.warning("重新排队 %d 条没有人处理的通知", count)

    def _done(self, sweep: Sweep, now: datetime) -> int:
        try:
            return sweep(self.database, now)
        except DatabaseBusy:
            return 0
        except Exception as fault:  # one row that can't be read must not keep all others from being told of
            log.error("通知的一项检查没有做完，一分钟后再试：%s", type(fault).__name__)
            return 0


def spread_new(database: Database, channels: Mapping[str, Channel]) -> int:
    """Give new notices to the channels that are on; where none is, they stand in the log."""
    with database.reading() as session:
        if not unspread(session):
            return 0
    with database.writing() as session:
        logged = [
            (each.reference, each.text.partition("\n")[0]) for each in spread(session, channels, utc_now())
        ]
    for reference, subject in logged:
        log.warning("新通知 %s（没有启用的通知渠道，请在工作台里看）：%s", reference, subject)
    return 1


def send_one(database: Database, channel: Channel) -> int:
    """Send the notice that is due longest, if there is one. Sending happens outside any transaction."""
    with database.reading() as session:
        if not due(session, channel.name, utc_now()):
            return 0
    with database.writing() as session:
        notices = claim(session, channel.name, utc_now())
    for notice in notices:
        _send(database, channel, notice)
    return len(notices)


def _send(database: Database, channel: Channel, notice: Notice) -> None:
    try:
        channel.send(Message(notice.id, notice.reference, notice.text, notice.recipient))
    except NotSent as fault:
        log.error(
            "通知 %s 第 %d 次没有发出（%s）：%s", notice.reference, notice.attempts, channel.name, fault
        )
        with database.writing() as session:
            postpone(session, notice, str(fault), utc_now())
    else:
        log.info("通知 %s 已发出（%s）", notice.reference, channel.name)
        with database.writing() as session:
            settle(session, notice.id, "sent", utc_now())


def free_left_behind(database: Database, channels: Mapping[str, Channel], now: datetime) -> int:
    """Put right what nobody would take up; returns how many notices that were."""
    with database.reading() as session:
        if not to_put_right(session, channels, now):
            return 0
    with database.writing() as session:
        return put_right(session, channels, now)


def _loop(work: Callable[[], int], stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            found = work()
        except DatabaseBusy:
            found = 0
        except Exception as fault:  # whatever it was, the notices that wait must still leave
            log.error("通知发送中断，%d 秒后继续：%s", PAUSE, type(fault).__name__)
            stopping.wait(PAUSE)
            found = 0
        if not found:
            stopping.wait(LOOK_EVERY)
