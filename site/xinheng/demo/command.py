"""`xinheng demo FOLDER`: ends with 0, 1 (it went wrong on the way) or 2 (not here)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy import inspect
from sqlalchemy.exc import DatabaseError

from xinheng.command_folder import settings_here
from xinheng.db import DatabaseBusy, open_databases
from xinheng.demo.filling import Filled, fill, utc_now
from xinheng.demo.road import Step
from xinheng.documents import BadDocument
from xinheng.settings import Settings
from xinheng.staff.permissions import ROLE_WORDS


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--leads", default=400, show_default=True, type=click.IntRange(1, 5000), help="大约多少条线索")
def demo_command(folder: Path, leads: int) -> None:
    """在空文件夹 FOLDER 里造一份示例数据：虚构的账号、线索和访问记录，各种情形都有。"""
    settings = replace(settings_here(), data=folder.resolve())
    try:
        _check_empty(settings)
        settings.data.mkdir(parents=True, exist_ok=True)
        filled = fill(settings, leads, utc_now(), _with_bar)
    except NotEmpty as fault:
        click.echo(str(fault), err=True)
        raise SystemExit(2) from None
    except (BadDocument, DatabaseBusy, DatabaseError, OSError) as fault:
        click.echo(f"没有做完：{fault}\n请换一个空文件夹再试", err=True)
        raise SystemExit(1) from None
    _tell(filled, settings, folder)


class NotEmpty(ValueError):
    """There is something already: invented leads must never come among real ones."""


def _check_empty(settings: Settings) -> None:
    """Raises NotEmpty for production, for a folder with anything in it, and for a database with any table in it."""
    if settings.production:
        raise NotEmpty("XINHENG_ENV=production：正式环境里不造示例数据")
    folder = settings.data
    if folder.exists() and not folder.is_dir():
        raise NotEmpty(f"{folder} 不是文件夹")
    if folder.is_dir() and any(folder.iterdir()):
        raise NotEmpty(f"{folder} 里已经有东西：请给一个空的或还没有的文件夹")
    if not settings.database_url:
        return
    databases = open_databases(folder, settings.database_url)
    try:
        with databases.leads.reading() as session:
            held = inspect(session.connection())
            schemas = [name for name in held.get_schema_names() if name != "information_schema"]
            taken = any(held.get_table_names(schema=name) for name in schemas)
    finally:
        databases.dispose()
    if taken:
        raise NotEmpty("DATABASE_URL 的数据库里已经有表：请给一个空的数据库，或不设置 DATABASE_URL")


def _with_bar(steps: Sequence[Step]) -> Iterator[Step]:
    with click.progressbar(steps, label="正在造示例数据", show_eta=False) as shown:
        yield from shown


def _tell(filled: Filled, settings: Settings, folder: Path) -> None:
    database = "DATABASE_URL=（同一个） " if settings.database_url else ""
    click.echo(
        f"造好了：{filled.leads}条线索，{filled.enquiries}次咨询，{filled.events}条记录，"
        f"{filled.audit_rows}条访问记录；人名、电话和内容都是虚构的"
    )
    click.echo(f"启动：{database}XINHENG_DATA={folder} make run")
    click.echo(f"登录：{settings.origin}/desk/，一次性密码只显示这一次：")
    for colleague, account in filled.accounts:
        roles = "、".join(ROLE_WORDS[role] for role in colleague.roles)
        click.echo(f"  {account.member.email}  {account.password}  {colleague.name}（{roles}）")
