"""How many enquiries came lately: from one network, of one phone, with the same words, in all.

Counted in the database, under a lock, so that it is exact over all threads, workers and machines. Only hashes are
stored, that of a network under the salt of a day; rows go when they stop counting. Where the counts can't be had in
time nothing is held against anybody: an enquiry never waits for them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, Integer, LargeBinary, case, delete, func, select, tuple_
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Mapped, Session, mapped_column

from xinheng.addresses import address_prefix
from xinheng.crypto import Keys
from xinheng.daily_salt import make_salt
from xinheng.db import CountersBase, Database, DatabaseBusy, insert_into
from xinheng.leads.proof import Proof
from xinheng.leads.spam import same_words
from xinheng.leads.submission import Submission
from xinheng.leads.verdict import CROWDED, Reason
from xinheng.limits import Limit, Limits
from xinheng.settings import SHANGHAI

WAIT = 0.25  # seconds an enquiry waits for its turn to be counted
_FORGET_EVERY = 60  # seconds
_AWAY = (DatabaseBusy, DatabaseError, OSError)
_SECONDS = BigInteger().with_variant(Integer, "sqlite")
log = logging.getLogger(__name__)


class Arrival(CountersBase):
    """One enquiry that was let through, under one key; it counts until `until` (seconds since 1970)."""

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


@dataclass(frozen=True, slots=True)
class _Count:
    """One thing that is counted: `member` is what is told apart, the enquiry or, for the same words, the phone."""

    reason: Reason
    limit: Limit
    key: bytes
    member: bytes


class Velocity:
    def __init__(self, database: Database, keys: Keys, limits: Limits) -> None:
        self._database = database
        self._keys = keys
        self._limits = limits
        self._salts: dict[date, bytes] = {}
        self._forgot_at = 0

    def count(
        self, submission: Submission, address: str, proof: Proof | None, now: datetime
    ) -> tuple[Reason, ...]:
        """Count an enquiry, unless it was before; returns what is over its limit, which then doesn't count.

        A proof that nobody else has used takes away what only says that many come."""
        try:
            counts = list(self._counts(submission, address, now))
            with self._database.writing(within=WAIT, over=[each.key for each in counts]) as session:
                return self._count(session, counts, self._enquiry(submission, now), proof, now)
        except _AWAY as fault:
            log.warning("咨询的频率暂时数不了，这一份不按频率判断：%s", type(fault).__name__)
            return ()

    def pressed(self, address: str, now: datetime) -> bool:
        """Whether half of a limit is used up, for this network or in all: time to ask for a proof."""
        try:
            with self._database.asking() as session:
                return any(
                    _number(session, key, limit.most, int(now.timestamp())) * 2 >= limit.most
                    for key, limit in self._crowds(address, now)
                )
        except _AWAY:
            return False

    def _count(
        self,
        session: Session,
        counts: Sequence[_Count],
        enquiry: bytes,
        proof: Proof | None,
        now: datetime,
    ) -> tuple[Reason, ...]:
        seconds = int(now.timestamp())
        self._forget(session, seconds)
        found = _others(session, counts, seconds)
        if any(each.reason == "all" and found[each.key].counted for each in counts):
            return ()
        over = [each.reason for each in counts if found[each.key].others >= each.limit.most]
        if proof and CROWDED.intersection(over) and _spend(session, proof, enquiry):
            over = [reason for reason in over if reason not in CROWDED]
        if not over:
            rows = [
                {"key": each.key, "enquiry": each.member, "until": seconds + each.limit.within}
                for each in counts
            ]
            session.execute(insert_into(session, Arrival).on_conflict_do_nothing(), rows)
        return tuple(over)

    def _forget(self, session: Session, seconds: int) -> None:
        """Delete what no longer counts, once a minute in each worker; and what was counted by a clock that ran ahead and
        was put right, which would count until that day comes."""
        if 0 <= seconds - self._forgot_at < _FORGET_EVERY:
            return
        for table in (Arrival, SpentProof):
            session.execute(delete(table).where(table.until <= seconds))
        session.execute(delete(Arrival).where(Arrival.until > seconds + self._limits.longest))
        self._forgot_at = seconds

    def _counts(self, submission: Submission, address: str, now: datetime) -> Iterator[_Count]:
        enquiry, phone = self._enquiry(submission, now), submission.phone
        caller = self._key("phone", phone.e164, phone.extension)
        (near, near_limit), (all_, all_limit) = self._crowds(address, now)
        yield _Count("address", near_limit, near, enquiry)
        yield _Count("phone", self._limits.phone, caller, enquiry)
        yield _Count("all", all_limit, all_, enquiry)
        if words := same_words(submission.details):
            yield _Count("same_text", self._limits.text, self._key("text", words), caller)

    def _crowds(self, address: str, now: datetime) -> tuple[tuple[bytes, Limit], tuple[bytes, Limit]]:
        """The keys that are known before anything is typed."""
        salt = self._salt(now.astimezone(SHANGHAI).date())
        near = self._key("address", salt.hex(), address_prefix(address))
        return (near, self._limits.address), (self._key("all"), self._limits.all)

    def _enquiry(self, submission: Submission, now: datetime) -> bytes:
        """The same for a repeat, another for other words under the same id."""
        return self._key(
            "enquiry", submission.ids(self._keys, now)[0], submission.payload_hash(self._keys).hex()
        )

    def _key(self, *parts: str) -> bytes:
        return self._keys.keyed_hash("arrival", *parts)[:16]

    def _salt(self, day: date) -> bytes:
        salt = self._salts.get(day)
        if salt is None:
            with self._database.writing(within=WAIT) as session:
                salt = make_salt(session, day)
            self._salts = {day: salt}
        return salt


class _Found(NamedTuple):
    """What counts under one key: whether this one was counted, and how many others."""

    counted: bool = False
    others: int = 0


def _others(session: Session, counts: Sequence[_Count], seconds: int) -> Mapping[bytes, _Found]:
    """What counts under each key, by one question."""
    own = tuple_(Arrival.key, Arrival.enquiry).in_([(each.key, each.member) for each in counts])
    mine = func.sum(case((own, 1), else_=0))
    query = (
        select(Arrival.key, mine, func.count())
        .where(Arrival.key.in_([each.key for each in counts]), Arrival.until > seconds)
        .group_by(Arrival.key)
    )
    found = {each.key: _Found() for each in counts}
    return found | {key: _Found(bool(own), all_ - own) for key, own, all_ in session.execute(query)}


def _number(session: Session, key: bytes, most: int, seconds: int) -> int:
    """How many arrivals count under a key, as far as `most`."""
    present = select(Arrival.enquiry).where(Arrival.key == key, Arrival.until > seconds)
    return session.scalar(select(func.count()).select_from(present.limit(most).subquery())) or 0


def _spend(session: Session, proof: Proof, enquiry: bytes) -> bool:
    """Use a proof up; False where another enquiry did."""
    row = {"proof": proof.signature, "enquiry": enquiry, "until": proof.until}
    session.execute(insert_into(session, SpentProof).values(row).on_conflict_do_nothing())
    used_by = session.scalar(select(SpentProof.enquiry).where(SpentProof.proof == proof.signature))
    return used_by == enquiry
