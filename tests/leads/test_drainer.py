"""From the spool into the database: each once, at the time it came, and nothing that can't be read is in the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.conftest import ROOT
from tests.databases import a_writer_elsewhere, address
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Database, Databases
from xinheng.leads import record
from xinheng.leads.drainer import drain, run
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.spool import Spool, Spooled
from xinheng.leads.submission import Submission

Asked = Callable[..., Submission]
HOUR = timedelta(hours=1)


def put(spool: Spool, keys: Keys, submission: Submission, at: object = NOON) -> str:
    """Spool an enquiry as the reception does; its reference."""
    submission_id = submission.own_ids(keys, NOON)[0]
    spool.put(submission_id, Spooled(submission, at))  # type: ignore[arg-type]
    return keys.reference(submission_id)


def references(store: Database) -> list[str]:
    with store.reading() as session:
        return sorted(session.scalars(select(Enquiry.reference)))


def test_an_enquiry_from_the_spool_came_when_it_was_submitted(
    desk: EnquiryDesk, spool: Spool, store: Database, store_keys: Keys, asked: Asked
) -> None:
    reference = put(spool, store_keys, asked(), NOON - HOUR)
    drain(desk, spool)
    with store.reading() as session:
        enquiry, lead = session.scalars(select(Enquiry)).one(), session.scalars(select(Lead)).one()
    assert (enquiry.reference, enquiry.created_at) == (reference, NOON - HOUR)
    assert (lead.created_at, lead.last_enquiry_at) == (NOON - HOUR, NOON - HOUR)
    assert enquiry.open(store_keys, "details") == "两家客户逾期四个多月。"


def test_one_that_is_older_than_what_came_since_does_not_turn_the_lead_back(
    desk: EnquiryDesk, spool: Spool, store: Database, store_keys: Keys, asked: Asked
) -> None:
    put(spool, store_keys, asked(typed_id="f" * 32, need="other"), NOON - HOUR)
    desk.record(asked(), NOON)
    drain(desk, spool)
    with store.reading() as session:
        lead = session.scalars(select(Lead)).one()
    assert (lead.enquiry_count, lead.last_enquiry_at, lead.need) == (2, NOON, "overdue")


def test_what_cannot_be_read_is_set_aside_and_holds_up_nobody(
    desk: EnquiryDesk,
    spool: Spool,
    store: Database,
    store_keys: Keys,
    asked: Asked,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (spool.folder / f"{'0' * 32}.kept").write_bytes(b"torn")
    reference = put(spool, store_keys, asked())
    drain(desk, spool)
    assert references(store) == [reference]
    assert (spool.waiting().count, spool.waiting().aside) == (0, 1)
    assert "0" * 32 in caplog.text
    assert (spool.folder / f"{'0' * 32}.aside").read_bytes() == b"torn"


def test_one_that_cannot_be_stored_stays_and_holds_up_nobody(
    desk: EnquiryDesk,
    spool: Spool,
    store: Database,
    store_keys: Keys,
    asked: Asked,
    caplog: pytest.LogCaptureFixture,
) -> None:
    put(spool, store_keys, asked(form_version="0" * 16, typed_id="e" * 32))
    reference = put(spool, store_keys, asked())
    assert not drain(desk, spool)
    assert references(store) == [reference]
    assert spool.waiting().count == 1
    assert "没能入库" in caplog.text
    assert "张三丰" not in caplog.text


def test_while_the_database_is_busy_everything_waits(
    desk: EnquiryDesk,
    spool: Spool,
    store: Database,
    store_keys: Keys,
    asked: Asked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(record, "WAIT", 0.1)
    put(spool, store_keys, asked())
    with a_writer_elsewhere(store, "leads", "enquiries"):
        assert drain(desk, spool)
    assert spool.waiting().count == 1


def test_it_goes_on_until_it_is_told_to_stop_and_fills_the_reserve_again(
    desk: EnquiryDesk, spool: Spool, store: Database, store_keys: Keys, asked: Asked
) -> None:
    stopping = threading.Event()
    (spool.folder / f"{'0' * 32}.aside").write_bytes(b"torn")
    draining = threading.Thread(target=run, args=(desk, spool, stopping))
    draining.start()
    told = sorted(put(spool, store_keys, asked(typed_id=f"{each:032x}")) for each in range(3))
    while references(store) != told or spool.ids():
        assert draining.is_alive()
        stopping.wait(0.02)
    stopping.set()
    draining.join()
    assert spool.waiting().aside == 1, "tried again at the start, and still not to be read"


def test_two_drainers_of_one_folder_store_each_once(
    desk: EnquiryDesk, spool: Spool, store: Database, store_keys: Keys, asked: Asked
) -> None:
    """A rolling restart has the old server and the new one for a moment."""
    told = sorted(put(spool, store_keys, asked(typed_id=f"{each:032x}")) for each in range(10))
    draining = [threading.Thread(target=drain, args=(desk, spool)) for _ in range(2)]
    for each in draining:
        each.start()
    for each in draining:
        each.join()
    drain(desk, spool)
    assert references(store) == told
    assert spool.ids() == []


DRAIN = """
import os, signal, sys
from pathlib import Path
from xinheng.crypto import load_keys
from xinheng.db import open_databases
from xinheng.forms.priority import load_priority
from xinheng.leads import record
from xinheng.leads.drainer import drain
from xinheng.leads.spool import Spool

record.WAIT = 60.0
folder, rules, left = Path(sys.argv[1]), load_priority(Path(sys.argv[3])), int(sys.argv[5])
keys = load_keys(folder / "keys")
databases = open_databases(folder, sys.argv[2])
desk = record.EnquiryDesk(databases.leads, keys, site="http://x", priority=lambda: rules)
spool = Spool(Path(sys.argv[4]), keys)

def stepped(holder, name):
    act = getattr(holder, name)
    def stepping(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*arguments, **named)
    setattr(holder, name, stepping)

from sqlalchemy.engine.default import DefaultDialect
for holder, name in (
    (record, "_by_submission"), (record, "tell"), (record, "_consents"), (DefaultDialect, "do_commit"),
    (Spool, "read"), (Spool, "remove"), (os, "unlink"), (os, "fsync"),
):
    stepped(holder, name)
drain(desk, spool)
print("done")
"""


def test_a_kill_between_any_two_steps_loses_nothing_and_doubles_nothing(
    desk: EnquiryDesk,
    opened: Databases,
    spool: Spool,
    store_keys: Keys,
    asked: Asked,
    tmp_path: Path,
) -> None:
    submissions = [asked(typed_id=f"{each:032x}") for each in range(2)]
    told = sorted(put(spool, store_keys, each) for each in submissions)
    steps = 0
    while True:
        arguments = (tmp_path / "var", address(opened), ROOT / "forms", spool.folder, steps)
        done = subprocess.run(
            [sys.executable, "-c", DRAIN, *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "site")},
        )
        assert set(references(opened.leads)) | {store_keys.reference(each) for each in spool.ids()} == set(
            told
        )
        if done.stdout:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        steps += 1
    assert references(opened.leads) == told
    assert spool.ids() == []
    assert steps > 3
