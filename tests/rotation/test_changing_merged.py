"""After a change of keys a company, a further number and what was before a merge are there still."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import select
from tests.leads.colleagues import hire, scope_of, the_lead
from tests.leads.conftest import NOON
from tests.leads.two_leads import DAY, FIRST, SECOND, Asked, ask, marked_leads, merge, undo

from xinheng.crypto import Keys, load_keys
from xinheng.db import Database
from xinheng.leads.merges import LeadPhone
from xinheng.leads.record import EnquiryDesk
from xinheng.rotation.changing import change_keys

COMPANY = {"company": "华强实业有限公司"}


def test_merges_and_companies_outlive_a_change_of_keys(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, tmp_path: Path
) -> None:
    everyone = scope_of(hire(store), everyone=True)
    kept, other = ask(desk, store, asked, FIRST, extra=COMPANY), ask(desk, store, asked, SECOND, name="小张")
    third = ask(desk, store, asked, "13700137000", extra={"company": "华强实业"})
    merge(store, store_keys, everyone, kept, other)
    assert marked_leads(store) == {kept, third}
    data = tmp_path / "var"
    (data / "spool").mkdir(exist_ok=True)
    assert change_keys(data, store).resealed.unreadable == 0
    keys = replace(load_keys(data / "keys", make=False), older={})
    assert marked_leads(store) == {kept, third}, "the indexes of the company changed alike"
    with store.reading() as session:
        further = session.scalars(select(LeadPhone)).one()
    assert further.open(keys, "phone") == "+8613900139000"
    assert further.phone_index == keys.blind_index("phone", "+8613900139000")
    assert undo(store, keys, everyone, kept, NOON + DAY) == other
    assert the_lead(store, other).open(keys, "name") == "小张"
    assert the_lead(store, kept).open(keys, "company") == COMPANY["company"]
