"""Many at the same moment, in threads and in processes: one enquiry once, one person one lead, nobody refused."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from tests.conftest import ROOT
from tests.databases import address
from tests.leads.conftest import BROWSER_ID, NOON

from xinheng.db import Database, DatabaseBusy, Databases, LeadsBase
from xinheng.leads.duplicates import marked
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent
from xinheng.leads.record import EnquiryDesk, NotStored, Recorded, UnknownForm
from xinheng.leads.submission import Submission
from xinheng.notices.outbox import Notice

Asked = Callable[..., Submission]
MANY = 50


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty at once on a slow machine: what is tested is who comes first, not how long it takes."""
    monkeypatch.setattr("xinheng.leads.record.WAIT", 60.0)


def number(store: Database, table: type[LeadsBase]) -> int:
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def record_at_once(desk: EnquiryDesk, submissions: list[Submission]) -> list[Recorded]:
    """Each in a thread of its own, all at one moment; in no order."""
    done: list[Recorded] = []
    gate = threading.Barrier(len(submissions))

    def post(submission: Submission) -> None:
        gate.wait()
        for _ in range(MANY):  # more threads than connections: a visitor's browser would say it again too
            try:
                done.append(desk.record(submission, NOON))
                return
            except NotStored as refused:
                if not isinstance(refused.__cause__, DatabaseBusy):
                    raise

    threads = [threading.Thread(target=post, args=(each,)) for each in submissions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


@pytest.mark.parametrize("typed_id", [BROWSER_ID, ""])
def test_fifty_posts_of_one_enquiry_make_one_row(
    desk: EnquiryDesk, store: Database, asked: Asked, typed_id: str
) -> None:
    done = record_at_once(desk, [asked(typed_id=typed_id) for _ in range(MANY)])
    assert len({each.reference for each in done}) == 1
    assert [each.repeated for each in done].count(False) == 1
    assert [number(store, each) for each in (Enquiry, Lead, Consent, LeadEvent)] == [1, 1, 1, 1]


def test_two_wordings_of_one_id_are_two_enquiries_of_one_lead(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    done = record_at_once(desk, [asked(details=f"第{each % 2}种说法") for each in range(20)])
    assert len({each.reference for each in done}) == 2
    assert (number(store, Enquiry), number(store, Lead)) == (2, 1)


def test_first_enquiries_of_one_mobile_make_one_lead(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    spellings = ("138 0013 8000", "+86 138-0013-8000", "13800138000")
    record_at_once(desk, [asked(spellings[each % 3], typed_id=f"{each:032x}") for each in range(20)])
    assert (number(store, Enquiry), number(store, Lead)) == (20, 1)
    with store.reading() as session:
        assert session.scalars(select(Lead.enquiry_count)).one() == 20


def test_first_enquiries_of_one_switchboard_are_leads_that_may_all_be_duplicates(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    record_at_once(desk, [asked("021-87654321", typed_id=f"{each:032x}") for each in range(10)])
    with store.reading() as session:
        assert len(marked(session, session.scalars(select(Lead)))) == 10


def test_people_who_have_nothing_in_common_are_all_stored(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    record_at_once(desk, [asked(f"138001380{each:02}", typed_id=f"{each:032x}") for each in range(30)])
    assert [number(store, each) for each in (Enquiry, Lead, Notice)] == [30, 30, 30]


def test_a_lead_that_is_closed_at_that_moment_is_open_afterwards(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    posting = threading.Thread(target=lambda: desk.record(asked(typed_id="f" * 32), NOON))
    with store.writing() as session:
        session.execute(update(Lead).values(status="lost"))
        posting.start()
        posting.join(timeout=0.3)
        assert posting.is_alive(), "the enquiry came while the closing isn't kept yet, and waits for it"
    posting.join()
    with store.reading() as session:
        assert session.scalars(select(Lead.status)).one() == "new"


POST = """
import pickle, sys, threading
from datetime import datetime
from pathlib import Path
from xinheng.crypto import load_keys
from xinheng.db import open_databases
from xinheng.forms.priority import load_priority
from xinheng.leads import record

record.WAIT = 60.0
folder, rules = Path(sys.argv[1]), load_priority(Path(sys.argv[3]))
databases = open_databases(folder, sys.argv[2])
desk = record.EnquiryDesk(databases.leads, load_keys(folder / "keys"), site="http://x", priority=lambda: rules)
submissions, now = pickle.loads(bytes.fromhex(sys.stdin.readline()))
threads = [threading.Thread(target=desk.record, args=(each, now)) for each in submissions]
for thread in threads: thread.start()
for thread in threads: thread.join()
databases.dispose()
"""


def test_processes_that_take_the_same_enquiries_at_once_store_each_once(
    desk: EnquiryDesk, opened: Databases, asked: Asked, tmp_path: Path
) -> None:
    """Four enquiries of two people, and one of them that every process takes four times."""
    submissions = [asked(f"138001380{each % 2:02}", typed_id=f"{each:032x}") for each in range(4)]
    sent = pickle.dumps((submissions + submissions[:1] * 4, NOON)).hex() + "\n"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", POST, tmp_path / "var", address(opened), ROOT / "forms"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    assert [process.communicate(sent)[1] for process in started] == [""] * 3
    assert (number(opened.leads, Enquiry), number(opened.leads, Lead)) == (4, 2)


@pytest.mark.parametrize("version", ["\x00", "a\x00b", "", "' OR 1=1 --", "v" * 500])
def test_a_version_that_no_form_can_have_is_unknown_on_every_database(
    desk: EnquiryDesk, asked: Asked, version: str
) -> None:
    with pytest.raises(UnknownForm):
        desk.record(asked(form_version=version), NOON)
