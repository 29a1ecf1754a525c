"""What lies with somebody who is away is told to the sales leads, once a working day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.conftest import ORIGIN
from tests.leads.colleagues import shanghai
from tests.leads.conftest import NOON
from tests.leads.duty import WEEKDAYS, leads_of, on_duty

from xinheng.db import Database
from xinheng.leads.absence import Absence
from xinheng.notices.outbox import Notice

ABSENCE = Absence(lambda: WEEKDAYS, ORIGIN)
DAY = timedelta(days=1)


def told(store: Database) -> list[tuple[str, str]]:
    with store.reading() as session:
        rows = session.scalars(select(Notice).where(Notice.kind == "away").order_by(Notice.id))
        return [(row.recipient, row.text) for row in rows]


def test_each_sales_lead_is_told_once_a_day_how_much_lies_with_whom(store: Database) -> None:
    hang = on_duty(store, "李航", "sales_lead")
    zhou, wu = on_duty(store, "周敏", on_duty=False), on_duty(store, "吴凯", absent_until=NOON + 2 * DAY)
    leads_of(store, zhou, 2)
    leads_of(store, wu, 1, queue="planned", follow_up_at=NOON - DAY)
    leads_of(store, wu, 3, queue="planned", follow_up_at=NOON + DAY)
    assert [ABSENCE(store, NOON) for _ in range(2)] == [1, 0]
    ((recipient, text),) = told(store)
    assert recipient == hang.email
    assert "吴凯1条、周敏2条" in text
    assert ABSENCE(store, NOON + DAY) == 1


@pytest.mark.parametrize("moment", ["2026-11-23 08:00", "2026-11-23 20:00", "2026-11-22 12:00"])
def test_nobody_is_told_outside_working_hours(store: Database, moment: str) -> None:
    on_duty(store, "李航", "sales_lead")
    leads_of(store, on_duty(store, "周敏", on_duty=False), 1)
    assert ABSENCE(store, shanghai(moment)) == 0


def test_where_nothing_lies_nobody_is_told(store: Database) -> None:
    on_duty(store, "李航", "sales_lead")
    on_duty(store, "周敏", on_duty=False)
    leads_of(store, on_duty(store, "吴凯"), 2)
    assert ABSENCE(store, NOON) == 0
    assert told(store) == []
