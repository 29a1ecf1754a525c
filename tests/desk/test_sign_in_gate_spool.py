"""The banner on every page of the desk while an enquiry waits in the spool, or can't be opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.desk.conftest import DeskClient, SignedIn, Staff

from xinheng.leads.spool import Spool, Spooled
from xinheng.leads.submission import Submission
from xinheng.phones import parse_phone

pytestmark = pytest.mark.databases("sqlite")  # no table is touched


@pytest.fixture
def spooled(spool: Spool) -> Callable[[str], None]:
    submission = Submission(
        need="overdue",
        name="张三丰",
        phone=parse_phone("13800138000"),
        details="两家客户逾期四个多月。",
        call_time="",
        extra={},
        purposes=("callback",),
        form_version="v",
    )
    return lambda submission_id: spool.put(submission_id, Spooled(submission, datetime.now(UTC))) and None


@pytest.mark.parametrize("role", ["sales", "editor", "admin"])
def test_while_an_enquiry_waits_every_page_says_how_many_and_how_long(
    client: DeskClient,
    staff: Staff,
    signed_in: SignedIn,
    spool: Spool,
    spooled: Callable[[str], None],
    role: str,
) -> None:
    signed_in(client, staff(role))
    assert "备用文件夹" not in client.get("/desk/me").text
    for submission_id in ("a" * 32, "b" * 32):
        spooled(submission_id)
    an_hour_ago = (datetime.now(UTC) - timedelta(minutes=65)).timestamp()
    os.utime(spool.folder / f"{'a' * 32}.kept", (an_hour_ago, an_hour_ago))
    page = client.get("/desk/me").text
    assert "有2份咨询还没进线索列表，最早的等了1小时" in page
    assert "张三丰" not in page
    for submission_id in ("a" * 32, "b" * 32):
        spool.remove(submission_id)
    assert "备用文件夹" not in client.get("/desk/me").text


def test_what_cannot_be_opened_is_told_until_it_is_gone(
    client: DeskClient, staff: Staff, signed_in: SignedIn, spool: Spool
) -> None:
    signed_in(client, staff("sales"))
    (spool.folder / f"{'c' * 32}.aside").write_bytes(b"torn")
    assert "有1份咨询打不开" in client.get("/desk/me").text
