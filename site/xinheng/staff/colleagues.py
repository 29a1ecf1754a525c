"""Members of staff as the others see them: who did something, and to whom leads can be given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.staff.models import Role, User, is_present
from xinheng.staff.permissions import Permission, permissions_of

_TOLD = (User.id, User.name, User.email, User.active, User.on_duty, User.absent_until)


@dataclass(frozen=True, slots=True)
class Colleague:
    """One member of staff, without what only the sign-in needs."""

    id: str
    name: str
    email: str
    active: bool
    permissions: frozenset[Permission]
    on_duty: bool
    absent_until: datetime | None

    @property
    def takes_leads(self) -> bool:
        """Whether leads can be given to them."""
        return self.active and Permission.LEADS in self.permissions

    def present(self, now: datetime) -> bool:
        """Whether they are at work as far as they said."""
        return is_present(self.active, self.on_duty, self.absent_until, now)


def read_colleagues(session: Session) -> dict[str, Colleague]:
    """All members of staff by id, in the order of their names; those who left included: their deeds carry their names."""
    rows = session.execute(
        select(*_TOLD, Role.name.label("role"))
        .outerjoin(Role, Role.staff_id == User.id)
        .order_by(User.name, User.id)
    ).all()
    roles: dict[str, list[str]] = {}
    for row in rows:
        roles.setdefault(row.id, []).append(row.role or "")
    return {
        row.id: Colleague(
            id=row.id,
            name=row.name,
            email=row.email,
            active=row.active,
            permissions=permissions_of(roles[row.id]),
            on_duty=row.on_duty,
            absent_until=row.absent_until,
        )
        for row in rows
    }
