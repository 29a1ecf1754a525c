"""Sending a notice by mail: plain text, no personal data, one message to all who are told of it."""

from __future__ import annotations

import logging
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from xinheng.notices.channel import Message, NotSent
from xinheng.notices.fault import words_of
from xinheng.settings import MailServer

MAIL = "mail"
TIMEOUT = 20.0  # seconds
_THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mail:
    """One mail server, and those who are told of everything."""

    server: MailServer
    sender: str
    recipients: tuple[str, ...]
    name: str = MAIL

    @property
    def target(self) -> str:
        return f"{self.server.host} → {'、'.join(self.recipients)}"

    def send(self, message: Message) -> str:
        """Hand a message to the mail server, for one recipient or for all. Raises NotSent."""
        try:
            _hand_over(self.server, self._mail(message))
        except (OSError, ValueError, smtplib.SMTPException) as fault:
            raise NotSent(words_of(fault)) from fault
        return "邮件服务器收下了"

    def _mail(self, message: Message) -> EmailMessage:
        """Raises ValueError where a field would begin another one."""
        mail = EmailMessage()
        mail["From"] = self.sender
        mail["To"] = message.recipient or ", ".join(self.recipients)
        mail["Subject"] = message.subject
        mail["Date"] = formatdate(localtime=False)
        domain = self.sender.rpartition("@")[2].strip("> ") or "localhost"
        mail["Message-ID"] = f"<{message.id}@{domain}>"  # the same at each try: a repeat is seen to be one
        mail.set_content(message.text)
        return mail


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
