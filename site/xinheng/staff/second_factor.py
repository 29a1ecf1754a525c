"""The second factor: a code of an authenticator is good once, and so is a recovery code."""

from __future__ import annotations

import secrets

from sqlalchemy import or_, select, update

from xinheng.audit.log import record
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.staff import clock
from xinheng.staff.models import User
from xinheng.staff.passwords import SIGNS

METHOD = "authenticator"
RECOVERY_CODES = 10


class SecondFactors:
    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def use_code(self, staff_id: str, counter: int) -> bool:
        """Use up the code of one time step; of two that come at once, one is taken, and no older one ever after."""
        with self._database.writing() as session:
            taken = session.execute(
                update(User)
                .where(User.id == staff_id, or_(User.totp_counter.is_(None), User.totp_counter < counter))
                .values(totp_counter=counter)
            )
            return bool(taken.rowcount)  # type: ignore[attr-defined]

    def set_up(self, staff_id: str, sealed_secret: str, counter: int) -> list[str]:
        """Keep a proven secret, with the step of the code that proved it, and make its recovery codes."""
        codes, kept = self._make_codes(staff_id)
        with self._database.writing() as session:
            member = session.get_one(User, staff_id)
            member.tf_primary_method, member.tf_totp_secret = METHOD, sealed_secret
            member.totp_counter, member.mf_recovery_codes = counter, kept
            session.flush()
            record(
                session,
                self._keys,
                actor=staff_id,
                action="two_factor_set",
                subject_kind="staff",
                subject_id=staff_id,
                now=clock.now(),
            )
        return codes

    def new_codes(self, staff_id: str) -> list[str]:
        """Ten recovery codes in place of those there are; they are shown once."""
        codes, kept = self._make_codes(staff_id)
        with self._database.writing() as session:
            session.execute(update(User).where(User.id == staff_id).values(mf_recovery_codes=kept))
            record(
                session,
                self._keys,
                actor=staff_id,
                action="two_factor_set",
                subject_kind="staff",
                subject_id=staff_id,
                detail={"what": "recovery_codes"},
                now=clock.now(),
            )
        return codes

    def use_recovery_code(self, staff_id: str, typed: str) -> bool:
        """Use up a recovery code; of two that come at once, one is taken."""
        wanted = self._kept(staff_id, typed)
        with self._database.writing() as session:
            member = session.scalar(select(User).where(User.id == staff_id, User.active).with_for_update())
            if member is None or wanted not in member.mf_recovery_codes:
                return False
            member.mf_recovery_codes = [code for code in member.mf_recovery_codes if code != wanted]
            session.flush()
            record(
                session,
                self._keys,
                actor=staff_id,
                action="recovery_used",
                subject_kind="staff",
                subject_id=staff_id,
                detail={"left": len(member.mf_recovery_codes)},
                now=clock.now(),
            )
            return True

    def _make_codes(self, staff_id: str) -> tuple[list[str], list[str]]:
        codes = [_new_code() for _ in range(RECOVERY_CODES)]
        return codes, [self._kept(staff_id, code) for code in codes]

    def _kept(self, staff_id: str, typed: str) -> str:
        """A recovery code as it is kept: a keyed hash; without our key its 58 bits can't be searched."""
        plain = "".join(sign for sign in typed.upper() if sign.isalnum())
        return self._keys.keyed_hash("recovery", staff_id, plain).hex()


def _new_code() -> str:
    """`K7M2-9QPD-4RXT`: 58 bits, tried at most five times a minute."""
    return "-".join("".join(secrets.choice(SIGNS) for _ in range(4)) for _ in range(3))
