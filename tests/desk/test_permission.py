"""Every page of the desk names who may open it; what names nothing is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from tests.desk.conftest import DeskClient, SignedIn, Staff

from xinheng.desk.permission import OPEN, permission_of
from xinheng.staff.permissions import Permission

OPEN_PAGES = {
    "sign_in.login",
    "sign_in.join",
    "sign_in.join_with_password",
    "sign_in.sign_out",
    "sign_in.two_factor_token_validation",
    "sign_in.mf_recovery",
    "sign_in.two_factor_rescue",
}


def desk_endpoints(app: Flask) -> set[str]:
    return {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/desk")}


def test_every_page_of_the_desk_names_a_permission(app: Flask) -> None:
    with app.app_context():
        named = {endpoint: permission_of(endpoint) for endpoint in desk_endpoints(app)}
    assert named
    assert [endpoint for endpoint, permission in named.items() if permission is None] == []
    assert {endpoint for endpoint, permission in named.items() if permission == OPEN} == OPEN_PAGES
    assert all(permission in {OPEN, *Permission} for permission in named.values())


@pytest.mark.parametrize(
    "endpoint", ["sign_out", "set_name", "set_language", "end_sessions", "second_factor_later"]
)
def test_what_only_changes_something_is_a_form(app: Flask, endpoint: str) -> None:
    (rule,) = (rule for rule in app.url_map.iter_rules() if rule.endpoint == f"sign_in.{endpoint}")
    assert rule.methods == {"POST", "OPTIONS"}


def test_a_page_that_names_none_is_refused_to_everybody(
    app: Flask, client: DeskClient, staff: Staff, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(app.view_functions["sign_in.me"], "permission")
    member = staff("sales", "sales_lead", "privacy", "admin", second_factor=True)
    assert signed_in(client, member).get("/desk/me").status_code == 403


def test_who_lacks_the_permission_is_refused_and_recorded(
    app: Flask,
    client: DeskClient,
    staff: Staff,
    signed_in: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
    recorded: Callable[[], list[tuple[str, str, str]]],
) -> None:
    member = staff("privacy")
    signed_in(client, member)
    monkeypatch.setattr(app.view_functions["sign_in.me"], "permission", Permission.CONTENT)
    assert client.get("/desk/me").status_code == 403
    assert recorded() == [(member.id, "denied", member.id)]


def test_public_pages_ask_for_nothing(client: DeskClient) -> None:
    assert client.get("/").status_code == 200
    assert client.get("/deskish").status_code == 404
