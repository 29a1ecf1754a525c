"""On every page of the desk, for who can do something about it: that notices were given up."""

from __future__ import annotations

from flask import url_for

from xinheng.desk.frame import database
from xinheng.desk.permission import may
from xinheng.desk.sign_in_gate import Banner
from xinheng.i18n import gettext as _
from xinheng.i18n import ngettext
from xinheng.notices.log import failed_count
from xinheng.staff.permissions import Permission


def notice_banners() -> list[Banner]:
    """A banner while there are notices that did not leave."""
    if not may(Permission.NOTICES):
        return []
    with database().asking() as session:
        count = failed_count(session)
    if not count:
        return []
    sentence = ngettext(
        "有%(num)s条通知没有发出，可能有人在等回电。", "有%(num)s条通知没有发出，可能有人在等回电。", count
    )
    return [Banner(sentence, _("看是哪些"), url_for("desk.notices"))]
