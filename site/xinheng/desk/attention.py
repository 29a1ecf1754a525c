"""需要处理: on one page all that waits for whoever looks, with how many, since when, and where it is dealt with.

Each matter is asked for only by who may deal with it. What doesn't wait is named too: a page that says nothing of the
quarantine would leave open whether anybody looked. What concerns the member's own account stands above, as on every page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from flask import current_app, render_template, url_for
from sqlalchemy.orm import Session

from xinheng.audit.verify import verify
from xinheng.desk import words
from xinheng.desk.content_pages import content_fault_count
from xinheng.desk.frame import blueprint, database, keys, present_scope, utc_now
from xinheng.desk.notice_pages import switchboard
from xinheng.desk.permission import may, requires
from xinheng.desk.request_pages import due_words
from xinheng.desk.times import headline, short, span
from xinheng.housekeeping import clock_refused
from xinheng.i18n import gettext as _
from xinheng.leads.absence import due_with_absent
from xinheng.leads.finding import MOST_COUNTED, count_late_responses, count_lists, count_views
from xinheng.leads.quarantine import MOST_COUNTED as MOST_HELD
from xinheng.leads.quarantine import count_waiting, waiting_since
from xinheng.leads.spool import Spool
from xinheng.leads.wanted import VIEWS, View, Wanted
from xinheng.notices.log import failed_count
from xinheng.privacy.answering import waiting
from xinheng.staff.permissions import Permission

_CHECKED = 2000  # rows of the audit, in some fifty milliseconds


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that may wait. `count` is how many do, counted as far as `most`; `urgent`: a person waits, or a day
    that the law sets; `href` is empty where no page but the server itself helps; `counted` is false of what is so or
    isn't: a number would say nothing."""

    name: str
    count: int
    detail: str = ""
    href: str = ""
    urgent: bool = False
    most: int = MOST_COUNTED
    counted: bool = True


@blueprint.get("/attention")
@requires(Permission.OWN)
def attention() -> str:
    """What waits, the urgent first; and what doesn't."""
    now = utc_now()
    with database().reading() as session:
        matters = list(_matters(session, now))
    due = sorted((each for each in matters if each.count), key=lambda each: not each.urgent)
    return render_template(
        "desk/attention.html",
        now=headline(now),
        due=due,
        clear=[each.name for each in matters if not each.count],
    )


def _matters(session: Session, now: datetime) -> Iterator[Matter]:
    if may(Permission.LEADS):
        yield from _leads(session, now)
    if may(Permission.ALL_LEADS):
        yield _absent(session, now)
        yield _quarantine(session, now)
    if may(Permission.NOTICES):
        yield from _notices(session, now)
    if may(Permission.LEADS) or may(Permission.NOTICES):
        yield from _spool(now)
    if may(Permission.REQUESTS):
        yield _requests(session, now)
    if may(Permission.AUDIT):
        yield from _audit(session)
    if may(Permission.CONTENT):
        yield _content()


def _leads(session: Session, now: datetime) -> Iterator[Matter]:
    """What the list's views hold, of the leads that the member sees."""
    scope = present_scope()
    counts, overdue = count_views(session, scope, now), count_late_responses(session, scope, now)
    details: dict[View, str] = {
        "late": _("说好的时间已经过了"),
        "first": _("其中%(count)s条首次响应已超时", count=overdue)
        if overdue
        else _("还没有到首次响应的期限"),
        "today": _("今天约好的，还没到时间"),
        "stuck": _("还没结束，但没有定下一步"),
    }
    for view in VIEWS:
        address = url_for("desk.leads", view=view)
        urgent = view == "late" or (view == "first" and overdue > 0)
        yield Matter(str(words.VIEWS[view]), counts[view], details[view], address, urgent)
    (nobodys,) = count_lists(session, scope, [Wanted(owner="none", status="open")], now)
    address = url_for("desk.leads", owner="none", status="open")
    yield Matter(_("未分配的线索"), nobodys, _("谁都可以认领，主管可以分配"), address)


def _absent(session: Session, now: datetime) -> Matter:
    """Leads that are due and lie with somebody who is away."""
    due = due_with_absent(session, now)
    detail = _("、").join(str(member.name) for member in due)
    return Matter(_("不在岗的人手上到期的"), sum(due.values()), detail, url_for("desk.duty"), urgent=True)


def _quarantine(session: Session, now: datetime) -> Matter:
    """Among what looks like spam may be a person who waits."""
    oldest = waiting_since(session)
    detail = _("最早的等了%(age)s", age=span(now - oldest)) if oldest else ""
    count = count_waiting(session)
    return Matter(_("隔离区"), count, detail, url_for("desk.quarantine"), urgent=True, most=MOST_HELD)


def _notices(session: Session, now: datetime) -> Iterator[Matter]:
    address = url_for("desk.notices")
    yield Matter(_("没有发出的通知"), failed_count(session), _("可能有人在等回电"), address, urgent=True)
    without = not switchboard().on(now)
    detail = _("一个也没有启用：有新咨询时不会通知任何人")
    yield Matter(_("通知渠道"), int(without), detail, address, counted=False)
    unregistered = [words.CHANNEL[line.name] for line in switchboard().unregistered(now)]
    detail = _("%(channels)s：设置了，但没有登记", channels=_("、").join(map(str, unregistered)))
    yield Matter(_("没有登记的渠道"), len(unregistered), detail, address)


def _spool(now: datetime) -> Iterator[Matter]:
    spool: Spool = current_app.extensions["xinheng.spool"]
    held = spool.waiting()
    detail = _("数据库恢复后自动入库；最早的等了%(age)s", age=span(now - held.oldest)) if held.oldest else ""
    yield Matter(_("还没入库的咨询"), held.count, detail, urgent=True)
    yield Matter(_("打不开的咨询"), held.aside, _("在备用文件夹里，请管理员看 docs/operate.md"), urgent=True)


def _requests(session: Session, now: datetime) -> Matter:
    """The earliest due stands first."""
    rows = waiting(session)
    detail = ""
    if rows:
        first = rows[0].due_at
        detail = _("最早的一个%(due)s（%(moment)s）", due=due_words(first, now), moment=short(first, now))
    return Matter(_("个人信息请求"), len(rows), detail, url_for("desk.requests"), urgent=True)


def _audit(session: Session) -> Iterator[Matter]:
    """Whether the newest rows are as they were written, and whether what is past its time is deleted."""
    report = verify(database(), keys(), newest=_CHECKED)
    detail = _("和写下时不一样：请用访问记录页的“核对”看清楚")
    broken = len(report.breaks) + report.unlisted
    yield Matter(_("访问记录核对"), broken, detail, url_for("desk.audit"), urgent=True)
    detail = _("停下了：服务器的时钟和上一次相差一天以上，请管理员看 docs/operate.md")
    yield Matter(_("到期删除"), int(clock_refused(session)), detail, urgent=True, counted=False)


def _content() -> Matter:
    detail = _("改好之前，网站继续用上一次正确的版本")
    return Matter(_("内容和表单里的错误"), content_fault_count(), detail, url_for("desk.content"))
