"""What all pages of the desk share: who takes leads, and which list one came from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from tests.desk.conftest import Clock, DeskClient, SignedIn, Staff
from tests.desk.leads_at_hand import ask

from xinheng.db import Database
from xinheng.desk.frame import arguments_of
from xinheng.staff.colleagues import read_colleagues
from xinheng.staff.models import User


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {}),
        ("status=new&sort=due", {"status": "new", "sort": "due"}),
        ("a=1&a=2", {"a": "2"}),
        ("a&&=&%ZZ=1", {"%ZZ": "1"}),
    ],
)
def test_a_query_is_read_as_its_arguments(query: str, found: dict[str, str]) -> None:
    assert arguments_of(query) == found


@pytest.mark.parametrize(
    ("roles", "takes"),
    [
        (("sales",), True),
        (("sales_lead",), True),
        (("admin", "sales_lead"), True),
        (("editor",), False),
        (("privacy", "admin"), False),
        ((), False),
    ],
)
def test_leads_go_to_those_who_may_see_them_and_are_still_here(
    store: Database, staff: Staff, roles: tuple[str, ...], takes: bool
) -> None:
    known = staff(*roles)
    with store.writing() as session:
        assert read_colleagues(session)[known.id].takes_leads is takes
        session.get_one(User, known.id).active = False
        session.flush()
        assert not read_colleagues(session)[known.id].takes_leads


def test_each_browser_remembers_its_own_list(
    app: Flask,
    client: DeskClient,
    another_browser: Callable[[], DeskClient],
    staff: Staff,
    signed_in: SignedIn,
    clock: Clock,
) -> None:
    lead_id, member = ask(app), staff("sales")
    one, other = signed_in(client, member), signed_in(another_browser(), member)
    one.get("/desk/leads?status=new")
    other.get("/desk/leads?view=first")

    def back(browser: DeskClient) -> str:
        page = browser.get(f"/desk/leads/{lead_id}").text
        return page.partition('class="desk-back"><a href="')[2].partition('"')[0]

    assert back(one) == f"/desk/leads?status=new#lead-{lead_id}"
    assert back(other) == f"/desk/leads?view=first#lead-{lead_id}"
    client.get(f"/desk/leads/{lead_id}?view=first")
    assert back(one) == f"/desk/#lead-{lead_id}"
