"""企业微信: a group's bot (群机器人). Twenty messages a minute; more are answered 45009 and tried again."""

from __future__ import annotations

from typing import Any

from xinheng.bots import Bot
from xinheng.notices.bot import Answer, GroupBot, numbered
from xinheng.notices.outside import Outside

WECOM = "wecom"


def wecom(bot: Bot, outside: Outside) -> GroupBot:
    return GroupBot(WECOM, bot, outside, _written, _read)


def _written(bot: Bot, text: str) -> tuple[str, dict[str, Any]]:
    return bot.address, {"msgtype": "text", "text": {"content": text}}


def _read(answer: dict[str, Any]) -> Answer:
    return Answer(numbered(answer, "errcode"), str(answer.get("errmsg", "")))
