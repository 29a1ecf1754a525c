"""A result as it was stored, taken up again: what was said on that day is shown, whatever the rules say by now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from xinheng.health_check.answers import Answers
from xinheng.health_check.assessment import Assessment
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.estimate import Estimate
from xinheng.health_check.reasons import FoundReason
from xinheng.health_check.scoring import scope_of, to_find_out

Kind = TypeVar("Kind", FoundReason, Estimate)


def stored_assessment(check: HealthCheck, answers: Answers, result: Mapping[str, Any]) -> Assessment:
    """The result from its JSON. `check` is the definition that the answers were given under: what to find out first
    follows from it, and isn't stored. Raises KeyError for a result of another kind."""
    values = {each.name: result[each.name] for each in fields(Assessment) if each.name != "to_find_out"}
    return Assessment(
        **values
        | {
            "reasons": [_of(FoundReason, each) for each in result["reasons"]],
            "estimate": {run: _of(Estimate, each) for run, each in result["estimate"].items()},
            "to_find_out": to_find_out(scope_of(check, answers), answers),
        }
    )


def _of(kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    return kind(**{each.name: values[each.name] for each in fields(kind)})
