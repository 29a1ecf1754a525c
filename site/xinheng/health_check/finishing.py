"""The end of a check: what was answered is assessed and kept."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.exc import DatabaseError

from xinheng.assessments import is_kept, keep
from xinheng.crypto import Keys
from xinheng.db import Database, DatabaseBusy
from xinheng.health_check.assessment import assess
from xinheng.health_check.counting import OVERVIEW
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.drafts import Draft, LastResult
from xinheng.health_check.path import answers_on_path

WAIT: Final = 2.0  # seconds a result waits for the writer's turn


class NotKept(RuntimeError):
    """The result could not be stored. The draft is as it was, and can be finished later."""


def finish_draft(database: Database, keys: Keys, check: HealthCheck, draft: Draft, now: datetime) -> str:
    """Keep the result of a draft whose questions all have an answer; returns the token of its address.

    The same answers once more are the same result, while that is kept. Raises NotKept.
    """
    answers, last = dict(answers_on_path(check, draft.answers)), draft.last_result
    try:
        if (
            last
            and (last.version, last.answers) == (check.hash, answers)
            and opens(database, keys, last, now)
        ):
            draft.step = ""
            return last.token
        with database.writing(within=WAIT) as session:
            id, token = keep(
                session,
                keys,
                version=check.hash,
                answers=answers,
                result=assess(check, answers).as_json(),
                previous_id=last.id if last else None,
                now=now,
            )
    except (DatabaseBusy, DatabaseError) as fault:
        raise NotKept(type(fault).__name__) from fault
    draft.finish(LastResult(id, token, check.hash, answers), OVERVIEW)
    return token


def opens(database: Database, keys: Keys, result: LastResult, now: datetime) -> bool:
    """Whether the address of a result still opens: it may be deleted long before its draft. Raises DatabaseBusy."""
    with database.asking() as session:
        return is_kept(session, keys, result.token, now)
