"""Who loses a lead by a merge that somebody else made is told, and who has it again by its undoing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.conftest import ORIGIN
from tests.leads.colleagues import hire, scope_of
from tests.leads.conftest import NOON
from tests.leads.two_leads import DAY, FIRST, SECOND, Asked, ask, enquiries, merge, undo

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deeds import Deed
from xinheng.leads.models import Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.work import LeadWork
from xinheng.notices.outbox import Notice
from xinheng.staff.models import User

Two = tuple[str, str]
Own = Callable[[User | None, User | None], None]


@pytest.fixture
def zhou(store: Database) -> User:
    """Who merges."""
    return hire(store, "周敏", "sales_lead")


@pytest.fixture
def everyone(zhou: User) -> Scope:
    return scope_of(zhou, everyone=True)


@pytest.fixture
def wu(store: Database) -> User:
    return hire(store, "吴凯")


@pytest.fixture
def li(store: Database) -> User:
    return hire(store, "李娜")


@pytest.fixture
def two(desk: EnquiryDesk, store: Database, asked: Asked) -> Two:
    return ask(desk, store, asked, FIRST), ask(desk, store, asked, SECOND, name="张先生", details="又来问")


@pytest.fixture
def own(store: Database, two: Two) -> Own:
    """Give both an owner."""

    def give(*owners: User | None) -> None:
        with store.writing() as session:
            for lead_id, owner in zip(two, owners, strict=True):
                mine = update(Lead).where(Lead.id == lead_id)
                session.execute(mine.values(owner_id=owner.id if owner else None))

    return give


def mails(store: Database, state: str = "waiting") -> list[tuple[str, str]]:
    """To whom something is told that isn't for everybody, and what, in the order in which it was."""
    with store.reading() as session:
        rows = select(Notice).where(Notice.recipient != "", Notice.state == state)
        return [(row.recipient, row.text) for row in session.scalars(rows.order_by(Notice.id))]


@pytest.mark.parametrize(("taken", "place"), [((), 1), (("owner",), 0)])
def test_who_loses_a_lead_by_a_merge_is_told(
    store: Database,
    store_keys: Keys,
    two: Two,
    everyone: Scope,
    own: Own,
    wu: User,
    li: User,
    taken: tuple[Any, ...],
    place: int,
) -> None:
    own(wu, li)
    (reference,) = enquiries(store, two[place])
    merge(store, store_keys, everyone, *two, *taken)
    ((recipient, text),) = mails(store)
    assert recipient == (wu, li)[place].email
    assert text == f"您的一条线索和同事的一条合并了，以后由同事负责\n受理编号：{reference}"


def test_who_has_both_or_merges_their_own_or_may_have_none_is_told_nothing(
    store: Database, store_keys: Keys, two: Two, everyone: Scope, own: Own, zhou: User, wu: User
) -> None:
    editor = hire(store, "何静", "editor")
    for owners in ((wu, wu), (wu, zhou), (wu, editor), (wu, None), (None, None)):
        own(*owners)
        merge(store, store_keys, everyone, *two)
        assert mails(store) == []
        undo(store, store_keys, everyone, two[0])
        assert mails(store) == []


def test_where_nobody_has_it_any_more_that_is_said(
    store: Database, store_keys: Keys, two: Two, everyone: Scope, own: Own, wu: User
) -> None:
    own(None, wu)
    merge(store, store_keys, everyone, *two)
    ((recipient, text),) = mails(store)
    assert (recipient, text.splitlines()[0]) == (wu.email, "您的一条线索和另一条合并了，现在没有负责人")


@pytest.mark.parametrize(("taken", "place"), [((), 1), (("owner",), 0)])
def test_who_has_it_again_by_the_undoing_is_told(
    store: Database,
    store_keys: Keys,
    two: Two,
    everyone: Scope,
    own: Own,
    wu: User,
    li: User,
    taken: tuple[Any, ...],
    place: int,
) -> None:
    """What still waited to be told of the merge isn't so any more."""
    own(wu, li)
    merge(store, store_keys, everyone, *two, *taken)
    (lost,) = mails(store)
    undo(store, store_keys, everyone, two[0])
    (reference,) = enquiries(store, two[place])
    lines = (
        "有一条线索交给您了",
        "它的合并撤销了",
        f"受理编号：{reference}",
        f"查看：{ORIGIN}/desk/leads/{two[place]}",
    )
    assert mails(store) == [((wu, li)[place].email, "\n".join(lines))]
    assert mails(store, "void") == [lost]


def test_that_a_lead_was_given_to_who_lost_it_is_not_told_any_more(
    store: Database, store_keys: Keys, two: Two, everyone: Scope, own: Own, wu: User, li: User
) -> None:
    own(wu, None)
    work = LeadWork(store, store_keys, site=ORIGIN)
    work.assign(two[1], Deed(everyone, NOON), li)
    (given,) = mails(store)
    merge(store, store_keys, everyone, *two, now=NOON + DAY)
    assert mails(store, "void") == [given]
    assert [text.splitlines()[0] for _, text in mails(store)] == [
        "您的一条线索和同事的一条合并了，以后由同事负责"
    ]
