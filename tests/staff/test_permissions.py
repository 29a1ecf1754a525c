"""The table of roles, as the owner gave it."""

from __future__ import annotations

import pytest

from xinheng.staff.permissions import (
    ROLE_WORDS,
    Permission,
    RoleName,
    needs_second_factor,
    permissions_of,
)

OWN, LEADS, ALL, CONTENT, AUDIT, NOTICES, REPORTS = (
    Permission.OWN,
    Permission.LEADS,
    Permission.ALL_LEADS,
    Permission.CONTENT,
    Permission.AUDIT,
    Permission.NOTICES,
    Permission.REPORTS,
)
PEOPLE, ACCOUNTS, EXPORT = Permission.PEOPLE, Permission.ACCOUNTS, Permission.EXPORT


@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        ([], {OWN}),
        (["sales"], {OWN, LEADS, EXPORT}),
        (["sales_lead"], {OWN, LEADS, ALL, EXPORT, NOTICES, REPORTS, PEOPLE}),
        (["editor"], {OWN, CONTENT, REPORTS}),
        (["privacy"], {OWN, AUDIT, Permission.REQUESTS}),
        (["admin"], {OWN, AUDIT, NOTICES, PEOPLE, ACCOUNTS}),
        (["admin", "sales_lead"], {OWN, AUDIT, LEADS, ALL, EXPORT, NOTICES, REPORTS, PEOPLE, ACCOUNTS}),
        (["editor", "privacy"], {OWN, CONTENT, REPORTS, AUDIT, Permission.REQUESTS}),
        (["owner of the site"], {OWN}),
    ],
)
def test_roles_allow_together_what_each_allows(roles: list[str], allowed: set[Permission]) -> None:
    assert permissions_of(roles) == allowed


@pytest.mark.parametrize("role", RoleName)
def test_whoever_sees_personal_data_or_gives_rights_needs_a_second_factor(role: RoleName) -> None:
    personal = {Permission.LEADS, Permission.REQUESTS, ACCOUNTS}
    assert needs_second_factor([role]) is bool(personal & permissions_of([role]))


def test_administering_shows_no_lead() -> None:
    assert Permission.LEADS not in permissions_of(["admin"])


def test_every_role_has_a_chinese_name() -> None:
    assert set(ROLE_WORDS) == set(RoleName)
