"""The banner for who can do something about a disk that fills up."""

from __future__ import annotations

import pytest
from tests.desk.conftest import DeskClient, SignedIn, Staff

from xinheng import disk
from xinheng.disk import Line

pytestmark = pytest.mark.databases("sqlite")  # no table is touched

EVERYTHING, NOTHING = Line(1.0, 1 << 62), Line(0.0, 0)


@pytest.mark.parametrize(("role", "told"), [("admin", True), ("sales", False)])
def test_who_can_do_something_is_told_before_and_when_only_enquiries_are_stored(
    client: DeskClient,
    staff: Staff,
    signed_in: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    told: bool,
) -> None:
    def page() -> tuple[bool, bool]:
        text = client.get("/desk/me").text
        return "服务器的硬盘快满了" in text, "只剩最后一点，留给咨询" in text

    monkeypatch.setattr(disk, "LITTLE", NOTHING)
    signed_in(client, staff(role))
    assert page() == (False, False)
    monkeypatch.setattr(disk, "LITTLE", EVERYTHING)
    assert page() == (told, False)
    monkeypatch.setattr(disk, "SHORT", EVERYTHING)
    assert page() == (False, told)
