"""A member's open leads go to others: dealt out in turn, to one alone, or back to all."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.conftest import ORIGIN
from tests.leads.colleagues import hire, plain_lead, put_leads, scope_of
from tests.leads.conftest import NOON

from xinheng.audit.models import AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deeds import Deed
from xinheng.leads.handover import ids_of_open_leads, open_leads_by_owner
from xinheng.leads.models import Lead
from xinheng.leads.succession import hand_over_all
from xinheng.leads.work import LeadWork
from xinheng.notices.outbox import Notice
from xinheng.staff.colleagues import Colleague, read_colleagues
from xinheng.staff.models import User


@pytest.fixture
def work(store: Database, store_keys: Keys) -> LeadWork:
    return LeadWork(store, store_keys, site=ORIGIN)


@pytest.fixture
def zhou(store: Database) -> User:
    return hire(store, "周敏")


def colleagues(store: Database, *members: User) -> list[Colleague]:
    with store.reading() as session:
        found = read_colleagues(session)
    return [found[each.id] for each in members]


def owners(store: Database, **only: Any) -> Counter[str | None]:
    with store.reading() as session:
        query = select(Lead.owner_id).filter_by(**only) if only else select(Lead.owner_id)
        return Counter(session.scalars(query))


def give_leads(store: Database, owner: User, count: int, **values: Any) -> None:
    put_leads(store, [plain_lead(owner_id=owner.id, **values) for _ in range(count)])


@pytest.fixture
def boss(store: Database) -> Deed:
    return Deed(scope_of(hire(store, "管理员", "admin"), everyone=True), NOON + timedelta(hours=1))


def test_all_that_is_open_goes_to_one(store: Database, work: LeadWork, zhou: User, boss: Deed) -> None:
    wu = hire(store, "吴凯")
    give_leads(store, zhou, 3)
    give_leads(store, zhou, 2, queue="planned", status="contacted", follow_up_at=NOON)
    give_leads(store, wu, 1)
    assert hand_over_all(store, work, zhou.id, colleagues(store, wu), boss) == 5
    assert owners(store) == {wu.id: 6}
    with store.reading() as session:
        (notice,) = session.scalars(select(Notice))
        assert (notice.recipient, notice.text.partition("\n")[0]) == (wu.email, "有5条线索交给您了")
        actions = session.scalars(select(AuditRow.action)).all()
    assert actions == ["assign"] * 5


def test_several_get_the_same_share_of_what_is_urgent(
    store: Database, work: LeadWork, zhou: User, boss: Deed
) -> None:
    wu, chen = hire(store, "吴凯"), hire(store, "陈一凡")
    give_leads(store, zhou, 3, priority=90)
    give_leads(store, zhou, 4, priority=10)
    assert hand_over_all(store, work, zhou.id, colleagues(store, wu, chen), boss) == 7
    assert sorted(owners(store).values()) == [3, 4]
    assert sorted(owners(store, priority=90).values()) == [1, 2]


def test_without_heirs_they_belong_to_nobody_again(
    store: Database, work: LeadWork, zhou: User, boss: Deed
) -> None:
    give_leads(store, zhou, 2)
    assert hand_over_all(store, work, zhou.id, [], boss) == 2
    assert owners(store) == {None: 2}


def test_more_than_one_transaction_takes_leaves_none_behind(
    store: Database, work: LeadWork, zhou: User, boss: Deed
) -> None:
    wu = hire(store, "吴凯")
    give_leads(store, zhou, 130)
    assert hand_over_all(store, work, zhou.id, colleagues(store, wu), boss) == 130
    assert owners(store) == {wu.id: 130}


def test_what_has_ended_and_what_is_held_back_stays(
    store: Database, work: LeadWork, zhou: User, boss: Deed
) -> None:
    give_leads(store, zhou, 2, status="won", queue="closed", closed=True)
    give_leads(store, zhou, 1, queue="held", restricted=True)
    assert hand_over_all(store, work, zhou.id, [], boss) == 0
    assert owners(store) == {zhou.id: 3}


def test_open_leads_are_counted_by_owner(store: Database, zhou: User) -> None:
    wu = hire(store, "吴凯")
    give_leads(store, zhou, 2)
    give_leads(store, wu, 1, queue="stuck", status="contacted")
    give_leads(store, wu, 5, status="won", queue="closed", closed=True)
    put_leads(store, [plain_lead()])
    with store.reading() as session:
        assert open_leads_by_owner(session) == {zhou.id: 2, wu.id: 1}
        assert len(ids_of_open_leads(session, zhou.id)) == 2
