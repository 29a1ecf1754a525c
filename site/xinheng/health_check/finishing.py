"""The end of a check: what was answered is assessed and kept."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.exc import DatabaseError

from xinheng.assessments import keep
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

    The same answers once more are the same result. Raises NotKept.
    """
    answers, last = dict(answers_on_path(check, draft.answers)), draft.last_result
    if last and (last.version, last.answers) == (check.hash, answers):
        draft.step = ""
        return last.token
    try:
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
