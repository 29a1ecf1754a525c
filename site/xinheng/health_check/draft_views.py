"""A check as a whole: begun, put away, gone on with elsewhere, looked over, finished."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from flask import current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from xinheng.health_check.counting import OVERVIEW
from xinheng.health_check.drafts import LastResult
from xinheng.health_check.finishing import NotKept, finish_draft, opens
from xinheng.health_check.path import first_open, is_answered, questions_on_path
from xinheng.health_check.steps import groups, minutes
from xinheng.health_check.views import blueprint
from xinheng.health_check.visitor import (
    UnderWay,
    begun_from,
    counts_as_visitor,
    going_on,
    health_checks,
    kept_private,
    own_token,
    remember,
    under_way,
)
from xinheng.health_check.way import amount_words, place


@blueprint.post("/start")
def start() -> Response:
    """Begin, or begin anew where that is asked for; who has answers already is asked which of the two they mean."""
    anew = request.form.get("anew") == "yes"
    asks = kept_private(redirect(url_for("health_check.saved"), code=303))
    visit = under_way()
    if visit and visit.answers and not anew:
        return asks
    present = health_checks().versions.current()
    first = place(present, {})
    if visit:
        with going_on() as visit:
            if visit and visit.answers and not anew:  # another tab has answered meanwhile
                return asks
            if visit:
                visit.draft.begin_again(present.hash, first, begun_from())
                return _led_to(first, visit.token)
    drafts, now = health_checks().drafts, datetime.now(UTC)
    health_checks().room.make(time.monotonic())
    token = drafts.begin(present.hash, first, now, counts=counts_as_visitor(), origin=begun_from())
    return _led_to(first, token)


@blueprint.get("/saved")
def saved() -> Response:
    """What is kept, the link to go on with it elsewhere, and the way on."""
    visit = under_way()
    if visit is None:
        return nothing_under_way()
    desk, last = health_checks(), visit.draft.last_result
    kept = last if last and opens(desk.leads, desk.keys, last, datetime.now(UTC)) else None
    return _kept_page("health_check/saved.html", visit, last_result=kept)


@blueprint.get("/resume/<token>")
def resume(token: str) -> Response:
    """What the link is for. It changes nothing yet: a program that looks into links must not move anybody's check."""
    visit = under_way(token)
    return _kept_page("health_check/resume.html", visit) if visit else _gone()


@blueprint.post("/resume/<token>")
def resume_here(token: str) -> Response:
    with going_on(token) as visit:
        if visit is None:
            return _gone()
        step = place(visit.check, visit.answers)
        if visit.draft.step:  # not finished yet
            visit.draft.show(step)
    if step == OVERVIEW:
        address = url_for("health_check.answers")
    else:
        address = url_for("health_check.question", question_id=step)
    return remember(kept_private(redirect(address, code=303)), token)


@blueprint.get("/answers")
def answers() -> Response:
    """All answers, to be looked over."""
    visit = under_way()
    if visit is None:
        return nothing_under_way()
    if missing := first_open(visit.check, visit.answers):
        address = url_for("health_check.question", question_id=missing.id)
        return kept_private(redirect(address))
    return _overview(visit)


@blueprint.get("/finish")
def before_finish() -> Response:
    """A browser that opens the address of a result that couldn't be stored, without sending anything."""
    return answers()


@blueprint.post("/finish")
def finish() -> Response:
    with going_on() as visit:
        if visit is None:
            return nothing_under_way()
        if missing := first_open(visit.check, visit.answers):
            visit.draft.show(missing.id)
            address = url_for("health_check.question", question_id=missing.id)
            return kept_private(redirect(address, code=303))
        try:
            desk = health_checks()
            token = finish_draft(desk.leads, desk.keys, visit.check, visit.draft, datetime.now(UTC))
        except NotKept as fault:
            current_app.logger.error("一份自查的结果没能存下：%s", fault)
            return _overview(visit, 503)
    return kept_private(redirect(url_for("health_check.result", token=token), code=303))


def nothing_under_way() -> Response:
    """This browser has no check under way: it never had, or its time is over, or it keeps no cookies."""
    if own_token():
        return _gone()
    return kept_private(make_response(render_template("health_check/none.html"), 404))


def _gone() -> Response:
    return kept_private(make_response(render_template("health_check/gone.html"), 410))


def _led_to(first: str, token: str) -> Response:
    """The way to the first question of a check that has begun."""
    response = redirect(url_for("health_check.question", question_id=first), code=303)
    return remember(kept_private(response), token)


def _overview(visit: UnderWay, status: int = 200) -> Response:
    page = render_template(
        "health_check/answers.html",
        check=visit.check,
        groups=groups(visit.check, visit.answers),
        answers=visit.answers,
        amount_words=amount_words,
        not_stored=status != 200,
    )
    response = make_response(page, status)
    if status != 200:
        response.headers["Retry-After"] = "60"
    return kept_private(response)


def _kept_page(template: str, visit: UnderWay, last_result: LastResult | None = None) -> Response:
    path = questions_on_path(visit.check, visit.answers)
    answered = sum(is_answered(each, visit.answers) for each in path)
    step = place(visit.check, visit.answers)
    page = render_template(
        template,
        draft=visit.draft,
        last_result=last_result,
        link=current_app.config["ORIGIN"] + url_for("health_check.resume", token=visit.token),
        token=visit.token,
        step="" if step == OVERVIEW else step,
        answered=answered,
        total=len(path),
        minutes=minutes(len(path) - answered),
        own=visit.token == own_token(),
    )
    return kept_private(make_response(page))
