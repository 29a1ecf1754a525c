"""What staff read where a notice did not leave."""

from __future__ import annotations

import smtplib
import socket
import ssl

import pytest

from xinheng.notices.fault import words_of


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "对方没有开着这个端口（ConnectionRefusedError）"),
        (ConnectionResetError(), "连接中途断开（ConnectionResetError）"),
        (TimeoutError("timed out"), "对方一直没有回应（TimeoutError）"),
        (socket.gaierror(-2, "Name or service not known"), "查不到这个域名（gaierror）"),
        (ssl.SSLCertVerificationError(), "对方的证书不能信任（SSLCertVerificationError）"),
        (
            smtplib.SMTPAuthenticationError(535, b"bad password"),
            "邮件服务器不认这个账号或密码（SMTPAuthenticationError：(535, b'bad password')）",
        ),
        (ValueError("a line break in a header"), "没有发出（ValueError）"),
    ],
)
def test_a_fault_is_told_in_words_one_can_act_on(fault: BaseException, told: str) -> None:
    assert words_of(fault) == told


def test_an_answer_of_any_length_fits_its_column() -> None:
    assert len(words_of(smtplib.SMTPDataError(550, b"x" * 5000))) == 200
