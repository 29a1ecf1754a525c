"""After a change of keys all opens and is found with the new ones only; killed anywhere, the next call goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, select, text
from tests.databases import address
from tests.leads.colleagues import hire, scope_of
from tests.leads.conftest import NOON

from xinheng import assessments
from xinheng.assessments import Assessment
from xinheng.audit import log as audit
from xinheng.audit.verify import verify
from xinheng.crypto import (
    ROTATION,
    CannotDecrypt,
    Keys,
    MissingKey,
    RotationUnfinished,
    load_keys,
)
from xinheng.db import CountersBase, Database, Databases, LeadsBase
from xinheng.form_versions import FormVersion
from xinheng.leads.drafts import read_draft, save_draft
from xinheng.leads.finding import find_leads, find_person
from xinheng.leads.models import Enquiry, Lead, LeadEvent
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.submission import Submission
from xinheng.leads.tombstones import TombstoneFile
from xinheng.leads.verdict import Verdict
from xinheng.leads.wanted import Match, Wanted
from xinheng.leads.work import Deed, LeadWork
from xinheng.phones import parse_phone
from xinheng.privacy.models import PrivacyRequest
from xinheng.privacy.receiving import Asked, PrivacyDesk
from xinheng.rotation import reseal as resealing
from xinheng.rotation.changing import StillNeeded, change_keys, remove_old_keys
from xinheng.rotation.reseal import SEALED, outdated
from xinheng.running import InUse, hold_running

PHONE = "138 0013 8000"
ODD = Verdict(("trap", "link"))
Asks = Callable[..., Submission]

NOT_SEALED = {
    "leads.phone_index", "leads.last_four_index", "leads.name_index", "enquiries.payload_hash",
    "leads.company_index", "lead_phones.phone_index", "lead_phones.last_four_index",
    "enquiries.phone_index", "privacy_requests.phone_index", "assessments.token_hash",
    "audit.chain", "audit_head.chain", "sign_in_tries.key", "sessions.id_hash", "staff_links.secret_hash",
}  # fmt: skip
"""Columns of bytes that hold hashes; those of indexes change with the sealed field they are made from."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "var" / "spool").mkdir(parents=True)
    return tmp_path / "var"


@pytest.fixture
def filled(store: Database, store_keys: Keys, desk: EnquiryDesk, asked: Asks, data: Path) -> str:
    """One of everything that is sealed; returns the member's id."""
    desk.record(asked(PHONE), NOON)
    desk.record(asked("021-63958427 转 8866", typed_id="e" * 32, name=""), NOON)
    member = hire(store)
    with store.reading() as session:
        lead_id = session.scalars(select(Lead.id).order_by(Lead.id)).first()
    assert lead_id
    work = LeadWork(store, store_keys, site="https://x.example")
    work.write_note(lead_id, Deed(scope_of(member), NOON), "王会计")
    work.plan(lead_id, Deed(scope_of(member), NOON), NOON + timedelta(days=1), "带合同")
    with store.writing() as session:
        save_draft(session, store_keys, lead_id, member.id, "半句", NOON)
        audit.record(session, store_keys, actor=member.id, action="view", now=NOON)
        version = session.scalars(select(FormVersion.version)).one()
        answers, result = {"dso": "le30"}, {"score": 12}
        now = {"previous_id": None, "now": NOON}
        assessments.keep(session, store_keys, version=version, answers=answers, result=result, **now)
    PrivacyDesk(store, store_keys, TombstoneFile(data / "keys")).receive(
        Asked("correct", parse_phone(PHONE), "XH-1", "改名"), NOON
    )
    return member.id


def clear(store: Database, keys: Keys, member: str) -> list[str]:
    """Everything that is sealed, opened."""
    with store.reading() as session:
        found = []
        for lead in session.scalars(select(Lead).order_by(Lead.id)):
            found += [lead.open(keys, each) for each in ("name", "phone", "extension")]
            found += [lead.open(keys, "next_step")] if lead.next_step else []
            draft = read_draft(session, keys, lead.id, member)
            found += [draft.text] if draft else []
        for enquiry in session.scalars(select(Enquiry).order_by(Enquiry.id)):
            found += [enquiry.open(keys, each) for each in ("name", "phone", "details", "extra")]
        events = session.scalars(select(LeadEvent).where(LeadEvent.note.is_not(None)).order_by(LeadEvent.id))
        found += [event.open(keys, "note") for event in events]
        for assessment in session.scalars(select(Assessment)):
            found += [assessment.open(keys, each) for each in ("answers", "result")]
        for request in session.scalars(select(PrivacyRequest)):
            found += [request.open(keys, each) for each in ("phone", "reference", "words")]
    return found


def only_new(keys: Keys) -> Keys:
    return replace(keys, older={})


def test_afterwards_everything_opens_with_the_new_key_alone(
    store: Database, store_keys: Keys, filled: str, data: Path
) -> None:
    before = clear(store, store_keys, filled)
    assert len(before) > 15
    done = change_keys(data, store)
    keys = load_keys(data / "keys", make=False)
    assert (done.number, keys.number, done.went_on, done.resealed.unreadable) == (2, 2, False, 0)
    assert keys.field != store_keys.field
    assert clear(store, only_new(keys), filled) == before
    with pytest.raises(CannotDecrypt):
        clear(store, store_keys, filled)
    assert outdated(store, keys) == 0
    assert not (data / "keys" / ROTATION).exists()


@pytest.mark.parametrize("typed", [PHONE, "8000", "8427", "张三丰", "021-63958427"])
def test_people_are_found_by_new_indexes(
    store: Database, store_keys: Keys, filled: str, data: Path, typed: str
) -> None:
    change_keys(data, store)
    keys = load_keys(data / "keys", make=False)
    boss = scope_of(hire(store, "主管", "sales_lead"), everyone=True)
    with store.reading() as session:
        match = find_person(session, keys, boss, typed)
        assert isinstance(match, Match)
        assert len(find_leads(session, boss, Wanted(match=match), NOON).leads) == 1
        old = find_person(session, store_keys, boss, typed)
        assert isinstance(old, Match)
        assert find_leads(session, boss, Wanted(match=old), NOON).leads == []


def test_a_known_person_stays_known_and_the_audit_whole(
    store: Database, store_keys: Keys, filled: str, data: Path, desk: EnquiryDesk, asked: Asks
) -> None:
    change_keys(data, store)
    keys = load_keys(data / "keys", make=False)
    assert verify(store, keys).whole
    same = EnquiryDesk(store, keys, site="https://x.example", priority=desk._priority)
    again = same.record(asked(PHONE), NOON)
    assert again.repeated, "the same submission is found by its id"
    same.record(asked(PHONE, typed_id="c" * 32), NOON)
    with store.reading() as session:
        assert sorted(session.scalars(select(Lead.enquiry_count))) == [1, 2]


def test_what_waits_in_quarantine_is_found_by_its_new_index(
    store: Database, store_keys: Keys, filled: str, data: Path, desk: EnquiryDesk, asked: Asks
) -> None:
    held = desk.record(asked("139 7462 5813 或 138 0013 8000", typed_id="b" * 32, verdict=ODD), NOON)
    change_keys(data, store)
    keys = load_keys(data / "keys", make=False)
    with store.reading() as session:
        index = session.scalar(select(Enquiry.phone_index).where(Enquiry.reference == held.reference))
    assert index == keys.blind_index("phone", "+8613974625813")
    assert index != store_keys.blind_index("phone", "+8613974625813")


def test_a_second_change_and_the_old_keys_go_only_when_told(
    store: Database, store_keys: Keys, filled: str, data: Path
) -> None:
    before = clear(store, store_keys, filled)
    change_keys(data, store)
    change_keys(data, store)
    keys = load_keys(data / "keys", make=False)
    assert (keys.number, set(keys.older)) == (3, {1, 2})
    assert remove_old_keys(data, store, data / "spool") == ["field.1.key", "field.2.key", "find.2.key"]
    keys = load_keys(data / "keys", make=False)
    assert (keys.number, keys.older) == (3, {})
    assert clear(store, keys, filled) == before
    assert remove_old_keys(data, store, data / "spool") == []


def test_an_old_key_that_is_needed_stays(store: Database, store_keys: Keys, filled: str, data: Path) -> None:
    with store.reading() as session:
        old = session.execute(select(Lead.id, Lead.name)).first()
    assert old
    change_keys(data, store)
    with store.writing() as session:
        session.execute(
            text("UPDATE leads SET name = :name WHERE id = :id"), {"name": old.name, "id": old.id}
        )
    with pytest.raises(StillNeeded, match="还有1行"):
        remove_old_keys(data, store, data / "spool")
    assert (data / "keys" / "field.1.key").exists()


def test_killed_in_the_middle_the_next_call_goes_on(
    store: Database,
    store_keys: Keys,
    filled: str,
    data: Path,
    opened: Databases,
    desk: EnquiryDesk,
    asked: Asks,
) -> None:
    for number in range(40):
        desk.record(asked(f"139001380{number:02}", typed_id=f"{number:032x}"), NOON)
    before = clear(store, store_keys, filled)
    code = (
        "import os, signal, sys; from pathlib import Path; from xinheng.db import open_databases;"
        "from xinheng.rotation import reseal; from xinheng.rotation.changing import change_keys;"
        "reseal.BATCH = 7; data = Path(sys.argv[1]);"
        "stop = lambda done, total: done > 60 and os.kill(os.getpid(), signal.SIGKILL);"
        "change_keys(data, open_databases(data, sys.argv[2]).leads, stop)"
    )
    opened.dispose()  # no site runs
    killed = subprocess.run([sys.executable, "-c", code, data, address(opened)], check=False)
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(RotationUnfinished, match="再运行"):
        load_keys(data / "keys", make=False)
    half = load_keys(data / "keys", make=False, half_way=True)
    assert clear(store, half, filled) == before, "with both keys nothing is lost on the way"
    assert outdated(store, half) > 0
    done = change_keys(data, store)
    assert (done.number, done.went_on) == (2, True)
    assert clear(store, only_new(load_keys(data / "keys", make=False)), filled) == before


def test_killed_before_the_new_keys_were_made_the_next_call_makes_them(
    store: Database, store_keys: Keys, filled: str, data: Path
) -> None:
    (data / "keys" / ROTATION).write_text("2\n")
    assert change_keys(data, store).number == 2
    assert clear(store, only_new(load_keys(data / "keys", make=False)), filled)


def test_while_the_site_runs_nothing_is_changed(store: Database, filled: str, data: Path) -> None:
    descriptor = hold_running(data)
    try:
        with pytest.raises(InUse, match="先停下"):
            change_keys(data, store)
    finally:
        os.close(descriptor)
    assert load_keys(data / "keys", make=False).number == 1


@pytest.mark.databases("postgresql")
def test_a_site_on_another_machine_is_seen(
    store: Database, filled: str, data: Path, tmp_path: Path, opened: Databases
) -> None:
    with opened.counters.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        store.dispose()
        with pytest.raises(InUse, match="别的机器"):
            change_keys(data, store)


def test_what_no_key_opens_stays_as_it_is_and_is_counted(
    store: Database, store_keys: Keys, filled: str, data: Path
) -> None:
    strange = replace(store_keys, field=bytes(range(32)))
    with store.writing() as session:
        enquiry = session.scalars(select(Enquiry)).first()
        assert enquiry
        for column in ("name", "phone", "details", "extra"):
            enquiry.seal(strange, column, "?")
    assert change_keys(data, store).resealed.unreadable == 1


@pytest.mark.databases("sqlite")
def test_every_column_of_bytes_is_resealed_or_known_as_a_hash() -> None:
    """A new sealed column belongs into rotation/reseal.py, or it would be lost with the old key."""
    columns = {
        f"{table.name}.{column.name}"
        for table in LeadsBase.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    listed = {f"{each.table.name}.{name}" for each in SEALED for name in each.columns}
    assert listed.isdisjoint(NOT_SEALED)
    assert columns == listed | NOT_SEALED
    assert {
        column.name
        for table in CountersBase.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    } <= {"device", "reader", "salt", "mark", "key", "enquiry", "proof", "token_hash"} | {"state"}, (
        "hashes and salts; the state of a draft is sealed with a key of the visitor's own"
    )


@pytest.mark.databases("sqlite")
def test_a_missing_partner_of_the_newest_key_stops_the_start(
    store: Database, filled: str, data: Path
) -> None:
    change_keys(data, store)
    (data / "keys" / "find.2.key").unlink()
    with pytest.raises(MissingKey, match=r"find\.2\.key"):
        load_keys(data / "keys")
    shutil.rmtree(data / "keys")
    assert resealing.BATCH == 200


def test_an_old_key_stays_while_an_enquiry_waits_in_the_spool(
    data: Path, store: Database, store_keys: Keys
) -> None:
    waiting = data / "spool" / f"{'a' * 32}.kept"
    waiting.touch()
    with pytest.raises(StillNeeded, match="备用文件夹"):
        remove_old_keys(data, store, data / "spool")
    waiting.unlink()
    assert remove_old_keys(data, store, data / "spool") == []


def test_an_old_key_stays_while_the_spool_cannot_be_seen(
    data: Path, store: Database, store_keys: Keys
) -> None:
    with pytest.raises(StillNeeded, match="那个盘挂上了吗"):
        remove_old_keys(data, store, data / "not-mounted")
