"""Health checks under way: kept on the server after each answer, found by a token that only the visitor has.

The token is in the visitor's cookie and in the link to go on elsewhere. Here stand its hash, and the answers sealed by
a key made of it: who has the database, or the program, can't read them without it. Nothing that tells who somebody is
is ever in a draft.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    Boolean,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    and_,
    bindparam,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from xinheng.assessments import KEPT as RESULT_KEPT
from xinheng.crypto import Keys
from xinheng.db import CountersBase, Database, Moment
from xinheng.health_check.counting import OVERVIEW, Place, Tally, day_of
from xinheng.week_counts import NOWHERE, Origin
from xinheng.weeks import week_of

KEPT: Final = timedelta(days=30)
"""How long after the last answer a draft can be gone on with."""

FINISHED_KEPT: Final = RESULT_KEPT
"""How long a finished one is kept: as long as its result, which the next one on the same device is compared with."""

_TOKEN_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_NONCE_BYTES = 12


class CheckDraft(CountersBase):
    """One health check under way, or finished lately.

    `step` is what was shown last and waits for an answer, empty once the result is there; `answered` how many answers
    there are; `counts` whether it counts at all; `is_left` whether it was counted as left at its step. `source` and
    `article` are where it was begun from, which its end is counted under too.
    """

    __tablename__ = "check_drafts"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    version: Mapped[str] = mapped_column(String(16), nullable=False)
    step: Mapped[str] = mapped_column(String(32), nullable=False)
    answered: Mapped[int] = mapped_column(SmallInteger, nullable=False)
    counts: Mapped[bool] = mapped_column(Boolean, nullable=False)
    is_left: Mapped[bool] = mapped_column(Boolean, nullable=False)
    touched_at: Mapped[datetime] = mapped_column(Moment, nullable=False, index=True)
    state: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    source: Mapped[str] = mapped_column(String(8), nullable=False, default="direct", server_default="direct")
    article: Mapped[str] = mapped_column(String(80), nullable=False, default="", server_default=text("''"))


@dataclass(frozen=True, slots=True)
class LastResult:
    """The health check that was finished from this draft: its id, the token of its address, and its answers."""

    id: str
    token: str
    version: str
    answers: dict[str, str | float]


@dataclass(slots=True)
class Draft:
    """A draft, opened. `prompted`: hints that were given; `shown` and `done`: steps that counted as shown and answered.

    `newly_shown` and `newly_done` are those that count with the present change; `newly_begun` says that the check does.
    """

    version: str
    step: str
    touched_at: datetime
    answers: dict[str, str | float] = field(default_factory=dict)
    prompted: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    last_result: LastResult | None = None
    newly_shown: list[str] = field(default_factory=list)
    newly_done: list[str] = field(default_factory=list)
    origin: Origin = NOWHERE
    newly_begun: bool = False

    def show(self, step: str) -> None:
        """This is what the visitor sees next."""
        self.step = step
        if step not in self.shown:
            self.shown.add(step)
            self.newly_shown.append(step)

    def done_with(self, step: str) -> None:
        """The visitor has answered this step."""
        if step not in self.done:
            self.done.add(step)
            self.newly_done.append(step)

    def begin_again(self, version: str, step: str, origin: Origin = NOWHERE) -> None:
        """A new check on the same device, which knows the last result. Its steps count anew, if one was answered, and for
        each version."""
        anew = self.answers or version != self.version
        self.version = version
        if anew:
            self.answers, self.prompted, self.shown, self.done = {}, set(), set(), set()
            self.origin, self.newly_begun = origin, True
        self.show(step)

    def finish(self, result: LastResult, step: str) -> None:
        """The result is there, and nothing waits for an answer; `step` was the last one."""
        self.last_result = result
        self.done_with(step)
        self.step = ""


class Drafts:
    """Drafts by their tokens."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self.database = database
        self._keys = keys

    def begin(self, version: str, step: str, now: datetime, *, counts: bool, origin: Origin = NOWHERE) -> str:
        """A new draft, whose first step is shown; returns its token. Raises DatabaseBusy."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        lock = self._lock(token)
        draft = Draft(version, step, now, origin=origin, newly_begun=True)
        draft.show(step)
        with self.database.changing() as connection:
            connection.execute(_NEW, _kept(lock, draft, counts=counts))
            if counts:
                _tally(draft, now).add_to(connection)
        return token

    def find(self, token: str, now: datetime) -> Draft | None:
        """The draft of a token, unless its time is over. Raises DatabaseBusy."""
        if not _TOKEN.fullmatch(token):
            return None
        lock = self._lock(token)
        with self.database.looking() as connection:
            row = connection.execute(_FIND, _sought(lock.hashed, now)).first()
        return lock.open(row) if row else None

    @contextmanager
    def changing(self, token: str, now: datetime, *, counts: bool) -> Iterator[Draft | None]:
        """The draft of a token, to be changed; what was changed is stored and counted at the end.

        Of two who change it at once the later sees what the earlier did. `counts` False takes it out of the counts
        from now on. Raises DatabaseBusy.
        """
        lock = self._lock(token)
        with self.database.changing() as connection:
            row = connection.execute(_FIND_TO_CHANGE, _sought(lock.hashed, now)).first()
            draft = lock.open(row) if row else None
            yield draft
            if row and draft:
                draft.touched_at = now
                if row.counts and counts:
                    tally = _tally(draft, now)
                    if row.is_left:  # they came back
                        tally.left[Place(row.version, row.step, day_of(row.touched_at))] -= 1
                    tally.add_to(connection)
                connection.execute(_CHANGE, _kept(lock, draft, counts=row.counts and counts))

    def _lock(self, token: str) -> _Lock:
        key = self._keys.keyed_hash("check-draft", token)
        return _Lock(hashlib.sha256(key).digest()[:16], AESGCM(key))


@dataclass(frozen=True, slots=True)
class _Lock:
    """What a token opens: the row of its hash, sealed by a key made of it."""

    hashed: bytes
    cipher: AESGCM

    def seal(self, draft: Draft) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self.cipher.encrypt(nonce, _written(draft), self.hashed)

    def open(self, row: Any) -> Draft | None:
        """None for a state that doesn't open: bytes that were changed are no draft."""
        nonce, body = row.state[:_NONCE_BYTES], row.state[_NONCE_BYTES:]
        try:
            text = self.cipher.decrypt(nonce, body, self.hashed)
        except InvalidTag:
            return None
        return _read(json.loads(text), row)


# made once: an answer waits for them
_TABLE = cast(Table, CheckDraft.__table__)
_ROW = _TABLE.c
_FIND = select(
    *(_ROW.version, _ROW.step, _ROW.counts, _ROW.is_left, _ROW.touched_at, _ROW.state),
    *(_ROW.source, _ROW.article),
).where(
    _ROW.token_hash == bindparam("hashed"),
    or_(
        _ROW.touched_at > bindparam("since"),
        and_(_ROW.step == "", _ROW.touched_at > bindparam("finished_since")),
    ),
)
_FIND_TO_CHANGE = _FIND.with_for_update()
_GIVEN: dict[str, Any] = {
    column.name: bindparam(column.name) for column in _TABLE.columns if not column.primary_key
}
_NEW = insert(_TABLE).values(token_hash=bindparam("hashed"), **_GIVEN)
_CHANGE = update(_TABLE).where(_ROW.token_hash == bindparam("hashed")).values(_GIVEN)


def _sought(hashed: bytes, now: datetime) -> dict[str, Any]:
    return {"hashed": hashed, "since": now - KEPT, "finished_since": now - FINISHED_KEPT}


def _kept(lock: _Lock, draft: Draft, *, counts: bool) -> dict[str, Any]:
    """The row of a draft that somebody has just gone on with."""
    return {
        "hashed": lock.hashed,
        "version": draft.version,
        "step": draft.step,
        "answered": len(draft.answers),
        "counts": counts,
        "is_left": False,
        "touched_at": draft.touched_at,
        "state": lock.seal(draft),
        "source": draft.origin.source,
        "article": draft.origin.article,
    }


def _written(draft: Draft) -> bytes:
    result = draft.last_result
    state = {
        "answers": draft.answers,
        "prompted": sorted(draft.prompted),
        "shown": sorted(draft.shown),
        "done": sorted(draft.done),
        "last": [result.id, result.token, result.version, result.answers] if result else None,
    }
    return json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode()


def _read(state: dict[str, Any], row: Any) -> Draft:
    return Draft(
        version=row.version,
        step=row.step,
        touched_at=row.touched_at,
        answers=state["answers"],
        prompted=set(state["prompted"]),
        shown=set(state["shown"]),
        done=set(state["done"]),
        last_result=LastResult(*state["last"]) if state["last"] else None,
        origin=Origin(row.source, row.article),
    )


def _tally(draft: Draft, now: datetime) -> Tally:
    """What was shown and answered for the first time by this visitor; a check that was begun, or finished."""
    tally, day = Tally(), day_of(now)
    tally.shown.update(Place(draft.version, step, day) for step in draft.newly_shown)
    tally.answered.update(Place(draft.version, step, day) for step in draft.newly_done)
    if draft.newly_begun:
        tally.weeks.add("begun", week_of(now), draft.origin)
    if OVERVIEW in draft.newly_done:
        tally.weeks.add("finished", week_of(now), draft.origin)
    return tally
