"""How often somebody may try. Counted in the database, so that it is exact over all workers and machines.

A key is a keyed hash: neither addresses nor accounts can be read from the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.staff.models import Tries

KEEP = timedelta(days=1)
"""How long a row stays after its last try; longer than any delay."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`most` tries within a time; the first refusal lasts as long, each further one twice as long, up to `longest`."""

    purpose: str
    most: int
    within: timedelta = timedelta(seconds=60)
    longest: timedelta = timedelta(minutes=15)


ACCOUNT_FROM_NETWORK = Limit("account-network", 5)
NETWORK = Limit("network", 30)
ACCOUNT = Limit("account", 30, within=timedelta(minutes=15))
"""Over all networks. Others can bring it about, so it never stops who has a second factor."""

CODE = Limit("code", 5)
LINK = Limit("link", 10)
"""Links to set a password that open nothing, and passwords sent with one, from one network."""

CHANNEL_TEST = Limit("channel-test", 3)
"""Tests of one channel, by whomever: a group's bot takes twenty messages a minute, and notices need them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Tried too often: again in `seconds`. `first` is true for the one that began the refusal."""

    seconds: int
    first: bool


class Throttle:
    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def sign_in(self, account: str, network: str, now: datetime) -> tuple[Refusal | None, Refusal | None]:
        """Count a try to sign in. The first answer refuses it; the second only those without a second factor."""
        pairs = (
            (ACCOUNT_FROM_NETWORK, self._key(ACCOUNT_FROM_NETWORK, account, network)),
            (NETWORK, self._key(NETWORK, network)),
            (ACCOUNT, self._key(ACCOUNT, account)),
        )
        with self._database.writing(over=tuple(key for _, key in pairs)) as session:
            _forget_old(session, now)
            near, wide, soft = (_count(session, limit, key, now) for limit, key in pairs)
        hard = max((each for each in (near, wide) if each), key=lambda each: each.seconds, default=None)
        return hard, soft

    def code(self, staff_id: str, now: datetime) -> Refusal | None:
        """Count a try of a code, a recovery code or a password by somebody who is known."""
        return self.counted(CODE, staff_id, now)

    def counted(self, limit: Limit, whose: str, now: datetime) -> Refusal | None:
        """Count a try against one limit."""
        key = self._key(limit, whose)
        with self._database.writing(over=(key,)) as session:
            return _count(session, limit, key, now)

    def passed(self, account: str, network: str) -> None:
        """The right password: what was mistyped before no longer counts for this account from this network."""
        key = self._key(ACCOUNT_FROM_NETWORK, account, network)
        with self._database.writing(over=(key,)) as session:
            session.execute(delete(Tries).where(Tries.key == key))

    def code_passed(self, staff_id: str) -> None:
        """The right code: mistyped ones no longer count."""
        key = self._key(CODE, staff_id)
        with self._database.writing(over=(key,)) as session:
            session.execute(delete(Tries).where(Tries.key == key))

    def _key(self, limit: Limit, *parts: str) -> bytes:
        return self._keys.keyed_hash("throttle", limit.purpose, *parts)


def _count(session: Session, limit: Limit, key: bytes, now: datetime) -> Refusal | None:
    """Count one try, unless it is refused: then it doesn't count, and waiting helps."""
    row = session.get(Tries, key)
    if row is None:
        row = Tries(key=key, recent=[], refusals=0, changed_at=now)
        session.add(row)
    if row.refused_until and now < row.refused_until:
        return Refusal(_seconds(row.refused_until - now), first=False)
    recent = [moment for moment in row.recent if moment > (now - limit.within).timestamp()]
    if not recent:
        row.refusals = (
            0 if row.refused_until is None or now > row.refused_until + limit.longest else row.refusals
        )
    row.changed_at = now
    if len(recent) < limit.most:
        row.recent = [*recent, now.timestamp()]
        return None
    delay = min(limit.within * 2**row.refusals, limit.longest)
    row.recent, row.refusals, row.refused_until = [], min(row.refusals + 1, 16), now + delay
    return Refusal(_seconds(delay), first=True)


def _forget_old(session: Session, now: datetime) -> None:
    old = select(Tries.key).where(Tries.changed_at < now - KEEP).limit(500)
    session.execute(delete(Tries).where(Tries.key.in_(old)))


def _seconds(delay: timedelta) -> int:
    return max(1, -int(-delay.total_seconds() // 1))
