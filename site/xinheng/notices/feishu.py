"""飞书: a group's bot (自定义机器人) with 签名校验: moment and signature stand in the body.

A hundred messages a minute, five a second; more are answered 11232 and tried again. Older bots answer `StatusCode` for
what newer ones call `code`; a success of theirs holds both.
"""

from __future__ import annotations

import time
from typing import Any

from xinheng.bots import Bot
from xinheng.notices.bot import Answer, GroupBot, numbered, signature
from xinheng.notices.outside import Outside

FEISHU = "feishu"


def feishu(bot: Bot, outside: Outside) -> GroupBot:
    return GroupBot(FEISHU, bot, outside, _written, _read)


def _written(bot: Bot, text: str) -> tuple[str, dict[str, Any]]:
    seconds = str(int(time.time()))
    # the moment and the secret together are the key here, and nothing is the message
    sign = signature(f"{seconds}\n{bot.secret}", "")
    body = {"timestamp": seconds, "sign": sign, "msg_type": "text", "content": {"text": text}}
    return bot.address, body


def _read(answer: dict[str, Any]) -> Answer:
    words = str(answer.get("msg") or answer.get("StatusMessage") or "")
    return Answer(numbered(answer, "code") or numbered(answer, "StatusCode", "code"), words)
