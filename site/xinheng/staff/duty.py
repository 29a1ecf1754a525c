"""Who is on duty, and how much they take: said by the member, or by who looks after everybody's leads. Each change is in the
audit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from xinheng.audit.log import Value, record
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.staff import clock
from xinheng.staff.models import User

MOST_CAPACITY = 5000


class Duty:
    """`actor` is the id of who says it."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def set_presence(
        self, staff_id: str, *, on_duty: bool, absent_until: datetime | None, actor: str
    ) -> None:
        """On duty; or away, until a moment after which they are on duty by themselves, or until it is said otherwise."""
        with self._database.writing() as session:
            member = session.get_one(User, staff_id, with_for_update=True)
            before = (member.on_duty, member.absent_until)
            member.on_duty, member.absent_until = on_duty, absent_until
            if before != (on_duty, absent_until):
                present = on_duty and absent_until is None
                self._note(session, staff_id, actor, {"what": "duty", "to": "on_duty" if present else "away"})

    def set_capacity(self, staff_id: str, capacity: int | None, *, actor: str) -> None:
        """How many open leads a member has at most; None as the rules say for everybody."""
        with self._database.writing() as session:
            member = session.get_one(User, staff_id, with_for_update=True)
            if member.capacity != capacity:
                member.capacity = capacity
                self._note(session, staff_id, actor, {"what": "capacity", "to": capacity})

    def _note(self, session: Session, staff_id: str, actor: str, detail: dict[str, Value]) -> None:
        session.flush()  # the audit's row comes last
        record(
            session,
            self._keys,
            actor=actor,
            action="edit",
            subject_kind="staff",
            subject_id=staff_id,
            detail=detail,
            now=clock.now(),
        )
