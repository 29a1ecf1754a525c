"""Sending a notice by mail: plain text, no personal data, one message to all who are told of it."""

from __future__ import annotations

import logging
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from xinheng.settings import MailServer, Settings

TIMEOUT = 20.0  # seconds
_THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}

log = logging.getLogger(__name__)


class NotSent(Exception):
    """The mail server did not take the message; the text says why, without its contents."""


def send_mail(settings: Settings, server: MailServer, subject: str, text: str, recipient: str = "") -> None:
    """Hand a message to the mail server, for one recipient or for all whom the settings name. Raises NotSent."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = recipient or ", ".join(settings.mail_to)
    message["Subject"] = subject
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(
        domain=settings.mail_from.rpartition("@")[2].strip("> ") or "localhost"
    )
    message.set_content(text)
    try:
        _hand_over(server, message)
    except (OSError, ValueError, smtplib.SMTPException) as fault:
        raise NotSent(f"{type(fault).__name__}: {fault}"[:200]) from fault


def _hand_over(server: MailServer, message: EmailMessage) -> None:
    if server.encrypted:
        with smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT, context=ssl.create_default_context()
        ) as smtp:
            _login_and_send(smtp, server, message)
        return
    with smtplib.SMTP(server.host, server.port, timeout=TIMEOUT) as smtp:
        smtp.ehlo()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo()
        elif server.user and server.host not in _THIS_MACHINE:
            raise NotSent("邮件服务器不提供加密（STARTTLS），没有把密码发给它；请改用 smtps://")
        _login_and_send(smtp, server, message)


def _login_and_send(smtp: smtplib.SMTP, server: MailServer, message: EmailMessage) -> None:
    if server.user:
        smtp.login(server.user, server.password)
    refused = smtp.send_message(message)  # raises where every address was refused
    for address in refused:
        log.error("邮件服务器不收这个收件地址：%s；其他地址已经送达", address)
