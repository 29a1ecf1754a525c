"""`xinheng …`, called in the folder that has wsgi.py. Ends with 0, 1 (found something wrong) or 2 (wrong use)."""

from __future__ import annotations

import importlib
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
from sqlalchemy.exc import DatabaseError

from xinheng.articles.index import compile_content
from xinheng.backup.commands import backup_command, restore_command
from xinheng.command_folder import opened_leads, settings_here
from xinheng.crypto import MissingKey, WeakKey
from xinheng.db import DatabaseBusy, DatabaseUnsafe, open_databases
from xinheng.demo.command import demo_command
from xinheng.desk.audit_commands import audit
from xinheng.desk.export_commands import export_command
from xinheng.desk.staff_commands import staff
from xinheng.doctor import examine
from xinheng.documents import BadDocument, Fault
from xinheng.health_check.command import score_command
from xinheng.housekeeping import ClockJumped, Housekeeping
from xinheng.leads.deletion import Deletion
from xinheng.leads.listing import ListedLead, list_leads
from xinheng.migrations import SchemaNewer
from xinheng.notices.outbox import states
from xinheng.processors import KEPT_YEARS, PROCESSORS, load_processors
from xinheng.rotation.commands import keys
from xinheng.rule_faults import loaded, rule_faults
from xinheng.settings import SHANGHAI, SettingError, Settings
from xinheng.staff.accounts import Printed, first_account
from xinheng.working_days import WORKING_DAYS, load_working_days

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
    "logged": "没有启用的渠道，只在日志里",
    "failed": "通知没有发出",
    "seen": "已有人看过",
    "void": "不再需要，没有发",
}


@click.group()
def main() -> None:
    """信衡：企业信用管理网站。在有 wsgi.py 的文件夹里运行。"""


main.add_command(audit)
main.add_command(backup_command)
main.add_command(demo_command)
main.add_command(export_command)
main.add_command(keys)
main.add_command(restore_command)
main.add_command(score_command)
main.add_command(staff)


@main.command()
def serve() -> None:
    """启动网站和通知。"""
    settings = settings_here()
    from xinheng.serve import PortTaken  # the server is needed here only, and slow to load
    from xinheng.serve import serve as serve_site

    sys.path.insert(0, str(settings.root))
    try:
        site = importlib.import_module("wsgi")
        databases, held = (site.app.extensions[f"xinheng.{name}"] for name in ("databases", "keys"))
        account = first_account(databases, held, settings)
        databases.dispose()
        code = serve_site(settings, "wsgi:app", _sign_in_words(settings, account))
    except (
        BadDocument,
        SettingError,
        WeakKey,
        MissingKey,
        DatabaseUnsafe,
        SchemaNewer,
        PortTaken,
        DatabaseBusy,
        DatabaseError,
        OSError,
    ) as fault:
        click.echo(f"没有启动：\n{fault}", err=True)
        raise SystemExit(1) from None
    raise SystemExit(code)


def _sign_in_words(settings: Settings, account: Printed | None) -> str:
    """Where staff sign in; with the first account, and how to get in where its password is lost."""
    desk = f"工作台：{settings.origin}/desk/"
    if account is None:
        return desk
    return (
        f"{desk}\n第一个账号（只显示这一次）：{account.email}  一次性密码：{account.password}\n"
        f"忘了就运行 xinheng staff reset {account.email}"
    )


@main.command()
def doctor() -> None:
    """看一看启动和运行要的东西齐不齐；不启动，也不改什么。"""
    wrong = 0
    for finding in examine(settings_here(), datetime.now(UTC)):
        wrong += not finding.good
        click.echo(f"{'好' if finding.good else '不好'}  {finding.subject}：{finding.words}")
    if wrong:
        click.echo(f"{wrong}处要处理", err=True)
        raise SystemExit(1)


@main.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path), required=False)
def check(path: Path | None) -> None:
    """检查 content/ 和 forms/；给出 PATH 时只报告它里面的问题。"""
    settings = settings_here()
    faults = [fault for fault in _faults(settings) if path is None or _below(fault.file, path)]
    for fault in faults:
        click.echo(str(fault))
    if faults:
        click.echo(f"{len(faults)}处有误", err=True)
        raise SystemExit(1)
    click.echo("内容和表单都没有问题")
    for each in load_processors(settings.content).outdated(datetime.now(UTC)):
        click.echo(f"{settings.content / PROCESSORS}：“{each.name}”结束满{KEPT_YEARS}年，可以删掉了")
    for year in load_working_days(settings.content).missing_years(datetime.now(UTC)):
        click.echo(
            f"{settings.content / WORKING_DAYS}：没有{year}年的放假安排，先按周一到周五算；公布以后请补上"
        )


@main.command()
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 10_000), help="最多列出多少人")
def leads(most: int) -> None:
    """列出线索和咨询，电话和姓名打码，新的在前。"""
    with opened_leads() as (database, held), database.reading() as session:
        listed, counts = list_leads(session, held, most), states(session)
    for lead in listed:
        _show(lead)
    summary = "，".join(f"{_NOTICE[state]} {number}" for state, number in sorted(counts.items()))
    click.echo(f"通知：{summary}" if summary else "还没有咨询")


@main.command()
@click.option("--clock-is-right", is_flag=True, help="时钟和上一次相差一天以上，但没有错：照常删除")
def housekeeping(clock_is_right: bool) -> None:
    """到期删除；网站运行时每小时自己做一次。"""
    with opened_leads() as (database, held):
        settings = settings_here()
        deletion = Deletion.of_site(database, held, settings.data)
        counters = open_databases(settings.data, settings.database_url).counters
        try:
            done = Housekeeping(database, counters, held, deletion).run_once(
                datetime.now(UTC), clock_is_right=clock_is_right
            )
        except ClockJumped as fault:
            click.echo(f"什么也没有删：时钟和上一次相差一天以上（{fault}）。", err=True)
            click.echo("先看 date；时钟没有错，就加上 --clock-is-right 再运行", err=True)
            raise SystemExit(1) from None
        finally:
            counters.dispose()
    click.echo(f"已删除到期的线索{done.leads}条、没有线索的咨询{done.enquiries}份")


def _faults(settings: Settings) -> list[Fault]:
    """All that is wrong in both folders."""
    found: list[Fault] = []
    content = loaded(partial(compile_content, settings.content), found)
    slugs = [each.article.slug for each in content.articles] if content else None
    return found + rule_faults(settings.content, settings.forms, slugs)


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
