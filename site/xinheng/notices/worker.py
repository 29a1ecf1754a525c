"""The outbox's worker: one loop beside the web workers."""

from __future__ import annotations

import logging
import threading

from xinheng.db import Database, DatabaseBusy
from xinheng.notices.mail import NotSent, send_mail
from xinheng.notices.outbox import Notice, claim, due, postpone, settle, utc_now
from xinheng.settings import Settings

LOOK_EVERY = 1.0  # seconds
PAUSE = 5  # seconds after an error that was not foreseen

log = logging.getLogger(__name__)


def run(settings: Settings, database: Database, stopping: threading.Event) -> None:
    """Send what is due until told to stop; a sending under way is finished."""
    while not stopping.is_set():
        try:
            sent = send_due(settings, database)
        except DatabaseBusy:
            sent = 0
        except Exception as fault:  # whatever it was, the notices that wait must still leave
            log.error("通知发送中断，%d 秒后继续：%s", PAUSE, type(fault).__name__)
            stopping.wait(PAUSE)
            sent = 0
        if not sent:
            stopping.wait(LOOK_EVERY)


def send_due(settings: Settings, database: Database) -> int:
    """Send each notice that is due; returns how many were taken up. Sending happens outside any transaction."""
    with database.reading() as session:
        if not due(session, utc_now()):
            return 0
    with database.writing() as session:
        notices = claim(session, utc_now())
    for notice in notices:
        _send(settings, database, notice)
    return len(notices)


def _send(settings: Settings, database: Database, notice: Notice) -> None:
    subject = f"[{notice.reference}] {notice.text.splitlines()[0]}"
    if settings.mail_server is None:
        log.warning("新通知 %s（未设置邮件，请运行 xinheng leads 查看）：%s", notice.reference, subject)
        with database.writing() as session:
            settle(session, notice.id, "logged", utc_now())
        return
    try:
        send_mail(settings, settings.mail_server, subject, notice.text, notice.recipient)
    except NotSent as fault:
        log.error("通知 %s 第 %d 次没有发出：%s", notice.reference, notice.attempts, fault)
        with database.writing() as session:
            postpone(session, notice, str(fault), utc_now())
    else:
        log.info("通知 %s 已发出", notice.reference)
        with database.writing() as session:
            settle(session, notice.id, "sent", utc_now())
