"""A real mail server on this machine, a database with notices, and the worker's clock."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from tests.notices.bots import Bots, running_bots

from xinheng.db import Database, Databases
from xinheng.notices.outbox import enqueue
from xinheng.processors import Processor, Register
from xinheng.settings import MailServer, Settings

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TEXT = "新咨询：逾期账款跟进\n受理编号：{reference}\n提交时间：2026-11-23 12:00+08:00\n查看：在服务器上运行 xinheng leads"


class MailBox:
    """Keeps what is delivered. `refuse` is answered instead of taking a message, `refuse_once` to the first only."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refuse = ""
        self.refuse_once = ""
        self.refuse_recipient = ""
        self.on_delivery: Callable[[], None] = lambda: None

    async def handle_RCPT(  # noqa: N802 (the mail server's name for it)
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address == self.refuse_recipient:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        refusal, self.refuse_once = self.refuse or self.refuse_once, ""
        if refusal:
            return refusal
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        self.on_delivery()
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.messages]


class Post:
    """The server, with its address; `stop` closes it as an outage does."""

    def __init__(self, box: MailBox, **options: Any) -> None:
        self.box = box
        self._options = options
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._controller: Controller | None = None

    def start(self) -> None:
        self._controller = Controller(self.box, hostname="127.0.0.1", port=self.port, **self._options)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


@pytest.fixture
def box() -> MailBox:
    return MailBox()


@pytest.fixture
def post(box: MailBox) -> Iterator[Post]:
    server = Post(box)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def careful_post(box: MailBox) -> Iterator[Post]:
    """A server that wants a name and a password."""

    def let_in(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        right = (given.login, given.password) == (b"me@x.example", b"S3cret")
        return AuthResult(success=right, handled=right)

    server = Post(box, authenticator=let_in, auth_require_tls=False, auth_required=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
        server.start()
        yield server
        server.stop()


@pytest.fixture
def mailing(settings: Settings, post: Post) -> Settings:
    return mail_settings(settings, post.port)


def mail_settings(settings: Settings, port: int, user: str = "", password: str = "") -> Settings:
    return replace(
        settings,
        mail_server=MailServer("127.0.0.1", port, False, user, password),
        mail_from="信衡网站 <site@xinheng.example>",
        mail_to=("a@xinheng.example", "客服 <b@xinheng.example>"),
    )


@pytest.fixture
def store(opened: Databases) -> Database:
    return opened.leads


def put(store: Database, number: int = 1, now: datetime = NOON) -> list[str]:
    """Store some notices; returns their references."""
    references = [f"XH-00000-{each:05}" for each in range(number)]
    with store.writing() as session:
        for reference in references:
            enqueue(
                session, kind="enquiry", reference=reference, text=TEXT.format(reference=reference), now=now
            )
    return references


def registered(*channels: str) -> Register:
    """A register that allows these channels."""
    entry: dict[str, Any] = {
        "name": "某某公司",
        "contact": "privacy@x.example",
        "purpose": "送通知",
        "kinds": ["受理编号"],
        "contract": "2026-001",
        "start": date(2026, 1, 1),
    }
    return Register(processors=tuple(Processor(**entry, channel=name) for name in channels))


class Clock:
    def __init__(self) -> None:
        self.now = NOON


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("xinheng.notices.worker.utc_now", lambda: made.now)
    return made


@pytest.fixture
def bots(tmp_path: Path) -> Iterator[Bots]:
    with running_bots(tmp_path) as running:
        yield running
