"""Results at hand: of the published examples, taken up as they are stored, or kept on a site under an address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from tests.health_check.conftest import NOON

from xinheng.assessments import keep
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.health_check.answers import Answers
from xinheng.health_check.assessment import assess
from xinheng.health_check.comparison import Taken
from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.stored import stored_assessment

EXAMPLES: Mapping[str, Answers] = {
    each["id"]: each["answers"]
    for each in json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))
}


def answers_of(check: HealthCheck, example: str, **changed: str) -> Answers:
    """Those of a published example, some of them changed; of `unsure`, 不清楚 to all that may be answered so."""
    if example == UNSURE:
        plain = {id: UNSURE for id in check.asked if UNSURE in check.offered[id]}
        return plain | {"industry": "other", "export_share": "none"} | changed
    return {**EXAMPLES[example], **changed}


def taken(check: HealthCheck, example: str, at: datetime = NOON, **changed: str) -> Taken:
    """A finished check, through JSON as it is stored."""
    answers = answers_of(check, example, **changed)
    result = json.loads(json.dumps(assess(check, answers).as_json()))
    return Taken(check, answers, stored_assessment(check, answers, result), at)


def keep_result(
    app: Flask, example: str, *, previous: str | None = None, at: datetime | None = None, **changed: str
) -> tuple[str, str]:
    """Keep a result on a site; returns its id, and the token of its address."""
    store, keys = app.extensions["xinheng.databases"].leads, app.extensions["xinheng.keys"]
    check: HealthCheck = app.extensions["xinheng.health_check"]()
    return keep_in(store, keys, check, answers_of(check, example, **changed), previous, at)


def keep_in(
    store: Database,
    keys: Keys,
    check: HealthCheck,
    answers: Answers,
    previous: str | None = None,
    at: datetime | None = None,
) -> tuple[str, str]:
    """Keep what these answers come to; the definition is stored already."""
    result, now = assess(check, answers).as_json(), at or datetime.now(UTC)
    with store.writing() as session:
        return keep(
            session,
            keys,
            version=check.hash,
            answers=answers,
            result=result,
            previous_id=previous,
            now=now,
        )
