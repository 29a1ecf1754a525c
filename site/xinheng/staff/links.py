"""Links by which members set a password themselves: whoever is invited, and whoever forgot theirs.

A link is good once, for three days. Only a hash of its secret is kept: neither the database nor a backup opens an account.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.staff import clock
from xinheng.staff.membership import (
    NAMES,
    AlreadyMember,
    check_name,
    drop_link,
    end_access,
    forget_second_factor,
    give_roles,
    new_member,
    note,
)
from xinheng.staff.models import StaffLink, User
from xinheng.staff.names import name_or_address, plain_address, plain_name
from xinheng.staff.passwords import PasswordRefused, Passwords, refusal
from xinheng.staff.permissions import RoleName
from xinheng.staff.sessions import hash_of

LASTS = timedelta(hours=72)
NO_PASSWORD = ""
"""In place of a password's hash: nothing that can be typed is this one."""

Kind = Literal["invite", "reset"]


class LinkRefused(ValueError):
    """A link that opens nothing: `unknown` (never made, or another took its place), `used` or `expired`."""

    def __init__(self, why: Literal["unknown", "used", "expired"]) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class MadeLink:
    """A link as it is shown once. `secret` is the last part of its address."""

    member: User
    secret: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """Whose link somebody opened, and what for."""

    member: User
    kind: Kind


class Links:
    """`actor` is the administrator who gives the link out."""

    def __init__(self, database: Database, keys: Keys, passwords: Passwords) -> None:
        self._database = database
        self._keys = keys
        self._passwords = passwords

    def invite(self, email: str, name: str, roles: Iterable[RoleName], *, actor: str) -> MadeLink:
        """Invite somebody new, or once more, or back. Raises AlreadyMember, NotAnAddress, NameTaken."""
        address = plain_address(email)
        with self._database.writing(over=(f"staff:{address}".encode(), NAMES)) as session:
            member = session.scalar(select(User).where(User.email == address))
            if member is not None and member.active:
                raise AlreadyMember(address)
            plain = name_or_address(name, address)
            check_name(session, plain, member.id if member else "")
            if member is None:
                member = new_member(address, plain, (), NO_PASSWORD, clock.now())
                session.add(member)
            member.name = plain
            give_roles(member, roles)
            return self._invited(session, member, actor)

    def invite_again(self, staff_id: str, *, actor: str) -> MadeLink:
        """A new link for somebody whose first one was lost, or who left. Raises AlreadyMember, NameTaken."""
        with self._database.writing(over=(NAMES,)) as session:
            member = session.get_one(User, staff_id, with_for_update=True)
            if member.active:
                raise AlreadyMember(member.email)
            check_name(session, member.name, member.id)
            return self._invited(session, member, actor)

    def reset(self, staff_id: str, *, actor: str) -> MadeLink:
        """Take a member's password away and let them set another; all sessions end. Raises LookupError for who left."""
        with self._database.writing() as session:
            member = session.get_one(User, staff_id, with_for_update=True)
            if not member.active:
                raise LookupError(staff_id)
            member.password, member.one_time_password = NO_PASSWORD, False
            end_access(session, member)
            made = _make(session, member, "reset")
            note(session, self._keys, "staff_reset", member.id, actor, {"what": "password"})
            return made

    def find(self, secret: str) -> Opened:
        """Whose link this is. Raises LinkRefused."""
        with self._database.reading() as session:
            link = _sound(session, secret)
            return Opened(session.get_one(User, link.staff_id), link.kind)  # type: ignore[arg-type]

    def use(self, secret: str, typed: str, *, name: str = "", own_words: Iterable[str] = ()) -> None:
        """Set the password, and open the account where it wasn't. `name`: what who joins wants to be called.

        Raises LinkRefused, PasswordRefused, NameTaken.
        """
        if reason := refusal(typed, own_words):
            raise PasswordRefused(reason)
        held = self._passwords.hash(typed)
        with self._database.writing(over=(NAMES,)) as session:
            link = _sound(session, secret, lock=True)
            member = session.get_one(User, link.staff_id, with_for_update=True)
            if link.kind == "invite":
                member.name = plain_name(name) or member.name
                check_name(session, member.name, member.id)
                member.active = True
            member.password, member.one_time_password = held, False
            link.used_at = clock.now()
            count = end_access(session, member)
            if link.kind == "invite":
                note(session, self._keys, "staff_joined", member.id, member.id)
            else:
                note(session, self._keys, "password_changed", member.id, member.id, {"count": count})

    def _invited(self, session: Session, member: User, actor: str) -> MadeLink:
        """Nothing of what somebody could do or knew before is left until they have joined."""
        member.password, member.one_time_password, member.active = NO_PASSWORD, False, False
        member.on_duty, member.absent_until, member.capacity = True, None, None
        forget_second_factor(member)
        session.flush()
        made = _make(session, member, "invite")
        note(session, self._keys, "staff_invited", member.id, actor, {"roles": sorted(member.role_names)})
        return made


def _make(session: Session, member: User, kind: Kind) -> MadeLink:
    """The new link takes the place of the one before."""
    secret, expires_at = secrets.token_urlsafe(32), clock.now() + LASTS
    drop_link(session, member)
    session.add(StaffLink(staff_id=member.id, kind=kind, secret_hash=hash_of(secret), expires_at=expires_at))
    return MadeLink(member, secret, expires_at)


def _sound(session: Session, secret: str, *, lock: bool = False) -> StaffLink:
    query = select(StaffLink).where(StaffLink.secret_hash == hash_of(secret))
    link = session.scalar(query.with_for_update() if lock else query)
    if link is None:
        raise LinkRefused("unknown")
    if link.used_at is not None:
        raise LinkRefused("used")
    if link.expires_at <= clock.now():
        raise LinkRefused("expired")
    return link
