"""Group bots of WeCom, DingTalk and Feishu: the addresses that notices may be posted to.

A bot's address holds its token, so it is as secret as a password: what is shown of it is its host.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qs

from xinheng.addresses import split_address
from xinheng.setting_values import SettingError, secret_value

VENDOR_HOSTS = frozenset({"qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn"})
"""Where the three vendors' bots live in mainland China. Others are named by XINHENG_BOT_HOSTS."""

EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "wecom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…",
        "dingtalk": "https://oapi.dingtalk.com/robot/send?access_token=…",
        "feishu": "https://open.feishu.cn/open-apis/bot/v2/hook/…",
    }
)
SIGNED = frozenset({"dingtalk", "feishu"})
"""Bots that we post to with a signature only: their secret must be set."""

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_ADDRESS = re.compile(r"https://[!-\[\]-~]+")  # visible ASCII without the backslash, which browsers turn


@dataclass(frozen=True, slots=True)
class Bot:
    """Where one channel's notices are posted, and the secret that signs them."""

    channel: str
    address: str = field(repr=False)
    secret: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """What may be shown of the address."""
        return split_address(self.address).hostname or ""


class NotAllowed(ValueError):
    """An address that nothing is posted to; the text says why, without the address."""


def allowed_address(address: str, hosts: Collection[str]) -> SplitResult:
    """The parts of an https address at one of these hosts, by name and on the usual port. Raises NotAllowed."""
    parts = split_address(address)
    if not _ADDRESS.fullmatch(address) or not parts.hostname:
        raise NotAllowed("应以 https:// 开头，不含空格和中文")
    if "@" in parts.netloc or parts.fragment or parts.port not in {None, 443}:
        raise NotAllowed("不能带用户名、端口或 # 后面的部分")
    if parts.netloc.removesuffix(":443").lower() not in hosts:
        raise NotAllowed(
            f"主机不在允许之列：{'、'.join(sorted(hosts))}；私有部署的主机名写在 XINHENG_BOT_HOSTS"
        )
    return parts


def read_bot_hosts(environ: Mapping[str, str]) -> frozenset[str]:
    """The vendors' hosts, and those that the administrator adds. Raises SettingError."""
    named = [part.strip().lower() for part in environ.get("XINHENG_BOT_HOSTS", "").split(",") if part.strip()]
    for host in named:
        if not _HOST.fullmatch(host):
            raise SettingError(
                f"XINHENG_BOT_HOSTS：{host!r} 不是主机名；只写域名，不写 https://、端口和IP地址，多个用英文逗号分开"
            )
    return VENDOR_HOSTS | frozenset(named)


def read_bots(environ: Mapping[str, str], hosts: Collection[str]) -> tuple[Bot, ...]:
    """The bots that are set up. Raises SettingError, which repeats neither address nor secret."""
    return tuple(filter(None, (_read_bot(environ, name, hosts) for name in EXAMPLES)))


def _read_bot(environ: Mapping[str, str], name: str, hosts: Collection[str]) -> Bot | None:
    variable = f"XINHENG_{name.upper()}"
    address = secret_value(environ, variable)
    secret = secret_value(environ, f"{variable}_SECRET") if name in SIGNED else ""
    if not address:
        if secret:
            raise SettingError(f"{variable}_SECRET 已设置，还需要 {variable}（机器人的地址）")
        return None
    try:
        parts = allowed_address(address, hosts)
    except NotAllowed as fault:
        raise SettingError(f"{variable}：{fault}；应像 {EXAMPLES[name]}") from None
    if not _has_token(name, parts):
        raise SettingError(f"{variable}：地址不完整，应像 {EXAMPLES[name]}")
    if name in SIGNED and not secret:
        raise SettingError(f"{variable} 已设置，还需要 {variable}_SECRET（机器人安全设置里的签名密钥）")
    return Bot(name, address, secret)


def _has_token(name: str, parts: SplitResult) -> bool:
    match name:
        case "wecom":
            return bool(parse_qs(parts.query).get("key"))
        case "dingtalk":
            return bool(parse_qs(parts.query).get("access_token"))
        case _:
            return bool(parts.path.partition("/hook/")[2])
