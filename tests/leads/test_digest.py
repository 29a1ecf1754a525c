"""Once a working day staff are told what came in, beside what was told of and opened: equal, or what isn't."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import delete, select, update
from tests.conftest import ROOT

from xinheng.db import Database
from xinheng.leads.digest import Digest
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.spool import Spool, Spooled
from xinheng.leads.submission import Submission
from xinheng.leads.verdict import CLEAN, Verdict
from xinheng.notices.outbox import Notice, acknowledge
from xinheng.settings import SHANGHAI
from xinheng.working_days import load_working_days

Comes = Callable[..., str]
CALENDAR = load_working_days(ROOT / "content")
SITE = "https://www.xinheng.example"


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=SHANGHAI)


MONDAY_NINE = at("2026-11-23 09:00")


@pytest.fixture
def comes(desk: EnquiryDesk, asked: Callable[..., Submission]) -> Comes:
    """Another visitor's enquiry at a moment; returns its reference."""
    numbers = iter(range(1, 100))

    def enquiry(moment: str, verdict: Verdict = CLEAN) -> str:
        number = next(numbers)
        sent = asked(f"139{number:08d}", typed_id=f"{number:032x}", verdict=verdict)
        return desk.record(sent, at(moment)).reference

    return enquiry


@pytest.fixture
def digest(spool: Spool) -> Digest:
    return Digest(SITE, spool, lambda: CALENDAR)


def digests(store: Database) -> list[str]:
    with store.reading() as session:
        query = select(Notice.text).where(Notice.kind == "digest").order_by(Notice.id)
        return list(session.scalars(query))


def becomes(store: Database, reference: str, state: str) -> None:
    with store.writing() as session:
        session.execute(update(Notice).where(Notice.reference == reference).values(state=state))


def test_all_that_came_was_told_of(store: Database, digest: Digest, comes: Comes) -> None:
    for moment in ("2026-11-20 00:00", "2026-11-21 12:00", "2026-11-22 23:59"):
        becomes(store, comes(moment), "sent")
    with store.writing() as session:
        references = list(session.scalars(select(Enquiry.reference).order_by(Enquiry.created_at).limit(1)))
        acknowledge(session, references, "", at("2026-11-20 10:00"))
    assert digest(store, MONDAY_NINE) == 1
    assert digests(store) == [
        "每日核对：收到3份咨询，都已通知\n"
        "统计时间：2026-11-20 00:00 至 2026-11-23 00:00\n"
        "已通知：3份，其中有人打开过：1份，还没有人打开：2份\n"
        f"查看：{SITE}/desk/notices"
    ]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("waiting", "还在等着发"),
        ("failed", "没有发出"),
        ("logged", "没有启用的渠道，只在日志里"),
        ("", "一条通知也没有"),
    ],
)
def test_what_was_not_told_of_is_said(
    store: Database, digest: Digest, comes: Comes, state: str, word: str
) -> None:
    becomes(store, comes("2026-11-20 09:00"), "sent")
    lost = comes("2026-11-20 10:00")
    becomes(store, lost, state)
    if not state:
        with store.writing() as session:
            session.execute(delete(Notice).where(Notice.reference == lost))
    digest(store, MONDAY_NINE)
    assert digests(store)[0].startswith("每日核对：收到2份咨询，1份没有通知到\n")
    assert f"\n{word}：1份\n" in digests(store)[0]


def test_one_channel_that_took_it_is_enough(store: Database, digest: Digest, comes: Comes) -> None:
    reference = comes("2026-11-20 09:00")
    becomes(store, reference, "failed")
    with store.writing() as session:
        one = session.scalars(select(Notice)).one()
        same = {"kind": one.kind, "reference": reference, "text": one.text, "due_at": one.due_at}
        session.add(Notice(**same, created_at=one.created_at, channel="wecom", state="sent"))
    digest(store, MONDAY_NINE)
    assert digests(store)[0].startswith("每日核对：收到1份咨询，都已通知\n")


def test_what_nobody_is_to_be_told_of_is_counted_apart(store: Database, digest: Digest, comes: Comes) -> None:
    comes("2026-11-20 09:00", Verdict(("links",)))
    restricted = comes("2026-11-20 10:00")
    with store.writing() as session:
        session.execute(update(Lead).values(restricted=True))
    becomes(store, restricted, "void")
    digest(store, MONDAY_NINE)
    (text,) = digests(store)
    assert text.startswith("每日核对：收到2份咨询，没有要通知的\n")
    for line in (
        "看起来像垃圾，不通知：1份",
        "已撤回同意或限制处理，不通知：1份",
        "此刻隔离区里等人看的：1份",
    ):
        assert f"\n{line}\n" in text


def test_what_waits_in_the_spool_is_said(
    store: Database, digest: Digest, comes: Comes, spool: Spool, asked: Callable[..., Submission]
) -> None:
    comes("2026-11-20 09:00")
    spool.put("f" * 32, Spooled(asked(), at("2026-11-22 12:00")))
    digest(store, MONDAY_NINE)
    assert "\n此刻还在备用文件夹里的：1份\n" in digests(store)[0]


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-11-23 08:59", 0),
        ("2026-11-23 09:00", 1),
        ("2026-11-23 17:59", 1),  # the site was away in the morning
        ("2026-11-23 18:00", 0),
        ("2026-11-22 09:00", 0),  # a Sunday
    ],
)
def test_it_is_sent_on_working_days_in_working_hours(
    store: Database, digest: Digest, comes: Comes, moment: str, told: int
) -> None:
    comes("2026-11-13 09:00")
    assert digest(store, at(moment)) == told


def test_days_follow_each_other_without_gap_or_overlap(store: Database, digest: Digest, comes: Comes) -> None:
    comes("2026-11-16 09:00")
    for day in range(17, 31):
        digest(store, at(f"2026-11-{day} 09:00"))
        digest(store, at(f"2026-11-{day} 15:00"))
    spans = [text.splitlines()[1].removeprefix("统计时间：").split(" 至 ") for text in digests(store)]
    assert len(spans) == 10
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]


def test_after_a_holiday_all_of_it_is_told_and_a_worked_weekend_has_its_own(
    store: Database, digest: Digest, comes: Comes
) -> None:
    comes("2026-09-20 10:00")
    comes("2026-10-03 10:00")
    for day in range(1, 12):
        digest(store, at(f"2026-10-{day:02} 09:30"))
    assert [text.splitlines()[1] for text in digests(store)] == [
        "统计时间：2026-09-30 00:00 至 2026-10-08 00:00",
        "统计时间：2026-10-08 00:00 至 2026-10-09 00:00",
        "统计时间：2026-10-09 00:00 至 2026-10-10 00:00",
    ]


def test_a_quiet_day_is_told_too(store: Database, digest: Digest, comes: Comes) -> None:
    comes("2026-11-16 09:00")
    digest(store, MONDAY_NINE)
    assert digests(store)[0].startswith("每日核对：收到0份咨询，没有要通知的\n")


def test_a_site_that_began_today_has_nothing_to_tell(store: Database, digest: Digest, comes: Comes) -> None:
    assert digest(store, MONDAY_NINE) == 0
    comes("2026-11-23 08:00")
    assert digest(store, MONDAY_NINE) == 0


def test_several_that_look_at_once_tell_once(store: Database, digest: Digest, comes: Comes) -> None:
    comes("2026-11-20 09:00")
    works = [threading.Thread(target=digest, args=(store, MONDAY_NINE)) for _ in range(4)]
    for each in works:
        each.start()
    for each in works:
        each.join()
    assert len(digests(store)) == 1


def test_it_holds_counts_only(store: Database, digest: Digest, comes: Comes) -> None:
    reference = comes("2026-11-20 09:00")
    digest(store, MONDAY_NINE)
    (text,) = digests(store)
    for personal in (reference, "张", "139", "逾期"):
        assert personal not in text
