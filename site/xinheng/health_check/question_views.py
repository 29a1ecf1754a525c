"""One question a page: shown, answered, gone back from. A GET writes nothing; what is shown next is noted by the POST
that leads there."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from xinheng.health_check.counting import OVERVIEW
from xinheng.health_check.draft_views import nothing_under_way
from xinheng.health_check.path import opened
from xinheng.health_check.steps import most_points, way
from xinheng.health_check.views import blueprint
from xinheng.health_check.visitor import UnderWay, going_on, kept_private, under_way
from xinheng.health_check.way import (
    Given,
    NotAnswered,
    amount_words,
    answer,
    others_of_prompt,
    place,
    prompt_to_show,
    step_back,
)

FROM_OVERVIEW = "answers"


@blueprint.get("/questions/<question_id>")
def question(question_id: str) -> Response:
    visit = under_way()
    if visit is None:
        return nothing_under_way()
    step = place(visit.check, visit.answers, question_id)
    if step != question_id:
        return kept_private(redirect(address_of(step)))
    return _page(visit, question_id, prompt=request.args.get("look", ""))


@blueprint.post("/questions/<question_id>")
def answer_question(question_id: str) -> Response:
    with going_on() as visit:
        if visit is None:
            return nothing_under_way()
        asked = opened(visit.check, visit.answers, question_id)
        if asked is None or asked.id != question_id:  # a page of another branch, or an edited address
            step = place(visit.check, visit.answers, question_id)
            visit.draft.show(step)
            return kept_private(redirect(address_of(step), code=303))
        given = Given(request.form.get("answer", ""), request.form.get("amount", ""))
        try:
            if request.form.get("go") == "back":
                return _back(visit, question_id, given)
            led = answer(visit.check, visit.draft, asked, given, from_overview=_from_overview())
        except NotAnswered as fault:
            return _page(visit, question_id, fault=fault, given=given)
        if led.prompt:
            back_here = address_of(question_id, look=led.prompt)
            return kept_private(redirect(back_here, code=303))
        visit.draft.show(led.step)
        return kept_private(redirect(address_of(led.step), code=303))


def address_of(step: str, look: str | None = None) -> str:
    """The page of a step, which stays bound for the overview where it was opened from there."""
    if step == OVERVIEW:
        return url_for("health_check.answers")
    to = FROM_OVERVIEW if _from_overview() else None
    return url_for("health_check.question", question_id=step, look=look, to=to)


def _back(visit: UnderWay, question_id: str, given: Given) -> Response:
    step = step_back(visit.check, visit.draft, visit.check.asked[question_id], given)
    if not step:
        return kept_private(redirect(url_for("health_check.intro"), code=303))
    visit.draft.show(step)
    return kept_private(redirect(address_of(step), code=303))


def _from_overview() -> bool:
    return request.values.get("to") == FROM_OVERVIEW


def _page(
    visit: UnderWay,
    question_id: str,
    *,
    prompt: str = "",
    fault: NotAnswered | None = None,
    given: Given | None = None,
) -> Response:
    check, answers, asked = visit.check, visit.answers, visit.check.asked[question_id]
    exact = getattr(asked, "allow_number", "")
    hint = prompt_to_show(check, answers, prompt, question_id)
    page = render_template(
        "health_check/question.html",
        check=check,
        question=asked,
        offered=check.offered[question_id].values(),
        exact=bool(exact),
        chosen=given.chosen if given else answers.get(question_id),
        amount=given.amount if given else amount_words(answers.get(exact)),
        way=way(check, answers, question_id),
        points=most_points(check, answers, asked),
        fault=fault,
        hint=hint,
        others=others_of_prompt(check, hint.id, question_id) if hint else (),
        answers=answers,
        from_overview=_from_overview(),
    )
    return kept_private(make_response(page, 422 if fault else 200))
