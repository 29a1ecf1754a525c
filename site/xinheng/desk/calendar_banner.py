"""On the desk's pages, for who can do something about it: that a year's holidays aren't known."""

from __future__ import annotations

from xinheng.desk.frame import calendar, utc_now
from xinheng.desk.permission import may
from xinheng.desk.sign_in_gate import Banner
from xinheng.i18n import gettext as _
from xinheng.staff.permissions import Permission


def calendar_banners() -> list[Banner]:
    """A banner for each year that the calendar should have by now."""
    if not may(Permission.NOTICES):
        return []
    return [
        Banner(
            _(
                "没有%(year)s年的放假安排，到期日先按周一到周五算。请把国务院办公厅的通知补进 content/working_days.toml。",
                year=year,
            )
        )
        for year in calendar().missing_years(utc_now())
    ]
