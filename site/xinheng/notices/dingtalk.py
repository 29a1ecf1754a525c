"""钉钉: a group's bot (自定义机器人) with 加签: moment and signature stand in the address.

Twenty messages a minute; more are answered with an error code (130101, 410100) and tried again.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from xinheng.bots import Bot
from xinheng.notices.bot import Answer, GroupBot, numbered, signature
from xinheng.notices.outside import Outside

DINGTALK = "dingtalk"


def dingtalk(bot: Bot, outside: Outside) -> GroupBot:
    return GroupBot(DINGTALK, bot, outside, _written, _read)


def _written(bot: Bot, text: str) -> tuple[str, dict[str, Any]]:
    milliseconds = str(time.time_ns() // 1_000_000)
    signed = {"timestamp": milliseconds, "sign": signature(bot.secret, f"{milliseconds}\n{bot.secret}")}
    return f"{bot.address}&{urlencode(signed)}", {"msgtype": "text", "text": {"content": text}}


def _read(answer: dict[str, Any]) -> Answer:
    return Answer(numbered(answer, "errcode"), str(answer.get("errmsg", "")))
