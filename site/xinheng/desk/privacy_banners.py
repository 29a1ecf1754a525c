"""What the privacy officer must know on every page: requests past their day, and deletion that stands still."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for

from xinheng.desk.frame import database, utc_now
from xinheng.desk.permission import may
from xinheng.housekeeping import clock_refused
from xinheng.i18n import gettext as _
from xinheng.i18n import ngettext
from xinheng.privacy.answering import overdue
from xinheng.staff.permissions import Permission


def privacy_banners() -> Sequence[tuple[str, str, str]]:
    """Text, what to do, and where; nothing for who may neither read the audit nor answer requests."""
    if not may(Permission.AUDIT):
        return []
    found = []
    with database().reading() as reading:
        late = overdue(reading, utc_now()) if may(Permission.REQUESTS) else 0
        stopped = clock_refused(reading)
    if late:
        text = ngettext("有%(num)s项个人信息请求已经逾期。", "有%(num)s项个人信息请求已经逾期。", late)
        found.append((text, _("现在处理"), url_for("desk.requests")))
    if stopped:
        text = _("到期删除停下了：服务器的时钟和上一次相差一天以上。请管理员看 docs/operate.md。")
        found.append((text, _("看访问记录"), url_for("desk.audit")))
    return found
