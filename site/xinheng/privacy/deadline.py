"""By when a request must be answered. Monday to Friday count as working days: public holidays are not known here."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from xinheng.settings import SHANGHAI

WORKING_DAYS = 15


def due(received: datetime, days: int = WORKING_DAYS) -> datetime:
    """The end of the last working day, the day of receipt not counted, in Shanghai."""
    day = received.astimezone(SHANGHAI).date()
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return datetime.combine(day, time(23, 59, 59), SHANGHAI)
