"""The page of a result: found by the token in its address alone, shown as it was stored under its own definition."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flask import current_app, jsonify, make_response, render_template, request
from werkzeug.wrappers import Response

from xinheng.assessments import Kept, find, find_by_id
from xinheng.crypto import CannotDecrypt, result_number
from xinheng.db import DatabaseBusy
from xinheng.health_check.comparison import Taken
from xinheng.health_check.path import first_open
from xinheng.health_check.report import report
from xinheng.health_check.stored import stored_assessment
from xinheng.health_check.views import blueprint
from xinheng.health_check.visitor import health_checks, kept_private, under_way
from xinheng.health_check.what_if import wanted_changes
from xinheng.page_cache import compress

TRIED: Final = "if-"
"""Before the id of a question in the address: an answer to try."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A result that is kept, opened under its definition, and the one before of the same device."""

    kept: Kept
    taken: Taken
    before: Taken | None


@blueprint.get("/results/<token>")
@compress.compressed()
def result(token: str) -> Response:
    found = found_result(token, datetime.now(UTC))
    if found is None:
        return kept_private(make_response(render_template("health_check/no_result.html"), 404))
    number = result_number(found.kept.id)
    if request.args.get("format") == "json":
        return kept_private(jsonify(_as_data(found, number)))
    wanted = {
        name.removeprefix(TRIED): value for name, value in request.args.items() if name.startswith(TRIED)
    }
    changed = wanted_changes(found.taken.check, found.taken.answers, wanted)
    page = render_template(
        "health_check/result.html",
        report=report(found.taken, changed, found.before),
        number=number,
        token=token,
        retain_until=found.kept.retain_until,
        changeable=_is_from_here(token),
        articles=current_app.extensions["xinheng.library"].current().by_slug,
    )
    return kept_private(make_response(page))


def _is_from_here(token: str) -> bool:
    """Whether this browser has the answers of this result at hand, all of them, to change some and finish anew."""
    try:
        visit = under_way()
    except DatabaseBusy:
        return False
    if visit is None or visit.draft.last_result is None:
        return False
    return visit.draft.last_result.token == token and not first_open(visit.check, visit.answers)


def found_result(token: str, now: datetime) -> Found | None:
    """What a token opens; None where nothing is kept under it, or nothing that can be read. Raises DatabaseBusy."""
    desk = health_checks()
    try:
        with desk.leads.asking() as session:
            kept = find(session, desk.keys, token, now)
            earlier = (
                find_by_id(session, desk.keys, kept.previous_id, now) if kept and kept.previous_id else None
            )
    except CannotDecrypt:
        log.error("一份自查结果打不开：密钥不对，或者数据损坏")
        return None
    taken = _taken(kept) if kept else None
    return Found(kept, taken, _taken(earlier) if earlier else None) if kept and taken else None


def _taken(kept: Kept) -> Taken | None:
    """Under the definition it was done under; None where that, or the result, is of a kind nobody reads any more."""
    check = health_checks().versions.of(kept.version)
    try:
        if check is None:
            raise KeyError(kept.version)
        return Taken(
            check, kept.answers, stored_assessment(check, kept.answers, kept.result), kept.created_at
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        log.error("一份自查结果看不懂：它的问卷是 %s", kept.version)
        return None


def _as_data(found: Found, number: str) -> Mapping[str, Any]:
    return {
        "number": number,
        "created_at": found.kept.created_at.isoformat(),
        "version": found.taken.check.version,
        "definition": found.kept.version,
        "answers": dict(found.kept.answers),
        "result": dict(found.kept.result),
    }
