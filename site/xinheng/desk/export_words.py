"""An export in words: its columns, what stands above it, what it is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from xinheng.desk import words
from xinheng.i18n import gettext as _
from xinheng.i18n import ngettext
from xinheng.leads.exports import ExportedLead
from xinheng.leads.spreadsheets import Cell, Column
from xinheng.leads.wanted import Wanted
from xinheng.settings import SHANGHAI

_NOT_IN_A_FILE_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


@dataclass(frozen=True, slots=True)
class Names:
    """What keys are called: members of staff, needs, levels of a health check."""

    people: Mapping[str, str]
    needs: Mapping[str, str]
    levels: Mapping[str, object]


def columns() -> Sequence[Column]:
    return (
        Column("reference", _("受理编号"), 16),
        Column("name", _("姓名"), 12),
        Column("phone", _("电话"), 20),
        Column("status", _("状态"), 10),
        Column("reason", _("原因"), 14),
        Column("owner", _("负责人"), 12),
        Column("need", _("需求"), 18),
        Column("level", _("自查等级"), 10),
        Column("source", _("来源"), 14),
        Column("enquiries", _("咨询次数"), 10),
        Column("first_enquiry", _("首次咨询"), 17),
        Column("latest_enquiry", _("最近咨询"), 17),
        Column("next_step", _("下一步时间"), 17),
    )


def row_maker(names: Names) -> Callable[[ExportedLead], Sequence[Cell]]:
    """What makes a lead a row of these columns. The words are looked up once, not for each of thousands."""
    status, reason, source, level = map(_plain, (words.STATUS, words.REASON, words.SOURCE, names.levels))

    def row(lead: ExportedLead) -> Sequence[Cell]:
        return (
            lead.reference,
            lead.name,
            lead.phone,
            status.get(lead.status, lead.status),
            reason.get(lead.reason, lead.reason),
            names.people.get(lead.owner_id, "") if lead.owner_id else "",
            names.needs.get(lead.need, lead.need),
            level.get(lead.level, lead.level),
            source.get(lead.source, lead.source),
            lead.enquiry_count,
            lead.created_at,
            lead.last_enquiry_at,
            lead.due_since,
        )

    return row


def _plain(texts: Mapping[str, object]) -> Mapping[str, str]:
    return {key: str(text) for key, text in texts.items()}


def filter_words(wanted: Wanted, names: Names, *, own: bool) -> str:
    """What the list was narrowed to; `own` where only the member's own leads can be in it."""
    told = [
        (_("视图"), words.VIEWS[wanted.view] if wanted.view else ""),
        (_("负责人"), _("我的") if own else _owner(wanted.owner, names)),
        (_("状态"), _("进行中") if wanted.status == "open" else words.STATUS.get(wanted.status, "")),
        (_("需求"), names.needs.get(wanted.need, wanted.need)),
        (_("自查等级"), _("未做") if wanted.level == "none" else names.levels.get(wanted.level, "")),
        (_("来源"), words.SOURCE.get(wanted.source, "")),
        (_("来访从"), wanted.since or ""),
        (_("到"), wanted.until or ""),
        (_("查找"), _("查到的线索") if wanted.match else ""),
        (_("来自文章"), wanted.article),
    ]
    narrowed = [f"{name} {value}" for name, value in told if value]
    return _("，").join([*narrowed, *_of_report(wanted)]) or _("全部线索")


def _of_report(wanted: Wanted) -> Iterator[str]:
    """What a report counted."""
    if wanted.came_since:
        yield _("第一次咨询从%(day)s起", day=wanted.came_since)
    if wanted.came_until:
        yield _("第一次咨询到%(day)s为止", day=wanted.came_until)
    if wanted.reached and wanted.reached != "new":
        yield _("到过“%(stage)s”或更远", stage=words.STATUS[wanted.reached])


def _owner(owner: str, names: Names) -> str:
    return _("未分配") if owner == "none" else names.people.get(owner, "")


def head(who: str, now: datetime, count: int, filters: str, *, full: bool) -> str:
    """The first line of the file: whoever finds it must see whose it is and what it is."""
    return ngettext(
        "%(who)s于%(time)s导出，共%(num)s条；筛选：%(filters)s；%(masked)s。含个人信息，请勿外传，用完删除。",
        "%(who)s于%(time)s导出，共%(num)s条；筛选：%(filters)s；%(masked)s。含个人信息，请勿外传，用完删除。",
        count,
        who=who,
        time=f"{now.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        filters=filters,
        masked=_("姓名和电话是完整的") if full else _("姓名和电话已打码"),
    )


def tail(left_out: int) -> str:
    """The last line, where some leads that were counted are not in the file."""
    if not left_out:
        return ""
    return ngettext(
        "另有%(num)s条在导出的这一会儿被限制、删除或转交，没有导出",
        "另有%(num)s条在导出的这一会儿被限制、删除或转交，没有导出",
        left_out,
    )


def file_name(who: str, now: datetime, extension: str) -> str:
    """`线索-20261122-1905-李航.xlsx`: who and when."""
    local = now.astimezone(SHANGHAI)
    name = _("线索-%(time)s-%(who)s", time=f"{local:%Y%m%d-%H%M}", who=who)
    return f"{_NOT_IN_A_FILE_NAME.sub('_', name)}.{extension}"
