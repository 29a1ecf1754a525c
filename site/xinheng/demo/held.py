"""What waits in the quarantine of the sample: robots' posts, and a person among them; and how many there were before."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.forms.priority import PriorityRules
from xinheng.leads.models import Enquiry
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.spam_counts import count_spam
from xinheng.leads.submission import Submission
from xinheng.leads.verdict import Reason, Verdict
from xinheng.phones import parse_phone

_HELD: Sequence[tuple[int, str, str, str, tuple[Reason, ...]]] = (
    (70, "Robert", "13551207734", "Boost your ranking today https://a.example https://b.example", ("trap", "link")),
    (51, "wYrHwDwEgDCx", "15836612097", "SZGFNwsCHXImbXFVNtwRbwlN", ("no_chinese",)),
    (50, "LsMgDElDUa", "18270943316", "qcPDrTzKqWmXnBvLrPsD", ("trap", "no_chinese")),
    (27, "刘经理", "17723390518", "企业贷款当天放款，看 a.example、b.example、c.example。", ("links",)),
    (5, "周女士", "13916224478", "我们办公室好几个人都在填，我问的是客户授信额度怎么定。", ("address",)),
    (2, "赵", "18888888888", "看看", ("fake_phone",)),
)  # fmt: skip
"""How many hours ago, the name, phone and text, and why it was held back."""

_WEEKS = 17


def hold_some(
    database: Database, keys: Keys, rules: PriorityRules, form_version: str, site: str, now: datetime
) -> None:
    """Put them there, the oldest first."""
    desk = EnquiryDesk(database, keys, site=site, priority=lambda: rules)
    for hours, name, phone, details, reasons in _HELD:
        held = Submission(
            need="other",
            name=name,
            phone=parse_phone(phone),
            details=details,
            call_time="",
            extra={},
            purposes=("callback",),
            form_version=form_version,
            verdict=Verdict(reasons),
        )
        desk.record(held, now - timedelta(hours=hours))


def count_earlier_ones(database: Database, draw: random.Random, now: datetime) -> None:
    """What was held back in earlier weeks is judged and deleted by now: only the counts are left."""
    with database.writing() as session:
        for weeks in range(_WEEKS, 0, -1):
            for _ in range(draw.randrange(3, 14)):
                *_, reasons = draw.choice(_HELD)
                came = Enquiry(created_at=now - timedelta(weeks=weeks), suspicion=list(reasons))
                wrong = draw.random() < (0.5 if "address" in reasons else 0.06)
                count_spam(session, came, held=1, spam=not wrong, released=wrong)
