"""Members of staff as the others see them: who did something, and to whom leads can be given."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.staff.models import Role, User
from xinheng.staff.permissions import Permission, permissions_of


@dataclass(frozen=True, slots=True)
class Colleague:
    """One member of staff, without what only the sign-in needs."""

    id: str
    name: str
    email: str
    active: bool
    permissions: frozenset[Permission]

    @property
    def takes_leads(self) -> bool:
        """Whether leads can be given to them."""
        return self.active and Permission.LEADS in self.permissions


def read_colleagues(session: Session) -> dict[str, Colleague]:
    """All members of staff by id, in the order of their names; those who left included: their deeds carry their names."""
    rows = session.execute(
        select(User.id, User.name, User.email, User.active, Role.name.label("role"))
        .outerjoin(Role, Role.staff_id == User.id)
        .order_by(User.name, User.id)
    ).all()
    roles: dict[str, list[str]] = {}
    for row in rows:
        roles.setdefault(row.id, []).append(row.role or "")
    return {
        row.id: Colleague(row.id, row.name, row.email, row.active, permissions_of(roles[row.id]))
        for row in rows
    }
