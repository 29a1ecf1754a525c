"""What a start would meet, looked at without starting, beside a running site too. Nothing is made or changed.

Content and forms are looked at by `xinheng check`; of them only what time makes incomplete is looked at here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.exc import DatabaseError

from xinheng.crypto import MissingKey, WeakKey, load_keys
from xinheng.db import DatabaseBusy, Databases, open_databases
from xinheng.disk import Disk
from xinheng.documents import BadDocument
from xinheng.housekeeping import clock_refused
from xinheng.leads.spool import Spool
from xinheng.migrations import touch
from xinheng.notices.channels import Switchboard, made_channels, start_words
from xinheng.processors import watched_processors
from xinheng.settings import Settings
from xinheng.working_days import WORKING_DAYS, load_working_days

WITHIN = 2.0  # seconds a database is waited for


class Wrong(Exception):
    """Something a person must see to; the message says what."""


class NotYet(Exception):
    """The first start makes it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, or what to do."""

    good: bool
    subject: str
    words: str


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at one thing after the other."""
    for subject, look in _LOOKS.items():
        try:
            yield Finding(True, subject, look(settings, now))
        except NotYet:
            yield Finding(True, subject, "还没有，第一次启动时会做")
        except (Wrong, MissingKey, WeakKey, DatabaseBusy, BadDocument) as fault:
            yield Finding(False, subject, str(fault))
        except DatabaseError as fault:  # its message would repeat the statement
            words = f"{type(fault).__name__}：旧版本的，启动一次；坏了的，恢复备份"
            yield Finding(False, subject, words)
        except OSError as fault:
            yield Finding(False, subject, f"{fault.filename or ''}：{fault.strerror}")


def _address(settings: Settings, now: datetime) -> str:
    if not settings.production:
        return f"{settings.origin}，开发环境；对外请设 XINHENG_ENV=production"
    if not settings.secure:
        raise Wrong(f"{settings.origin} 不是 https，访客填的电话会明文传送：装上证书，改 XINHENG_ORIGIN")
    return settings.origin


def _data(settings: Settings, now: datetime) -> str:
    there = next(each for each in (settings.data, *settings.data.parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise Wrong(f"{there} 写不进去：应归运行网站的用户")
    return str(settings.data)


def _keys(settings: Settings, now: datetime) -> str:
    with _started(settings):
        load_keys(settings.data / "keys", make=False)
    return "都在；记得和数据库分开备份"


def _databases(settings: Settings, now: datetime) -> str:
    with _started(settings) as databases:
        touch(databases.leads, "leads", within=WITHIN)
        touch(databases.counters, "counters", within=WITHIN)
        return f"写得进去：{databases.leads.name}"


def _clock(settings: Settings, now: datetime) -> str:
    with _started(settings) as databases, databases.leads.reading() as session:
        if clock_refused(session):
            raise Wrong(
                "和上一次相差一天以上，到期删除停着：看 date，没有错就运行 xinheng housekeeping --clock-is-right"
            )
    return f"{now:%Y-%m-%d %H:%M} UTC"


def _spool(settings: Settings, now: datetime) -> str:
    with _started(settings):
        spool = Spool(settings.spool, load_keys(settings.data / "keys", make=False))
    if not spool.takes_records():
        raise Wrong(f"{spool.folder} 写不进去：数据库一出问题就收不了咨询，看它的权限和空间")
    waiting = spool.waiting()
    if waiting.aside:
        raise Wrong(f"有{waiting.aside}份打不开：多半是密钥不对，从备份恢复 keys/ 再启动")
    if waiting.count:
        raise Wrong(f"有{waiting.count}份还没入库：启动网站会补进去；已经在运行而数不减少，看日志")
    same = Disk((settings.data,)).shared_with(spool.folder)
    return f"{spool.folder}，" + ("和数据在同一个硬盘，放到别的盘更稳妥" if same else "在另一个硬盘")


def _room(settings: Settings, now: datetime) -> str:
    for folder in (settings.data, settings.spool):
        disk = Disk((folder,))
        if not folder.exists():
            raise NotYet
        if disk.little:
            raise Wrong(f"{folder} 所在的硬盘快满了：腾出空间")
    return "够用"


def _channels(settings: Settings, now: datetime) -> str:
    switchboard = Switchboard(made_channels(settings), watched_processors(settings))
    if words := start_words(switchboard, now):
        raise Wrong("；".join(words))
    return "、".join(switchboard.on(now))


def _calendar(settings: Settings, now: datetime) -> str:
    calendar = load_working_days(settings.content)
    if missing := calendar.missing_years(now):
        years = "、".join(map(str, missing))
        raise Wrong(
            f"{settings.content / WORKING_DAYS} 没有{years}年的放假安排，先按周一到周五算：公布以后请补上"
        )
    return "、".join(map(str, sorted(calendar.years)))


@contextmanager
def _started(settings: Settings) -> Iterator[Databases]:
    """The databases, once a first start has made them. Raises NotYet, DatabaseBusy."""
    databases = open_databases(settings.data, settings.database_url)
    try:
        if not databases.leads.in_use():
            raise NotYet
        yield databases
    finally:
        databases.dispose()


_LOOKS: Mapping[str, Callable[[Settings, datetime], str]] = MappingProxyType(
    {
        "网址": _address,
        "数据文件夹": _data,
        "密钥": _keys,
        "数据库": _databases,
        "时钟": _clock,
        "备用文件夹": _spool,
        "硬盘": _room,
        "通知": _channels,
        "工作日": _calendar,
    }
)
