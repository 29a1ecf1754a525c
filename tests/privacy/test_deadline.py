"""Fifteen working days by Shanghai's calendar, holidays left out."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.conftest import ROOT

from xinheng.privacy.deadline import due
from xinheng.settings import SHANGHAI
from xinheng.working_days import load_working_days

CALENDAR = load_working_days(ROOT / "content")


@pytest.mark.parametrize(
    ("received", "last_day"),
    [
        ("2026-11-23 10:00", "2026-12-14"),  # a Monday
        ("2026-11-23 00:00", "2026-12-14"),
        ("2026-11-23 23:59", "2026-12-14"),
        ("2026-11-27 10:00", "2026-12-18"),  # a Friday
        ("2026-11-28 10:00", "2026-12-18"),  # a Saturday counts as if it had come on Friday
        ("2026-11-29 10:00", "2026-12-18"),
        ("2026-09-15 10:00", "2026-10-12"),  # two holidays between, and two weekends worked
        ("2026-02-06 10:00", "2026-03-05"),
    ],
)
def test_a_request_is_due_at_the_end_of_the_fifteenth_working_day(received: str, last_day: str) -> None:
    moment = datetime.fromisoformat(f"{received}+08:00")
    assert due(moment, CALENDAR).astimezone(SHANGHAI).isoformat() == f"{last_day}T23:59:59+08:00"


def test_the_day_is_shanghais_not_the_servers() -> None:
    assert (
        due(datetime.fromisoformat("2026-11-22T17:00:00+00:00"), CALENDAR).date().isoformat() == "2026-12-14"
    )
