"""Invented visitors do the health check: answers drawn until they come to a level, and how far how many of them went."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from xinheng.assessments import INSUFFICIENT, keep
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.demo.readers import counted_days, drawn_source, popularity
from xinheng.form_versions import publish_form
from xinheng.forms.priority import Level
from xinheng.health_check.answers import Answers
from xinheng.health_check.assessment import Assessment, assess
from xinheng.health_check.counting import OVERVIEW, Place, Tally
from xinheng.health_check.definition import UNSURE, HealthCheck, ProfileQuestion
from xinheng.health_check.path import Asked, answers_on_path, questions_on_path
from xinheng.health_check.standing import standing
from xinheng.week_counts import Origin
from xinheng.weeks import week_of

_BEGUN: Final = 20
"""Checks begun on a usual weekday."""
_BAD: Final[Mapping[Level, tuple[float, float]]] = {
    "low": (0.02, 0.3),
    "moderate": (0.25, 0.5),
    "elevated": (0.45, 0.65),
    "high": (0.6, 0.9),
    "insufficient": (0.3, 0.7),
}
"""How far down the options somebody of a level goes, 0 the best and 1 the worst."""
_TRIES: Final = 300
_LEAVE: Final = {"industry": 0.06, "credit_sales": 0.07, "bad_debt": 0.04, "coverage": 0.03, OVERVIEW: 0.05}
_LEAVE_ELSEWHERE: Final = 0.012


class Checks:
    """Finished health checks, kept as a visitor's browser would have them."""

    def __init__(self, database: Database, keys: Keys, draw: random.Random, check: HealthCheck) -> None:
        self._database = database
        self._keys = keys
        self._draw = draw
        self._check = check
        publish_form(database, check.hash, check.stored)

    def finish(self, level: Level, at: datetime) -> str:
        """Somebody of this level does the check; returns the token of the result."""
        answers, assessment = self._drawn(level)
        with self._database.writing() as session:
            _, token = keep(
                session,
                self._keys,
                version=self._check.hash,
                answers=answers,
                result=assessment.as_json(),
                previous_id=None,
                now=at,
            )
        return token

    def _drawn(self, level: Level) -> tuple[Answers, Assessment]:
        """Answers that come to the level; the last ones drawn where a definition hardly has it."""
        for _ in range(_TRIES):
            answers = drawn_answers(self._draw, self._check, level)
            assessment = assess(self._check, answers)
            shown = standing(self._check, assessment).shown_level
            if (shown.id if shown else INSUFFICIENT) == level:
                break
        return answers, assessment


def drawn_answers(draw: random.Random, check: HealthCheck, level: Level) -> Answers:
    """One visitor's answers, some of them 不清楚."""
    bad, unsure = draw.uniform(*_BAD[level]), 0.6 if level == "insufficient" else draw.choice((0, 0.03, 0.12))
    given: dict[str, str | float] = {}
    for question in check.asked.values():
        options = question.options
        if isinstance(question, ProfileQuestion):
            given[question.id] = draw.choice(options).key
        elif draw.random() < unsure:
            given[question.id] = UNSURE
        else:
            place = round((bad + draw.gauss(0, 0.22)) * (len(options) - 1))
            given[question.id] = options[min(max(place, 0), len(options) - 1)].key
    for amount, question_id in check.number_keys.items():
        if draw.random() < 0.3:
            del given[question_id]
            given[amount] = float(draw.randrange(300, 9000))
    return answers_on_path(check, given)


def count_steps(
    counters: Database,
    check: HealthCheck,
    draw: random.Random,
    slugs: Sequence[str],
    now: datetime,
    leads: int,
) -> None:
    """How far so many leads' visitors went, and where they came from: most to the end, some not past a question."""
    tally, popular = Tally(), popularity(slugs)
    for day, busy in counted_days(now, leads):
        for _ in range(round(draw.uniform(0.75, 1.25) * busy * _BEGUN)):
            origin = Origin(
                drawn_source(draw), draw.choices(slugs, popular)[0] if slugs and draw.random() < 0.6 else ""
            )
            tally.weeks.add("begun", week_of(day), origin)
            if _goes_to_the_end(tally, check, draw, day):
                tally.weeks.add("finished", week_of(day), origin)
    with counters.writing() as session:
        tally.add_to(session.connection())


def _goes_to_the_end(tally: Tally, check: HealthCheck, draw: random.Random, day: date) -> bool:
    """One visitor's way."""
    answers = drawn_answers(draw, check, "moderate")
    path: list[Asked] = [*questions_on_path(check, answers)]
    for step in (*(each.id for each in path), OVERVIEW):
        place = Place(check.hash, step, day)
        tally.shown[place] += 1
        if draw.random() < _LEAVE.get(step, _LEAVE_ELSEWHERE):
            tally.left[place] += 1
            return False
        tally.answered[place] += 1
    return True
