"""How many enquiries looked odd and why, and what staff made of them: each once, whatever becomes of the rows."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.leads.colleagues import hire
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deletion import Deletion
from xinheng.leads.models import Enquiry
from xinheng.leads.quarantine import Quarantine
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.spam_counts import ANY, Judged, spam_by_reason, spam_by_week
from xinheng.leads.submission import Submission
from xinheng.leads.tombstones import TombstoneFile
from xinheng.leads.verdict import Verdict
from xinheng.weeks import Weeks

Asked = Callable[..., Submission]
WEEK = timedelta(days=7)
ODD = Verdict(("trap", "link"))


@pytest.fixture
def quarantine(store: Database, store_keys: Keys, desk: EnquiryDesk) -> Quarantine:
    return Quarantine(store, store_keys, desk)


def counted(store: Database, number: int = 3) -> dict[str, Judged]:
    with store.reading() as session:
        return dict(spam_by_reason(session, Weeks.until(NOON, number)))


def hold(desk: EnquiryDesk, store: Database, asked: Asked, verdict: Verdict = ODD, weeks: int = 0) -> str:
    done = desk.record(asked(verdict=verdict, typed_id=secrets.token_hex(16)), NOON - weeks * WEEK)
    with store.reading() as session:
        return str(session.scalars(select(Enquiry.id).where(Enquiry.reference == done.reference)).one())


def test_each_reason_has_what_was_held_back_called_spam_and_released(
    desk: EnquiryDesk, store: Database, quarantine: Quarantine, asked: Asked
) -> None:
    member = hire(store).id
    first, second, _ = (hold(desk, store, asked) for _ in range(3))
    hold(desk, store, asked, Verdict(("trap",)), weeks=1)
    desk.record(asked(verdict=Verdict(("link",))), NOON)  # not odd enough: it was never held back
    for _ in range(2):  # twice is once
        quarantine.reject(first, member, NOON)
        quarantine.release(second, member, NOON)
    assert counted(store) == {ANY: Judged(4, 1, 1), "trap": Judged(4, 1, 1), "link": Judged(3, 1, 1)}
    quarantine.release(first, member, NOON)
    assert counted(store)[ANY] == Judged(4, 0, 2), "called spam by mistake"
    assert counted(store, 1)[ANY] == Judged(3, 0, 2)
    with store.reading() as session:
        assert [each.held for _, each in spam_by_week(session, Weeks.until(NOON, 3))] == [0, 1, 3]


def test_what_is_deleted_stays_counted(
    desk: EnquiryDesk, store: Database, store_keys: Keys, quarantine: Quarantine, asked: Asked, tmp_path: Path
) -> None:
    quarantine.reject(hold(desk, store, asked), hire(store).id, NOON)
    deletion = Deletion(store, store_keys, TombstoneFile(tmp_path))
    assert deletion.of_due(NOON + 5 * WEEK).enquiries == 1
    assert counted(store)[ANY] == Judged(1, 1, 0)
