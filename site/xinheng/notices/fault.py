"""Why a notice did not leave, in words staff can act on. What the machine calls it stands behind, for a search."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence

_WORDS: Sequence[tuple[type[BaseException], str]] = (
    (smtplib.SMTPAuthenticationError, "邮件服务器不认这个账号或密码"),
    (smtplib.SMTPRecipientsRefused, "邮件服务器不收这些收件地址"),
    (smtplib.SMTPSenderRefused, "邮件服务器不收这个发件地址"),
    (smtplib.SMTPServerDisconnected, "邮件服务器中途断开"),
    (ssl.SSLCertVerificationError, "对方的证书不能信任"),
    (ssl.SSLError, "加密连接没有建立"),
    (socket.gaierror, "查不到这个域名"),
    (ConnectionRefusedError, "对方没有开着这个端口"),
    (TimeoutError, "对方一直没有回应"),
    (ConnectionError, "连接中途断开"),
)


def words_of(fault: BaseException) -> str:
    """At most 200 characters; the other side's own words as far as it gave any."""
    plain = next((words for kind, words in _WORDS if isinstance(fault, kind)), "没有发出")
    own = str(fault) if isinstance(fault, smtplib.SMTPException) else ""
    return f"{plain}（{type(fault).__name__}{'：' if own else ''}{own}）"[:200]
