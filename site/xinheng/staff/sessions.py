"""Sessions of the desk, kept on our side: a browser holds a random number, the database its hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from xinheng.crypto import new_row_id
from xinheng.db import Database
from xinheng.staff.models import StaffSession, User

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SEEN_EVERY = timedelta(seconds=60)
"""How often at most it is written that a session was used."""

_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_MACHINES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A session as it was found; `number` names it in lists, and opens nothing."""

    id_hash: bytes = field(repr=False)
    number: str
    staff_id: str | None
    data: dict[str, Any] = field(repr=False)
    browser: str
    created_at: datetime
    seen_at: datetime


class SessionStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, secret: str, now: datetime) -> Kept | None:
        """The session of a browser's number, unless it has ended or was left too long."""
        with self._database.asking() as session:
            row = session.get(StaffSession, hash_of(secret))
            if row is None or row.seen_at < now - IDLE or row.created_at < now - ABSOLUTE:
                return None
            return _kept(row)

    def begin(
        self,
        data: Mapping[str, Any],
        staff_id: str | None,
        browser: str,
        now: datetime,
        after: bytes | None = None,
    ) -> str:
        """Keep a new session, in place of the one `after`; answers the number for the browser."""
        secret = secrets.token_urlsafe(32)
        row = StaffSession(
            id_hash=hash_of(secret),
            number=new_row_id(),
            staff_id=staff_id,
            data=dict(data),
            browser=browser,
            created_at=now,
            seen_at=now,
        )
        with self._database.writing() as session:
            _forget_old(session, now)
            if after is not None:
                session.execute(delete(StaffSession).where(StaffSession.id_hash == after))
            session.add(row)
        return secret

    def renew(self, kept: Kept, data: Mapping[str, Any], now: datetime) -> str | None:
        """The same session under a new number; None where it was ended in the meantime. Its age stays."""
        secret = secrets.token_urlsafe(32)
        changed = {"id_hash": hash_of(secret), "data": dict(data), "seen_at": now}
        return secret if self._change(kept.id_hash, changed) else None

    def keep(self, kept: Kept, data: Mapping[str, Any], now: datetime) -> bool:
        """Keep what changed; False where the session was ended in the meantime: it doesn't come back."""
        return self._change(kept.id_hash, {"data": dict(data), "seen_at": now})

    def seen(self, kept: Kept, now: datetime) -> None:
        """Note that a session is in use. Not worth waiting for: the next request notes it too."""
        with self._database.writing(within=0.5) as session:
            session.execute(
                update(StaffSession).where(StaffSession.id_hash == kept.id_hash).values(seen_at=now)
            )
            if kept.staff_id:
                session.execute(update(User).where(User.id == kept.staff_id).values(last_seen_at=now))

    def end(self, kept: Kept) -> None:
        """End a session by the browser that has it."""
        with self._database.writing() as session:
            session.execute(delete(StaffSession).where(StaffSession.id_hash == kept.id_hash))

    def of(self, staff_id: str, now: datetime) -> list[Kept]:
        """A member's open sessions, the last used first."""
        statement = (
            select(StaffSession)
            .where(StaffSession.staff_id == staff_id, StaffSession.seen_at >= now - IDLE)
            .where(StaffSession.created_at >= now - ABSOLUTE)
            .order_by(StaffSession.seen_at.desc(), StaffSession.number)
        )
        with self._database.reading() as session:
            return [_kept(row) for row in session.scalars(statement)]

    def _change(self, id_hash: bytes, values: dict[str, Any]) -> bool:
        with self._database.writing() as session:
            changed = session.execute(
                update(StaffSession).where(StaffSession.id_hash == id_hash).values(**values)
            )
            return bool(changed.rowcount)  # type: ignore[attr-defined]


def end_sessions(
    session: Session, staff_id: str, *, number: str | None = None, but: str | None = None
) -> int:
    """End a member's sessions in the caller's transaction: one by its number, or all but one. Answers how many."""
    statement = delete(StaffSession).where(StaffSession.staff_id == staff_id)
    if number is not None:
        statement = statement.where(StaffSession.number == number)
    if but is not None:
        statement = statement.where(StaffSession.number != but)
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def browser_kind(user_agent: str) -> str:
    """`Chrome · Windows`: enough to know one's own browser by, too little to know a person by."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    machine = next((name for sign, name in _MACHINES if sign in user_agent), "")
    return " · ".join(filter(None, (browser, machine)))


def hash_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _kept(row: StaffSession) -> Kept:
    return Kept(
        row.id_hash, row.number, row.staff_id, dict(row.data), row.browser, row.created_at, row.seen_at
    )


def _forget_old(session: Session, now: datetime) -> None:
    over = or_(StaffSession.seen_at < now - IDLE, StaffSession.created_at < now - ABSOLUTE)
    session.execute(delete(StaffSession).where(over))
