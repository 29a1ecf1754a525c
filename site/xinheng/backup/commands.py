"""`xinheng backup FILE` and `xinheng restore FILE`. They end with 0, 1 (did not work) or 2 (wrong use)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from xinheng.backup.archive import BadBackup
from xinheng.backup.making import make_backup
from xinheng.backup.postgres import NoProgram
from xinheng.backup.restoring import AuditDiffers, Restore, WouldReplace
from xinheng.command_folder import opened_leads, settings_here
from xinheng.crypto import MissingKey, WeakKey, load_keys
from xinheng.db import DatabaseBusy, open_databases
from xinheng.disk import Disk
from xinheng.documents import BadDocument
from xinheng.migrations import SchemaNewer
from xinheng.working_days import load_working_days

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("backup")
@click.argument("file", type=_FILE)
def backup_command(file: Path) -> None:
    """备份两个数据库到一个文件，网站不用停；密钥不在里面，另外存。"""
    settings = settings_here()
    disk = Disk((settings.data,))
    if disk.short and disk.shared_with(file.absolute().parent):
        raise _failed("没有备份", "硬盘快满了，剩下的留给咨询。腾出空间，或者备份到别的硬盘")
    with opened_leads() as (_, keys):
        databases = open_databases(settings.data, settings.database_url)
        try:
            manifest = make_backup(databases, settings.database_url, keys, file.absolute(), datetime.now(UTC))
        except (BadBackup, NoProgram, DatabaseBusy, OSError) as fault:
            raise _failed("没有备份", fault) from None
        finally:
            databases.dispose()
    click.echo(
        f"已备份到 {file}，{file.stat().st_size // 1024 + 1} KB，完好；访问记录末尾 {manifest.audit_head}"
    )
    click.echo(
        f"密钥不在里面：请把 {settings.data / 'keys'}（连同里面的 tombstones）另外存一份，不要放在一处"
    )


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="已经有数据库：移到一边，用备份的")
@click.option("--any-audit", is_flag=True, help="访问记录和做备份时不一样也恢复")
def restore_command(file: Path, *, replace: bool, any_audit: bool) -> None:
    """从备份恢复：先停下网站，先放回密钥。"""
    settings = settings_here()
    try:
        keys = load_keys(settings.data / "keys", make=False)
        calendar = load_working_days(settings.content)
        restore = Restore(
            settings.data,
            settings.database_url,
            keys,
            replace=replace,
            any_audit=any_audit,
            calendar=calendar,
        )
        done = restore.run(file, datetime.now(UTC))
    except WouldReplace as fault:
        hint = "" if settings.database_url else "；要用备份换掉它，加上 --replace，原来的会移到一边"
        raise _failed("没有恢复", f"{fault}{hint}") from None
    except AuditDiffers as fault:
        raise _failed("没有恢复", f"{fault}；知道原因的，加上 --any-audit") from None
    except (
        BadBackup,
        BadDocument,
        SchemaNewer,
        NoProgram,
        MissingKey,
        WeakKey,
        DatabaseBusy,
        OSError,
    ) as fault:
        raise _failed("没有恢复", fault) from None
    click.echo(f"已恢复 {done.manifest.made_at} 的备份，访问记录核对了{done.report.rows}条")
    click.echo(f"备份之后删除过的，已再删{done.again.deleted}条；撤回和限制，已再办{done.again.restrained}项")
    if done.unreadable:
        click.echo(
            f"有{done.unreadable}行打不开：它们要用已经删掉的旧密钥，把它放回 keys 再恢复一次", err=True
        )
    if done.kept:
        click.echo(f"原来的数据库在 {done.kept}：看过恢复的没有问题，请删掉它，里面有个人信息")


def _failed(what: str, why: object) -> SystemExit:
    click.echo(f"{what}：{why}", err=True)
    return SystemExit(1)
