"""How a lead's first response stands, as the desk says it: in working time, which stands still at night and on holidays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import current_app

from xinheng.desk.frame import calendar
from xinheng.forms.response import ResponseRules
from xinheng.i18n import gettext as _
from xinheng.i18n import ngettext
from xinheng.leads.models import Lead
from xinheng.leads.response import Response, response_of


def present_response(lead: Lead, now: datetime) -> Response:
    """How it stands at this moment, by the calendar and the rules as they are saved."""
    rules: Callable[[], ResponseRules] = current_app.extensions["xinheng.response"]
    return response_of(lead, calendar(), rules().remind, now)


def work_span(minutes: int) -> str:
    """38分钟, 5工时, 4个工作日: one unit, rounded down, at least a minute; days from three on."""
    day = calendar().minutes_a_day
    if minutes >= 3 * day:
        return ngettext("%(num)s个工作日", "%(num)s个工作日", minutes // day)
    if minutes >= 60:
        return ngettext("%(num)s工时", "%(num)s工时", minutes // 60)
    return _("%(count)s分钟", count=max(minutes, 1))
