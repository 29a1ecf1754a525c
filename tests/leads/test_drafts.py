"""A note being typed is kept for whoever types it, sealed, and gone once it is written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from tests.conftest import ORIGIN
from tests.leads.colleagues import hire, plain_lead, put_leads, scope_of
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deeds import Deed, LeadChanged
from xinheng.leads.drafts import SavedDraft, drop_draft, read_draft, save_draft
from xinheng.leads.models import Draft
from xinheng.leads.work import LeadWork
from xinheng.staff.models import User

LEAD, OTHER_LEAD = f"{1:032x}", f"{2:032x}"
MINUTE = timedelta(minutes=1)
WORDS = "王会计说周五付，电话 13800138000"

Save = Callable[..., None]
Read = Callable[..., SavedDraft | None]


@pytest.fixture
def zhou(store: Database) -> User:
    put_leads(store, [plain_lead(id=LEAD), plain_lead(id=OTHER_LEAD)])
    return hire(store, "周敏")


@pytest.fixture
def wu(store: Database) -> User:
    return hire(store, "吴凯")


@pytest.fixture
def save(store: Database, store_keys: Keys) -> Save:
    def saved(member: User, text: str, lead: str = LEAD, minutes: int = 0) -> None:
        with store.writing() as session:
            save_draft(session, store_keys, lead, member.id, text, NOON + minutes * MINUTE)

    return saved


@pytest.fixture
def read(store: Database, store_keys: Keys) -> Read:
    def found(member: User, lead: str = LEAD) -> SavedDraft | None:
        with store.reading() as session:
            return read_draft(session, store_keys, lead, member.id)

    return found


def rows(store: Database) -> int:
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(Draft)) or 0


def test_what_is_typed_is_kept_as_it_is_and_replaced_by_what_follows(
    store: Database, zhou: User, save: Save, read: Read
) -> None:
    assert read(zhou) is None
    save(zhou, "王会计")
    save(zhou, f"{WORDS}\n第二行  ", minutes=3)
    assert read(zhou) == SavedDraft(f"{WORDS}\n第二行  ", NOON + 3 * MINUTE)
    assert rows(store) == 1


def test_each_has_a_draft_of_their_own_on_each_lead(zhou: User, wu: User, save: Save, read: Read) -> None:
    save(zhou, "周")
    save(wu, "吴")
    save(zhou, "另一条", OTHER_LEAD)
    found = [read(zhou), read(wu), read(zhou, OTHER_LEAD), read(wu, OTHER_LEAD)]
    assert [draft and draft.text for draft in found] == ["周", "吴", "另一条", None]


@pytest.mark.parametrize("text", ["", "  ", "\n\t", "　"])
def test_an_emptied_draft_is_gone(store: Database, zhou: User, save: Save, text: str) -> None:
    save(zhou, WORDS)
    save(zhou, text)
    assert rows(store) == 0


def test_a_draft_is_dropped_for_its_writer_only(
    store: Database, zhou: User, wu: User, save: Save, read: Read
) -> None:
    save(zhou, "周")
    save(wu, "吴")
    with store.writing() as session:
        drop_draft(session, LEAD, zhou.id)
    assert read(zhou) is None
    assert read(wu) is not None


def test_a_draft_is_sealed_and_opens_nowhere_else(
    store: Database, zhou: User, wu: User, save: Save, read: Read
) -> None:
    save(zhou, WORDS)
    save(wu, "吴")
    with store.reading() as session:
        sealed = session.scalars(select(Draft.text).where(Draft.staff_id == zhou.id)).one()
    for needle in ("13800138000", "王会计"):
        assert needle.encode() not in sealed
    with store.writing() as session:
        session.execute(update(Draft).where(Draft.staff_id == wu.id).values(text=sealed))
    assert read(wu) is None
    assert WORDS not in repr(read(zhou))


def test_a_written_note_takes_its_own_draft_with_it_and_no_other(
    store: Database, store_keys: Keys, zhou: User, wu: User, save: Save, read: Read
) -> None:
    save(zhou, "周")
    save(wu, "吴")
    save(zhou, "另一条", OTHER_LEAD)
    work = LeadWork(store, store_keys, site=ORIGIN)
    work.write_note(LEAD, Deed(scope_of(zhou), NOON), "写完了")
    assert read(zhou) is None
    assert read(wu) is not None
    assert read(zhou, OTHER_LEAD) is not None


def test_a_note_that_is_not_taken_leaves_its_draft(
    store: Database, store_keys: Keys, zhou: User, save: Save, read: Read
) -> None:
    save(zhou, "周")
    work = LeadWork(store, store_keys, site=ORIGIN)
    with pytest.raises(LeadChanged):
        work.write_note(LEAD, Deed(scope_of(zhou), NOON, version=7), "写完了")
    assert read(zhou) is not None
