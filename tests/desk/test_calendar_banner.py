"""The banner for who can do something about a year whose holidays aren't known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.desk.conftest import Clock, DeskClient, SignedIn, Staff

pytestmark = pytest.mark.databases("sqlite")  # no table is touched


@pytest.mark.parametrize(
    ("role", "told"), [("admin", True), ("sales_lead", True), ("sales", False), ("editor", False)]
)
def test_who_can_do_something_is_told_from_december_on(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock, role: str, told: bool
) -> None:
    def said() -> bool:
        return "没有2099年的放假安排" in client.get("/desk/me").text

    clock.moment = datetime(2098, 11, 30, 15, 59, tzinfo=UTC)
    signed_in(client, staff(role, second_factor=True))
    assert not said()
    clock.moment = datetime(2098, 11, 30, 16, 0, tzinfo=UTC)
    assert said() is told
