"""Read forms/health_check.toml; take up again a definition that was stored."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel

from xinheng.documents import BadDocument, read_toml, toml_fault, validated
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.soundness import unsound

HEALTH_CHECK: Final = "health_check.toml"


def load_health_check(forms: Path, slugs: Collection[str] | None) -> HealthCheck:
    """Read the check, whose reasons may name only these articles (None: not known, all pass).

    Raises BadDocument with file, key path and what was expected.
    """
    file = forms / HEALTH_CHECK
    check = validated(HealthCheck, read_toml(file), file)
    if found := [*unsound(check), *_unknown_articles(check, slugs)]:
        raise BadDocument([toml_fault(file, path, message) for path, message in found])
    return check


def stored_check(text: str) -> HealthCheck:
    """A definition as it was stored, from its JSON. It is not judged by today's rules: it was right in its day."""
    check: HealthCheck = _taken_up(HealthCheck, json.loads(text))
    return check


def _taken_up(kind: Any, value: Any) -> Any:
    """The value as its annotated type, built without judging it; keys that are no longer known are left out."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or name: (name, field.annotation) for name, field in kind.model_fields.items()}
        known = {key: (fields[key], each) for key, each in value.items() if key in fields}
        return kind.model_construct(
            **{name: _taken_up(annotation, each) for (name, annotation), each in known.values()}
        )
    if get_origin(kind) is tuple:
        return tuple(_taken_up(get_args(kind)[0], each) for each in value)
    return value


def _unknown_articles(check: HealthCheck, slugs: Collection[str] | None) -> Iterator[tuple[str, str]]:
    if slugs is None:
        return
    for number, question in enumerate(check.questions):
        article = question.reason.article
        if article and article not in slugs:
            yield (
                f"questions.{number}.reason.article",
                f"没有文章 {article}，应为 content/articles/ 里的文件名，不带 .md",
            )
