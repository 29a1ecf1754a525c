"""Notices leave by mail, once, with nothing personal in them; an outage delays them and loses none."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from sqlalchemy import select
from tests.notices.bots import GOOD, Bots, Posted
from tests.notices.conftest import NOON, Clock, MailBox, Post, mail_settings, put, registered
from tests.notices.sending import send_due

from xinheng.bots import Bot
from xinheng.db import Database
from xinheng.notices import worker
from xinheng.notices.channels import Switchboard, made_channels
from xinheng.notices.outbox import LEASE, Notice, acknowledge, claim, enqueue, spread
from xinheng.notices.worker import PostOffice
from xinheng.processors import Register
from xinheng.settings import Settings

pytestmark = pytest.mark.usefixtures("clock")


def notices(store: Database) -> list[Notice]:
    with store.reading() as session:
        return list(session.scalars(select(Notice).order_by(Notice.reference)))


BOTS = (
    Bot("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abcdef"),
    Bot("dingtalk", "https://oapi.dingtalk.com/robot/send?access_token=abcdef", "SECa"),
    Bot("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/abcdef", "b"),
)
ALL = ("mail", "wecom", "dingtalk", "feishu")


def everywhere(settings: Settings, bots: Bots) -> Switchboard:
    """Mail and the three bots, all of them on record."""
    channels = made_channels(replace(settings, bots=BOTS), bots.outside())
    return Switchboard(channels, lambda: registered(*ALL))


def states_by_channel(store: Database) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for notice in notices(store):
        found.setdefault(notice.channel, set()).add(notice.state)
    return found


def send_all(settings: Settings, store: Database) -> None:
    while send_due(store, made_channels(settings)):
        pass


# --- what arrives ---


def test_a_notice_arrives_as_plain_text_for_all_staff(
    mailing: Settings, store: Database, box: MailBox
) -> None:
    (reference,) = put(store)
    send_all(mailing, store)
    (message,) = box.messages
    assert message["Subject"] == f"[{reference}] 新咨询：逾期账款跟进"
    assert message["From"] == "信衡网站 <site@xinheng.example>"
    assert message["To"] == "a@xinheng.example, 客服 <b@xinheng.example>"
    assert box.recipients == [["a@xinheng.example", "b@xinheng.example"]]
    assert message.get_content_type() == "text/plain"
    assert f"受理编号：{reference}" in message.get_content()
    assert parsedate_to_datetime(message["Date"]).year > 2000
    assert message["Message-ID"].endswith("@xinheng.example>")
    (found,) = notices(store)
    assert (found.state, found.settled_at, found.attempts) == ("sent", NOON, 1)


def test_a_notice_for_one_goes_to_that_one_only(mailing: Settings, store: Database, box: MailBox) -> None:
    put(store)
    with store.writing() as session:
        enqueue(
            session,
            kind="assigned",
            reference="XH-11111-11111",
            text="有一条线索交给您了\n查看：…",
            now=NOON + timedelta(seconds=-1),
            recipient="zhou@xinheng.example",
        )
    send_all(mailing, store)
    assert box.recipients == [["zhou@xinheng.example"], ["a@xinheng.example", "b@xinheng.example"]]
    assert [message["To"] for message in box.messages] == [
        "zhou@xinheng.example",
        "a@xinheng.example, 客服 <b@xinheng.example>",
    ]
    assert box.messages[0]["Subject"] == "[XH-11111-11111] 有一条线索交给您了"


def test_a_notice_that_was_seen_is_not_mailed_any_more(
    mailing: Settings, store: Database, box: MailBox
) -> None:
    first, second = put(store, 2)
    with store.writing() as session:
        acknowledge(session, [first], "zhou@xinheng.example", NOON)
    send_all(mailing, store)
    assert [message["Subject"].split()[0] for message in box.messages] == [f"[{second}]"]
    assert [notice.state for notice in notices(store)] == ["seen", "sent"]


def test_a_mail_holds_nothing_but_the_notice(mailing: Settings, store: Database, box: MailBox) -> None:
    put(store)
    send_all(mailing, store)
    names = {name.lower() for name in box.messages[0].keys()}  # noqa: SIM118 (repeated names count)
    known = {
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "content-type",
        "content-transfer-encoding",
        "mime-version",
        "x-peer",
        "x-mailfrom",
        "x-rcptto",
    }
    assert names <= known


def test_every_notice_leaves_once_and_the_oldest_first(
    mailing: Settings, store: Database, box: MailBox
) -> None:
    references = put(store, 25)
    send_all(mailing, store)
    send_all(mailing, store)
    assert sorted(subject[1:15] for subject in box.subjects) == references


def test_a_server_that_wants_a_password_gets_it(
    settings: Settings, store: Database, careful_post: Post, box: MailBox
) -> None:
    put(store)
    send_all(mail_settings(settings, careful_post.port, "me@x.example", "S3cret"), store)
    assert len(box.messages) == 1


# --- what goes wrong ---


def test_an_outage_delays_a_notice_by_five_minutes_and_loses_none(
    mailing: Settings, store: Database, post: Post, box: MailBox, clock: Clock
) -> None:
    put(store, 3)
    post.stop()
    send_all(mailing, store)
    assert {(each.state, each.attempts) for each in notices(store)} == {("waiting", 1)}
    assert {each.fault for each in notices(store)} == {"对方没有开着这个端口（ConnectionRefusedError）"}
    post.start()
    clock.now = NOON + timedelta(minutes=4, seconds=59)
    assert send_due(store, made_channels(mailing)) == 0
    clock.now = NOON + timedelta(minutes=5)
    send_all(mailing, store)
    assert len(box.messages) == 3
    assert {each.state for each in notices(store)} == {"sent"}


def test_after_48_more_attempts_a_notice_has_failed(
    mailing: Settings, store: Database, box: MailBox, clock: Clock
) -> None:
    put(store)
    box.refuse = "451 try later"
    attempts = -1  # what is spread is one more
    for _ in range(60):
        attempts += send_due(store, made_channels(mailing))
        clock.now += timedelta(minutes=5)
    assert attempts == 49
    (found,) = notices(store)
    assert found.state == "failed"
    assert "451" in found.fault
    box.refuse = ""
    send_all(mailing, store)
    assert box.messages == []


@pytest.mark.parametrize("answer", ["451 busy", "550 spam", "552 too large"])
def test_a_server_that_refuses_is_asked_again_and_its_answer_is_kept(
    mailing: Settings, store: Database, box: MailBox, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    (reference,) = put(store)
    box.refuse = answer
    send_all(mailing, store)
    (found,) = notices(store)
    assert found.state == "waiting"
    assert answer[:3] in found.fault
    assert f"通知 {reference} 第 1 次没有发出" in caplog.text


def test_a_wrong_password_is_no_loss_and_is_not_logged(
    settings: Settings, store: Database, careful_post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    put(store)
    send_all(mail_settings(settings, careful_post.port, "me@x.example", "Wr0ng"), store)
    (found,) = notices(store)
    assert found.state == "waiting"
    assert "Wr0ng" not in caplog.text + found.fault


def test_a_password_that_mail_cannot_carry_is_no_loss(
    settings: Settings, store: Database, careful_post: Post
) -> None:
    put(store)
    send_all(mail_settings(settings, careful_post.port, "me@x.example", "密码"), store)
    (found,) = notices(store)
    assert (found.state, found.attempts) == ("waiting", 1)
    assert found.fault


def test_one_address_that_is_refused_does_not_stop_the_others(
    mailing: Settings, store: Database, box: MailBox, caplog: pytest.LogCaptureFixture
) -> None:
    """The colleague who is reached must not get the same notice 49 times because of the one who isn't."""
    put(store)
    box.refuse_recipient = "a@xinheng.example"
    send_all(mailing, store)
    assert box.recipients == [["b@xinheng.example"]]
    assert notices(store)[0].state == "sent"
    assert "a@xinheng.example" in caplog.text


def test_where_every_address_is_refused_it_is_tried_again(
    mailing: Settings, store: Database, box: MailBox
) -> None:
    put(store)
    box.refuse_recipient = "a@xinheng.example"
    send_all(replace(mailing, mail_to=("a@xinheng.example",)), store)
    assert notices(store)[0].state == "waiting"


def test_one_bad_notice_does_not_hold_up_the_next(mailing: Settings, store: Database, box: MailBox) -> None:
    put(store, 3)
    box.refuse_once = "451 busy"
    send_all(mailing, store)
    assert len(box.messages) == 2
    assert Counter(each.state for each in notices(store)) == {"sent": 2, "waiting": 1}


# --- without a channel ---


def test_without_a_channel_the_notice_is_logged_and_nothing_piles_up(
    settings: Settings, store: Database, caplog: pytest.LogCaptureFixture
) -> None:
    references = put(store, 12)
    with caplog.at_level(logging.WARNING):
        send_all(settings, store)
        send_all(settings, store)
    assert {each.state for each in notices(store)} == {"logged"}
    for reference in references:
        assert sum(reference in record.getMessage() for record in caplog.records) == 1
    assert "没有启用的通知渠道" in caplog.text
    assert "新咨询：逾期账款跟进" in caplog.text


# --- two workers ---


def test_two_workers_never_send_one_notice_twice(mailing: Settings, store: Database, box: MailBox) -> None:
    references = put(store, 30)
    workers = [threading.Thread(target=send_all, args=(mailing, store)) for _ in range(2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert Counter(subject[1:15] for subject in box.subjects) == Counter(references)


def test_a_slow_mail_server_makes_no_second_worker_send_what_the_first_still_holds(
    mailing: Settings, store: Database, box: MailBox, clock: Clock
) -> None:
    """Each message takes twenty seconds, as the time limit allows: ten of them outlast a lease of two minutes."""
    references = put(store, 10)

    def slow() -> None:
        clock.now += timedelta(seconds=20)
        if len(box.messages) == 8:
            box.on_delivery = lambda: None
            second = threading.Thread(target=send_all, args=(mailing, store))
            second.start()
            seconds.append(second)

    seconds: list[threading.Thread] = []
    box.on_delivery = slow
    send_all(mailing, store)
    for each in seconds:
        each.join()
    send_all(mailing, store)
    assert Counter(subject[1:15] for subject in box.subjects) == Counter(references)


def test_what_a_worker_that_died_had_claimed_is_sent_by_another(
    mailing: Settings, store: Database, box: MailBox, clock: Clock
) -> None:
    put(store, 2)
    with store.writing() as session:
        spread(session, ["mail"], clock.now)
        claim(session, "mail", clock.now)  # and then it died
        claim(session, "mail", clock.now)
    send_all(mailing, store)
    assert box.messages == []
    clock.now = NOON + LEASE + timedelta(seconds=1)
    send_all(mailing, store)
    assert len(box.messages) == 2


# --- the loop ---


def running(settings: Settings, store: Database, stopping: threading.Event) -> threading.Thread:
    office = PostOffice(store, Switchboard(made_channels(settings), lambda: registered("mail")))
    thread = threading.Thread(target=office.run, args=(stopping,))
    thread.start()
    return thread


def test_the_loop_sends_what_comes_and_ends_when_told(
    mailing: Settings, store: Database, box: MailBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_EVERY", 0.01)
    stopping, delivered = threading.Event(), threading.Event()
    box.on_delivery = delivered.set
    thread = running(mailing, store, stopping)
    for _ in range(2):
        delivered.clear()
        put(store)
        assert delivered.wait(10)
    stopping.set()
    thread.join(10)
    assert not thread.is_alive()
    assert len(box.messages) == 2


def test_the_loop_outlives_a_database_that_fails_for_a_while(
    mailing: Settings,
    store: Database,
    box: MailBox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(worker, "LOOK_EVERY", 0.01)
    stopping, delivered = threading.Event(), threading.Event()
    box.on_delivery = delivered.set
    with store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE outbox RENAME TO away")
    thread = running(mailing, store, stopping)
    try:
        while thread.is_alive() and not caplog.records:
            thread.join(0.01)
        assert thread.is_alive(), "notices would wait for the next start"
        with store.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE away RENAME TO outbox")
        put(store)
        assert delivered.wait(10)
    finally:
        stopping.set()
        thread.join(10)


def test_a_sending_under_way_is_finished_when_told_to_stop(
    mailing: Settings, store: Database, box: MailBox
) -> None:
    put(store)
    stopping = threading.Event()
    box.on_delivery = stopping.set
    running(mailing, store, stopping).join(10)
    assert [each.state for each in notices(store)] == ["sent"]


# --- several channels ---


def test_one_notice_leaves_by_every_channel_once(
    mailing: Settings, store: Database, box: MailBox, bots: Bots
) -> None:
    references = put(store, 3)
    channels = everywhere(mailing, bots).on(NOON)
    while send_due(store, channels):
        pass
    assert sorted(subject[1:15] for subject in box.subjects) == references
    assert Counter(posted.host for posted in bots.posted) == dict.fromkeys(
        ("qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn"), 3
    )
    assert states_by_channel(store) == {name: {"sent"} for name in ALL}


def test_a_channel_that_fails_is_tried_again_and_the_others_are_not(
    mailing: Settings, store: Database, box: MailBox, bots: Bots, clock: Clock
) -> None:
    put(store)
    channels = everywhere(mailing, bots).on(NOON)

    def no_wecom(posted: Posted) -> tuple[int, object]:
        return 200, {"errcode": 45009, "errmsg": "freq"} if "weixin" in posted.host else GOOD

    bots.answer = no_wecom
    for _ in range(60):
        while send_due(store, channels):
            pass
        clock.now += timedelta(minutes=5)
    assert states_by_channel(store) == {name: {"failed" if name == "wecom" else "sent"} for name in ALL}
    assert len(box.messages) == 1
    assert Counter(posted.host for posted in bots.posted) == {
        "qyapi.weixin.qq.com": 49,
        "oapi.dingtalk.com": 1,
        "open.feishu.cn": 1,
    }
    (lost,) = (notice for notice in notices(store) if notice.state == "failed")
    assert "45009 freq" in lost.fault


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_a_bot_that_comes_back_gets_what_it_missed(
    mailing: Settings, store: Database, bots: Bots, clock: Clock, status: int
) -> None:
    put(store, 2)
    channels = everywhere(mailing, bots).on(NOON)
    bots.answer = lambda posted: (status, GOOD)
    while send_due(store, channels):
        pass
    bots.answer = lambda posted: (200, GOOD)
    clock.now += timedelta(minutes=5)
    while send_due(store, channels):
        pass
    assert states_by_channel(store) == {name: {"sent"} for name in ALL}


def test_a_bot_that_hangs_holds_up_no_other_channel(
    mailing: Settings, store: Database, box: MailBox, bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While 企业微信 answers nothing, ten notices arrive by mail, 钉钉 and 飞书."""
    monkeypatch.setattr(worker, "LOOK_EVERY", 0.01)
    put(store, 10)
    let_go, stopping, arrived = threading.Event(), threading.Event(), threading.Semaphore(0)
    box.on_delivery = arrived.release

    def answer(posted: Posted) -> tuple[int, object]:
        if "weixin" in posted.host:
            let_go.wait(60)
        else:
            arrived.release()
        return 200, GOOD

    bots.answer = answer
    office = PostOffice(store, everywhere(mailing, bots))
    thread = threading.Thread(target=office.run, args=(stopping,))
    thread.start()
    try:
        assert all(arrived.acquire(timeout=30) for _ in range(30))
        assert "sent" not in states_by_channel(store)["wecom"]
    finally:
        let_go.set()
        stopping.set()
        thread.join(30)


def test_a_channel_is_switched_on_and_off_by_the_register_without_a_restart(
    mailing: Settings, store: Database, box: MailBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_EVERY", 0.01)
    register, stopping, delivered = [Register()], threading.Event(), threading.Event()
    box.on_delivery = delivered.set
    office = PostOffice(store, Switchboard(made_channels(mailing), lambda: register[0]))
    thread = threading.Thread(target=office.run, args=(stopping,))
    thread.start()
    try:
        put(store)
        while {notice.state for notice in notices(store)} != {"logged"}:
            stopping.wait(0.01)
        register[0] = registered("mail")
        put(store)
        assert delivered.wait(30)
    finally:
        stopping.set()
        thread.join(30)
    assert len(box.messages) == 1


def test_once_a_minute_others_may_say_what_should_have_been_told(
    mailing: Settings, store: Database, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def sweep(database: Database, now: object) -> int:
        asked.append(now)
        return len(put(database))

    PostOffice(store, Switchboard(made_channels(mailing), Register), [sweep]).sweep()
    assert asked == [NOON]
    assert "重新排队 1 条" in caplog.text
    assert [notice.state for notice in notices(store)] == ["waiting"]


def test_a_sweep_that_always_fails_holds_up_neither_the_others_nor_the_notices(
    mailing: Settings, store: Database, box: MailBox, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(database: Database, now: object) -> int:
        raise ValueError("13800138000")

    swept, stopping, delivered = threading.Event(), threading.Event(), threading.Event()

    def sweep(database: Database, now: object) -> int:
        swept.set()
        return 0

    put(store)
    box.on_delivery = delivered.set
    office = PostOffice(store, Switchboard(made_channels(mailing), lambda: registered("mail")), [fail, sweep])
    thread = threading.Thread(target=office.run, args=(stopping,))
    thread.start()
    try:
        assert delivered.wait(15)
        assert swept.is_set()
    finally:
        stopping.set()
        thread.join(30)
    assert "一项检查没有做完，一分钟后再试：ValueError" in caplog.text
    assert "13800138000" not in caplog.text


# --- mail ---


@pytest.mark.parametrize(
    ("kind", "reference", "recipient"),
    [
        ("x\r\nBcc: evil@x.example", "XH-00000-00000", ""),
        ("x", "XH\r\nBcc: evil", ""),
        ("x", "XH-00000-00000", "a@x.example\r\nBcc: evil@x.example"),
        ("x", "XH-00000-00000", "a@x.example\nBcc: evil@x.example"),
    ],
)
def test_no_field_of_a_mail_begins_another(
    mailing: Settings, store: Database, box: MailBox, kind: str, reference: str, recipient: str
) -> None:
    with store.writing() as session:
        enqueue(
            session, kind="enquiry", reference=reference, text=f"{kind}\n正文", now=NOON, recipient=recipient
        )
    send_all(mailing, store)
    for message in box.messages:
        assert message["Bcc"] is None
    assert all("evil@x.example" not in each for one in box.recipients for each in one)


def test_a_mail_that_is_tried_again_has_the_same_id(
    mailing: Settings, store: Database, box: MailBox, clock: Clock
) -> None:
    put(store)
    for _ in range(2):
        send_all(mailing, store)
        clock.now += LEASE * 2
        with store.writing() as session:  # the worker died before it could say that the mail had left
            session.scalars(select(Notice)).one().state = "waiting"
    assert len({message["Message-ID"] for message in box.messages}) == 1
    assert len(box.messages) == 2
