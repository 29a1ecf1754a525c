"""Everybody at the desk as an administrator sees them: how far each has come, and what is still open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.staff.models import StaffLink, User
from xinheng.staff.permissions import needs_second_factor

State = Literal["active", "one_time", "reset", "invited", "expired", "left"]
"""`one_time`: still has the printed password; `reset`: was given a link to set another; `invited` and `expired`: has a
link and never used it; `left`: the account was ended."""


@dataclass(frozen=True, slots=True)
class Person:
    """One account. `link_until` is when the open link ends, where there is one."""

    member: User
    state: State
    link_until: datetime | None

    @property
    def works_here(self) -> bool:
        return self.member.active

    @property
    def lacks_second_factor(self) -> bool:
        """Whether the roles ask for a second factor that isn't there."""
        return (
            self.works_here and needs_second_factor(self.member.role_names) and not self.member.second_factor
        )


def read_people(session: Session, now: datetime) -> list[Person]:
    """All accounts: who works here by name, then the invited, then who left."""
    people = [_person(member, link, now) for member, link in session.execute(_ALL)]
    return sorted(people, key=lambda each: (_RANK[each.state], each.member.name, each.member.id))


def read_person(session: Session, staff_id: str, now: datetime) -> Person | None:
    """One account, or None."""
    row = session.execute(_ALL.where(User.id == staff_id)).first()
    return _person(row[0], row[1], now) if row else None


_ALL = select(User, StaffLink).outerjoin(StaffLink, StaffLink.staff_id == User.id)
_RANK = {"active": 0, "one_time": 0, "reset": 0, "invited": 1, "expired": 1, "left": 2}


def _person(member: User, link: StaffLink | None, now: datetime) -> Person:
    waiting = link if link is not None and link.used_at is None else None
    return Person(member, _state(member, waiting, now), waiting.expires_at if waiting else None)


def _state(member: User, waiting: StaffLink | None, now: datetime) -> State:
    if not member.active:
        if waiting is None:
            return "left"
        return "invited" if waiting.expires_at > now else "expired"
    if waiting is not None:
        return "reset"
    return "one_time" if member.one_time_password else "active"
