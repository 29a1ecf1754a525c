"""Accounts of members of staff: added, changed, reset, ended. Each change and its line in the audit are one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from xinheng.audit.log import COMMAND, SYSTEM, Value
from xinheng.audit.models import Action
from xinheng.company import load_company
from xinheng.crypto import Keys
from xinheng.db import Database, Databases
from xinheng.settings import Settings
from xinheng.staff import clock
from xinheng.staff.membership import (
    ADMINISTRATORS,
    NAMES,
    AlreadyMember,
    Ended,
    LastAdministrator,
    NameTaken,
    NoSuchMember,
    check_name,
    drop_link,
    end_access,
    find_by_address,
    forget_second_factor,
    give_roles,
    keep_an_administrator,
    new_member,
    note,
    open_again,
)
from xinheng.staff.models import User
from xinheng.staff.names import plain_address, plain_name
from xinheng.staff.passwords import PasswordRefused, Passwords, Refused, make_one_time, refusal
from xinheng.staff.permissions import RoleName
from xinheng.staff.sessions import end_sessions

__all__ = [
    "Accounts",
    "AlreadyMember",
    "Ended",
    "LastAdministrator",
    "NameTaken",
    "NoSuchMember",
    "Printed",
    "first_account",
]


@dataclass(frozen=True, slots=True)
class Printed:
    """An account with the password we made for it; shown once, kept nowhere."""

    email: str
    password: str = field(repr=False)


class Accounts:
    """What administrators and commands do with accounts, and members with their own. `actor` goes to the audit."""

    def __init__(self, database: Database, keys: Keys, passwords: Passwords | None = None) -> None:
        self._database = database
        self._keys = keys
        self._passwords = passwords or Passwords()

    def all(self) -> list[User]:
        """Everybody, the active first, by name."""
        statement = select(User).order_by(User.active.desc(), User.name, User.id)
        with self._database.reading() as session:
            return list(session.scalars(statement))

    def add(self, email: str, name: str, roles: Iterable[RoleName], *, actor: str = COMMAND) -> Printed:
        """Make an account, or open an ended one again. Raises AlreadyMember, NotAnAddress."""
        address = plain_address(email)
        password, now = make_one_time(), clock.now()
        held = self._passwords.hash(password)
        with self._database.writing(over=(f"staff:{address}".encode(),)) as session:
            member = session.scalar(select(User).where(User.email == address))
            if member is None:
                member = new_member(address, name, roles, held, now)
                session.add(member)
            elif member.active:
                raise AlreadyMember(address)
            else:
                open_again(member, name, roles, held)
                drop_link(session, member)
            session.flush()
            self._note(session, "staff_added", member.id, actor, {"roles": sorted(member.role_names)})
        return Printed(address, password)

    def first(self, email: str, name: str) -> Printed | None:
        """Make the first account, if there is none at all; of several processes one does it."""
        password, now = make_one_time(), clock.now()
        with self._database.reading() as session:
            if session.scalar(select(func.count()).select_from(User)):
                return None
        held = self._passwords.hash(password)
        with self._database.writing(over=(ADMINISTRATORS,)) as session:
            if session.scalar(select(func.count()).select_from(User)):
                return None
            member = new_member(plain_address(email), name, (RoleName.ADMIN, RoleName.SALES_LEAD), held, now)
            session.add(member)
            session.flush()
            self._note(session, "staff_added", member.id, SYSTEM, {"roles": sorted(member.role_names)})
        return Printed(member.email, password)

    def reset(
        self, email: str, *, password: bool = True, second_factor: bool = False, actor: str = COMMAND
    ) -> Printed | None:
        """A new one-time password, the second factor taken away, or both; all sessions end. Raises NoSuchMember, Ended."""
        printed = make_one_time() if password else ""
        held = self._passwords.hash(printed) if password else ""
        with self._database.writing() as session:
            member = find_by_address(session, email)
            if not member.active:
                raise Ended(member.email)
            if password:
                member.password, member.one_time_password = held, True
                drop_link(session, member)
            if second_factor:
                forget_second_factor(member)
            end_access(session, member)
            what = [word for word, done in (("password", password), ("totp", second_factor)) if done]
            self._note(session, "staff_reset", member.id, actor, {"what": what})
            return Printed(member.email, printed) if password else None

    def set_roles(self, email: str, roles: Collection[RoleName], *, actor: str = COMMAND) -> User:
        """Give a member other roles; all sessions end. Raises NoSuchMember, LastAdministrator."""
        with self._database.writing(over=(ADMINISTRATORS,)) as session:
            member = find_by_address(session, email)
            if RoleName.ADMIN not in roles:
                keep_an_administrator(session, member)
            before = sorted(member.role_names)
            give_roles(member, roles)
            end_access(session, member)
            after = sorted(member.role_names)
            self._note(session, "role_changed", member.id, actor, {"from": before, "to": after})
            return member

    def remove(self, email: str, *, actor: str = COMMAND) -> User:
        """End an account, or an invitation: the row stays, for what it did. Raises NoSuchMember, LastAdministrator."""
        with self._database.writing(over=(ADMINISTRATORS,)) as session:
            member = find_by_address(session, email)
            keep_an_administrator(session, member)
            member.active = False
            drop_link(session, member)
            end_access(session, member)
            self._note(session, "staff_disabled", member.id, actor)
            return member

    def change_password(
        self, staff_id: str, typed: str, *, own_words: Iterable[str] = (), session_number: str | None = None
    ) -> str:
        """Replace one's own password; the other sessions end. Answers the new mark of sessions. Raises PasswordRefused."""
        if reason := refusal(typed, own_words):
            raise PasswordRefused(reason)
        held = self._passwords.hash(typed)
        with self._database.writing() as session:
            member = session.get_one(User, staff_id)
            if self._passwords.matches(member.password, typed):
                raise PasswordRefused(Refused.SAME)
            member.password, member.one_time_password = held, False
            member.fs_uniquifier = uuid4().hex
            count = end_sessions(session, staff_id, but=session_number)
            session.flush()
            self._note(session, "password_changed", staff_id, staff_id, {"count": count})
            return member.fs_uniquifier

    def rehash(self, staff_id: str, stored: str, typed: str) -> None:
        """Keep the right password at today's cost, unless it was changed in the meantime."""
        held = self._passwords.hash(typed)
        with self._database.writing() as session:
            session.execute(
                update(User).where(User.id == staff_id, User.password == stored).values(password=held)
            )

    def set_language(self, staff_id: str, language: str) -> None:
        with self._database.writing() as session:
            session.execute(update(User).where(User.id == staff_id).values(language=language))

    def set_name(self, staff_id: str, typed: str) -> None:
        """Call oneself otherwise; a name of spaces changes nothing. Raises NameTaken."""
        name = plain_name(typed)
        if not name:
            return
        with self._database.writing(over=(NAMES,)) as session:
            member = session.get_one(User, staff_id)
            if name == member.name:
                return
            check_name(session, name, staff_id)
            member.name = name
            self._note(session, "edit", staff_id, staff_id, {"what": "name"})

    def sign_out_everywhere(self, staff_id: str, *, actor: str) -> int:
        """End all sessions of a member, and what is half-way through signing in. Answers how many sessions."""
        with self._database.writing() as session:
            count = end_access(session, session.get_one(User, staff_id))
            self._note(session, "sessions_ended", staff_id, actor, {"count": count})
            return count

    def end_own_sessions(self, staff_id: str, *, number: str | None = None, but: str | None = None) -> int:
        """End one of one's sessions, or all but the present one."""
        with self._database.writing() as session:
            count = end_sessions(session, staff_id, number=number, but=but)
            if count:
                self._note(session, "sessions_ended", staff_id, staff_id, {"count": count})
            return count

    def note(self, action: Action, staff_id: str, *, actor: str = "", **detail: str) -> None:
        """Write what a member did, or what was tried on an account, to the audit."""
        with self._database.writing() as session:
            self._note(session, action, staff_id, actor, detail)

    def signed_in(self, staff_id: str, method: str) -> None:
        """Note a sign-in: with a password alone, a code, or a recovery code."""
        now = clock.now()
        with self._database.writing() as session:
            session.execute(update(User).where(User.id == staff_id).values(last_seen_at=now))
            self._note(session, "sign_in", staff_id, staff_id, {"method": method})

    def _note(
        self,
        session: Session,
        action: Action,
        staff_id: str,
        actor: str,
        detail: Mapping[str, Value] | None = None,
    ) -> None:
        note(session, self._keys, action, staff_id, actor, detail)


def first_account(
    databases: Databases, keys: Keys, settings: Settings, passwords: Callable[[], Passwords] = Passwords
) -> Printed | None:
    """The first start's account: admin and sales_lead, with a password to be printed once. None where there is one."""
    host = load_company(settings.content).email.partition("@")[2] or urlsplit(settings.origin).hostname
    return Accounts(databases.leads, keys, passwords()).first(f"admin@{host}", "管理员")
