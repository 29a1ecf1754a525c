"""By when a request must be answered, in working days as the calendar knows them."""

from __future__ import annotations

from datetime import datetime, time

from xinheng.settings import SHANGHAI
from xinheng.working_days import Calendar

WORKING_DAYS = 15


def due(received: datetime, calendar: Calendar, days: int = WORKING_DAYS) -> datetime:
    """The end of the last working day, the day of receipt not counted, in Shanghai."""
    day = calendar.add_working_days(received.astimezone(SHANGHAI).date(), days)
    return datetime.combine(day, time(23, 59, 59), SHANGHAI)
