"""The pages of the check that everybody sees alike: what it is, and how its score is made."""

from __future__ import annotations

from flask import Blueprint, render_template

from xinheng.health_check.method import flag_words, parameter_rows, profile_rows, score_rows
from xinheng.health_check.steps import size_of
from xinheng.health_check.visitor import health_checks
from xinheng.page_cache import public

blueprint = Blueprint("health_check", __name__, url_prefix="/health-check")


@blueprint.get("")
@public
def intro() -> str:
    check = health_checks().versions.current()
    return render_template("health_check/intro.html", check=check, size=size_of(check))


@blueprint.get("/method")
@public
def method() -> str:
    check = health_checks().versions.current()
    return render_template(
        "health_check/method.html",
        check=check,
        dimensions=score_rows(check),
        profile=profile_rows(check),
        parameters=parameter_rows(check),
        flags=[(flag, flag_words(check, flag)) for flag in check.red_flags],
    )
