"""Red flags, which raise the level, and consistency prompts, which only ask. health-check.md §3.4 and §4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xinheng.health_check.answers import Answers
from xinheng.health_check.definition import HealthCheck, Prompt, RedFlag
from xinheng.health_check.path import answers_on_path
from xinheng.health_check.scoring import Chosen


def raised(check: HealthCheck, chosen: Chosen, runway: float) -> Sequence[str]:
    """The ids of the flags that one run raises. `runway`: its stressed runway in the base case, months."""
    return [flag.id for flag in check.red_flags if _is_raised(check, flag, chosen, runway)]


def _is_raised(check: HealthCheck, flag: RedFlag, chosen: Chosen, runway: float) -> bool:
    if flag.runway_at_most is not None and runway > flag.runway_at_most:
        return False
    ranks = {question: check.scored[question].rank for question in flag.all}
    return all(
        question in chosen and ranks[question][chosen[question].key] >= ranks[question][worst]
        for question, worst in flag.all.items()
    )


def prompts(check: HealthCheck, answers: Answers) -> Sequence[str]:
    """The ids of the consistency prompts for these answers; 不清楚 and what isn't answered or asked prompt nothing."""
    counted = answers_on_path(check, answers)
    ranks = {
        question: each.rank[str(counted[question])]
        for question, each in check.scored.items()
        if counted.get(question) in each.rank
    }
    return [prompt.id for prompt in check.consistency if _holds(check, prompt, ranks)]


def _holds(check: HealthCheck, prompt: Prompt, ranks: Mapping[str, int]) -> bool:
    """Whether every answer is as bad, and as good, as the prompt says. `ranks`: 0 the best, of what was answered."""
    if not ranks.keys() >= {*prompt.at_least, *prompt.at_most}:
        return False
    rank_of = {question: check.scored[question].rank for question in ranks}
    return all(ranks[each] >= rank_of[each][least] for each, least in prompt.at_least.items()) and all(
        ranks[each] <= rank_of[each][most] for each, most in prompt.at_most.items()
    )
