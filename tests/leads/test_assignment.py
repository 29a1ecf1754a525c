"""Whose turn it is, and who may claim: on duty, with room, not too much of one day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.conftest import ORIGIN
from tests.leads.colleagues import plain_lead, put_leads, scope_of, the_lead
from tests.leads.conftest import NOON
from tests.leads.duty import assigner_of, leads_of, member_of, on_duty, rules_of, set_member

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.forms.assignment import AssignmentRules
from xinheng.leads.assignment import Assigner, ClaimRefused
from xinheng.leads.deeds import BulkChange, Deed
from xinheng.leads.models import Lead
from xinheng.leads.turns import count_turn
from xinheng.leads.work import LeadWork
from xinheng.staff.models import User

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def next_of(
    store: Database, assigner: Assigner, now: datetime = NOON, exclude: tuple[str, ...] = (), **lead: Any
) -> str:
    """The name of who is next for a lead."""
    with store.reading() as session:
        found = assigner.next_owner(session, now, Lead(**plain_lead(**lead)), exclude)
        return found.name if found else ""


def take(store: Database, member: User, number: int, *, claimed: bool, at: datetime = NOON) -> None:
    with store.writing() as session:
        for _ in range(number):
            count_turn(session, member.id, at, claimed=claimed)


# --- whose turn it is ---


def test_the_next_is_whose_last_lead_was_given_longest_ago(store: Database) -> None:
    assigner = assigner_of(rules_of())
    wu = on_duty(store, "吴凯", last_assigned_at=NOON - HOUR)
    zhou = on_duty(store, "周敏", last_assigned_at=NOON - 2 * HOUR)
    on_duty(store, "新人")
    assert next_of(store, assigner) == "新人"
    set_member(store, wu, last_assigned_at=NOON - 3 * HOUR)
    assert next_of(store, assigner, exclude=(zhou.id,)) == "新人"
    assert next_of(store, assigner_of(rules_of()), owner_id=wu.id) == "新人"


@pytest.mark.parametrize(
    ("values", "there"),
    [
        ({}, True),
        ({"on_duty": False}, False),
        ({"active": False}, False),
        ({"absent_until": NOON + HOUR}, False),
        ({"absent_until": NOON}, True),
        ({"absent_until": NOON - DAY}, True),
        ({"on_duty": False, "absent_until": NOON - DAY}, False),
    ],
)
def test_who_is_away_is_passed_over(store: Database, values: dict[str, Any], there: bool) -> None:
    on_duty(store, "周敏", **values)
    assert bool(next_of(store, assigner_of(rules_of()))) is there


@pytest.mark.parametrize(
    ("roles", "there"),
    [(("sales",), True), (("sales_lead",), False), (("sales", "sales_lead"), True), (("editor",), False)],
)
def test_those_take_turns_whose_work_is_leads(store: Database, roles: tuple[str, ...], there: bool) -> None:
    on_duty(store, "周敏", *roles)
    assert bool(next_of(store, assigner_of(rules_of()))) is there


def test_who_cannot_get_in_gets_nothing(store: Database) -> None:
    member = on_duty(store, "周敏")
    assert next_of(store, assigner_of(rules_of(), second_factor=True)) == ""
    set_member(store, member, tf_primary_method="authenticator", tf_totp_secret="x")
    assert next_of(store, assigner_of(rules_of(), second_factor=True)) == "周敏"


@pytest.mark.parametrize(
    ("queue", "counts"),
    [("first", True), ("planned", True), ("stuck", True), ("closed", False), ("held", False)],
)
def test_who_has_no_room_is_passed_over_and_only_open_leads_take_room(
    store: Database, queue: str, counts: bool
) -> None:
    member = on_duty(store, "周敏")
    leads_of(store, member, 3, queue=queue)
    assert bool(next_of(store, assigner_of(rules_of(capacity=3)))) is not counts


@pytest.mark.parametrize(("own", "there"), [(4, True), (3, False), (0, False)])
def test_a_members_own_capacity_wins(store: Database, own: int, there: bool) -> None:
    leads_of(store, on_duty(store, "周敏", capacity=own), 3)
    assert bool(next_of(store, assigner_of(rules_of(capacity=1)))) is there


def test_one_alone_on_duty_gets_no_more_in_a_day_than_the_rules_say(store: Database) -> None:
    member = on_duty(store, "周敏")
    on_duty(store, "吴凯", on_duty=False)
    assigner = assigner_of(rules_of(round_robin={"most_a_day": 3}))
    take(store, member, 2, claimed=False)
    assert next_of(store, assigner) == "周敏"
    take(store, member, 1, claimed=False)
    assert next_of(store, assigner) == ""
    assert next_of(store, assigner, NOON + DAY) == "周敏"


def test_what_was_claimed_is_no_turn(store: Database) -> None:
    member = on_duty(store, "周敏")
    take(store, member, 3, claimed=True)
    assert next_of(store, assigner_of(rules_of(round_robin={"most_a_day": 1}))) == "周敏"


def test_the_day_is_that_of_shanghai(store: Database) -> None:
    member = on_duty(store, "周敏")
    midnight = NOON + 12 * HOUR
    take(store, member, 1, claimed=False, at=midnight - timedelta(seconds=1))
    assigner = assigner_of(rules_of(round_robin={"most_a_day": 1}))
    assert next_of(store, assigner, midnight - timedelta(seconds=1)) == ""
    assert next_of(store, assigner, midnight) == "周敏"


# --- claiming ---


def work_of(store: Database, keys: Keys, rules: AssignmentRules) -> LeadWork:
    return LeadWork(store, keys, site=ORIGIN, limits=assigner_of(rules))


def claim(work: LeadWork, member: User, lead_id: str, now: datetime = NOON, *, everyone: bool = False) -> str:
    """Claim a lead; why not, where it is refused."""
    try:
        work.assign(lead_id, Deed(scope_of(member, everyone=everyone), now), member)
    except ClaimRefused as fault:
        return fault.why
    return ""


def test_a_member_claims_as_many_a_day_as_the_pool_allows(store: Database, store_keys: Keys) -> None:
    zhou, wu = on_duty(store, "周敏"), on_duty(store, "吴凯")
    work = work_of(store, store_keys, rules_of("pool", pool={"claims_a_day": 2}))
    ids = leads_of(store, None, 5)
    assert [claim(work, zhou, each) for each in ids[:3]] == ["", "", "a_day"]
    assert the_lead(store, ids[2]).owner_id is None
    assert claim(work, wu, ids[2]) == ""
    assert claim(work, zhou, ids[3], NOON + DAY) == ""


def test_a_member_without_room_claims_nothing(store: Database, store_keys: Keys) -> None:
    zhou = on_duty(store, "周敏")
    leads_of(store, zhou, 2)
    (lead_id,) = leads_of(store, None, 1)
    assert claim(work_of(store, store_keys, rules_of("pool", capacity=2)), zhou, lead_id) == "capacity"
    assert claim(work_of(store, store_keys, rules_of("round_robin", capacity=2)), zhou, lead_id) == "capacity"
    assert claim(work_of(store, store_keys, rules_of("hand", capacity=2)), zhou, lead_id) == ""


def test_limits_bind_neither_a_sales_lead_nor_what_somebody_hands_over(
    store: Database, store_keys: Keys, leads_that_ask: Callable[..., list[str]]
) -> None:
    zhou, hang = on_duty(store, "周敏"), on_duty(store, "李航", "sales_lead")
    leads_of(store, zhou, 2)
    mine, other = leads_that_ask(2)
    work = work_of(store, store_keys, rules_of("pool", capacity=2, pool={"claims_a_day": 1}))
    assert claim(work, hang, mine, everyone=True) == ""
    work.assign(other, Deed(scope_of(hang, everyone=True), NOON), zhou)
    assert the_lead(store, other).owner_id == zhou.id


def test_of_several_at_once_as_many_are_claimed_as_the_day_allows(store: Database, store_keys: Keys) -> None:
    zhou = on_duty(store, "周敏")
    work = work_of(store, store_keys, rules_of("pool", pool={"claims_a_day": 3}))
    ids = leads_of(store, None, 5)
    assert work.many(ids, Deed(scope_of(zhou), NOON), BulkChange(assigned=True, owner=zhou)) == 3
    assert sum(the_lead(store, each).owner_id == zhou.id for each in ids) == 3


def test_each_way_to_a_lead_counts_as_a_turn(
    store: Database, store_keys: Keys, leads_that_ask: Callable[..., list[str]]
) -> None:
    zhou, hang = on_duty(store, "周敏"), on_duty(store, "李航", "sales_lead")
    first, second = leads_that_ask(2)
    work = work_of(store, store_keys, rules_of())
    claim(work, zhou, first)
    assert member_of(store, zhou).last_assigned_at == NOON
    work.assign(second, Deed(scope_of(hang, everyone=True), NOON + HOUR), zhou)
    assert member_of(store, zhou).last_assigned_at == NOON + HOUR
    with store.reading() as session:
        load = assigner_of(rules_of()).loads(session, [session.get_one(User, zhou.id)], NOON + HOUR)[zhou.id]
    assert (load.open, load.given, load.claimed) == (2, 1, 1)


def test_a_lead_put_away_by_a_closed_status_leaves_room_again(store: Database, store_keys: Keys) -> None:
    zhou = on_duty(store, "周敏")
    put_leads(store, [plain_lead(owner_id=zhou.id, id="a" * 32)])
    (free,) = leads_of(store, None, 1)
    work = work_of(store, store_keys, rules_of("pool", capacity=1))
    assert claim(work, zhou, free) == "capacity"
    work.move("a" * 32, Deed(scope_of(zhou), NOON), "invalid", "test")
    assert claim(work, zhou, free) == ""
