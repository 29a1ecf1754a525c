"""All that an administrator can set, read once from the environment. The only reader of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from xinheng.addresses import split_address
from xinheng.bots import VENDOR_HOSTS, Bot, read_bot_hosts, read_bots
from xinheng.limits import Limits, parse_limits
from xinheng.setting_values import SettingError, secret_value

__all__ = ["LOOPBACK_NAMES", "SHANGHAI", "MailServer", "SettingError", "Settings"]

SHANGHAI = ZoneInfo("Asia/Shanghai")
"""The clock of the site: what people read and when a day begins."""

HttpsOnly = Literal["host", "subdomains", "preload"]
"""What browsers are to reach by https only, once they have seen a page of an https origin (HSTS)."""

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where notices leave by mail: `smtp://` (plain, STARTTLS where offered) or `smtps://`."""

    host: str
    port: int
    encrypted: bool
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths are absolute; `origin` is scheme://host[:port] without a slash at the end."""

    root: Path
    content: Path
    forms: Path
    static: Path
    translations: Path
    data: Path
    spool: Path
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    origin: str = "http://127.0.0.1:8000"
    proxies: int = 0
    environment: Literal["development", "production"] = "development"
    https_only: HttpsOnly = "subdomains"
    mail_server: MailServer | None = None
    mail_from: str = ""
    mail_to: tuple[str, ...] = ()
    bots: tuple[Bot, ...] = ()
    bot_hosts: frozenset[str] = VENDOR_HOSTS
    database_url: str = field(default="", repr=False)
    limits: Limits | None = field(default_factory=Limits)
    export_rows: int = 10_000

    @classmethod
    def from_env(cls, environ: Mapping[str, str], root: Path) -> Settings:
        """Read `XINHENG_*` and `DATABASE_URL`. Raises SettingError naming the variable and what was expected."""
        root = root.resolve()
        host = environ.get("XINHENG_HOST") or "127.0.0.1"
        port = _whole_number(environ, "XINHENG_PORT", default=8000, least=1, most=65535)
        environment = _environment(environ)
        mail_to = _addresses(environ.get("XINHENG_MAIL_TO", ""))
        mail_server = _mail_server(secret_value(environ, "XINHENG_SMTP"))
        bot_hosts = read_bot_hosts(environ)
        mail_from = environ.get("XINHENG_MAIL_FROM", "")
        if mail_server and not (mail_to and mail_from):
            raise SettingError(
                "XINHENG_SMTP 已设置，还需要 XINHENG_MAIL_FROM（发件地址）和 XINHENG_MAIL_TO（收件地址）"
            )
        data = Path(environ.get("XINHENG_DATA") or root / "var").resolve()
        return cls(
            root=root,
            content=_folder(environ, "XINHENG_CONTENT", root / "content"),
            forms=_folder(environ, "XINHENG_FORMS", root / "forms"),
            static=_folder(environ, "XINHENG_STATIC", root / "static"),
            translations=_folder(environ, "XINHENG_TRANSLATIONS", root / "translations"),
            data=data,
            spool=Path(environ.get("XINHENG_SPOOL") or data / "spool").resolve(),
            host=host,
            port=port,
            workers=_whole_number(environ, "XINHENG_WORKERS", default=2, least=1, most=64),
            origin=_origin(environ, environment, host, port),
            proxies=_whole_number(environ, "XINHENG_PROXIES", default=0, least=0, most=5),
            environment=environment,
            https_only=_https_only(environ),
            mail_server=mail_server,
            mail_from=mail_from,
            mail_to=mail_to,
            bots=read_bots(environ, bot_hosts),
            bot_hosts=bot_hosts,
            database_url=_database_url(environ.get("DATABASE_URL", "")),
            limits=_limits(environ.get("XINHENG_LIMITS", ""), environment),
            export_rows=_whole_number(environ, "XINHENG_EXPORT_ROWS", default=10_000, least=1, most=100_000),
        )

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def secure(self) -> bool:
        """Whether visitors reach the site over https."""
        return self.origin.startswith("https://")

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins a form may come from: the public one and, outside production, the loopback names."""
        port = urlsplit(self.origin).port or (443 if self.secure else 80)
        spare = () if self.production else tuple(f"http://{name}:{port}" for name in LOOPBACK_NAMES)
        return (self.origin, *(other for other in spare if other != self.origin))

    @property
    def trusted_hosts(self) -> list[str]:
        """Host names this site answers to."""
        names = {urlsplit(origin).hostname or "" for origin in self.origins}
        return sorted(map(_bracketed, names))


def _environment(environ: Mapping[str, str]) -> Literal["development", "production"]:
    match environ.get("XINHENG_ENV", "development"):
        case "development":
            return "development"
        case "production":
            return "production"
        case other:
            raise SettingError(f"XINHENG_ENV={other!r}：应为 development 或 production")


def _https_only(environ: Mapping[str, str]) -> HttpsOnly:
    match environ.get("XINHENG_HSTS") or "subdomains":
        case "host" | "subdomains" | "preload" as chosen:
            return chosen
        case other:
            raise SettingError(f"XINHENG_HSTS={other!r}：应为 host、subdomains 或 preload")


def _whole_number(environ: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise SettingError(f"{name}={text!r}：应为 {least} 到 {most} 的整数")
    return int(text)


def _folder(environ: Mapping[str, str], name: str, default: Path) -> Path:
    folder = Path(environ.get(name) or default).resolve()
    if not folder.is_dir():
        raise SettingError(f"{name}：没有这个文件夹 {folder}")
    return folder


def _origin(environ: Mapping[str, str], environment: str, host: str, port: int) -> str:
    text = environ.get("XINHENG_ORIGIN", "").rstrip("/")
    if not text:
        if environment == "production":
            raise SettingError("XINHENG_ORIGIN：正式环境必须写明对外网址，例如 https://www.example.com")
        shown = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 (compared, not bound)
        return f"http://{_bracketed(shown)}:{port}"
    parts = split_address(text)
    extra = parts.path or parts.query or parts.fragment or parts.username
    if parts.scheme not in {"http", "https"} or not parts.hostname or extra or not parts.hostname.isascii():
        raise SettingError(
            "XINHENG_ORIGIN：应为“协议://主机[:端口]”，例如 https://www.example.com；中文域名请写成 xn-- 开头的形式"
        )
    usual = 443 if parts.scheme == "https" else 80
    port_part = f":{parts.port}" if parts.port and parts.port != usual else ""
    return f"{parts.scheme}://{_bracketed(parts.hostname)}{port_part}"


def _bracketed(host: str) -> str:
    """A host as it stands in an address: an IPv6 one in brackets."""
    return f"[{host}]" if ":" in host else host


def _addresses(text: str) -> tuple[str, ...]:
    addresses = tuple(part.strip() for part in text.split(",") if part.strip())
    for address in addresses:
        if "@" not in parseaddr(address)[1]:
            raise SettingError(f"XINHENG_MAIL_TO：{address!r} 不是邮箱地址；多个地址用英文逗号分开")
    return addresses


def _mail_server(text: str) -> MailServer | None:
    if not text:
        return None
    parts = split_address(text)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise SettingError(
            "XINHENG_SMTP：应为 smtp://用户:密码@主机:端口 或 smtps://…，用户名和密码里的特殊字符用 %XX 写"
        )
    encrypted = parts.scheme == "smtps"
    return MailServer(
        host=parts.hostname,
        port=parts.port or (465 if encrypted else 25),
        encrypted=encrypted,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _limits(text: str, environment: str) -> Limits | None:
    """None for `off`, which production refuses: a flood would bury the people in it."""
    if text == "off" and environment == "production":
        raise SettingError("XINHENG_LIMITS=off：正式环境不能关掉，可以放宽，例如 address=100/10m all=500/1h")
    try:
        return parse_limits(text)
    except ValueError as fault:
        raise SettingError(
            f"XINHENG_LIMITS：读不懂 {str(fault)!r}；应为用空格分开的“名字=份数/时间”，例如 address=10/10m all=40/1h；"
            "名字有 address、phone、text、all、request，各写一次，时间用 s、m、h、d，最长30d"
        ) from fault


def _database_url(text: str) -> str:
    """Empty for the two SQLite files, else the address of one PostgreSQL database. It may hold a password: never told."""
    if not text:
        return ""
    try:
        place = make_url(text)
    except (ArgumentError, ValueError):
        place = None
    if place is None or place.drivername not in {"postgresql", "postgresql+psycopg"} or not place.database:
        raise SettingError(
            "DATABASE_URL：应为 postgresql://用户:密码@主机:端口/数据库名，用户名和密码里的特殊字符用 %XX 写；"
            "不设置就用 SQLite"
        )
    return place.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
