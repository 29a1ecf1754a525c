"""What the levels of a health check are called: by its definition, which marketers change, or in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from flask import current_app

from xinheng.assessments import INSUFFICIENT
from xinheng.desk import words
from xinheng.desk.language import CHINESE, page_language
from xinheng.health_check.definition import HealthCheck


def level_names(check: HealthCheck | None = None) -> Mapping[str, object]:
    """By key, the highest first, `insufficient` last; those of the present definition unless another is given.

    A definition is Chinese: a page in another language has the words that its list is filtered by.
    """
    if page_language() != CHINESE:
        return words.LEVEL
    check = check or current_app.extensions["xinheng.health_check"]()
    names = {level.id: level.name for level in reversed(check.levels)}
    return names | {each.id: each.name for each in check.confidence if each.id == INSUFFICIENT}
