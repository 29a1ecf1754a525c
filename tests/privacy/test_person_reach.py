"""What a person asks reaches every record of theirs: leads, what waits in quarantine, what comes late from the spool."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads import drainer
from xinheng.leads.deletion import Deletion
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent, State
from xinheng.leads.phone_index import fill_phone_indexes
from xinheng.leads.quarantine import Quarantine, count_waiting, find_held, read_page
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.spool import Spool, Spooled
from xinheng.leads.submission import Submission
from xinheng.leads.tombstones import Restraint, TombstoneFile
from xinheng.leads.verdict import Verdict
from xinheng.notices.outbox import Notice
from xinheng.phones import parse_phone
from xinheng.privacy.answering import NotProved, Officer, PrivacyWork, StillToCome
from xinheng.privacy.models import PrivacyRequest
from xinheng.privacy.person_file import person_data
from xinheng.privacy.receiving import Asked, PrivacyDesk

MOBILE, LANDLINE = "138 0013 8000", "021-63958427"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ODD = Verdict(("trap", "link"))
Asks = Callable[..., Submission]
Comes = Callable[..., str]


@pytest.fixture
def comes(desk: EnquiryDesk, asked: Asks) -> Comes:
    """An enquiry comes in; returns its reference."""
    number = iter(range(1, 100))

    def come(phone: str = MOBILE, at: Any = NOON, **changed: Any) -> str:
        purposes = ("callback", "marketing")
        submission = asked(phone, typed_id=f"{next(number):032x}", purposes=purposes, **changed)
        return desk.record(submission, at).reference

    return come


@pytest.fixture
def holds(comes: Comes) -> Comes:
    """An enquiry comes in and is put in quarantine."""
    return lambda *args, **changed: comes(*args, verdict=ODD, **changed)


@pytest.fixture
def quarantine(store: Database, store_keys: Keys, desk: EnquiryDesk) -> Quarantine:
    return Quarantine(store, store_keys, desk)


@pytest.fixture
def asks(privacy: PrivacyDesk, store: Database) -> Comes:
    """Somebody asks; returns the request's id."""

    def ask(
        kind: Any, reference: str = "", phone: str = MOBILE, at: Any = NOON + HOUR, words: str = ""
    ) -> str:
        receipt = privacy.receive(Asked(kind, parse_phone(phone), reference, words), at)
        with store.reading() as session:
            return session.scalars(
                select(PrivacyRequest.id).where(PrivacyRequest.receipt == receipt.number)
            ).one()

    return ask


def request_of(store: Database, request_id: str) -> PrivacyRequest:
    with store.reading() as session:
        return session.get_one(PrivacyRequest, request_id)


def enquiry_of(store: Database, reference: str) -> Enquiry:
    with store.reading() as session:
        return session.scalars(select(Enquiry).where(Enquiry.reference == reference)).one()


def states(store: Database) -> dict[str, str]:
    with store.reading() as session:
        return {row.reference: row.state for row in session.scalars(select(Enquiry))}


def leads(store: Database) -> list[Lead]:
    with store.reading() as session:
        return list(session.scalars(select(Lead).order_by(Lead.created_at)))


def agreed(store: Database, reference: str) -> set[str]:
    """To what its person still agrees."""
    with store.reading() as session:
        held = select(Consent.purpose).join(Enquiry).where(Enquiry.reference == reference)
        return set(session.scalars(held.where(Consent.withdrawn_at.is_(None))))


def restrict(store: Database) -> None:
    """The first lead is held back, so that the next enquiry makes another."""
    with store.writing() as session:
        session.execute(update(Lead).values(restricted=True, queue="held"))


# --- withdrawing ---


@pytest.mark.parametrize("phone", [MOBILE, LANDLINE])
@pytest.mark.parametrize("state", ["quarantined", "spam"])
def test_what_was_withdrawn_in_quarantine_is_never_released(
    store: Database,
    holds: Comes,
    asks: Comes,
    quarantine: Quarantine,
    officer: Officer,
    phone: str,
    state: State,
) -> None:
    reference = holds(phone)
    held = enquiry_of(store, reference)
    if state == "spam":
        assert quarantine.reject(held.id, officer.staff_id, NOON)
    row = request_of(store, asks("withdraw", reference, phone))
    assert (row.proof, row.carried_out, row.enquiry_id, row.lead_id) == ("pair", True, held.id, "")
    assert agreed(store, reference) == set()
    now = enquiry_of(store, reference)
    assert (now.state, now.retain_until) == ("withdrawn", row.due_at)
    assert quarantine.release(held.id, officer.staff_id, NOON + DAY) is None
    assert not quarantine.reject(held.id, officer.staff_id, NOON + DAY)
    assert leads(store) == []
    with store.reading() as session:
        assert count_waiting(session) == 0
        assert find_held(session, reference) is None
        assert read_page(session, quarantine._keys, state, "").enquiries == []
        assert session.scalars(select(Notice)).all() == []


def test_it_is_deleted_when_the_answer_is_due_and_the_request_is_emptied(
    store: Database, holds: Comes, asks: Comes, deletion: Deletion
) -> None:
    row = request_of(store, asks("withdraw", holds()))
    assert deletion.of_due(row.due_at + HOUR).enquiries == 1


def test_the_short_messages_alone_leave_it_where_it_is(
    store: Database, holds: Comes, asks: Comes, quarantine: Quarantine, officer: Officer
) -> None:
    reference = holds()
    before = enquiry_of(store, reference).retain_until
    asks("stop_marketing", reference)
    assert agreed(store, reference) == {"callback"}
    now = enquiry_of(store, reference)
    assert (now.state, now.retain_until) == ("quarantined", before)
    assert quarantine.release(now.id, officer.staff_id, NOON + DAY)
    assert agreed(store, reference) == {"callback"}


def test_one_reference_of_a_mobile_withdraws_all_that_came_with_it(
    store: Database, comes: Comes, holds: Comes, asks: Comes
) -> None:
    first = comes()
    restrict(store)
    second, held, strange = comes(at=NOON + HOUR), holds(), holds("139 7462 5813")
    asks("withdraw", held, at=NOON + 2 * HOUR)
    assert [each.restricted for each in leads(store)] == [True, True]
    assert [agreed(store, each) for each in (first, second, held)] == [set()] * 3
    assert states(store)[held] == "withdrawn"
    assert (states(store)[strange], agreed(store, strange)) == ("quarantined", {"callback", "marketing"})
    with store.reading() as session:
        kinds = session.scalars(select(LeadEvent.lead_id).where(LeadEvent.kind == "withdrawn")).all()
        assert sorted(kinds) == sorted(each.id for each in leads(store))
        assert set(session.scalars(select(Notice.state))) == {"void"}


def test_behind_a_landline_only_whose_reference_it_is(
    store: Database, comes: Comes, holds: Comes, asks: Comes
) -> None:
    mine, other, held = comes(LANDLINE), comes(LANDLINE), holds(LANDLINE)
    asks("withdraw", mine, LANDLINE)
    assert {each.id: each.restricted for each in leads(store)} == {
        enquiry_of(store, mine).lead_id: True,
        enquiry_of(store, other).lead_id: False,
    }
    assert (states(store)[held], agreed(store, held)) == ("quarantined", {"callback", "marketing"})
    asks("withdraw", held, LANDLINE)
    assert states(store)[held] == "withdrawn"
    assert [each.restricted for each in leads(store)].count(True) == 1


@pytest.mark.parametrize("kind", ["withdraw", "stop_marketing", "access"])
def test_nobody_can_tell_whether_something_waits_in_quarantine(
    store: Database, privacy: PrivacyDesk, holds: Comes, asks: Comes, file: TombstoneFile, kind: str
) -> None:
    reference = holds()
    sent: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *said: sent.append(said[2]))

    def statements(number: str, phone: str) -> tuple[int, list[str]]:
        sent.clear()
        lines = file.path.read_text().count("\n") if file.path.exists() else 0
        privacy.receive(Asked(kind, parse_phone(phone), number), NOON + HOUR)  # type: ignore[arg-type]
        said = [re.sub(r"ARRAY\[[-0-9, ]+\]|timeout ?= ?\d+", "", each) for each in sent]
        return (file.path.read_text().count("\n") if file.path.exists() else 0) - lines, said

    known = statements(reference, MOBILE)
    assert known == statements(reference, "139 7462 5813") == statements("XH-00000-00000", MOBILE)


# --- what waited in the spool meanwhile ---


@pytest.fixture
def spool(tmp_path: Path, store_keys: Keys) -> Spool:
    made = Spool(tmp_path / "spool", store_keys)
    made.prepare()
    return made


@pytest.fixture
def waits(spool: Spool, asked: Asks, store_keys: Keys) -> Comes:
    """An enquiry waits in the spool; returns its reference."""

    def wait(phone: str = MOBILE, at: Any = NOON, **changed: Any) -> str:
        submission = asked(phone, typed_id="e" * 32, purposes=("callback", "marketing"), **changed)
        submission_id = submission.own_ids(store_keys, at)[0]
        assert spool.put(submission_id, Spooled(submission, at))
        return store_keys.reference(submission_id)

    return wait


@pytest.mark.parametrize("phone", [MOBILE, LANDLINE])
@pytest.mark.parametrize("verdict", [Verdict(()), ODD])
def test_what_was_withdrawn_while_it_waited_in_the_spool_is_stored_withdrawn(
    store: Database,
    desk: EnquiryDesk,
    spool: Spool,
    waits: Comes,
    asks: Comes,
    phone: str,
    verdict: Verdict,
) -> None:
    reference = waits(phone, verdict=verdict)
    request_id = asks("withdraw", reference, phone)
    assert not request_of(store, request_id).carried_out
    assert drainer.drain(desk, spool)
    row = request_of(store, request_id)
    assert (row.proof, row.carried_out) == ("pair", True)
    assert agreed(store, reference) == set()
    if verdict == ODD:
        assert states(store) == {reference: "withdrawn"}
    else:
        (lead,) = leads(store)
        assert (lead.restricted, lead.queue, lead.retain_until) == (True, "held", row.due_at)
        with store.reading() as session:
            assert set(session.scalars(select(Notice.state))) == {"void"}


def test_a_withdrawal_by_another_reference_of_the_mobile_holds_for_it_too(
    store: Database, desk: EnquiryDesk, spool: Spool, comes: Comes, waits: Comes, asks: Comes
) -> None:
    stored, late = comes(), waits()
    asks("withdraw", stored)
    drainer.drain(desk, spool)
    assert agreed(store, late) == set()
    assert [each.restricted for each in leads(store)] == [True, True]


def test_who_asked_again_after_the_withdrawal_is_still_called(
    store: Database, desk: EnquiryDesk, spool: Spool, comes: Comes, waits: Comes, asks: Comes
) -> None:
    first, late = comes(), waits()
    asks("withdraw", first)
    again = comes(at=NOON + 3 * HOUR)
    drainer.drain(desk, spool)
    assert agreed(store, late) == set()
    assert agreed(store, again) == {"callback", "marketing"}
    assert [each.restricted for each in leads(store)] == [True, False]


@pytest.mark.parametrize("at", [NOON + 2 * HOUR, NOON])
def test_what_was_sent_after_the_withdrawal_or_by_somebody_else_is_not(
    store: Database, desk: EnquiryDesk, spool: Spool, comes: Comes, waits: Comes, asks: Comes, at: Any
) -> None:
    other = "139 7462 5813" if at == NOON else MOBILE
    asks("withdraw", comes())
    late = waits(other, at)
    drainer.drain(desk, spool)
    assert agreed(store, late) == {"callback", "marketing"}


# --- the officer's deeds ---


def test_a_copy_holds_all_leads_and_all_that_waits(
    store: Database,
    store_keys: Keys,
    comes: Comes,
    holds: Comes,
    asks: Comes,
    work: PrivacyWork,
    officer: Officer,
) -> None:
    first = comes()
    restrict(store)
    second, held = comes(at=NOON + HOUR), holds()
    asks("correct", words="改名")
    request_id = asks("access", held)
    work.export(request_id, officer, "json")
    with store.reading() as session:
        data = person_data(session, store_keys, session.get_one(PrivacyRequest, request_id))
    assert {each["受理编号"] for lead in data["线索"] for each in lead["咨询"]} == {first, second}
    assert [each["受理编号"] for each in data["还没有进线索的咨询"]] == [held]
    assert [each["说明"] for each in data["个人信息请求"]] == ["改名", ""]


def test_a_copy_of_a_landline_is_of_one_lead(
    store: Database, store_keys: Keys, comes: Comes, holds: Comes, asks: Comes
) -> None:
    mine = comes(LANDLINE)
    comes(LANDLINE)
    holds(LANDLINE)
    asks("correct", phone=LANDLINE, words="别人的")
    request_id = asks("access", mine, LANDLINE)
    with store.reading() as session:
        data = person_data(session, store_keys, session.get_one(PrivacyRequest, request_id))
    assert [each["受理编号"] for lead in data["线索"] for each in lead["咨询"]] == [mine]
    assert data["还没有进线索的咨询"] == []
    assert len(data["个人信息请求"]) == 1


def test_deleting_leaves_nothing_of_a_mobile_and_empties_all_requests(
    store: Database, comes: Comes, holds: Comes, asks: Comes, work: PrivacyWork, officer: Officer
) -> None:
    comes()
    restrict(store)
    comes(at=NOON + HOUR)
    reference, left = holds(), holds("139 7462 5813")
    unproved, open_one = asks("correct", words="改名"), asks("delete", reference)
    stranger = asks("delete", phone="139 7462 5813")
    work.delete(open_one, officer)
    assert leads(store) == []
    assert list(states(store)) == [left]
    for request_id in (unproved, open_one):
        row = request_of(store, request_id)
        assert (row.outcome, row.closed_by) == ("deleted", officer.staff_id)
        assert (row.phone, row.phone_index, row.reference, row.words, row.answer) == (None,) * 5
    assert request_of(store, stranger).phone


def test_deleting_one_behind_a_landline_leaves_the_others(
    store: Database, comes: Comes, holds: Comes, asks: Comes, work: PrivacyWork, officer: Officer
) -> None:
    other, mine, unproved = comes(LANDLINE), holds(LANDLINE), asks("access", phone=LANDLINE)
    work.delete(asks("delete", mine, LANDLINE), officer)
    assert list(states(store)) == [other]
    assert request_of(store, unproved).phone


def test_restricted_in_quarantine_it_waits_until_that_is_lifted(
    store: Database,
    holds: Comes,
    asks: Comes,
    work: PrivacyWork,
    officer: Officer,
    quarantine: Quarantine,
) -> None:
    reference = holds()
    request_id = asks("restrict", reference)
    work.restrict(request_id, officer, restricted=True)
    held = enquiry_of(store, reference)
    assert held.state == "restricted"
    assert quarantine.release(held.id, officer.staff_id, NOON) is None
    work.restrict(request_id, officer, restricted=False)
    assert states(store)[reference] == "quarantined"
    assert quarantine.release(held.id, officer.staff_id, NOON)


def test_what_was_withdrawn_is_not_given_back_by_lifting_a_restriction(
    store: Database, holds: Comes, asks: Comes, work: PrivacyWork, officer: Officer
) -> None:
    reference = holds()
    work.restrict(asks("withdraw", reference), officer, restricted=False)
    assert states(store)[reference] == "withdrawn"


def test_calling_back_proves_an_enquiry_in_quarantine_too(
    store: Database, holds: Comes, asks: Comes, work: PrivacyWork, officer: Officer
) -> None:
    held, other = enquiry_of(store, holds()), enquiry_of(store, holds("139 7462 5813"))
    request_id = asks("delete")
    with pytest.raises(NotProved):
        work.prove(request_id, officer, other.id)
    work.prove(request_id, officer, held.id)
    row = request_of(store, request_id)
    assert (row.proof, row.enquiry_id, row.lead_id) == ("call", held.id, "")


def test_after_a_correction_of_the_phone_all_its_leads_are_still_reached(
    store: Database, comes: Comes, asks: Comes, work: PrivacyWork, officer: Officer
) -> None:
    comes()
    restrict(store)
    comes(at=NOON + HOUR)
    request_id = asks("correct", comes(at=NOON + HOUR))
    work.correct(request_id, officer, "张三", parse_phone("139 7462 5813"))
    assert len({each.phone_index for each in leads(store)}) == 1
    work.delete(request_id, officer)
    assert leads(store) == []


def test_there_is_nothing_to_correct_in_what_was_typed(
    store: Database, holds: Comes, asks: Comes, work: PrivacyWork, officer: Officer
) -> None:
    with pytest.raises(NotProved):
        work.correct(asks("correct", holds(), words="改名"), officer, "张三", None)


# --- enquiries from before there was an index ---


def test_held_enquiries_from_before_get_their_index(
    store: Database, store_keys: Keys, comes: Comes, holds: Comes, asks: Comes
) -> None:
    comes()
    mine, other, broken = holds(), holds("021-63958427 转 8866"), holds("139 7462 5813")
    with store.writing() as session:
        session.execute(update(Enquiry).values(phone_index=None))
        session.execute(update(Enquiry).where(Enquiry.reference == broken).values(phone=b"opens no more"))
    asks("withdraw", mine)
    assert states(store)[mine] == "quarantined"
    assert fill_phone_indexes(store, store_keys) == 2
    assert fill_phone_indexes(store, store_keys) == 0
    asks("withdraw", mine)
    asks("withdraw", other, "021-63958427")
    assert states(store)[mine] == states(store)[other] == "withdrawn"


def test_withdrawals_are_remembered_for_the_file(
    store: Database, holds: Comes, comes: Comes, asks: Comes, file: TombstoneFile
) -> None:
    references = [comes(), holds()]
    asks("withdraw", references[0])
    with store.reading() as session:
        rows = {each.key for each in session.scalars(select(Restraint))}
    assert {each.key for each in file.restraints()} == rows
    assert {key[0] for key in rows} == {
        *(each.id for each in leads(store)),
        *(enquiry_of(store, each).id for each in references),
    }
    assert "138" not in re.sub(r"[0-9a-f]{32}", "", file.path.read_text())


def test_a_deletion_waits_for_what_is_in_the_spool_or_it_would_come_back(
    asks: Comes,
    comes: Comes,
    asked: Asks,
    desk: EnquiryDesk,
    work: PrivacyWork,
    officer: Officer,
    store: Database,
    store_keys: Keys,
    tmp_path: Path,
) -> None:
    request_id = asks("delete", comes())
    spool = Spool(tmp_path / "spool", store_keys)
    spool.prepare()
    spool.put("5f" * 16, Spooled(asked("139 7462 5813"), NOON))
    spool.put("6f" * 16, Spooled(asked(MOBILE, typed_id="6f" * 16), NOON))
    waiting = replace(work, spool=spool)
    with pytest.raises(StillToCome):
        waiting.delete(request_id, officer)
    assert leads(store)
    record = spool.read("6f" * 16)
    desk.record(record.submission, record.submitted_at, under="6f" * 16)
    spool.remove("6f" * 16)
    waiting.delete(request_id, officer)
    assert leads(store) == []
