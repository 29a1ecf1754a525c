"""What the three vendors' bots share: a post that counts as sent only where the answer says so itself."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from xinheng.bots import Bot
from xinheng.notices.channel import Message, NotSent
from xinheng.notices.outside import Outside

_LONGEST_ANSWER = 120


@dataclass(frozen=True)
class Answer:
    """What a bot said: 0 is yes, whatever the HTTP status was. `code` is None where it said nothing we know."""

    code: int | None
    words: str


@dataclass(frozen=True)
class GroupBot:
    """A channel that posts to one group's bot. `write` makes address and body, `read` takes the answer apart."""

    name: str
    bot: Bot
    outside: Outside
    write: Callable[[Bot, str], tuple[str, dict[str, Any]]]
    read: Callable[[dict[str, Any]], Answer]

    @property
    def target(self) -> str:
        return self.bot.host

    def send(self, message: Message) -> str:
        """Post the notice. Raises NotSent, also where the bot answers 200 and an error code."""
        address, body = self.write(self.bot, message.text)
        answer = self.read(self.outside.post(address, body))
        words = _without_secrets(answer.words, self.bot)[:_LONGEST_ANSWER]
        if answer.code != 0:
            code = "没有错误码" if answer.code is None else f"错误码 {answer.code}"
            raise NotSent(f"{self.bot.host} 收到了，但没有发：{code} {words}".strip())
        return words or "ok"


def numbered(answer: dict[str, Any], *names: str) -> int | None:
    """The first of these fields that holds a whole number."""
    for name in names:
        if type(answer.get(name)) is int:
            return int(answer[name])
    return None


def signature(key: str, text: str) -> str:
    """HMAC-SHA-256 in base64, as DingTalk and Feishu want it."""
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), "sha256")).decode()


def _without_secrets(words: str, bot: Bot) -> str:
    """A vendor may repeat the token it was given; that is as good as a password."""
    parts = urlsplit(bot.address)
    tokens = [value for _, value in parse_qsl(parts.query)] + [parts.path.rpartition("/")[2], bot.secret]
    for token in tokens:
        if len(token) > 5:
            words = words.replace(token, "…")
    return " ".join(words.split())
