"""Which channels there are, and which of them are on: set up by settings, and named by the register of processors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, get_args

from xinheng.notices.channel import Channel
from xinheng.notices.dingtalk import dingtalk
from xinheng.notices.feishu import feishu
from xinheng.notices.mail import MAIL, Mail
from xinheng.notices.outside import Outside
from xinheng.notices.wecom import wecom
from xinheng.processors import ChannelName, Register
from xinheng.settings import SHANGHAI, Settings

CHANNELS: tuple[ChannelName, ...] = get_args(ChannelName)
CHANNEL_WORDS: Mapping[str, str] = MappingProxyType(
    {"mail": "邮件", "wecom": "企业微信", "dingtalk": "钉钉", "feishu": "飞书"}
)
VARIABLES: Mapping[str, str] = MappingProxyType(
    {name: "XINHENG_SMTP" if name == MAIL else f"XINHENG_{name.upper()}" for name in CHANNELS}
)
_BOTS: Mapping[str, Callable[..., Channel]] = MappingProxyType(
    {"wecom": wecom, "dingtalk": dingtalk, "feishu": feishu}
)

Standing = Literal["on", "unset", "unregistered"]


@dataclass(frozen=True, slots=True)
class Line:
    """How a channel stands. `unset`: no settings; `unregistered`: settings, but no processor on record for today."""

    name: ChannelName
    standing: Standing
    target: str
    processor: str


def made_channels(settings: Settings, outside: Outside | None = None) -> Mapping[str, Channel]:
    """The channels that settings describe, by name. `outside` is the way to the bots."""
    way = outside or Outside(settings.bot_hosts)
    found: dict[str, Channel] = {}
    if settings.mail_server is not None:
        found[MAIL] = Mail(settings.mail_server, settings.mail_from, settings.mail_to)
    for bot in settings.bots:
        found[bot.channel] = _BOTS[bot.channel](bot, way)
    return MappingProxyType(found)


@dataclass(frozen=True)
class Switchboard:
    """The channels, and the register as it is saved now: an entry that begins or ends needs no restart."""

    channels: Mapping[str, Channel]
    register: Callable[[], Register]

    def on(self, now: datetime) -> Mapping[str, Channel]:
        """Channels that notices may leave by."""
        register = self.register()
        return {name: each for name, each in self.channels.items() if register.for_channel(name, now)}

    def lines(self, now: datetime) -> list[Line]:
        """All channels with how they stand."""
        return [self._line(name, now) for name in CHANNELS]

    def unregistered(self, now: datetime) -> list[Line]:
        """Channels that are set up and must not be used, for nobody is on record for them."""
        return [line for line in self.lines(now) if line.standing == "unregistered"]

    def _line(self, name: ChannelName, now: datetime) -> Line:
        channel = self.channels.get(name)
        processor = self.register().for_channel(name, now)
        if channel is None:
            return Line(name, "unset", "", processor.name if processor else "")
        if processor is None:
            return Line(name, "unregistered", channel.target, "")
        return Line(name, "on", channel.target, processor.name)


def start_words(switchboard: Switchboard, now: datetime) -> list[str]:
    """What an administrator must know of the channels when the site starts."""
    words = [
        f'{VARIABLES[line.name]} 已设置，但 content/processors.toml 里没有 channel = "{line.name}" 的当前登记：'
        f"没有启用{CHANNEL_WORDS[line.name]}"
        for line in switchboard.unregistered(now)
    ]
    if not switchboard.on(now):
        words.append("没有启用的通知渠道：新咨询不会通知任何人，请在工作台里看")
    return words


def words_of_a_test(site: str, now: datetime) -> str:
    """What a test sends. In Chinese, as notices are: a group reads it, not only whoever pressed the button."""
    moment = now.astimezone(SHANGHAI).isoformat(sep=" ", timespec="seconds")
    return f"测试通知：收到这一条，说明这个渠道是通的\n时间：{moment}\n查看：{site}/desk/notices"
