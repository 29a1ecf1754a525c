"""`xinheng keys …`. Ends with 0, or 1 where nothing or not all was done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from xinheng.command_folder import settings_here
from xinheng.crypto import MissingKey, WeakKey
from xinheng.db import Database, DatabaseBusy, open_databases
from xinheng.rotation.changing import StillNeeded, change_keys, remove_old_keys
from xinheng.settings import Settings


@click.group()
def keys() -> None:
    """加密的密钥：更换，删掉旧的。要先停下网站。"""


@keys.command("rotate")
def rotate_command() -> None:
    """换一把新密钥，把所有加密的内容和查找用的索引换过去；断了再运行，接着做。"""
    with (
        _stopped_site() as (settings, database),
        click.progressbar(length=1, label="更换", file=sys.stderr) as bar,
    ):

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        done = change_keys(settings.data, database, progress)
    click.echo(
        f"{'接着做完了' if done.went_on else '换好了'}：{done.resealed.rows}行，现在用第{done.number}把密钥"
    )
    if done.resealed.unreadable:
        click.echo(f"有{done.resealed.unreadable}行本来就打不开，没有动", err=True)
    click.echo("请马上备份 keys 文件夹，再做一次数据库备份。旧密钥还在：以前的备份要用它")
    click.echo("以前的备份都过期以后（35天），运行 xinheng keys remove-old 删掉旧密钥")


@keys.command("remove-old")
def remove_old_command() -> None:
    """删掉旧密钥；还有内容要用它，就不删。"""
    with _stopped_site() as (settings, database):
        gone = remove_old_keys(settings.data, database, settings.spool)
    click.echo(f"删掉了：{'、'.join(gone)}" if gone else "没有旧密钥")


@contextmanager
def _stopped_site() -> Iterator[tuple[Settings, Database]]:
    """The settings and the leads database; what goes wrong is said plainly, and ends with 1."""
    settings = settings_here()
    databases = open_databases(settings.data, settings.database_url)
    try:
        if not databases.leads.in_use():
            click.echo("还没有数据库：先启动一次网站", err=True)
            raise SystemExit(1)
        yield settings, databases.leads
    except (MissingKey, WeakKey, StillNeeded, DatabaseBusy, OSError) as fault:
        click.echo(f"没有做完：{fault}", err=True)
        raise SystemExit(1) from None
    finally:
        databases.dispose()
