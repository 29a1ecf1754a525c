"""Whoever looks for duplicates, or for a person by a number, walks indexes and reads no table as a whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.leads.colleagues import hire, scope_of
from tests.leads.conftest import NOON
from tests.leads.two_leads import FIRST, SECOND, Asked, ask, merge
from tests.privacy.test_receiving_cost import indexes_first, plans_of

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.duplicates import duplicates_of, marked
from xinheng.leads.finding import find_leads, find_person
from xinheng.leads.models import Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.wanted import Match, Wanted

__all__ = ["indexes_first"]

Look = Callable[[Session, Keys, Scope, list[Lead]], object]


def mark_a_page(session: Session, keys: Keys, scope: Scope, leads: list[Lead]) -> object:
    return marked(session, leads)


def look_at_one(session: Session, keys: Keys, scope: Scope, leads: list[Lead]) -> object:
    return duplicates_of(session, scope, leads[0]).likely


def search(typed: str) -> Look:
    def look(session: Session, keys: Keys, scope: Scope, leads: list[Lead]) -> object:
        match = find_person(session, keys, scope, typed)
        assert isinstance(match, Match)
        return find_leads(session, scope, Wanted(match=match), NOON).leads

    return look


@pytest.fixture
def scope(desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked) -> Scope:
    """One with two numbers and a company, and somebody else of the company."""
    everyone = scope_of(hire(store), everyone=True)
    company = {"company": "华强实业"}
    kept, other = ask(desk, store, asked, FIRST, extra=company), ask(desk, store, asked, SECOND)
    ask(desk, store, asked, "13700137000", extra=company)
    merge(store, store_keys, everyone, kept, other)
    return everyone


@pytest.mark.usefixtures("indexes_first")
@pytest.mark.parametrize(
    "look",
    [mark_a_page, look_at_one, search(SECOND), search("9000")],
    ids=["page", "lead", "phone", "last four"],
)
def test_no_table_of_leads_is_read_whole(store: Database, store_keys: Keys, scope: Scope, look: Look) -> None:
    with store.reading() as session:
        leads = list(session.scalars(select(Lead)))
    with plans_of(store) as plans, store.reading() as session:
        assert look(session, store_keys, scope, leads)
    assert plans.pop("")
    assert list(plans) == []


@pytest.mark.usefixtures("indexes_first")
def test_an_enquiry_finds_its_lead_by_indexes(
    desk: EnquiryDesk, store: Database, asked: Asked, scope: Scope
) -> None:
    with plans_of(store) as plans:
        ask(desk, store, asked, SECOND, details="又来了")
    assert plans.pop("")
    assert list(plans) == []
