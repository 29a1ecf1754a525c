"""A person whose leads were merged, or whose number others have too: rights reach all of theirs and nobody else's."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select
from tests.leads.colleagues import the_lead
from tests.leads.conftest import NOON
from tests.leads.two_leads import FIRST, MINUTE, SECOND, ask, enquiries, leads, merge, merges, undo
from tests.leads.two_leads import Asked as Asks

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deeds import Deed
from xinheng.leads.deletion import Deletion
from xinheng.leads.merges import LeadPhone, Merge
from xinheng.leads.merging import MergeRefused
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.splitting import split_lead
from xinheng.leads.tombstones import Restraint, Tombstone
from xinheng.leads.verdict import Verdict
from xinheng.leads.work import LeadWork
from xinheng.phones import parse_phone
from xinheng.privacy.answering import Officer, PrivacyWork
from xinheng.privacy.models import Kind, PrivacyRequest
from xinheng.privacy.person_file import person_data
from xinheng.privacy.receiving import Asked, PrivacyDesk
from xinheng.privacy.replaying import carry_out_again

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LANDLINE = "021-63958427"


@pytest.fixture
def merged(store: Database, store_keys: Keys, everyone: Scope, two: tuple[str, str]) -> str:
    merge(store, store_keys, everyone, *two)
    return two[0]


def request(privacy: PrivacyDesk, store: Database, kind: Kind, phone: str, reference: str) -> str:
    """The person asks, on the public page; returns the request's id."""
    receipt = privacy.receive(Asked(kind, parse_phone(phone), reference), NOON + HOUR)
    with store.reading() as session:
        found = select(PrivacyRequest.id).where(PrivacyRequest.receipt == receipt.number)
        return session.scalars(found).one()


@pytest.mark.parametrize("place", [0, 1], ids=["kept", "merged"])
def test_by_either_number_everything_is_deleted(
    store: Database, privacy: PrivacyDesk, work: PrivacyWork, officer: Officer, merged: str, place: int
) -> None:
    phone, reference = (FIRST, SECOND)[place], enquiries(store, merged)[place]
    work.delete(request(privacy, store, "delete", phone, reference), officer)
    with store.reading() as session:
        for table in (Lead, Enquiry, LeadPhone, Merge):
            assert session.scalars(select(table.id)).all() == []


@pytest.mark.parametrize("place", [0, 1], ids=["kept", "merged"])
def test_what_waits_in_quarantine_from_the_other_number_goes_too(
    desk: EnquiryDesk,
    store: Database,
    asked: Asks,
    privacy: PrivacyDesk,
    work: PrivacyWork,
    officer: Officer,
    merged: str,
    place: int,
) -> None:
    for number, phone in enumerate((FIRST, SECOND, "13700137000")):
        desk.record(asked(phone, typed_id=f"{number:032x}", verdict=Verdict(("trap", "link"))), NOON + MINUTE)
    phone, reference = (FIRST, SECOND)[place], enquiries(store, merged)[place]
    work.delete(request(privacy, store, "delete", phone, reference), officer)
    with store.reading() as session:
        (left,) = session.scalars(select(Enquiry))
    assert left.phone_index is not None
    assert (
        left.reference
        == desk.record(
            asked("13700137000", typed_id=f"{2:032x}", verdict=Verdict(("trap", "link"))), NOON + MINUTE
        ).reference
    )


@pytest.mark.parametrize("place", [0, 1], ids=["kept", "merged"])
def test_consent_taken_back_by_either_number_holds_everything_back_and_forgets_what_was_before(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    everyone: Scope,
    merged: str,
    place: int,
) -> None:
    phone, reference = (FIRST, SECOND)[place], enquiries(store, merged)[place]
    request(privacy, store, "withdraw", phone, reference)
    assert the_lead(store, merged).restricted
    assert merges(store)[0].image is None
    with pytest.raises(LookupError):
        undo(store, store_keys, everyone, merged)


@pytest.mark.parametrize("kind", ["withdraw", "stop_marketing"])
@pytest.mark.parametrize("place", [0, 1], ids=["kept", "merged"])
def test_consent_taken_back_by_either_number_is_taken_back_in_quarantine_too(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asks,
    privacy: PrivacyDesk,
    deletion: Deletion,
    merged: str,
    kind: Kind,
    place: int,
) -> None:
    held = [
        desk.record(
            asked(
                phone,
                typed_id=f"{number:032x}",
                verdict=Verdict(("trap", "link")),
                purposes=("callback", "marketing"),
            ),
            NOON + MINUTE,
        ).reference
        for number, phone in enumerate((FIRST, SECOND, "13700137000"))
    ]
    backup = whole_backup(store)
    request(privacy, store, kind, (FIRST, SECOND)[place], enquiries(store, merged)[place])
    gone = {"marketing"} if kind == "stop_marketing" else {"callback", "marketing"}
    assert [taken_back(store, each) for each in held] == [gone, gone, set()]
    as_before(store, backup)
    carry_out_again(store, store_keys, deletion)
    assert [taken_back(store, each) for each in held] == [gone, gone, set()]


def taken_back(store: Database, reference: str) -> set[str]:
    """To what the person of this enquiry agrees no more."""
    with store.reading() as session:
        mine = select(Consent.purpose).join(Enquiry).where(Enquiry.reference == reference)
        return set(session.scalars(mine.where(Consent.withdrawn_at.is_not(None))))


def test_what_is_given_to_a_person_has_both_numbers_and_what_was_before(
    store: Database, store_keys: Keys, privacy: PrivacyDesk, merged: str
) -> None:
    request_id = request(privacy, store, "access", SECOND, enquiries(store, merged)[1])
    with store.reading() as session:
        data = person_data(session, store_keys, session.get_one(PrivacyRequest, request_id))
    (lead,) = data["线索"]
    assert (lead["电话"], lead["其他电话"]) == ("+8613800138000", [{"电话": "+8613900139000", "分机": ""}])
    assert lead["合并以前"][0]["并进来的"]["姓名"] == "小张"
    assert len(lead["咨询"]) == 2


def test_a_request_about_a_lead_that_was_merged_since_is_about_what_it_became(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asks,
    privacy: PrivacyDesk,
    work: PrivacyWork,
    officer: Officer,
    everyone: Scope,
) -> None:
    """Behind a landline only the lead that was proved is theirs."""
    kept = ask(desk, store, asked, FIRST)
    theirs, another = (ask(desk, store, asked, LANDLINE, details=each) for each in ("我的", "别人的"))
    request_id = request(privacy, store, "delete", LANDLINE, enquiries(store, theirs)[0])
    merge(store, store_keys, everyone, kept, theirs)
    work.delete(request_id, officer)
    assert leads(store) == [another]


def test_a_number_put_right_is_the_one_that_was_asked_with(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asks,
    privacy: PrivacyDesk,
    work: PrivacyWork,
    officer: Officer,
    everyone: Scope,
    merged: str,
) -> None:
    request_id = request(privacy, store, "correct", SECOND, enquiries(store, merged)[1])
    work.correct(request_id, officer, "张小姐", parse_phone("13700137000"))
    lead = the_lead(store, merged)
    assert [lead.open(store_keys, column) for column in ("name", "phone")] == ["张小姐", "+8613800138000"]
    with store.reading() as session:
        (further,) = session.scalars(select(LeadPhone))
    assert further.open(store_keys, "phone") == "+8613700137000"
    assert ask(desk, store, asked, "13700137000", NOON + DAY, details="新号码来的") == merged
    with pytest.raises(MergeRefused, match="late"):
        undo(store, store_keys, everyone, merged)


def test_of_a_mobile_that_two_people_share_only_what_was_proved_is_reached(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asks,
    privacy: PrivacyDesk,
    work: PrivacyWork,
    officer: Officer,
    everyone: Scope,
) -> None:
    lead_id = ask(desk, store, asked, FIRST, name="张三")
    ask(desk, store, asked, FIRST, NOON + MINUTE, name="李四", details="另一个人")
    reference = enquiries(store, lead_id)[1]
    with store.reading() as session:
        chosen = session.scalars(select(Enquiry.id).where(Enquiry.reference == reference)).all()
    other = split_lead(store, store_keys, lead_id, Deed(everyone, NOON + HOUR), chosen)
    work.delete(request(privacy, store, "delete", FIRST, reference), officer)
    assert leads(store) == [lead_id]
    assert other not in leads(store)


@pytest.mark.parametrize("place", [0, 1], ids=["kept", "merged"])
@pytest.mark.parametrize("kind", ["delete", "withdraw"])
def test_what_came_from_the_other_mobile_while_the_lead_was_held_back_is_reached_too(
    desk: EnquiryDesk,
    store: Database,
    asked: Asks,
    privacy: PrivacyDesk,
    work: PrivacyWork,
    officer: Officer,
    merged: str,
    place: int,
    kind: Kind,
) -> None:
    phone, reference = (FIRST, SECOND)[place], enquiries(store, merged)[place]
    work.restrict(request(privacy, store, "restrict", phone, reference), officer, restricted=True)
    since = ask(desk, store, asked, (SECOND, FIRST)[place], NOON + HOUR, details="又来问一次")
    assert since != merged
    stranger = ask(desk, store, asked, "13700137000", NOON + HOUR)
    request_id = request(privacy, store, kind, phone, reference)
    if kind == "delete":
        work.delete(request_id, officer)
        assert leads(store) == [stranger]
    else:
        assert the_lead(store, since).restricted
        assert not the_lead(store, stranger).restricted


@pytest.mark.parametrize("place", [0, 1], ids=["kept", "merged"])
@pytest.mark.parametrize("proof", ["pair", "call"])
def test_who_asked_while_leads_were_merged_by_mistake_is_deleted_without_the_other(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    work: PrivacyWork,
    officer: Officer,
    everyone: Scope,
    two: tuple[str, str],
    merged: str,
    place: int,
    proof: str,
) -> None:
    phone, reference = (FIRST, SECOND)[place], enquiries(store, merged)[place]
    asked = request(privacy, store, "delete", phone, reference if proof == "pair" else "")
    if proof == "call":
        work.prove(asked, officer, merged)
    undo(store, store_keys, everyone, merged)
    work.delete(asked, officer)
    assert leads(store) == [two[1 - place]]


def test_who_asked_before_their_number_was_split_is_deleted_without_the_other(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asks,
    privacy: PrivacyDesk,
    work: PrivacyWork,
    officer: Officer,
    everyone: Scope,
) -> None:
    lead_id = ask(desk, store, asked, FIRST, name="张三")
    ask(desk, store, asked, FIRST, NOON + MINUTE, name="李四", details="另一个人")
    reference = enquiries(store, lead_id)[1]
    request_id = request(privacy, store, "delete", FIRST, reference)
    with store.reading() as session:
        chosen = session.scalars(select(Enquiry.id).where(Enquiry.reference == reference)).all()
    split_lead(store, store_keys, lead_id, Deed(everyone, NOON + HOUR), chosen)
    work.delete(request_id, officer)
    assert leads(store) == [lead_id]


def as_before(store: Database, held: dict[Any, list[dict[str, Any]]]) -> None:
    """Put the database back to an earlier backup."""
    with store.writing() as session:
        for table in (Restraint, Tombstone, PrivacyRequest, LeadPhone, Merge):
            session.execute(delete(table))
        for table in reversed(list(held)):
            session.execute(delete(table))
        for table, rows in held.items():
            if rows:
                session.execute(insert(table), rows)


def rows_of(store: Database) -> dict[Any, list[dict[str, Any]]]:
    """Leads, and the enquiries and events that hang on them."""
    tables = [table.__table__ for table in (Lead, Enquiry, Consent, LeadEvent)]
    with store.reading() as session:
        return {table: [dict(row) for row in session.execute(select(table)).mappings()] for table in tables}


def test_who_was_deleted_after_a_merge_does_not_come_back_with_a_backup_from_before_it(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    deletion: Deletion,
    work: PrivacyWork,
    officer: Officer,
    everyone: Scope,
    two: tuple[str, str],
) -> None:
    backup = rows_of(store)
    merge(store, store_keys, everyone, *two)
    work.delete(request(privacy, store, "delete", FIRST, enquiries(store, two[0])[0]), officer)
    as_before(store, backup)
    carry_out_again(store, store_keys, deletion)
    assert leads(store) == []


def test_consent_taken_back_after_a_merge_holds_in_a_backup_from_before_it(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    deletion: Deletion,
    everyone: Scope,
    two: tuple[str, str],
) -> None:
    backup = rows_of(store)
    merge(store, store_keys, everyone, *two)
    request(privacy, store, "withdraw", FIRST, enquiries(store, two[0])[0])
    as_before(store, backup)
    carry_out_again(store, store_keys, deletion)
    assert [the_lead(store, each).restricted for each in two] == [True, True]


def test_what_was_before_a_merge_is_sealed(store: Database, store_keys: Keys, merged: str) -> None:
    (row,) = merges(store)
    image = row.image or b""
    assert not any(secret.encode() in image for secret in ("张三丰", "小张", "138", "139"))
    assert json.loads(row.open(store_keys, "image"))["merged"]["name"] == "小张"


def whole_backup(store: Database) -> dict[Any, list[dict[str, Any]]]:
    """With what ties leads together."""
    ties = [table.__table__ for table in (LeadPhone, Merge)]
    with store.reading() as session:
        return rows_of(store) | {
            table: [dict(row) for row in session.execute(select(table)).mappings()] for table in ties
        }


@pytest.mark.parametrize("taken", [(), ("name", "phone")])
def test_who_was_deleted_after_an_undone_merge_is_not_part_of_the_other_in_a_backup_from_before(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    deletion: Deletion,
    work: PrivacyWork,
    officer: Officer,
    everyone: Scope,
    two: tuple[str, str],
    taken: tuple[Any, ...],
) -> None:
    kept, other = two
    notes = LeadWork(store, store_keys, site="https://x")
    notes.write_note(other, Deed(everyone, NOON + 2 * MINUTE), "小张说的")
    merge(store, store_keys, everyone, kept, other, *taken)
    backup = whole_backup(store)
    undo(store, store_keys, everyone, kept, NOON + HOUR)
    work.delete(request(privacy, store, "delete", SECOND, enquiries(store, other)[0]), officer)
    as_before(store, backup)
    carry_out_again(store, store_keys, deletion)
    assert leads(store) == [kept]
    lead = the_lead(store, kept)
    assert [lead.open(store_keys, each) for each in ("name", "phone")] == ["张三丰", "+8613800138000"]
    assert lead.enquiry_count == 1
    with store.reading() as session:
        assert session.scalars(select(LeadPhone)).all() == []
        assert [row.image for row in session.scalars(select(Merge))] == []
        kinds = [row.kind for row in session.scalars(select(LeadEvent))]
    assert "note" not in kinds


def test_who_was_split_off_and_deleted_leaves_no_lead_without_an_enquiry_in_a_backup_from_before(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asks,
    privacy: PrivacyDesk,
    deletion: Deletion,
    work: PrivacyWork,
    officer: Officer,
    everyone: Scope,
) -> None:
    lead_id = ask(desk, store, asked, FIRST, name="张三")
    backup = whole_backup(store)
    ask(desk, store, asked, FIRST, NOON + MINUTE, name="李四", details="另一个人")
    with store.reading() as session:
        chosen = session.scalars(select(Enquiry.id).order_by(Enquiry.created_at).limit(1)).all()
    other = split_lead(store, store_keys, lead_id, Deed(everyone, NOON + HOUR), chosen)
    work.delete(request(privacy, store, "delete", FIRST, enquiries(store, other)[0]), officer)
    as_before(store, backup)
    carry_out_again(store, store_keys, deletion)
    assert leads(store) == []


@pytest.mark.parametrize("kind", ["withdraw", "restrict"])
def test_who_took_consent_back_after_an_undone_merge_is_not_called_in_a_backup_from_before(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    deletion: Deletion,
    work: PrivacyWork,
    officer: Officer,
    everyone: Scope,
    two: tuple[str, str],
    kind: Kind,
) -> None:
    """The other's own is held back with it, but not deleted."""
    kept, other = two
    merge(store, store_keys, everyone, kept, other)
    backup, until = whole_backup(store), the_lead(store, kept).retain_until
    undo(store, store_keys, everyone, kept, NOON + MINUTE)
    theirs = enquiries(store, other)[0]
    request_id = request(privacy, store, kind, SECOND, theirs)
    if kind == "restrict":
        work.restrict(request_id, officer, restricted=True)
    as_before(store, backup)
    carry_out_again(store, store_keys, deletion)
    lead = the_lead(store, kept)
    assert (lead.restricted, lead.queue, lead.retain_until) == (True, "held", until)
    with store.reading() as session:
        rows = session.execute(select(Enquiry.reference, Consent.withdrawn_at).join(Consent)).all()
    taken_back = {reference for reference, withdrawn_at in rows if withdrawn_at}
    assert taken_back == ({theirs} if kind == "withdraw" else set())
