"""The row of a member of staff: how it begins, changes and ends, in the transaction of whoever changes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from xinheng.audit.log import Value, record
from xinheng.audit.models import Action
from xinheng.crypto import Keys, new_row_id
from xinheng.staff import clock
from xinheng.staff.models import Role, StaffLink, User
from xinheng.staff.names import name_or_address, plain_address
from xinheng.staff.permissions import RoleName
from xinheng.staff.sessions import end_sessions

NAMES = b"staff:names"
ADMINISTRATORS = b"staff:administrators"
"""The lock over who administers: two at once can't each take the other away."""


class NoSuchMember(LookupError):
    """Nobody has this address."""


class AlreadyMember(ValueError):
    """Somebody has this address already."""


class Ended(ValueError):
    """The account was ended; who comes back is added again."""


class NameTaken(ValueError):
    """Somebody else at the desk is called so: nobody could tell who did what."""


class LastAdministrator(ValueError):
    """Without this one nobody could administer the desk."""


def end_access(session: Session, member: User) -> int:
    """End all sessions, and what is half-way through signing in. Answers how many sessions."""
    member.fs_uniquifier = uuid4().hex
    session.flush()
    return end_sessions(session, member.id)


def drop_link(session: Session, member: User) -> None:
    """The link that was given out for this account opens nothing any more."""
    session.execute(delete(StaffLink).where(StaffLink.staff_id == member.id))


def note(
    session: Session,
    keys: Keys,
    action: Action,
    staff_id: str,
    actor: str,
    detail: Mapping[str, Value] | None = None,
) -> None:
    """Append to the audit what was done to an account, or tried on one."""
    session.flush()  # the audit's row comes last: its lock is the one that everybody needs
    record(
        session,
        keys,
        actor=actor,
        action=action,
        subject_kind="staff" if staff_id else "",
        subject_id=staff_id,
        detail=detail,
        now=clock.now(),
    )


def check_name(session: Session, name: str, staff_id: str = "") -> None:
    """Raises NameTaken where another who works here is called so."""
    same = select(User.id).where(User.name == name, User.active, User.id != staff_id)
    if session.scalar(same.limit(1)):
        raise NameTaken(name)


def give_roles(member: User, roles: Iterable[RoleName]) -> None:
    """These roles in place of those that the member has."""
    wanted = {role.value for role in roles}
    kept = [role for role in member.roles if role.name in wanted]
    member.roles = kept + [Role(name=name) for name in sorted(wanted - member.role_names)]


def forget_second_factor(member: User) -> None:
    member.tf_primary_method = member.tf_totp_secret = None
    member.totp_counter = None
    member.mf_recovery_codes = []


def new_member(address: str, name: str, roles: Iterable[RoleName], held: str, now: datetime) -> User:
    return User(
        id=new_row_id(),
        email=address,
        name=name_or_address(name, address),
        language="zh",
        password=held,
        one_time_password=True,
        active=True,
        fs_uniquifier=uuid4().hex,
        created_at=now,
        roles=[Role(name=role.value) for role in sorted(set(roles))],
    )


def open_again(member: User, name: str, roles: Iterable[RoleName], held: str) -> None:
    """Somebody comes back: nothing of what they could do or knew before is left."""
    give_roles(member, roles)
    member.name = name_or_address(name, member.email)
    member.password, member.one_time_password, member.active = held, True, True
    member.on_duty, member.absent_until, member.capacity = True, None, None
    forget_second_factor(member)


def find_by_address(session: Session, email: str) -> User:
    address = plain_address(email)
    member = session.scalar(select(User).where(User.email == address).with_for_update())
    if member is None:
        raise NoSuchMember(address)
    return member


def keep_an_administrator(session: Session, leaving: User) -> None:
    """Raises LastAdministrator where nobody else could administer the desk."""
    if is_last_administrator(session, leaving):
        raise LastAdministrator(leaving.email)


def is_last_administrator(session: Session, member: User) -> bool:
    """Whether nobody else who works here administers the desk."""
    if not member.active or RoleName.ADMIN not in member.role_names:
        return False
    others = (
        select(User.id)
        .join(Role, Role.staff_id == User.id)
        .where(User.active, Role.name == RoleName.ADMIN.value, User.id != member.id)
        .limit(1)
    )
    return session.scalar(others) is None
