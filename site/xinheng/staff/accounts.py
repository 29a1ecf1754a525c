"""Accounts of members of staff: added, changed, reset, ended. Each change and its line in the audit are one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from xinheng.audit.log import COMMAND, SYSTEM, Value, record
from xinheng.audit.models import Action
from xinheng.company import load_company
from xinheng.crypto import Keys, new_row_id
from xinheng.db import Database, Databases
from xinheng.settings import Settings
from xinheng.staff import clock
from xinheng.staff.models import Role, User
from xinheng.staff.names import name_or_address, plain_address, plain_name
from xinheng.staff.passwords import PasswordRefused, Passwords, Refused, make_one_time, refusal
from xinheng.staff.permissions import RoleName
from xinheng.staff.sessions import end_sessions

_NAMES = b"staff:names"
_ADMINISTRATORS = b"staff:administrators"
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
                member = _new(address, name, roles, held, now)
                session.add(member)
            elif member.active:
                raise AlreadyMember(address)
            else:
                _open_again(member, name, roles, held)
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
        with self._database.writing(over=(_ADMINISTRATORS,)) as session:
            if session.scalar(select(func.count()).select_from(User)):
                return None
            member = _new(plain_address(email), name, (RoleName.ADMIN, RoleName.SALES_LEAD), held, now)
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
            member = _find(session, email)
            if not member.active:
                raise Ended(member.email)
            if password:
                member.password, member.one_time_password = held, True
            if second_factor:
                forget_second_factor(member)
            self._end_access(session, member)
            what = [word for word, done in (("password", password), ("totp", second_factor)) if done]
            self._note(session, "staff_reset", member.id, actor, {"what": what})
            return Printed(member.email, printed) if password else None

    def set_roles(self, email: str, roles: Collection[RoleName], *, actor: str = COMMAND) -> User:
        """Give a member other roles; all sessions end. Raises NoSuchMember, LastAdministrator."""
        with self._database.writing(over=(_ADMINISTRATORS,)) as session:
            member = _find(session, email)
            if RoleName.ADMIN not in roles:
                _keep_an_administrator(session, member)
            before = sorted(member.role_names)
            wanted = {role.value for role in roles}
            member.roles = [role for role in member.roles if role.name in wanted] + [
                Role(name=name) for name in sorted(wanted - member.role_names)
            ]
            self._end_access(session, member)
            session.flush()
            self._note(session, "role_changed", member.id, actor, {"from": before, "to": sorted(wanted)})
            return member

    def remove(self, email: str, *, actor: str = COMMAND) -> User:
        """End an account: the row stays, for what it did. Raises NoSuchMember, LastAdministrator."""
        with self._database.writing(over=(_ADMINISTRATORS,)) as session:
            member = _find(session, email)
            _keep_an_administrator(session, member)
            member.active = False
            self._end_access(session, member)
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
        with self._database.writing(over=(_NAMES,)) as session:
            member = session.get_one(User, staff_id)
            if name == member.name:
                return
            same = select(User.id).where(User.name == name, User.active, User.id != staff_id)
            if session.scalar(same.limit(1)):
                raise NameTaken(name)
            member.name = name
            self._note(session, "edit", staff_id, staff_id, {"what": "name"})

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

    def _end_access(self, session: Session, member: User) -> None:
        """End all sessions, and what is half-way through signing in."""
        member.fs_uniquifier = uuid4().hex
        session.flush()
        end_sessions(session, member.id)

    def _note(
        self,
        session: Session,
        action: Action,
        staff_id: str,
        actor: str,
        detail: Mapping[str, Value] | None = None,
    ) -> None:
        session.flush()  # the audit's row comes last: its lock is the one that everybody needs
        record(
            session,
            self._keys,
            actor=actor,
            action=action,
            subject_kind="staff" if staff_id else "",
            subject_id=staff_id,
            detail=detail,
            now=clock.now(),
        )


def forget_second_factor(member: User) -> None:
    member.tf_primary_method = member.tf_totp_secret = None
    member.totp_counter = None
    member.mf_recovery_codes = []


def first_account(
    databases: Databases, keys: Keys, settings: Settings, passwords: Callable[[], Passwords] = Passwords
) -> Printed | None:
    """The first start's account: admin and sales_lead, with a password to be printed once. None where there is one."""
    host = load_company(settings.content).email.partition("@")[2] or urlsplit(settings.origin).hostname
    return Accounts(databases.leads, keys, passwords()).first(f"admin@{host}", "管理员")


def _new(address: str, name: str, roles: Iterable[RoleName], held: str, now: datetime) -> User:
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


def _open_again(member: User, name: str, roles: Iterable[RoleName], held: str) -> None:
    """Somebody comes back: nothing of what they could do or knew before is left."""
    wanted = {role.value for role in roles}
    kept = [role for role in member.roles if role.name in wanted]
    member.roles = kept + [Role(name=each) for each in sorted(wanted - member.role_names)]
    member.name = name_or_address(name, member.email)
    member.password, member.one_time_password, member.active = held, True, True
    member.on_duty, member.absent_until, member.capacity = True, None, None
    forget_second_factor(member)


def _find(session: Session, email: str) -> User:
    address = plain_address(email)
    member = session.scalar(select(User).where(User.email == address).with_for_update())
    if member is None:
        raise NoSuchMember(address)
    return member


def _keep_an_administrator(session: Session, leaving: User) -> None:
    if not leaving.active or RoleName.ADMIN not in leaving.role_names:
        return
    others = (
        select(User.id)
        .join(Role, Role.staff_id == User.id)
        .where(User.active, Role.name == RoleName.ADMIN.value, User.id != leaving.id)
        .limit(1)
    )
    if session.scalar(others) is None:
        raise LastAdministrator(leaving.email)
