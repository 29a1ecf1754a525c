"""`xinheng export`: leads as a file, on the server. Ends with 0, 1 (not made) or 2 (wrong use)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.audit.log import COMMAND, AuditHeadMissing
from xinheng.command_folder import opened_leads
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.desk import words
from xinheng.desk.export_words import Names, columns, filter_words, head, row_maker, tail
from xinheng.form_versions import FormVersion
from xinheng.forms.definition import is_stored_form, stored_form
from xinheng.leads.exports import LONGEST_REASON, SHORTEST_REASON, Exports, Format, Order, TooMany
from xinheng.leads.made_files import make_private
from xinheng.leads.numbers import without_numbers
from xinheng.leads.scope import Scope
from xinheng.leads.spreadsheets import MOST_ROWS, WRITERS, Cell, Table
from xinheng.leads.wanted import Wanted
from xinheng.staff.colleagues import read_colleagues

_LONG_WORK = 5_000  # leads from which on a bar shows how far it is


class _Reason(click.ParamType[str]):
    name = "TEXT"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> str:
        reason = " ".join(str(value).split())
        if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
            self.fail(f"请写明为什么导出，{SHORTEST_REASON}到{LONGEST_REASON}个字", param, context)
        if without_numbers(reason) != reason:
            self.fail("这里不要写电话", param, context)
        return reason


@click.command("export")
@click.option("--format", "format_", type=click.Choice(sorted(WRITERS)), required=True)
@click.option("--reason", type=_Reason(), required=True, help="为什么导出：和访问记录一起留着")
@click.option("--full", is_flag=True, help="姓名和电话不打码")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_command(format_: Format, reason: str, full: bool, file: Path) -> None:
    """把全部线索写到 FILE（只有属主能读），限制处理的和隔离区的不在内。"""
    if file.exists():
        raise click.UsageError(f"{file} 已经在了：请换一个名字")
    if not file.parent.is_dir():
        raise click.UsageError(f"没有这个文件夹：{file.parent}")
    order = Order(Scope("", everyone=True), Wanted(), format_, COMMAND, reason, full)
    try:
        with opened_leads() as (database, keys):
            told = _export(order, file, database, keys, datetime.now(UTC))
    except TooMany:
        told = f"线索超过{MOST_ROWS}条，一个文件放不下"
    except AuditHeadMissing:
        told = "访问记录写不进去，所以没有导出：请先运行 xinheng audit verify"
    except OSError as fault:
        told = f"没有写成：{file}（{fault.strerror}）"
    else:
        click.echo(told)
        return
    click.echo(told, err=True)
    raise SystemExit(1)


def _export(order: Order, file: Path, database: Database, keys: Keys, now: datetime) -> str:
    """Record it, make the file; what to say of it."""
    exports = Exports(database, keys, MOST_ROWS)
    ids = exports.find(order.scope, order.wanted, now)
    exports.record(order, len(ids), now)
    with database.reading() as session:
        people = {each.id: each.name for each in read_colleagues(session).values()}
        names = Names(people, _needs(session), words.LEVEL)
    done, row = [0], row_maker(names)

    def rows() -> Iterator[Sequence[Cell]]:
        with ExitStack() as shown:
            advance = _bar(shown, len(ids))
            for lead in exports.read(order, ids):
                done[0] += 1
                advance()
                yield row(lead)

    filters = filter_words(order.wanted, names, own=False)
    above = head("命令行", now, len(ids), filters, full=order.full)
    make_private(
        file, Table(above, columns(), rows(), lambda: tail(len(ids) - done[0])), WRITERS[order.format]
    )
    return f"写好了：{file}，{done[0]}条线索。含个人信息，用完删除"


def _bar(shown: ExitStack, count: int) -> Callable[[], None]:
    """What tells a progress bar on standard error of one more lead; there is none where it is quick."""
    if count < _LONG_WORK:
        return lambda: None
    bar = shown.enter_context(click.progressbar(length=count, label="导出", file=sys.stderr))
    return lambda: bar.update(1)


def _needs(session: Session) -> dict[str, str]:
    """The needs by key, as the latest form that had them called them."""
    found: dict[str, str] = {}
    for text in session.scalars(select(FormVersion.form).order_by(FormVersion.published_at.desc())):
        if is_stored_form(text):
            for option in stored_form(text).declaration.field("need").options:
                found.setdefault(option.key, option.label)
    return found
