"""What came lately, counted in the database under a lock, so that it is exact over all threads, workers and machines.

Only hashes are stored, that of a network under the salt of a day; rows go when they stop counting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

from sqlalchemy import BigInteger, Integer, LargeBinary, delete
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.addresses import address_prefix
from xinheng.crypto import Keys
from xinheng.daily_salt import make_salt
from xinheng.db import CountersBase, Database, DatabaseBusy
from xinheng.limits import LONGEST
from xinheng.settings import SHANGHAI

WAIT = 0.25  # seconds that whoever comes waits for the turn to be counted
AWAY = (DatabaseBusy, DatabaseError, OSError)
"""Where the counts can't be had in time: nothing is held against anybody then."""

_FORGET_EVERY = 60  # seconds
_SECONDS = BigInteger().with_variant(Integer, "sqlite")


class Arrival(CountersBase):
    """One enquiry or request that was let through, under one key; it counts until `until` (seconds since 1970)."""

    __tablename__ = "arrivals"

    key: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    enquiry: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    until: Mapped[int] = mapped_column(_SECONDS, nullable=False, index=True)


class SpentProof(CountersBase):
    """A proof of work that was used, and by which enquiry: the same one may show it again."""

    __tablename__ = "spent_proofs"

    proof: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    enquiry: Mapped[bytes] = mapped_column(LargeBinary(16), nullable=False)
    until: Mapped[int] = mapped_column(_SECONDS, nullable=False, index=True)


class Arrivals:
    """The keys to count under, and the turn to do it."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self.database = database
        self._keys = keys
        self._salts: dict[date, bytes] = {}
        self._forgot_at = 0

    def key(self, *parts: str) -> bytes:
        return self._keys.keyed_hash("arrival", *parts)[:16]

    def network_key(self, what: str, address: str, now: datetime) -> bytes:
        """Of the network that an address is in, for one purpose and one day (Shanghai)."""
        salt = self._salt(now.astimezone(SHANGHAI).date())
        return self.key(what, salt.hex(), address_prefix(address))

    @contextmanager
    def counting(self, keys: Sequence[bytes], seconds: int) -> Iterator[Session]:
        """A writing transaction that nobody else counts under these keys in; what no longer counts is gone.
        Raises DatabaseBusy."""
        with self.database.writing(within=WAIT, over=keys) as session:
            self._forget(session, seconds)
            yield session

    def _forget(self, session: Session, seconds: int) -> None:
        """Delete what no longer counts, once a minute in each worker; and what was counted by a clock that ran ahead and
        was put right, which would count until that day comes."""
        if 0 <= seconds - self._forgot_at < _FORGET_EVERY:
            return
        for table in (Arrival, SpentProof):
            session.execute(delete(table).where(table.until <= seconds))
        session.execute(delete(Arrival).where(Arrival.until > seconds + LONGEST))
        self._forgot_at = seconds

    def _salt(self, day: date) -> bytes:
        salt = self._salts.get(day)
        if salt is None:
            with self.database.writing(within=WAIT) as session:
                salt = make_salt(session, day)
            self._salts = {day: salt}
        return salt
