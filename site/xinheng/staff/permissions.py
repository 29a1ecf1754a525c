"""What members of staff may do. Roles are given to people, permissions are asked for by pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """One kind of access. A page of the desk names the one it needs; what it doesn't name is refused."""

    OWN = "own"
    """What belongs to oneself: language, password, sessions. Anyone signed in."""

    LEADS = "leads"
    """To see and work one's own leads and those nobody has yet."""

    ALL_LEADS = "all_leads"
    """To see and work everybody's leads, and to give them to somebody."""

    EXPORT = "export"
    """To take one's leads away as a file: one's own, or everybody's with ALL_LEADS, and only then unmasked."""

    CONTENT = "content"
    """To see articles before they are published, and what is read; no personal data of visitors."""

    REPORTS = "reports"
    """To see what visitors do, in numbers; no personal data of visitors."""

    NOTICES = "notices"
    """To see whether notices leave, test a channel and send again what failed; no personal data of visitors."""

    AUDIT = "audit"
    """To read who saw and changed what."""

    PEOPLE = "people"
    """To see who is at the desk, in which role, and how many leads each has open; no personal data of visitors."""

    ACCOUNTS = "accounts"
    """To invite members, to change and to end their accounts."""

    REQUESTS = "requests"
    """To answer what persons ask about their own data: one person's at a time, nobody's in a list."""


class RoleName(StrEnum):
    SALES = "sales"
    SALES_LEAD = "sales_lead"
    EDITOR = "editor"
    PRIVACY = "privacy"
    ADMIN = "admin"


ROLE_WORDS: Mapping[RoleName, str] = MappingProxyType(
    {
        RoleName.SALES: "销售",
        RoleName.SALES_LEAD: "销售主管",
        RoleName.EDITOR: "编辑",
        RoleName.PRIVACY: "隐私专员",
        RoleName.ADMIN: "管理员",
    }
)

_GRANTED: Mapping[RoleName, frozenset[Permission]] = MappingProxyType(
    {
        RoleName.SALES: frozenset({Permission.LEADS, Permission.EXPORT}),
        RoleName.SALES_LEAD: frozenset(
            {
                Permission.LEADS,
                Permission.ALL_LEADS,
                Permission.EXPORT,
                Permission.NOTICES,
                Permission.REPORTS,
                Permission.PEOPLE,
            }
        ),
        RoleName.EDITOR: frozenset({Permission.CONTENT, Permission.REPORTS}),
        RoleName.PRIVACY: frozenset({Permission.AUDIT, Permission.REQUESTS}),
        RoleName.ADMIN: frozenset(
            {Permission.AUDIT, Permission.NOTICES, Permission.PEOPLE, Permission.ACCOUNTS}
        ),
    }
)

_NEEDS_SECOND_FACTOR = frozenset(
    {Permission.LEADS, Permission.ALL_LEADS, Permission.REQUESTS, Permission.ACCOUNTS}
)


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """All that these roles allow together; a role nobody knows allows nothing."""
    known = set(RoleName)
    granted = (_GRANTED[RoleName(role)] for role in roles if role in known)
    return frozenset({Permission.OWN}).union(*granted)


def needs_second_factor(roles: Iterable[str]) -> bool:
    """Whoever sees visitors' personal data, or gives others the right to, must prove who they are twice."""
    return bool(permissions_of(roles) & _NEEDS_SECOND_FACTOR)
