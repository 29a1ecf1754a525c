"""Staff see which channels are on, test them, and send again what was given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from tests.desk.conftest import NOON, Clock, DeskClient, SignedIn, Staff
from tests.desk.leads_at_hand import ask
from tests.notices.bots import GOOD, Bots, running_bots
from tests.notices.conftest import registered

from xinheng.bots import Bot
from xinheng.db import Database
from xinheng.notices.channels import Switchboard, made_channels
from xinheng.notices.log import A_PAGE
from xinheng.notices.outbox import Notice, enqueue
from xinheng.settings import Settings

TOKEN = "0f1e2d3c4b5a69788796"
WECOM = Bot("wecom", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={TOKEN}")
FEISHU = Bot("feishu", f"https://open.feishu.cn/open-apis/bot/v2/hook/{TOKEN}", TOKEN[::-1])
Recorded = Callable[[], list[tuple[str, str, str]]]


@pytest.fixture
def bots(tmp_path: Path) -> Iterator[Bots]:
    with running_bots(tmp_path) as running:
        yield running


@pytest.fixture
def site_with_bots(app: Flask, settings: Settings, bots: Bots, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """企业微信 and 飞书 are set up, the former is on record."""
    channels = made_channels(replace(settings, bots=(WECOM, FEISHU)), bots.outside())
    board = Switchboard(channels, lambda: registered("wecom"))
    monkeypatch.setitem(app.extensions, "xinheng.channels", board)
    return app


@pytest.fixture
def lead_browser(client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock) -> DeskClient:
    return signed_in(client, staff("sales_lead", name="韩雪"))


def store_notices(store: Database, number: int, **changed: object) -> list[str]:
    """Store notices one after the other; returns their ids, the oldest first."""
    ids = []
    with store.writing() as session:
        for place in range(number):
            enqueue(
                session,
                kind="enquiry",
                reference=f"XH-00000-{place:05}",
                text=f"新咨询：第{place}份",
                now=NOON,
            )
            session.flush()
        for notice in session.scalars(select(Notice).order_by(Notice.id)):
            for name, value in changed.items():
                setattr(notice, name, value)
            ids.append(notice.id)
    return ids


def give_up(store: Database, number: int) -> list[str]:
    gone = {"state": "failed", "channel": "wecom", "attempts": 49, "fault": "错误码 45009 freq"}
    return store_notices(store, number, **gone, settled_at=NOON)


def states(store: Database) -> list[tuple[str, int]]:
    with store.reading() as session:
        return [(each.state, each.attempts) for each in session.scalars(select(Notice).order_by(Notice.id))]


def test_the_page_tells_how_each_channel_stands_and_no_secret(
    site_with_bots: Flask, lead_browser: DeskClient
) -> None:
    page = lead_browser.get("/desk/notices").text
    assert "qyapi.weixin.qq.com" in page
    assert "某某公司" in page
    assert "已设置 XINHENG_FEISHU，但 content/processors.toml 里没有" in page
    assert "XINHENG_SMTP" in page
    assert page.count("试发一条</button>") == 1, "what is off can't be tested"
    assert TOKEN not in page
    assert TOKEN[::-1] not in page


def test_where_no_channel_is_on_the_page_says_that_nobody_is_told(lead_browser: DeskClient) -> None:
    assert "没有启用任何渠道" in lead_browser.get("/desk/notices").text


def press(browser: DeskClient, deed: str, **fields: str) -> str:
    """Press a button, and return the page that comes."""
    answer = browser.post(f"/desk/notices/{deed}", data={"csrf_token": browser.token, **fields})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/notices")
    return browser.get("/desk/notices").text


def test_a_test_leaves_at_once_and_its_answer_is_shown(
    site_with_bots: Flask, lead_browser: DeskClient, bots: Bots, recorded: Recorded
) -> None:
    page = press(lead_browser, "test", channel="wecom")
    assert "企业微信收下了测试通知（ok）" in page
    (posted,) = bots.posted
    text = posted.body["text"]["content"]
    assert text.startswith("测试通知")
    assert "/desk/notices" in text
    assert "韩雪" not in text
    assert [action for _, action, _ in recorded()] == ["notice_tested"]


def test_a_test_that_fails_says_what_was_answered_without_a_secret(
    site_with_bots: Flask, lead_browser: DeskClient, bots: Bots
) -> None:
    bots.answer = lambda posted: (200, {"errcode": 93000, "errmsg": f"invalid webhook url {TOKEN}"})
    page = press(lead_browser, "test", channel="wecom")
    assert "企业微信没有通" in page
    assert "93000 invalid webhook url" in page
    assert TOKEN not in page


def test_a_test_is_on_record_before_it_leaves(
    site_with_bots: Flask, lead_browser: DeskClient, bots: Bots, recorded: Recorded
) -> None:
    seen: list[list[tuple[str, str, str]]] = []

    def look(posted: object) -> tuple[int, object]:
        seen.append(recorded())
        return 200, GOOD

    bots.answer = look
    press(lead_browser, "test", channel="wecom")
    assert [[action for _, action, _ in rows] for rows in seen] == [["notice_tested"]]


def test_a_channel_is_not_tested_without_end(
    site_with_bots: Flask, lead_browser: DeskClient, bots: Bots, clock: Clock
) -> None:
    for _ in range(3):
        assert "收下了" in press(lead_browser, "test", channel="wecom")
    assert "请过 60 秒再试" in press(lead_browser, "test", channel="wecom")
    assert len(bots.posted) == 3
    clock.advance(seconds=61)
    assert "收下了" in press(lead_browser, "test", channel="wecom")


@pytest.mark.parametrize("channel", ["feishu", "mail", "dingtalk", "", "sms", "https://evil.example/"])
def test_what_is_off_or_no_channel_is_not_tested(
    site_with_bots: Flask, lead_browser: DeskClient, bots: Bots, channel: str, recorded: Recorded
) -> None:
    data = {"csrf_token": lead_browser.token, "channel": channel}
    assert lead_browser.post("/desk/notices/test", data=data).status_code == 404
    assert (bots.posted, recorded()) == ([], [])


def test_what_was_given_up_stands_first_and_can_be_sent_again(
    site_with_bots: Flask, lead_browser: DeskClient, store: Database, recorded: Recorded
) -> None:
    first, _ = give_up(store, 2)
    page = lead_browser.get("/desk/notices").text
    assert "2条没有发出" in page
    assert page.index("2条没有发出") < page.index("记录</h2>")
    assert "错误码 45009 freq" in page
    page = press(lead_browser, "again", notice=first)
    assert "1条通知重新排队" in page
    assert states(store) == [("waiting", 0), ("failed", 49)]
    assert "没有要重发的" in press(lead_browser, "again", notice=first)
    assert "1条通知重新排队" in press(lead_browser, "again")
    assert states(store) == [("waiting", 0), ("waiting", 0)]
    assert [action for _, action, _ in recorded()] == ["notices_again"] * 2


def test_without_a_channel_what_was_given_up_stays_where_it_is_seen(
    lead_browser: DeskClient, store: Database, recorded: Recorded
) -> None:
    give_up(store, 1)
    assert "没有重发：能发它的渠道没有启用" in press(lead_browser, "again")
    assert states(store) == [("failed", 49)]
    assert recorded() == []


def test_one_to_a_member_of_staff_waits_for_mail(
    site_with_bots: Flask, lead_browser: DeskClient, store: Database
) -> None:
    (notice,) = store_notices(
        store, 1, state="failed", channel="mail", attempts=49, fault="x", recipient="zhou@xinheng.example"
    )
    assert "没有重发：能发它的渠道没有启用" in press(lead_browser, "again", notice=notice)
    assert states(store) == [("failed", 49)]


@pytest.mark.parametrize("notice", ["x", "0" * 31, "' OR 1=1"])
def test_what_is_no_id_is_not_found(lead_browser: DeskClient, store: Database, notice: str) -> None:
    give_up(store, 1)
    data = {"csrf_token": lead_browser.token, "notice": notice}
    assert lead_browser.post("/desk/notices/again", data=data).status_code == 404
    assert states(store) == [("failed", 49)]


@pytest.mark.parametrize(
    ("roles", "told"),
    [(("sales_lead",), True), (("admin",), True), (("sales",), False), (("privacy",), False)],
)
def test_a_banner_tells_who_can_do_something_while_anything_failed(
    client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database, roles: tuple[str, ...], told: bool
) -> None:
    signed_in(client, staff(*roles))
    assert "没有发出" not in client.get("/desk/me").text
    give_up(store, 3)
    assert ("有3条通知没有发出" in client.get("/desk/me").text) is told


def test_the_log_is_turned_page_by_page_without_a_gap(lead_browser: DeskClient, store: Database) -> None:
    store_notices(store, A_PAGE * 2 + 1, state="sent", channel="mail", settled_at=NOON)
    page, found = lead_browser.get("/desk/notices").text, []
    for expected in (A_PAGE, A_PAGE, 1):
        rows = [line for line in page.split("第") if line[:1].isdigit() and "份" in line[:5]]
        assert len(rows) == expected
        found += [int(row.partition("份")[0]) for row in rows]
        following = page.partition('rel="next" href="')[2].partition('"')[0]
        page = lead_browser.get(following or "/desk/notices?before=" + "0" * 32).text
    assert found == list(range(A_PAGE * 2, -1, -1))
    assert "没有更早的了" in page


@pytest.mark.parametrize("before", ["x", "%00", "'", "f" * 500])
def test_a_place_in_the_log_that_is_none_is_its_beginning(
    lead_browser: DeskClient, store: Database, before: str
) -> None:
    store_notices(store, 1)
    assert "第0份" in lead_browser.get(f"/desk/notices?before={before}").text


def test_a_sales_lead_opens_the_lead_from_the_log_and_an_administrator_does_not(
    app: Flask, client: DeskClient, staff: Staff, signed_in: SignedIn, store: Database, clock: Clock
) -> None:
    lead_id = ask(app)
    link = f'href="/desk/leads/{lead_id}"'
    assert link in signed_in(client, staff("sales_lead")).get("/desk/notices").text
    assert link not in signed_in(client, staff("admin")).get("/desk/notices").text


def test_a_long_fault_and_an_address_are_shown_as_they_are(lead_browser: DeskClient, store: Database) -> None:
    store_notices(
        store,
        1,
        state="waiting",
        channel="mail",
        attempts=3,
        fault="<b>451</b> " + "x" * 180,
        recipient="w@x.example",
    )
    page = lead_browser.get("/desk/notices").text
    assert "&lt;b&gt;451&lt;/b&gt;" in page
    assert "w@x.example" in page


def test_what_waits_is_not_called_failed(lead_browser: DeskClient, store: Database, clock: Clock) -> None:
    store_notices(store, 1)
    clock.advance(minutes=3)
    page = lead_browser.get("/desk/notices").text
    assert "待发" in page
    assert "全部重发" not in page
