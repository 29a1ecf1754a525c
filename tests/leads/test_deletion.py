"""Who was deleted is gone from every table and every byte, and stays gone; who may not be deleted yet stays."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from tests.databases import raw_bytes, refuse_inserts
from tests.leads.colleagues import hire, scope_of, the_lead
from tests.leads.conftest import NOON
from tests.leads.deleting import delete_lead

from xinheng.audit.models import AuditRow
from xinheng.audit.verify import verify
from xinheng.crypto import Keys
from xinheng.db import Database, Databases, LeadsBase
from xinheng.db.sqlite import SqliteDatabase
from xinheng.leads.deletion import Deleted, Deletion
from xinheng.leads.drafts import save_draft
from xinheng.leads.models import Consent, Draft, Enquiry, Lead, LeadEvent
from xinheng.leads.quarantine import Quarantine
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.submission import Submission
from xinheng.leads.tombstones import FILE, Restraint, Tombstone, TombstoneFile
from xinheng.leads.verdict import Verdict
from xinheng.leads.work import Deed, LeadWork
from xinheng.notices.outbox import Notice

DAYS_181 = NOON + timedelta(days=181)
OF_A_PERSON = (Draft, LeadEvent, Consent, Enquiry, Notice, Lead)
Asked = Callable[..., Submission]


@pytest.fixture
def file(tmp_path: Path) -> TombstoneFile:
    return TombstoneFile(tmp_path / "var" / "keys")


@pytest.fixture
def deletion(store: Database, store_keys: Keys, file: TombstoneFile) -> Deletion:
    return Deletion(store, store_keys, file)


def rows(store: Database, *tables: type[LeadsBase]) -> dict[str, int]:
    with store.reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        }


def work_on(store: Database, keys: Keys, lead_id: str) -> None:
    """Leave a note, a plan and a draft, so that every table holds something of the person."""
    member = hire(store)
    deeds = LeadWork(store, keys, site="https://x.example")
    deed = Deed(scope_of(member), NOON)
    deeds.write_note(lead_id, deed, "王会计说下周回")
    deeds.plan(lead_id, deed, NOON + timedelta(days=1), "带合同去")
    with store.writing() as session:
        save_draft(session, keys, lead_id, member.id, "半句", NOON)


def traces(store: Database, lead_id: str) -> list[bytes]:
    """Bytes that stand nowhere but in rows of this person."""
    with store.reading() as session:
        lead = session.get_one(Lead, lead_id)
        found = [
            lead.name,
            lead.phone,
            lead.next_step,
            lead.phone_index,
            lead.last_four_index,
            lead.name_index,
        ]
        for enquiry in lead.enquiries:
            found += [enquiry.details, enquiry.phone, enquiry.payload_hash, enquiry.extra]
            found += [enquiry.reference.encode(), enquiry.submission_id.encode()]
        found += session.scalars(select(LeadEvent.note).where(LeadEvent.note.is_not(None)))
        found += session.scalars(select(Draft.text))
    return [each for each in found if each]


def test_after_its_days_a_lead_is_gone_from_every_table_and_every_byte(
    opened: Databases,
    store: Database,
    store_keys: Keys,
    desk: EnquiryDesk,
    asked: Asked,
    deletion: Deletion,
    tmp_path: Path,
) -> None:
    desk.record(asked(), NOON)
    lead_id = the_lead(store).id
    work_on(store, store_keys, lead_id)
    left = traces(store, lead_id)
    assert len(left) > 12
    assert all(number for number in rows(store, *OF_A_PERSON).values())
    before = raw_bytes(opened, tmp_path / "var")
    assert all(trace in before for trace in left)
    assert deletion.of_due(DAYS_181) == Deleted(leads=1)
    assert rows(store, *OF_A_PERSON) == dict.fromkeys(rows(store, *OF_A_PERSON), 0)
    after = raw_bytes(opened, tmp_path / "var")
    assert [trace for trace in left if trace in after] == []


def test_what_stays_is_a_tombstone_a_count_and_a_line_in_the_audit(
    store: Database,
    store_keys: Keys,
    desk: EnquiryDesk,
    asked: Asked,
    deletion: Deletion,
    file: TombstoneFile,
) -> None:
    desk.record(asked(), NOON)
    desk.record(replace(asked(), typed_id="f" * 32), NOON)
    lead_id = the_lead(store).id
    with store.reading() as session:
        enquiries = set(session.scalars(select(Enquiry.id)))
    deletion.of_due(DAYS_181)
    with store.reading() as session:
        stone = session.get_one(Tombstone, lead_id)
        assert (stone.id, stone.kind, stone.reason, stone.deleted_at) == (
            lead_id,
            "lead",
            "retention",
            DAYS_181,
        )
        row = session.scalars(select(AuditRow)).one()
        assert (row.actor, row.action, row.subject_id, row.detail) == (
            "system",
            "delete",
            lead_id,
            {"reason": "retention"},
        )
        assert set(session.scalars(select(Tombstone.id))) == {lead_id} | enquiries
    assert next(iter(file.read())) == lead_id
    assert set(file.read()) == {lead_id} | enquiries
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert verify(store, store_keys).whole


@pytest.mark.parametrize("days", [0, 179, 180])
def test_whose_time_is_not_over_stays(
    store: Database, desk: EnquiryDesk, asked: Asked, deletion: Deletion, days: int
) -> None:
    desk.record(asked(), NOON)
    assert deletion.of_due(NOON + timedelta(days=days)) == Deleted()
    assert rows(store, Lead, Enquiry, Consent) == {"leads": 1, "enquiries": 1, "consents": 1}


def test_only_who_is_due_is_deleted(
    store: Database, desk: EnquiryDesk, asked: Asked, deletion: Deletion
) -> None:
    desk.record(asked(), NOON)
    desk.record(asked("138 0013 8001", typed_id="e" * 32), NOON + timedelta(days=30))
    assert deletion.of_due(DAYS_181) == Deleted(leads=1)
    assert rows(store, Lead, Enquiry, Notice, Tombstone) == {
        "leads": 1,
        "enquiries": 1,
        "outbox": 1,
        "tombstones": 2,
    }


def test_a_restricted_lead_is_deleted_in_its_time_too(
    store: Database, desk: EnquiryDesk, asked: Asked, deletion: Deletion
) -> None:
    desk.record(asked(), NOON)
    with store.writing() as session:
        session.execute(update(Lead).values(restricted=True))
    assert deletion.of_due(DAYS_181) == Deleted(leads=1)


def test_hundreds_are_deleted_in_turns(
    store: Database,
    desk: EnquiryDesk,
    asked: Asked,
    deletion: Deletion,
    file: TombstoneFile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("xinheng.leads.deletion._AT_ONCE", 10)
    monkeypatch.setattr("xinheng.leads.deletion._PAUSE", 0)
    monkeypatch.setattr("xinheng.leads.deletion._TURN", 0)
    for number in range(25):
        desk.record(asked(f"138001380{number:02}", typed_id=f"{number:032x}"), NOON)
    assert deletion.of_due(DAYS_181) == Deleted(leads=25)
    assert rows(store, Lead, Tombstone) == {"leads": 0, "tombstones": 50}
    assert len(file.read()) == 50


def test_told_to_stop_it_stops_between_two_turns(
    store: Database,
    desk: EnquiryDesk,
    asked: Asked,
    deletion: Deletion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("xinheng.leads.deletion._TURN", 0)
    for number in range(4):
        desk.record(asked(f"1380013800{number}", typed_id=f"{number:032x}"), NOON)
    looks = iter([False, False, True, True])
    assert deletion.of_due(DAYS_181, lambda: next(looks)) == Deleted(leads=2)
    assert deletion.of_due(DAYS_181) == Deleted(leads=2)


def test_one_lead_is_deleted_when_its_person_asks(
    store: Database, desk: EnquiryDesk, asked: Asked, deletion: Deletion
) -> None:
    desk.record(asked(), NOON)
    member, lead_id = hire(store), the_lead(store).id
    delete_lead(store, deletion, lead_id, actor=member.id)
    assert rows(store, *OF_A_PERSON) == dict.fromkeys(rows(store, *OF_A_PERSON), 0)
    with store.reading() as session:
        assert session.scalars(select(AuditRow.actor)).all() == [member.id]
        assert set(session.scalars(select(Tombstone.reason))) == {"request"}


def test_nothing_is_deleted_that_can_not_be_recorded(
    store: Database, desk: EnquiryDesk, asked: Asked, deletion: Deletion, file: TombstoneFile
) -> None:
    desk.record(asked(), NOON)
    refuse_inserts(store, "audit")
    with pytest.raises(Exception, match="no"):
        deletion.of_due(DAYS_181)
    assert rows(store, Lead, Tombstone) == {"leads": 1, "tombstones": 0}
    assert file.read() == {}


def test_every_table_that_points_at_a_lead_or_an_enquiry_is_emptied() -> None:
    """A new table with a key to one of the two belongs into leads/deletion.py, and here."""
    pointing = {
        table.name
        for table in LeadsBase.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name in {"leads", "enquiries"}
    }
    assert pointing == {"enquiries", "consents", "lead_events", "lead_drafts", "lead_phones", "merges"}


def test_an_enquiry_in_quarantine_is_kept_as_long_as_its_form_said(
    store: Database, desk: EnquiryDesk, asked: Asked, deletion: Deletion, file: TombstoneFile
) -> None:
    desk.record(asked(verdict=Verdict(("trap", "link"))), NOON)
    assert deletion.of_due(NOON + timedelta(days=180)) == Deleted()
    assert deletion.of_due(DAYS_181) == Deleted(enquiries=1)
    assert rows(store, Enquiry, Consent, Notice) == {"enquiries": 0, "consents": 0, "outbox": 0}
    assert [each.kind for each in file.read().values()] == ["enquiry"]


# --- deleted people don't come back ---


def test_who_comes_back_with_a_backup_is_deleted_again(
    store: Database,
    store_keys: Keys,
    desk: EnquiryDesk,
    asked: Asked,
    deletion: Deletion,
    tmp_path: Path,
    opened: Databases,
) -> None:
    desk.record(asked(), NOON)
    lead_id = the_lead(store).id
    left = traces(store, lead_id)
    delete_lead(store, deletion, lead_id)
    restore(store, asked, desk, lead_id)
    assert deletion.again() == 1
    assert rows(store, *OF_A_PERSON) == dict.fromkeys(rows(store, *OF_A_PERSON), 0)
    with store.reading() as session:
        assert set(session.scalars(select(Tombstone.deleted_at))) == {NOON}
    assert deletion.again() == 0
    after = raw_bytes(opened, tmp_path / "var")
    assert [trace for trace in left if trace in after] == []


@pytest.mark.databases("postgresql")
def test_two_that_start_at_once_after_a_restore_both_come_up(
    store: Database, deletion: Deletion, file: TombstoneFile
) -> None:
    stone = {"id": "a" * 32, "kind": "lead", "reason": "request", "deleted_at": NOON}
    file.append([Tombstone(**stone)])
    with ThreadPoolExecutor() as pool:
        with store.writing(over=[b"tombstones"]) as session:  # as the first one has it
            session.add(Tombstone(**stone))
            session.flush()
            second = pool.submit(deletion.again)
            while not session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                assert not second.done()
        assert second.result() == 0


def test_a_request_that_could_not_be_emptied_may_be_deleted_with_once_more(
    store: Database, desk: EnquiryDesk, asked: Asked, deletion: Deletion
) -> None:
    for day in range(2):
        desk.record(asked(), NOON + timedelta(days=day))
        at = NOON + timedelta(days=day)
        delete_lead(store, deletion, the_lead(store).id, now=at, requests=["a" * 32])
    with store.reading() as session:
        assert session.scalars(select(Tombstone.kind)).all().count("request") == 1


def test_a_backup_from_before_a_release_does_not_bring_it_back(
    store: Database, store_keys: Keys, desk: EnquiryDesk, asked: Asked, deletion: Deletion
) -> None:
    """There the enquiry stands without its lead."""
    desk.record(asked(verdict=Verdict(("trap", "link"))), NOON)
    with store.reading() as session:
        enquiry_id = session.scalars(select(Enquiry.id)).one()
    assert Quarantine(store, store_keys, desk).release(enquiry_id, hire(store).id, NOON)
    delete_lead(store, deletion, the_lead(store).id)
    desk.record(asked(verdict=Verdict(("trap", "link"))), NOON)
    with store.migrating() as connection:
        connection.execute(text("DELETE FROM tombstones"))
        if not isinstance(store, SqliteDatabase):
            connection.execute(text("ALTER TABLE consents DROP CONSTRAINT fk_consents_enquiry_id_enquiries"))
        connection.execute(text("UPDATE enquiries SET id = :id"), {"id": enquiry_id})
        connection.execute(text("UPDATE consents SET enquiry_id = :id"), {"id": enquiry_id})
    assert deletion.again() == 1
    assert rows(store, *OF_A_PERSON) == dict.fromkeys(rows(store, *OF_A_PERSON), 0)


def test_what_is_deleted_again_is_gone_whatever_the_order_of_the_lines(
    store: Database, desk: EnquiryDesk, asked: Asked, deletion: Deletion, file: TombstoneFile
) -> None:
    """The restored database doesn't know of it."""
    desk.record(asked(), NOON)
    lead_id = the_lead(store).id
    delete_lead(store, deletion, lead_id)
    lines = file.path.read_text().splitlines(keepends=True)
    file.path.write_text("".join(reversed(lines)))
    restore(store, asked, desk, lead_id)
    assert deletion.again() == 1
    assert rows(store, *OF_A_PERSON) == dict.fromkeys(rows(store, *OF_A_PERSON), 0)


def restore(store: Database, asked: Asked, desk: EnquiryDesk, lead_id: str) -> None:
    """The database as it was before: the lead under its id, and no tombstone."""
    desk.record(asked(typed_id="d" * 32), NOON)
    with store.migrating() as connection:
        if not isinstance(store, SqliteDatabase):
            connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        connection.execute(text("DELETE FROM lead_events"))
        connection.execute(text("CREATE TABLE moved AS SELECT * FROM leads"))
        connection.execute(text("UPDATE moved SET id = :id"), {"id": lead_id})
        connection.execute(text("INSERT INTO leads SELECT * FROM moved"))
        connection.execute(text("UPDATE enquiries SET lead_id = :id"), {"id": lead_id})
        connection.execute(text("DELETE FROM leads WHERE id != :id"), {"id": lead_id})
        connection.execute(text("DROP TABLE moved"))
        connection.execute(text("DELETE FROM tombstones"))


def test_the_file_makes_up_for_a_crash_between_table_and_file(
    store: Database, desk: EnquiryDesk, asked: Asked, deletion: Deletion, file: TombstoneFile
) -> None:
    desk.record(asked(), NOON)
    deletion.of_due(DAYS_181)
    noted = set(file.path.read_text().split("\n"))
    file.path.unlink()
    deletion.write_out()
    written = file.path.read_text()
    assert set(written.split("\n")) == noted
    deletion.write_out()
    assert file.path.read_text() == written


def stone(number: int, at: datetime = NOON) -> Tombstone:
    return Tombstone(id=f"{number:032x}", kind="lead", reason="request", deleted_at=at)


def test_a_line_cut_off_by_a_crash_spoils_no_other(tmp_path: Path) -> None:
    file = TombstoneFile(tmp_path)
    file.append([stone(1), stone(2)])
    file.path.write_bytes(file.path.read_bytes()[:-20])
    assert list(file.read()) == [stone(1).id]
    file.append([stone(3)])
    assert list(file.read()) == [stone(1).id, stone(3).id]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "lead",
        f"lead {1:032x} 2026-11-23T04:00:00+00:00",
        f"lead {1:032x} 2026-11-23T04:00:00 request",
        f"lead {1:032x} yesterday request",
        f"lead {1:031x} 2026-11-23T04:00:00+00:00 request",
        f"staff {1:032x} 2026-11-23T04:00:00+00:00 request",
        f"lead {1:032x} 2026-11-23T04:00:00+00:00 whim",
    ],
)
def test_what_is_no_tombstone_deletes_nobody(tmp_path: Path, line: str) -> None:
    (tmp_path / FILE).write_text(f"{line}\n")
    assert TombstoneFile(tmp_path).read() == {}


def test_a_restraint_is_read_as_it_was_written_and_once(tmp_path: Path) -> None:
    file = TombstoneFile(tmp_path)
    at = NOON + timedelta(microseconds=7)
    late = Restraint(id=f"{1:032x}", kind="enquiry", what="restricted", since=at)
    early = Restraint(id=f"{2:032x}", kind="lead", what="withdraw", since=NOON)
    file.append([late, stone(3), early, late])
    assert [(*each.key, each.kind) for each in file.restraints()] == [
        (*each.key, each.kind) for each in (early, late)
    ]
    assert list(file.read()) == [stone(3).id]


@pytest.mark.parametrize(
    "line", ["request {id} {at} withdraw", "lead {id} {at} whim", "lead {id} soon withdraw"]
)
def test_what_is_no_restraint_holds_nobody_back(tmp_path: Path, line: str) -> None:
    (tmp_path / FILE).write_text(line.format(id=f"{1:032x}", at="2026-11-23T04:00:00+00:00") + "\n")
    assert TombstoneFile(tmp_path).restraints() == []


def test_a_tombstone_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = TombstoneFile(tmp_path)
    assert file.read() == {}
    file.append([stone(7)])
    (found,) = file.read().values()
    assert (found.id, found.kind, found.reason, found.deleted_at) == (stone(7).id, "lead", "request", NOON)
    assert file.path.read_text() == f"lead {7:032x} 2026-11-23T04:00:00+00:00 request\n"
