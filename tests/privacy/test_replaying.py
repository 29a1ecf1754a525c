"""What persons had done after a backup was made holds in the database that comes from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from tests.leads.colleagues import events_of, hire
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deletion import Deletion
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent
from xinheng.leads.quarantine import Quarantine
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.submission import Submission
from xinheng.leads.tombstones import Restraint, Tombstone, TombstoneFile
from xinheng.leads.verdict import Verdict
from xinheng.notices.outbox import Notice
from xinheng.phones import parse_phone
from xinheng.privacy.answering import Officer, PrivacyWork
from xinheng.privacy.forgetting import empty_buried
from xinheng.privacy.models import PrivacyRequest
from xinheng.privacy.receiving import Asked, PrivacyDesk
from xinheng.privacy.replaying import Again, carry_out_again

PHONE = "138 0013 8000"
HOUR = timedelta(hours=1)
ODD = Verdict(("trap", "link"))
Asks = Callable[..., Submission]


@pytest.fixture
def reference(desk: EnquiryDesk, asked: Asks) -> str:
    return desk.record(asked(PHONE), NOON).reference


@pytest.fixture
def held(desk: EnquiryDesk, asked: Asks) -> str:
    return desk.record(asked(PHONE, typed_id="f" * 32, verdict=ODD), NOON).reference


@pytest.fixture
def work(store: Database, store_keys: Keys, deletion: Deletion) -> PrivacyWork:
    return PrivacyWork(store, store_keys, deletion)


def ask(privacy: PrivacyDesk, store: Database, kind: str, reference: str) -> str:
    receipt = privacy.receive(Asked(kind, parse_phone(PHONE), reference), NOON + HOUR)  # type: ignore[arg-type]
    with store.reading() as session:
        found = select(PrivacyRequest.id).where(PrivacyRequest.receipt == receipt.number)
        return session.scalars(found).one()


def forget_it_all(store: Database) -> None:
    """The database as a backup has it, from before anybody asked."""
    with store.writing() as session:
        for table in (Restraint, Tombstone, PrivacyRequest):
            session.execute(delete(table))
        session.execute(delete(LeadEvent).where(LeadEvent.kind != "enquiry"))
        session.execute(update(Consent).values(withdrawn_at=None))
        late = NOON + timedelta(days=180)
        session.execute(update(Lead).values(restricted=False, queue="first", retain_until=late))
        waiting = update(Enquiry).where(Enquiry.lead_id.is_(None))
        session.execute(waiting.values(state="quarantined", retain_until=late))
        session.execute(update(Notice).values(state="waiting", settled_at=None))


def standing(store: Database) -> tuple[object, ...]:
    """All that a withdrawal or a restriction changes."""
    with store.reading() as session:
        return (
            [(each.restricted, each.queue, each.retain_until) for each in session.scalars(select(Lead))],
            sorted(
                (each.state, each.retain_until)
                for each in session.scalars(select(Enquiry))
                if not each.lead_id
            ),
            set(session.scalars(select(Consent.withdrawn_at))),
            set(session.scalars(select(Notice.state))),
            sorted(each.key for each in session.scalars(select(Restraint))),
            [
                (each.kind, each.happened_at)
                for each in events_of(store, session.scalars(select(Lead.id)).one())
            ],
        )


@pytest.mark.parametrize("kind", ["withdraw", "stop_marketing"])
def test_consent_that_was_taken_back_stays_so(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    deletion: Deletion,
    reference: str,
    held: str,
    kind: str,
) -> None:
    ask(privacy, store, kind, reference)
    before = standing(store)
    forget_it_all(store)
    assert standing(store) != before
    assert carry_out_again(store, store_keys, deletion) == Again(restrained=2)
    assert standing(store) == before
    assert carry_out_again(store, store_keys, deletion) == Again()
    assert standing(store) == before


def test_consent_that_was_given_later_stays(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    deletion: Deletion,
    desk: EnquiryDesk,
    asked: Asks,
) -> None:
    """As where the file knows more than the table of a database that went on."""
    both = ("callback", "marketing")
    first = desk.record(asked(PHONE, purposes=both), NOON).reference
    ask(privacy, store, "stop_marketing", first)
    again = desk.record(asked(PHONE, typed_id="e" * 32, purposes=both), NOON + 2 * HOUR).reference
    with store.writing() as session:
        session.execute(delete(Restraint))
        session.execute(update(Consent).values(withdrawn_at=None))
    carry_out_again(store, store_keys, deletion)
    with store.reading() as session:
        left = select(Enquiry.reference, Consent.purpose).join(Consent).where(Consent.withdrawn_at.is_(None))
        assert {tuple(row) for row in session.execute(left)} == {
            (first, "callback"),
            (again, "callback"),
            (again, "marketing"),
        }


@pytest.mark.parametrize("lifted", [False, True])
def test_what_was_restricted_stays_so_and_what_was_lifted_too(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    deletion: Deletion,
    work: PrivacyWork,
    reference: str,
    held: str,
    lifted: bool,
) -> None:
    request_id = ask(privacy, store, "restrict", reference)
    officer = hire(store, "何静", "privacy").id
    work.restrict(request_id, Officer(officer, NOON + HOUR), restricted=True)
    if lifted:
        work.restrict(request_id, Officer(officer, NOON + 2 * HOUR), restricted=False)
    before = standing(store)
    forget_it_all(store)
    assert carry_out_again(store, store_keys, deletion).restrained == (4 if lifted else 2)
    assert standing(store) == before


def test_in_a_backup_from_before_a_release_it_is_withdrawn_where_it_waits(
    store: Database, store_keys: Keys, privacy: PrivacyDesk, deletion: Deletion, desk: EnquiryDesk, held: str
) -> None:
    with store.reading() as session:
        enquiry_id = session.scalars(select(Enquiry.id)).one()
    quarantine = Quarantine(store, store_keys, desk)
    quarantine.release(enquiry_id, hire(store).id, NOON)
    ask(privacy, store, "withdraw", held)
    with store.writing() as session:
        for table in (Restraint, PrivacyRequest, LeadEvent, Notice):
            session.execute(delete(table))
        session.execute(update(Enquiry).values(lead_id=None, state="quarantined", retain_until=NOON))
        session.execute(update(Consent).values(withdrawn_at=None))
        session.execute(delete(Lead))
    assert carry_out_again(store, store_keys, deletion).restrained == 1
    assert quarantine.release(enquiry_id, hire(store).id, NOON) is None
    with store.reading() as session:
        assert session.scalars(select(Enquiry.state)).one() == "withdrawn"
        assert session.scalars(select(Consent.withdrawn_at)).one() == NOON + HOUR


def test_the_file_is_brought_up_to_the_table(
    store: Database, privacy: PrivacyDesk, deletion: Deletion, file: TombstoneFile, reference: str
) -> None:
    ask(privacy, store, "withdraw", reference)
    noted = {each.key for each in file.restraints()}
    assert noted
    file.path.unlink()
    deletion.write_out()
    assert {each.key for each in file.restraints()} == noted


def test_a_stranger_leaves_a_line_that_names_nobody(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    deletion: Deletion,
    file: TombstoneFile,
    reference: str,
) -> None:
    ask(privacy, store, "withdraw", "XH-00000-00000")
    assert [each.id for each in file.restraints()] == ["0" * 32]
    before = standing(store)
    assert carry_out_again(store, store_keys, deletion) == Again()
    assert standing(store) == before


# --- requests of who was deleted ---


def test_requests_of_who_was_deleted_come_back_closed_and_empty(
    store: Database,
    store_keys: Keys,
    privacy: PrivacyDesk,
    deletion: Deletion,
    work: PrivacyWork,
    reference: str,
    held: str,
) -> None:
    """Also the one that nobody proved, which names no lead."""
    ids = [ask(privacy, store, kind, number) for kind, number in (("delete", held), ("access", ""))]
    with store.reading() as session:
        backed_up = [dict(each) for each in session.execute(select(PrivacyRequest.__table__)).mappings()]
    work.delete(ids[0], Officer(hire(store, "何静", "privacy").id, NOON + HOUR))
    with store.writing() as session:
        session.execute(delete(PrivacyRequest))
        session.execute(delete(Tombstone))
        for row in backed_up:
            session.execute(PrivacyRequest.__table__.insert().values(**row))
    carry_out_again(store, store_keys, deletion)
    with store.reading() as session:
        for row in session.scalars(select(PrivacyRequest)):
            assert (row.outcome, row.phone, row.phone_index, row.reference, row.words) == (
                "deleted",
                *[None] * 4,
            )
            assert row.closed_at


@pytest.mark.parametrize(("kind", "ends"), [("withdraw", True), ("access", False)])
def test_only_a_withdrawal_ends_when_the_time_of_its_lead_is_over(
    store: Database, privacy: PrivacyDesk, deletion: Deletion, reference: str, kind: str, ends: bool
) -> None:
    """Who wants a copy still gets an answer."""
    request_id = ask(privacy, store, kind, reference)
    assert deletion.of_due(NOON + timedelta(days=200)).leads == 1
    with store.writing() as session:
        empty_buried(session, NOON + timedelta(days=200))
    with store.reading() as session:
        row = session.get_one(PrivacyRequest, request_id)
    assert (row.outcome == "deleted", row.phone is None, row.closed_at is not None) == (ends, ends, ends)
