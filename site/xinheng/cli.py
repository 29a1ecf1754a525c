"""`xinheng …`, called in the folder that has wsgi.py. Ends with 0, 1 (found something wrong) or 2 (wrong use)."""

from __future__ import annotations

import importlib
import os
import sys
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.exc import DatabaseError

from xinheng.articles.index import compile_content
from xinheng.company import load_company
from xinheng.crypto import MissingKey, WeakKey, load_keys
from xinheng.db import DatabaseUnsafe, open_databases
from xinheng.documents import BadDocument, Fault
from xinheng.forms.loader import load_consultation
from xinheng.leads.listing import ListedLead, list_leads
from xinheng.migrations import SchemaNewer
from xinheng.notices.outbox import states
from xinheng.settings import SHANGHAI, SettingError, Settings

_STATUS = {
    "new": "新线索",
    "contacted": "已联系",
    "interested": "有意向",
    "proposal": "方案中",
    "won": "成交",
    "lost": "未成交",
    "invalid": "无效",
}
_NOTICE = {
    "waiting": "通知待发",
    "sent": "已通知",
    "logged": "未设邮件，只在日志里",
    "failed": "通知没有发出",
}


@click.group()
def main() -> None:
    """信衡：企业信用管理网站。在有 wsgi.py 的文件夹里运行。"""


@main.command()
def serve() -> None:
    """启动网站和通知。"""
    settings = _settings()
    from xinheng.serve import PortTaken  # the server is needed here only, and slow to load
    from xinheng.serve import serve as serve_site

    sys.path.insert(0, str(settings.root))
    try:
        site = importlib.import_module("wsgi")
        site.app.extensions["xinheng.databases"].dispose()
        code = serve_site(settings, "wsgi:app")
    except (
        BadDocument,
        SettingError,
        WeakKey,
        MissingKey,
        DatabaseUnsafe,
        SchemaNewer,
        PortTaken,
        DatabaseError,
        OSError,
    ) as fault:
        click.echo(f"没有启动：\n{fault}", err=True)
        raise SystemExit(1) from None
    raise SystemExit(code)


@main.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path), required=False)
def check(path: Path | None) -> None:
    """检查 content/ 和 forms/；给出 PATH 时只报告它里面的问题。"""
    settings = _settings()
    faults = [fault for fault in _faults(settings) if path is None or _below(fault.file, path)]
    for fault in faults:
        click.echo(str(fault))
    if faults:
        click.echo(f"{len(faults)}处有误", err=True)
        raise SystemExit(1)
    click.echo("内容和表单都没有问题")


@main.command()
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 10_000), help="最多列出多少人")
def leads(most: int) -> None:
    """列出线索和咨询，电话和姓名打码，新的在前。"""
    settings = _settings()
    if not (settings.data / "leads.db").exists():
        click.echo("还没有数据库：先启动一次网站")
        return
    try:
        databases, keys = open_databases(settings.data), load_keys(settings.data / "keys", make=False)
    except (WeakKey, MissingKey) as fault:
        click.echo(str(fault), err=True)
        raise SystemExit(1) from None
    try:
        with databases.leads.reading() as session:
            listed, counts = list_leads(session, keys, most), states(session)
    except DatabaseError:
        click.echo("数据库和程序的版本不一致：请先启动一次网站", err=True)
        raise SystemExit(1) from None
    for lead in listed:
        _show(lead)
    databases.dispose()
    summary = "，".join(f"{_NOTICE[state]} {number}" for state, number in sorted(counts.items()))
    click.echo(f"通知：{summary}" if summary else "还没有咨询")


def _settings() -> Settings:
    root = Path.cwd()
    if not (root / "wsgi.py").exists():
        click.echo(f"{root} 里没有 wsgi.py：请在网站的文件夹里运行", err=True)
        raise SystemExit(2)
    try:
        return Settings.from_env(os.environ, root)
    except SettingError as fault:
        click.echo(str(fault), err=True)
        raise SystemExit(2) from None


def _faults(settings: Settings) -> list[Fault]:
    found: list[Fault] = []
    try:
        compile_content(settings.content)
    except BadDocument as fault:
        found += fault.faults
    try:
        load_consultation(settings.forms, load_company(settings.content))
    except BadDocument as fault:
        found += fault.faults
    return found


def _below(file: Path, path: Path) -> bool:
    return file.resolve().is_relative_to(path.resolve())


def _show(lead: ListedLead) -> None:
    flags = "  可能重复" if lead.possible_duplicate else ""
    click.echo(f"{_minute(lead.last_enquiry_at)}  {_STATUS[lead.status]}  {lead.name}  {lead.phone}{flags}")
    for enquiry in lead.enquiries:
        parts = [
            enquiry.reference,
            _minute(enquiry.created_at),
            enquiry.need,
            f"说明{enquiry.details_length}字",
        ]
        parts += [enquiry.call_time] if enquiry.call_time else []
        parts += [f"来自 {enquiry.article}"] if enquiry.article else []
        parts += ["愿收短信"] if "marketing" in enquiry.purposes else []
        parts.append(_NOTICE.get(enquiry.notice, "没有通知"))
        click.echo("    " + "  ".join(parts))


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


if __name__ == "__main__":
    main()
