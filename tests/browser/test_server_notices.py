"""The running site tells staff: by a real mail server, beside a bot that can't be reached and one that isn't on record."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser.desk import eventually
from tests.browser.running import RunningSite, copy_of_site
from tests.notices.conftest import MailBox, Post

pytestmark = pytest.mark.browser

ENTRY = """
[[processors]]
channel = "{channel}"
name = "某某公司"
contact = "privacy@x.example"
purpose = "送通知"
kinds = ["受理编号"]
contract = "2026-001"
start = 2026-01-01
"""
NOBODY = "wecom.xinheng.example"
"""A name that no resolver knows."""


@pytest.fixture
def box() -> MailBox:
    return MailBox()


@pytest.fixture
def site(tmp_path: Path, box: MailBox) -> Iterator[RunningSite]:
    root = copy_of_site(tmp_path)
    register = root / "content" / "processors.toml"
    register.write_text(ENTRY.format(channel="mail") + ENTRY.format(channel="wecom"), "utf-8")
    post = Post(box)
    post.start()
    running = RunningSite(
        root,
        XINHENG_SMTP=f"smtp://127.0.0.1:{post.port}",
        XINHENG_MAIL_FROM="site@xinheng.example",
        XINHENG_MAIL_TO="sales@xinheng.example",
        XINHENG_BOT_HOSTS=NOBODY,
        XINHENG_WECOM=f"https://{NOBODY}/cgi-bin/webhook/send?key=5ecret5ecret",
        XINHENG_FEISHU="https://open.feishu.cn/open-apis/bot/v2/hook/5ecret5ecret",
        XINHENG_FEISHU_SECRET="5ecret5ecret",
    )
    running.start()
    try:
        yield running
        running.stop()
        assert "5ecret5ecret" not in running.log
    finally:
        running.kill()
        post.stop()


def rows(site: RunningSite) -> dict[str, str]:
    """The state of the notice in each channel."""
    return dict(site.rows("SELECT channel, state FROM outbox"))


def test_a_channel_that_is_dead_or_not_on_record_stops_no_other(site: RunningSite, box: MailBox) -> None:
    unregistered = "XINHENG_FEISHU 已设置，但 content/processors.toml 里没有"
    assert eventually(lambda: unregistered in site.log)
    reference = site.post_form().reference
    assert eventually(lambda: rows(site).get("mail") == "sent" and "没有发出（wecom）" in site.log)
    assert [subject[1:15] for subject in box.subjects] == [reference]
    assert rows(site) == {"mail": "sent", "wecom": "waiting"}


def test_a_notice_that_was_deleted_by_hand_is_made_again(site: RunningSite, box: MailBox) -> None:
    reference = site.post_form().reference
    assert eventually(lambda: len(box.messages) == 1)
    site.stop()
    with sqlite3.connect(site.data / "leads.db") as database:
        database.execute("DELETE FROM outbox")
        database.execute("UPDATE enquiries SET created_at = datetime(created_at, '-3 minutes') || '.000000'")
    database.close()
    site.start()
    assert eventually(lambda: len(box.messages) == 2)
    assert [subject[1:15] for subject in box.subjects] == [reference] * 2
    assert "重新排队 1 条" in site.log
