"""The daily digest: what came in since the last working day, beside what staff were told of and opened.

It goes out on the morning of each working day even when nothing came, so that its absence says something too. It holds
counts only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from xinheng.db import Database
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.spool import Spool
from xinheng.leads.telling import ENQUIRY
from xinheng.leads.wanted import day_bounds
from xinheng.notices.outbox import Notice, enqueue
from xinheng.working_days import Calendar

DIGEST = "digest"

Standing = Literal["opened", "sent", "held", "stopped", "waiting", "failed", "logged", "untold"]
"""What became of an enquiry. `held`: in quarantine or spam, of which nobody is told; `stopped`: its person withdrew, or it
is restricted; `untold`: no notice tells of it, which must not be."""

_BEST_FIRST: tuple[Standing, ...] = ("opened", "sent", "waiting", "failed", "logged", "stopped", "untold")
_AMISS: dict[Standing, str] = {
    "waiting": "还在等着发",
    "failed": "没有发出",
    "logged": "没有启用的渠道，只在日志里",
    "untold": "一条通知也没有",
}


@dataclass(frozen=True, slots=True)
class Digest:
    """Stores one notice a working day. `site` is the public origin; the spool is that of this machine."""

    site: str
    spool: Spool
    calendar: Callable[[], Calendar] = Calendar

    def __call__(self, database: Database, now: datetime) -> int:
        """Store today's digest where it is time and there is none; returns 1 then."""
        if not self.calendar().is_open(now):
            return 0
        with database.reading() as session:
            if not _is_due(session, now):
                return 0
        # two machines that look at one moment must not both tell
        with database.writing(over=[b"digest"]) as session:
            if not _is_due(session, now):
                return 0
            text = self._text(session, now)
            enqueue(session, kind=DIGEST, reference=_name(now), text=text, now=now)
        return 1

    def _text(self, session: Session, now: datetime) -> str:
        start, end = self._period(now)
        counts = Counter(_standings(session, start, end))
        amiss = sum(counts[each] for each in _AMISS)
        told = counts["opened"] + counts["sent"]
        said = f"{amiss}份没有通知到" if amiss else "都已通知" if told else "没有要通知的"
        lines = [
            f"每日核对：收到{counts.total()}份咨询，{said}",
            f"统计时间：{start:%Y-%m-%d %H:%M} 至 {end:%Y-%m-%d %H:%M}",
            f"已通知：{told}份，其中有人打开过：{counts['opened']}份，还没有人打开：{counts['sent']}份",
            *(f"{word}：{counts[each]}份" for each, word in _AMISS.items() if counts[each]),
        ]
        beside = {
            "看起来像垃圾，不通知": counts["held"],
            "已撤回同意或限制处理，不通知": counts["stopped"],
            "此刻隔离区里等人看的": _quarantined(session),
            "此刻还在备用文件夹里的": self.spool.waiting().count,
        }
        lines += [f"{what}：{number}份" for what, number in beside.items() if number]
        return "\n".join([*lines, f"查看：{self.site}/desk/notices"])

    def _period(self, now: datetime) -> tuple[datetime, datetime]:
        """From the start of the last working day to that of today: digests leave no gap and overlap nowhere."""
        end = day_bounds(now)[0]
        start = self.calendar().previous_working_day(end.date())
        return datetime.combine(start, end.timetz()), end


def _name(now: datetime) -> str:
    """What the day's digest is known by, in place of a reference."""
    return f"{day_bounds(now)[0]:%Y-%m-%d}"


def _is_due(session: Session, now: datetime) -> bool:
    """There is none today; and the site isn't so new that no enquiry came before today."""
    todays = select(Notice.id).where(Notice.reference == _name(now), Notice.kind == DIGEST)
    before = select(Enquiry.id).where(Enquiry.created_at < day_bounds(now)[0])
    return not session.scalar(select(todays.exists())) and bool(session.scalar(select(before.exists())))


def _standings(session: Session, start: datetime, end: datetime) -> Iterator[Standing]:
    """One for each enquiry of the time: the best that is told of it by any channel."""
    of_it = and_(Notice.reference == Enquiry.reference, Notice.kind == ENQUIRY, Notice.recipient == "")
    rows = session.execute(
        select(Enquiry.id, Enquiry.lead_id, Lead.restricted, Notice.state, Notice.acknowledged_at)
        .outerjoin(Lead, Enquiry.lead_id == Lead.id)
        .outerjoin(Notice, of_it)
        .where(Enquiry.created_at >= start, Enquiry.created_at < end)
    )
    found: dict[str, Standing] = {}
    for row in rows:
        if row.lead_id is None:
            found[row.id] = "held"
            continue
        standing = _standing(row.state, restricted=row.restricted, opened=row.acknowledged_at is not None)
        found[row.id] = min(standing, found.get(row.id, standing), key=_BEST_FIRST.index)
    yield from found.values()


def _standing(state: str | None, *, restricted: bool, opened: bool) -> Standing:
    if opened:
        return "opened"
    if restricted or state == "void":
        return "stopped"
    match state:
        case "sent" | "waiting" | "failed" | "logged":
            return state
        case _:
            return "untold"


def _quarantined(session: Session) -> int:
    return session.scalar(select(func.count()).where(Enquiry.state == "quarantined")) or 0
