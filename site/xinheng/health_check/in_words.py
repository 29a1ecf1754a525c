"""A result that belongs to somebody, in words: for the file of their data. What was unsure is told as it was shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xinheng.assessments import Kept
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.figures import figures
from xinheng.health_check.standing import standing
from xinheng.health_check.stored import stored_assessment
from xinheng.health_check.wording import answered


def in_words(check: HealthCheck, kept: Kept) -> Mapping[str, Any]:
    """Every answer, and what they came to; `check` is the definition they were given under."""
    assessment = stored_assessment(check, kept.answers, kept.result)
    stands = standing(check, assessment)
    return {
        "问卷版本": check.version,
        "答案": {each.question: each.answer for each in answered(check, kept.answers)},
        "等级": stands.level_words,
        "得分": stands.score_words,
        "可能的区间": stands.band,
        "红线": [check.red_flag(each).text for each in assessment.red_flags],
        "有待确认的红线": [check.red_flag(each).text for each in assessment.possible_red_flags],
        "各方面得分": {
            check.dimension(id).name: round(points, 1) for id, points in assessment.dimensions.items()
        },
        "先做的事": [check.scored[each.question].reason.title for each in assessment.reasons],
        "估算": {
            each.name: each.words if stands.one_level else each.between
            for each in figures(check, assessment, kept.answers)
        },
    }
