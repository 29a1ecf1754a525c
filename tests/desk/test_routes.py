"""Every lock of the desk: each address names its permission, and each role is let in where the table says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from tests.desk.conftest import Clock, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import ask, give, the_lead
from werkzeug.test import TestResponse

from xinheng.db import Database
from xinheng.desk.permission import OPEN
from xinheng.staff.permissions import Permission, permissions_of

LOCKS: Mapping[str, Permission | str] = {
    "GET /desk/": Permission.OWN,
    "GET /desk/attention": Permission.OWN,
    "GET /desk/leads": Permission.LEADS,
    "POST /desk/leads/bulk": Permission.LEADS,
    "GET /desk/leads/export": Permission.EXPORT,
    "POST /desk/leads/export": Permission.EXPORT,
    "GET /desk/leads/<row:lead_id>": Permission.LEADS,
    "PUT /desk/leads/<row:lead_id>/draft": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/next": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/no-answer": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/notes": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/owner": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/reveal": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/status": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/wechat": Permission.LEADS,
    "GET /desk/duty": Permission.ALL_LEADS,
    "POST /desk/duty/<row:staff_id>": Permission.ALL_LEADS,
    "POST /desk/me/duty": Permission.LEADS,
    "GET /desk/priority": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/company": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/merge": Permission.LEADS,
    "GET /desk/leads/<row:lead_id>/merge/<row:other_id>": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/merge/<row:other_id>": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/merges/<row:merge_id>/undo": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/apart/<row:other_id>": Permission.LEADS,
    "GET /desk/leads/<row:lead_id>/split": Permission.LEADS,
    "POST /desk/leads/<row:lead_id>/split": Permission.LEADS,
    "GET /desk/quarantine": Permission.ALL_LEADS,
    "POST /desk/quarantine": Permission.ALL_LEADS,
    "POST /desk/search": Permission.LEADS,
    "POST /desk/views": Permission.LEADS,
    "POST /desk/views/<row:view_id>/delete": Permission.LEADS,
    "GET /desk/content": Permission.CONTENT,
    "GET /desk/content/<slug>": Permission.CONTENT,
    "GET /desk/health-check": Permission.REPORTS,
    "GET /desk/reports": Permission.REPORTS,
    "GET /desk/reports/articles": Permission.REPORTS,
    "GET /desk/reports/needs": Permission.REPORTS,
    "GET /desk/reports/people": Permission.ALL_LEADS,
    "GET /desk/reports/spam": Permission.REPORTS,
    "GET /desk/notices": Permission.NOTICES,
    "POST /desk/notices/test": Permission.NOTICES,
    "POST /desk/notices/again": Permission.NOTICES,
    "GET /desk/people": Permission.PEOPLE,
    "GET /desk/people/invite": Permission.ACCOUNTS,
    "POST /desk/people/invite": Permission.ACCOUNTS,
    "GET /desk/people/<row:member_id>": Permission.ACCOUNTS,
    "POST /desk/people/<row:member_id>/roles": Permission.ACCOUNTS,
    "POST /desk/people/<row:member_id>/password": Permission.ACCOUNTS,
    "POST /desk/people/<row:member_id>/second-factor": Permission.ACCOUNTS,
    "POST /desk/people/<row:member_id>/sessions": Permission.ACCOUNTS,
    "POST /desk/people/<row:member_id>/invite": Permission.ACCOUNTS,
    "POST /desk/people/<row:member_id>/withdraw": Permission.ACCOUNTS,
    "GET /desk/people/<row:member_id>/leave": Permission.ACCOUNTS,
    "POST /desk/people/<row:member_id>/leave": Permission.ACCOUNTS,
    "GET /desk/audit": Permission.AUDIT,
    "POST /desk/audit/find": Permission.AUDIT,
    "POST /desk/audit/verify": Permission.AUDIT,
    "GET /desk/requests": Permission.REQUESTS,
    "GET /desk/requests/<row:request_id>": Permission.REQUESTS,
    "POST /desk/requests/<row:request_id>/reveal": Permission.REQUESTS,
    "POST /desk/requests/<row:request_id>/proof": Permission.REQUESTS,
    "POST /desk/requests/<row:request_id>/file": Permission.REQUESTS,
    "POST /desk/requests/<row:request_id>/delete": Permission.REQUESTS,
    "POST /desk/requests/<row:request_id>/restrict": Permission.REQUESTS,
    "POST /desk/requests/<row:request_id>/correct": Permission.REQUESTS,
    "POST /desk/requests/<row:request_id>/close": Permission.REQUESTS,
    "GET /desk/me": Permission.OWN,
    "POST /desk/me/language": Permission.OWN,
    "POST /desk/me/name": Permission.OWN,
    "GET /desk/me/sessions": Permission.OWN,
    "POST /desk/me/sessions": Permission.OWN,
    "GET /desk/password": Permission.OWN,
    "POST /desk/password": Permission.OWN,
    "GET /desk/again": Permission.OWN,
    "POST /desk/again": Permission.OWN,
    "GET /desk/second-factor": Permission.OWN,
    "POST /desk/second-factor": Permission.OWN,
    "POST /desk/second-factor/later": Permission.OWN,
    "GET /desk/second-factor/codes": Permission.OWN,
    "POST /desk/second-factor/codes": Permission.OWN,
    "GET /desk/sign-in": OPEN,
    "POST /desk/sign-in": OPEN,
    "POST /desk/sign-out": OPEN,
    "GET /desk/code": OPEN,
    "POST /desk/code": OPEN,
    "GET /desk/code/help": OPEN,
    "GET /desk/recovery": OPEN,
    "POST /desk/recovery": OPEN,
    "GET /desk/join/<secret>": OPEN,
    "POST /desk/join/<secret>": OPEN,
}
"""Every address of the desk and what it asks for. A new one is added here, and to ANSWERS if it isn't the sign-in's."""

ANSWERS: Mapping[str, int] = {
    "GET /desk/attention": 200,
    "GET /desk/leads": 200,
    "POST /desk/leads/bulk": 303,
    "GET /desk/duty": 200,
    "POST /desk/duty/<row:staff_id>": 404,
    "GET /desk/priority": 200,
    "GET /desk/leads/export": 200,
    "POST /desk/leads/export": 422,
    "GET /desk/quarantine": 200,
    "POST /desk/quarantine": 303,
    "POST /desk/search": 303,
    "POST /desk/views": 303,
    "POST /desk/views/<row:view_id>/delete": 303,
    "GET /desk/content": 200,
    "GET /desk/content/<slug>": 200,
    "GET /desk/health-check": 200,
    "GET /desk/reports": 200,
    "GET /desk/reports/articles": 200,
    "GET /desk/reports/needs": 200,
    "GET /desk/reports/people": 200,
    "GET /desk/reports/spam": 200,
    "GET /desk/notices": 200,
    "POST /desk/notices/test": 404,
    "POST /desk/notices/again": 303,
    "GET /desk/people": 200,
    "GET /desk/people/invite": 200,
    "POST /desk/people/invite": 422,
    "GET /desk/people/<row:member_id>": 404,
    "POST /desk/people/<row:member_id>/roles": 404,
    "POST /desk/people/<row:member_id>/password": 404,
    "POST /desk/people/<row:member_id>/second-factor": 404,
    "POST /desk/people/<row:member_id>/sessions": 404,
    "POST /desk/people/<row:member_id>/invite": 404,
    "POST /desk/people/<row:member_id>/withdraw": 404,
    "GET /desk/people/<row:member_id>/leave": 404,
    "POST /desk/people/<row:member_id>/leave": 404,
    "GET /desk/audit": 200,
    "POST /desk/audit/find": 303,
    "POST /desk/audit/verify": 303,
    "GET /desk/requests": 200,
    "GET /desk/requests/<row:request_id>": 404,
    "POST /desk/requests/<row:request_id>/reveal": 404,
    "POST /desk/requests/<row:request_id>/proof": 404,
    "POST /desk/requests/<row:request_id>/file": 400,
    "POST /desk/requests/<row:request_id>/delete": 404,
    "POST /desk/requests/<row:request_id>/restrict": 404,
    "POST /desk/requests/<row:request_id>/correct": 404,
    "POST /desk/requests/<row:request_id>/close": 404,
    "GET /desk/me": 200,
    "GET /desk/password": 200,
}
"""What who may gets, of pages that are no lead's."""

LEAD_ANSWERS: Mapping[str, tuple[int, dict[str, str]]] = {
    "GET /desk/leads/<row:lead_id>": (200, {}),
    "PUT /desk/leads/<row:lead_id>/draft": (200, {"note": "王会计"}),
    "POST /desk/leads/<row:lead_id>/next": (303, {"in": "1"}),
    "POST /desk/leads/<row:lead_id>/no-answer": (303, {}),
    "POST /desk/leads/<row:lead_id>/notes": (303, {"note": "王会计"}),
    "POST /desk/leads/<row:lead_id>/owner": (303, {"owner": "me"}),
    "POST /desk/leads/<row:lead_id>/reveal": (303, {}),
    "POST /desk/leads/<row:lead_id>/status": (303, {"status": "contacted"}),
    "POST /desk/leads/<row:lead_id>/wechat": (303, {}),
    "POST /desk/leads/<row:lead_id>/company": (303, {"company": "华强实业"}),
    "POST /desk/leads/<row:lead_id>/merge": (422, {"reference": "XH-00000-00000"}),
    "POST /desk/leads/<row:lead_id>/merges/<row:merge_id>/undo": (303, {}),
    "GET /desk/leads/<row:lead_id>/split": (200, {}),
    "POST /desk/leads/<row:lead_id>/split": (422, {}),
}
"""What who may gets, and what is sent."""

TWO_LEADS: Mapping[str, int] = {
    "GET /desk/leads/<row:lead_id>/merge/<row:other_id>": 200,
    "POST /desk/leads/<row:lead_id>/apart/<row:other_id>": 303,
    "POST /desk/leads/<row:lead_id>/merge/<row:other_id>": 303,
}
"""What who may see both gets."""

ROLES = (
    ("sales",),
    ("sales_lead",),
    ("editor",),
    ("privacy",),
    ("admin",),
    ("admin", "sales_lead"),
    ("sales", "editor"),
    (),
)
HOMES = {
    Permission.LEADS: 200,
    Permission.REQUESTS: "/desk/requests",
    Permission.AUDIT: "/desk/audit",
    Permission.CONTENT: "/desk/content",
}


def desk_routes(app: Flask) -> dict[str, Any]:
    return {
        f"{method} {rule.rule}": app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        if rule.rule == "/desk" or rule.rule.startswith("/desk/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


@pytest.mark.databases("sqlite")
def test_every_address_of_the_desk_has_the_lock_that_the_table_says(app: Flask) -> None:
    found = {route: getattr(view, "permission", None) for route, view in desk_routes(app).items()}
    assert found == dict(LOCKS)


@pytest.mark.databases("sqlite")
def test_every_address_is_tried_with_every_role(app: Flask) -> None:
    by_sign_in = {
        route
        for route in desk_routes(app)
        if re.match(r"\w+ /desk/(me|again|second-factor|sign-|code|recovery|password|join)", route)
    }
    assert set(LOCKS) - by_sign_in - {"GET /desk/"} == set(ANSWERS) - by_sign_in | set(LEAD_ANSWERS) | set(
        TWO_LEADS
    )


@pytest.mark.databases("sqlite")
def test_only_addresses_below_desk_show_leads(app: Flask) -> None:
    outside = [
        rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(("desk.", "sign_in."))
    ]
    assert all(rule.startswith("/desk/") for rule in outside if not rule.startswith("/static"))


def send(client: DeskClient, route: str, values: Mapping[str, str], **fields: str) -> TestResponse:
    """Ask for an address of the table, with the token that a page would send."""
    method, rule = route.split(" ")
    path = re.sub(r"<(?:row:)?(\w+)>", lambda name: values[name[1]], rule)
    if method == "GET":
        return client.get(path)
    return client.open(path, method=method, data={"csrf_token": client.token} | fields)


@pytest.fixture
def leads(app: Flask, store: Database, staff: Staff) -> Callable[[Known], dict[str, str]]:
    """One lead each: the member's own, nobody's, a colleague's, and the member's own but restricted."""
    wu = staff("sales", name="吴凯")
    ids = [ask(app, phone=f"1380013800{number}") for number in range(4)]

    def kept(member: Known) -> dict[str, str]:
        owners = {"own": member, "nobodys": None, "others": wu, "restricted": member}
        return {
            whose: give(
                store,
                lead_id,
                owner,
                status="new",
                reason="",
                follow_up_at=None,
                restricted=whose == "restricted",
            )
            for lead_id, (whose, owner) in zip(ids, owners.items(), strict=True)
        }

    return kept


@pytest.mark.parametrize("roles", ROLES, ids="+".join)
def test_each_role_gets_what_it_may_and_nothing_else(
    client: DeskClient, staff: Staff, signed_in: SignedIn, clock: Clock, roles: tuple[str, ...]
) -> None:
    member, allowed = staff(*roles), permissions_of(roles)
    signed_in(client, member)
    values = dict.fromkeys(("view_id", "request_id", "member_id", "staff_id"), "f" * 32)
    values["slug"] = next(iter(client.application.extensions["xinheng.library"].current().by_slug))
    found = {route: send(client, route, values, q="张三", name="我的").status_code for route in ANSWERS}
    assert found == {route: right if LOCKS[route] in allowed else 403 for route, right in ANSWERS.items()}


@pytest.mark.parametrize("roles", ROLES, ids="+".join)
def test_each_role_works_on_its_own_leads_and_finds_no_others(
    client: DeskClient,
    store: Database,
    staff: Staff,
    signed_in: SignedIn,
    clock: Clock,
    leads: Callable[[Known], dict[str, str]],
    roles: tuple[str, ...],
) -> None:
    member, allowed = staff(*roles), permissions_of(roles)
    signed_in(client, member)

    def right(route: str, whose: str) -> int:
        if Permission.LEADS not in allowed:
            return 403
        if whose == "restricted" or (whose == "others" and Permission.ALL_LEADS not in allowed):
            return 404
        return LEAD_ANSWERS[route][0]

    found, expected = {}, {}
    for route, (_, fields) in LEAD_ANSWERS.items():
        for whose in ("own", "nobodys", "others", "restricted"):
            lead_id = leads(member)[whose]
            sent = {name: member.id if value == "me" else value for name, value in fields.items()}
            version = str(the_lead(store, lead_id).version)
            values = {"lead_id": lead_id, "merge_id": "f" * 32}
            answer = send(client, route, values, **sent, version=version)
            found[f"{route}: {whose}"] = answer.status_code
            expected[f"{route}: {whose}"] = right(route, whose)
    assert found == expected


@pytest.mark.parametrize("roles", ROLES, ids="+".join)
@pytest.mark.parametrize("whose", ["nobodys", "others", "restricted"])
def test_two_leads_are_touched_by_who_may_see_both(
    client: DeskClient,
    store: Database,
    staff: Staff,
    signed_in: SignedIn,
    clock: Clock,
    leads: Callable[[Known], dict[str, str]],
    roles: tuple[str, ...],
    whose: str,
) -> None:
    member, allowed = staff(*roles), permissions_of(roles)
    signed_in(client, member)
    ids = leads(member)
    seen = whose == "nobodys" or (whose == "others" and Permission.ALL_LEADS in allowed)
    for pair in ((ids["own"], ids[whose]), (ids[whose], ids["own"])):
        for route, right in TWO_LEADS.items():
            versions = [str(the_lead(store, each).version) for each in pair] if seen else ["1", "1"]
            fields = {"version": versions[0], "other_version": versions[1]}
            answer = send(client, route, {"lead_id": pair[0], "other_id": pair[1]}, **fields)
            expected = (right if seen else 404) if Permission.LEADS in allowed else 403
            assert answer.status_code == expected, route
        if seen and Permission.LEADS in allowed:
            break  # they are one now
    else:
        assert {the_lead(store, each).version for each in (ids["own"], ids[whose])} == {1}


@pytest.mark.parametrize("roles", ROLES, ids="+".join)
def test_each_role_is_led_to_its_own_work(
    client: DeskClient, staff: Staff, signed_in: SignedIn, roles: tuple[str, ...]
) -> None:
    signed_in(client, staff(*roles))
    answer = client.get("/desk/")
    home = next((HOMES[each] for each in HOMES if each in permissions_of(roles)), "/desk/me")
    assert home in (answer.status_code, answer.headers.get("Location"))
    if isinstance(home, str):
        assert client.get(home).status_code == 200


def test_who_is_not_signed_in_is_asked_to_and_gets_nothing(
    app: Flask, client: DeskClient, store: Database, staff: Staff, leads: Callable[[Known], dict[str, str]]
) -> None:
    lead_id = leads(staff("sales"))["nobodys"]
    values = {"slug": "x", "lead_id": lead_id}
    values |= dict.fromkeys(
        ("view_id", "request_id", "member_id", "staff_id", "other_id", "merge_id"), "f" * 32
    )
    client.get("/desk/sign-in")
    for route, lock in LOCKS.items():
        if lock == OPEN:
            continue
        answer = send(client, route, values, note="一", **{"in": "1"})
        if route.startswith("GET"):
            assert answer.status_code == 302, route
            assert answer.headers["Location"].startswith("/desk/sign-in?next=/desk/")
        else:
            assert answer.status_code == 401, route
        assert "7462" not in answer.text
    assert the_lead(store, lead_id).version == 1


@pytest.mark.parametrize("route", [each for each in LEAD_ANSWERS if not each.startswith("GET")])
def test_a_deed_without_the_pages_token_or_from_elsewhere_is_not_done(
    client: DeskClient,
    store: Database,
    staff: Staff,
    signed_in: SignedIn,
    leads: Callable[[Known], dict[str, str]],
    route: str,
) -> None:
    member = staff("sales")
    lead_id = leads(member)["own"]
    signed_in(client, member)
    method, rule = route.split(" ")
    path = rule.replace("<row:lead_id>", lead_id).replace("<row:merge_id>", "f" * 32)
    fields = {"version": "1", **LEAD_ANSWERS[route][1]}
    assert client.open(path, method=method, data=fields).status_code == 400
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    sent = fields | {"csrf_token": client.token}
    assert client.open(path, method=method, data=sent, headers=elsewhere).status_code == 403
    assert the_lead(store, lead_id).version == 1


@pytest.mark.parametrize("lead_id", ["f" * 32, "x", "0", "%00", "%27%20OR%201=1", "%E5%BC%A0", "f" * 500])
@pytest.mark.parametrize("roles", [("sales",), ("sales_lead",)], ids="+".join)
def test_a_guessed_id_is_not_found(
    client: DeskClient, staff: Staff, signed_in: SignedIn, lead_id: str, roles: tuple[str, ...]
) -> None:
    signed_in(client, staff(*roles))
    found = {
        route: send(
            client, route, {"lead_id": lead_id, "merge_id": "f" * 32}, **fields, version="1"
        ).status_code
        for route, (_, fields) in LEAD_ANSWERS.items()
        if not route.endswith("/owner")
    }
    assert found == dict.fromkeys(found, 404)
