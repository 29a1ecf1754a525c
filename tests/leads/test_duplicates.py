"""Who may be the same person, and why: found from either side, whatever happened to the two leads."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update
from tests.leads.colleagues import hire, scope_of, the_lead
from tests.leads.conftest import NOON
from tests.leads.deleting import delete_lead
from tests.leads.two_leads import (
    FIRST,
    MINUTE,
    SECOND,
    Asked,
    ask,
    duplicates,
    leads,
    marked_leads,
    merge,
)

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.deeds import AlreadyDone, Deed, LeadChanged
from xinheng.leads.deletion import Deletion
from xinheng.leads.merges import set_apart, take_together
from xinheng.leads.models import Lead
from xinheng.leads.naming import name_company
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.tombstones import TombstoneFile

COMPANY = {"company": "深圳市华强实业有限公司"}


@pytest.fixture
def everyone(store: Database) -> Scope:
    return scope_of(hire(store), everyone=True)


def test_a_landline_is_found_without_its_extension(
    desk: EnquiryDesk, store: Database, asked: Asked, everyone: Scope
) -> None:
    first = ask(desk, store, asked, "021-63958427 转 801")
    second = ask(desk, store, asked, "021 6395 8427", NOON + MINUTE)
    for lead_id, other in ((first, second), (second, first)):
        (found,) = duplicates(store, everyone, lead_id).likely
        assert (found.lead.id, found.why) == (other, ["landline"])
    assert marked_leads(store) == {first, second}


def test_a_company_is_found_in_another_spelling(
    desk: EnquiryDesk, store: Database, asked: Asked, everyone: Scope
) -> None:
    first = ask(desk, store, asked, FIRST, extra=COMPANY)
    second = ask(desk, store, asked, SECOND, extra={"company": "深圳华强实业"})
    ask(desk, store, asked, "13700137000", extra={"company": "贸易公司"})
    ask(desk, store, asked, "13600136000", extra={"company": "贸易公司"})
    (found,) = duplicates(store, everyone, first).likely
    assert (found.lead.id, found.why) == (second, ["company"])
    assert marked_leads(store) == {first, second}


def test_a_company_that_staff_write_down_is_found_and_taken_away_again(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, everyone: Scope
) -> None:
    first = ask(desk, store, asked, FIRST)
    second = ask(desk, store, asked, SECOND, extra=COMPANY)
    name_company(store, store_keys, first, Deed(everyone, NOON, 1), "深圳华强实业")
    assert the_lead(store, first).open(store_keys, "company") == "深圳华强实业"
    assert marked_leads(store) == {first, second}
    with pytest.raises(AlreadyDone):
        name_company(store, store_keys, first, Deed(everyone, NOON, 1), "深圳华强实业")
    with pytest.raises(LeadChanged):
        name_company(store, store_keys, first, Deed(everyone, NOON, 1), "华强")
    name_company(store, store_keys, first, Deed(everyone, NOON, the_lead(store, first).version), "")
    assert (the_lead(store, first).company, marked_leads(store)) == (None, set())


def test_the_form_fills_a_company_in_that_nobody_had_given_before(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    lead_id = ask(desk, store, asked, FIRST)
    ask(desk, store, asked, FIRST, NOON + MINUTE, extra=COMPANY, details="又问")
    ask(desk, store, asked, FIRST, NOON + 2 * MINUTE, extra={"company": "别的公司名"}, details="再问")
    assert the_lead(store, lead_id).open(store_keys, "company") == COMPANY["company"]


def test_a_mobile_of_somebody_held_back_is_no_duplicate(
    desk: EnquiryDesk, store: Database, asked: Asked, everyone: Scope
) -> None:
    first = ask(desk, store, asked, FIRST)
    with store.writing() as session:
        session.execute(update(Lead).where(Lead.id == first).values(restricted=True))
    second = ask(desk, store, asked, FIRST, NOON + MINUTE, details="新的")
    assert second != first
    found = duplicates(store, everyone, second)
    assert (found.likely, found.apart, found.hidden) == ([], [], 0)
    assert second not in marked_leads(store)
    with store.writing() as session:
        session.execute(update(Lead).where(Lead.id == first).values(restricted=False))
    (found,) = duplicates(store, everyone, second).likely
    assert found.why == ["mobile"]


def test_a_further_number_is_found_from_both_sides(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, everyone: Scope
) -> None:
    kept, other = ask(desk, store, asked, FIRST), ask(desk, store, asked, "021-63958427")
    merge(store, store_keys, everyone, kept, other)
    assert marked_leads(store) == set()
    third = ask(desk, store, asked, "021-63958427 转 9", NOON + MINUTE)
    assert marked_leads(store) == {kept, third}
    assert [each.lead.id for each in duplicates(store, everyone, kept).likely] == [third]
    assert [each.lead.id for each in duplicates(store, everyone, third).likely] == [kept]


def test_others_leads_are_counted_and_not_shown(desk: EnquiryDesk, store: Database, asked: Asked) -> None:
    zhou, wu = hire(store), hire(store, "吴凯")
    mine, theirs = (ask(desk, store, asked, "021-63958427", details=each) for each in ("一", "二"))
    for lead_id, owner in ((mine, zhou), (theirs, wu)):
        with store.writing() as session:
            session.execute(update(Lead).where(Lead.id == lead_id).values(owner_id=owner.id))
    found = duplicates(store, scope_of(zhou), mine)
    assert (found.likely, found.hidden) == ([], 1)


def test_two_that_are_not_the_same_person_stay_apart_until_that_is_taken_back(
    desk: EnquiryDesk, store: Database, asked: Asked, everyone: Scope
) -> None:
    one, two, three = (ask(desk, store, asked, "021-63958427", details=each) for each in "一二三")
    with store.writing() as session:
        assert set_apart(session, one, two, everyone.staff_id, NOON)
        assert not set_apart(session, two, one, everyone.staff_id, NOON)
    assert marked_leads(store) == {one, two, three}
    found = duplicates(store, everyone, one)
    assert [each.lead.id for each in found.likely] == [three]
    assert [(each.lead.id, each.why) for each in found.apart] == [(two, ["landline"])]
    with store.writing() as session:
        set_apart(session, one, three, everyone.staff_id, NOON)
    assert marked_leads(store) == {two, three}
    with store.writing() as session:
        assert take_together(session, two, one)
    assert len(duplicates(store, everyone, one).likely) == 1


def test_a_deleted_lead_is_nobodys_duplicate(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, tmp_path: Path, everyone: Scope
) -> None:
    first, second = (ask(desk, store, asked, "021-63958427", details=each) for each in "一二")
    with store.writing() as session:
        set_apart(session, first, second, everyone.staff_id, NOON)
    delete_lead(store, Deletion(store, store_keys, TombstoneFile(tmp_path)), first)
    assert leads(store) == [second]
    found = duplicates(store, everyone, second)
    assert (found.likely, found.apart, found.hidden) == ([], [], 0)
    with store.writing() as session:
        assert not take_together(session, first, second), "nothing is left that names the deleted one"
