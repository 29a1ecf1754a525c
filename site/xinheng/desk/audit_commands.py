"""`xinheng audit …`: is the record of who saw what still as it was written? Ends with 0, 1 or 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from xinheng.audit.report import BadNote, NotedHead, Report
from xinheng.audit.verify import Progress, verify
from xinheng.command_folder import opened_leads
from xinheng.desk.audit_words import break_words, what_to_do

_LONG_WORK = 20_000  # rows from which on a bar shows how far it is


class _Noted(click.ParamType[NotedHead]):
    name = "HEAD"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> NotedHead:
        try:
            return value if isinstance(value, NotedHead) else NotedHead.parse(str(value))
        except BadNote:
            self.fail("应为核对时打印的末尾，例如 1286:9f86d081884c7d659a2feaa0c55ad015", param, context)


@click.group()
def audit() -> None:
    """访问记录：谁看了、改了、导出了什么。"""


@audit.command("verify")
@click.option("--expect", "noted", type=_Noted(), help="以前核对时抄下的末尾：它和它以前的记录应当都还在")
def verify_command(noted: NotedHead | None) -> None:
    """从第一条起逐条核对，指出被改、被删、被截、另外写进去的记录。"""
    with opened_leads() as (database, keys), _bar() as progress:
        report = verify(database, keys, progress, noted=noted)
    for found in report.breaks:
        click.echo(break_words(found))
    if report.unlisted:
        click.echo(f"另有{report.unlisted}处没有列出")
    click.echo(_summary(report, noted))
    if not report.whole:
        click.echo(what_to_do(), err=True)
        raise SystemExit(1)


def _summary(report: Report, noted: NotedHead | None) -> str:
    end = f"末尾 {report.head}" if report.head else "没有末尾标记"
    if not report.whole:
        return f"核对了{report.rows}条，有问题；{end}"
    kept = f"，从抄下的第 {noted.id} 条以来没有被截" if noted else ""
    return f"核对了{report.rows}条，都是原样{kept}；{end}（抄在别处，下次用 --expect 比对）"


@contextmanager
def _bar() -> Iterator[Progress]:
    """A progress bar on standard error, so that what is found can be kept in a file; none where it is quick."""
    with ExitStack() as shown:
        bars: list[Any] = []

        def progress(done: int, total: int) -> None:
            if total < _LONG_WORK:
                return
            if not bars:
                bar = click.progressbar(length=total, label="核对", file=sys.stderr)
                bars.append(shown.enter_context(bar))
            bars[0].update(done - bars[0].pos)

        yield progress
