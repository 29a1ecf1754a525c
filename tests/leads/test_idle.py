"""What its owner doesn't work goes back to the pool, after a word in time, by working hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.conftest import ORIGIN
from tests.leads.colleagues import events_of, scope_of, shanghai, the_lead
from tests.leads.duty import WEEKDAYS, assigner_of, on_duty, rules_of

from xinheng.audit.models import AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.assignment import ClaimRefused
from xinheng.leads.deeds import Deed
from xinheng.leads.idle import IdleLeads
from xinheng.leads.trail import Trail
from xinheng.leads.work import LeadWork
from xinheng.notices.outbox import Notice
from xinheng.staff.models import User

THURSDAY = shanghai("2026-11-19 10:00")
POOL = {"return_after_hours": 18, "warn_before_hours": 6, "not_again_for_hours": 9}
"""A working day has nine hours: warned after twelve, back after eighteen, which is two days."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WARNED, BACK = shanghai("2026-11-20 13:00"), shanghai("2026-11-23 10:00")
"""Twelve and eighteen working hours after Thursday at ten: a weekend lies between."""

Ask = Callable[..., list[str]]


class Pooled:
    """A lead that 周敏 claimed on Thursday at ten, and the sweep."""

    def __init__(self, store: Database, keys: Keys, lead_id: str, member: User, **changed: Any) -> None:
        self.store, self.lead_id, self.member = store, lead_id, member
        rules = rules_of(changed.pop("way", "pool"), pool=POOL | changed)
        self.idle = IdleLeads(Trail(keys), lambda: rules, lambda: WEEKDAYS, site=ORIGIN)
        self.work = LeadWork(store, keys, site=ORIGIN, limits=assigner_of(rules))

    def sweep(self, at: datetime) -> None:
        self.idle(self.store, at)

    def deed(self, at: datetime) -> Deed:
        return Deed(scope_of(self.member), at)

    @property
    def owned(self) -> bool:
        return the_lead(self.store, self.lead_id).owner_id == self.member.id

    @property
    def warnings(self) -> list[str]:
        with self.store.reading() as session:
            rows = session.scalars(select(Notice).where(Notice.kind == "returning"))
            return [row.recipient for row in rows]


@pytest.fixture
def pooled(store: Database, store_keys: Keys, leads_that_ask: Ask) -> Callable[..., Pooled]:
    def make(**changed: Any) -> Pooled:
        member = on_duty(store, "周敏")
        (lead_id,) = leads_that_ask(1, THURSDAY - HOUR)
        made = Pooled(store, store_keys, lead_id, member, **changed)
        made.work.assign(lead_id, made.deed(THURSDAY), member)
        return made

    return make


def test_the_owner_is_warned_and_then_it_goes_back(pooled: Callable[..., Pooled], store: Database) -> None:
    lead = pooled()
    lead.sweep(WARNED - timedelta(minutes=2))
    assert lead.warnings == []
    for _ in range(2):
        lead.sweep(WARNED)
    assert lead.warnings == [lead.member.email]
    lead.sweep(BACK - timedelta(minutes=2))
    assert lead.owned
    lead.sweep(BACK)
    assert not lead.owned
    event = events_of(store, lead.lead_id)[-1]
    assert (event.kind, event.staff_id, event.detail) == (
        "returned",
        None,
        {"from": lead.member.id, "to": ""},
    )
    with store.reading() as session:
        assert [row.actor for row in session.scalars(select(AuditRow).order_by(AuditRow.id))] == [
            lead.member.id,
            "system",
        ]
    assert len(lead.warnings) == 1


def test_after_an_outage_the_owner_is_warned_first_all_the_same(pooled: Callable[..., Pooled]) -> None:
    lead = pooled()
    week = BACK + 7 * DAY
    lead.sweep(week)
    assert (lead.owned, len(lead.warnings)) == (True, 1)
    lead.sweep(week + 5 * HOUR)
    assert lead.owned
    lead.sweep(week + 6 * HOUR)
    assert not lead.owned


def test_nothing_goes_back_at_night(pooled: Callable[..., Pooled]) -> None:
    lead = pooled()
    lead.sweep(WARNED)
    lead.sweep(shanghai("2026-11-23 22:00"))
    assert lead.owned
    lead.sweep(shanghai("2026-11-24 09:00"))
    assert not lead.owned


def test_whatever_is_done_to_it_starts_the_time_anew(pooled: Callable[..., Pooled]) -> None:
    lead = pooled()
    lead.sweep(WARNED)
    lead.work.write_note(lead.lead_id, lead.deed(WARNED + HOUR), "再想想")
    lead.sweep(BACK)
    assert lead.owned
    assert len(lead.warnings) == 1
    lead.sweep(BACK + DAY)
    assert len(lead.warnings) == 2


def test_what_is_planned_waits_until_its_day_is_past(pooled: Callable[..., Pooled]) -> None:
    lead = pooled()
    lead.work.plan(lead.lead_id, lead.deed(THURSDAY), shanghai("2026-11-26 10:00"), "回电")
    for day in range(7):
        lead.sweep(THURSDAY + day * DAY + HOUR)
    assert lead.warnings == []
    lead.sweep(shanghai("2026-11-27 13:00"))
    assert len(lead.warnings) == 1


@pytest.mark.parametrize(
    "changed", [{"way": "hand"}, {"way": "round_robin"}, {"return_after_hours": 0, "warn_before_hours": 1}]
)
def test_only_a_pool_with_a_time_takes_anything_back(
    pooled: Callable[..., Pooled], changed: dict[str, Any]
) -> None:
    lead = pooled(**changed)
    lead.sweep(BACK + 14 * DAY)
    lead.sweep(BACK + 28 * DAY)
    assert (lead.owned, lead.warnings) == (True, [])


def test_a_closed_lead_stays_whose_it_is(pooled: Callable[..., Pooled]) -> None:
    lead = pooled()
    lead.work.move(lead.lead_id, lead.deed(THURSDAY), "invalid", "test")
    lead.sweep(BACK + DAY)
    assert (lead.owned, lead.warnings) == (True, [])


def test_who_let_it_go_back_cannot_take_it_at_once_but_others_can(
    pooled: Callable[..., Pooled], store: Database
) -> None:
    lead = pooled()
    lead.sweep(WARNED)
    lead.sweep(BACK)
    with pytest.raises(ClaimRefused) as refused:
        lead.work.assign(lead.lead_id, lead.deed(BACK + HOUR), lead.member)
    assert (refused.value.why, refused.value.until) == ("again", BACK + DAY)
    wu = on_duty(store, "吴凯")
    lead.work.assign(lead.lead_id, Deed(scope_of(wu), BACK + 2 * HOUR), wu)
    lead.work.assign(lead.lead_id, Deed(scope_of(wu), BACK + 3 * HOUR), None)
    lead.work.assign(lead.lead_id, lead.deed(BACK + DAY), lead.member)
    assert lead.owned
