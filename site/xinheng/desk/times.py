"""Instants as the desk says them: short, relative to now, in Shanghai's time and the reader's language."""

from __future__ import annotations

from datetime import datetime, timedelta

from xinheng.i18n import gettext as _
from xinheng.settings import SHANGHAI

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def span(length: timedelta) -> str:
    """38分, 5小时, 3天: one unit, rounded down, at least a minute."""
    if length < _HOUR:
        return _("%(count)s分钟", count=max(length // timedelta(minutes=1), 1))
    if length < _DAY:
        return _("%(count)s小时", count=length // _HOUR)
    return _("%(count)s天", count=length // _DAY)


def short(moment: datetime, now: datetime) -> str:
    """今天 09:12, 昨天 16:42, 明天 10:00, 3月11日 16:42, and with the year where it is another."""
    local, today = moment.astimezone(SHANGHAI), now.astimezone(SHANGHAI).date()
    clock = f"{local:%H:%M}"
    match (local.date() - today).days:
        case 0:
            return _("今天 %(clock)s", clock=clock)
        case 1:
            return _("明天 %(clock)s", clock=clock)
        case -1:
            return _("昨天 %(clock)s", clock=clock)
    return f"{day(moment, now)} {clock}"


def day(moment: datetime, now: datetime) -> str:
    """3月11日, with the year where it isn't this one."""
    local = moment.astimezone(SHANGHAI)
    if local.year == now.astimezone(SHANGHAI).year:
        return _("%(month)s%(day)s日", month=month(local.month), day=local.day)
    return _("%(year)s年%(month)s%(day)s日", year=local.year, month=month(local.month), day=local.day)


def headline(now: datetime) -> str:
    """3月12日 周四 09:50."""
    local = now.astimezone(SHANGHAI)
    return _(
        "%(day)s %(weekday)s %(clock)s",
        day=day(now, now),
        weekday=weekday(local.weekday()),
        clock=f"{local:%H:%M}",
    )


def month(number: int) -> str:
    """The name of a month, January being 1."""
    names = (
        *(_("1月"), _("2月"), _("3月"), _("4月"), _("5月"), _("6月")),
        *(_("7月"), _("8月"), _("9月"), _("10月"), _("11月"), _("12月")),
    )
    return names[number - 1]


def weekday(number: int) -> str:
    """The name of a day of the week, Monday being 0."""
    names = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
    return names[number]
