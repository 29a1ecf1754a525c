"""The vocabulary of forms/health_check.toml: closed, explained, stored whole and taken up again."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from tests.conftest import ROOT
from tests.health_check.conftest import Written

from xinheng.articles.index import compile_content
from xinheng.health_check import definition, parameters
from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.loader import HEALTH_CHECK, load_health_check, stored_check

MODELS = [
    *(definition.HealthCheck, definition.Level, definition.Confidence, definition.Dimension),
    *(definition.ProfileQuestion, definition.ProfileOption, definition.ScoredQuestion),
    *(definition.ScoredOption, definition.Unsure, definition.Reason, definition.Prompt),
    *(definition.RedFlag, definition.ReasonCodes, parameters.Parameters, parameters.Range),
]
VOCABULARY = [
    (model.__name__, field.alias or name) for model in MODELS for name, field in model.model_fields.items()
]


def readme() -> str:
    text = (ROOT / "forms" / "README.md").read_text(encoding="utf-8")
    return text.partition(f"\n## 健康检查：`{HEALTH_CHECK}`\n")[2].partition("\n## ")[0]


# --- what ships ---


def test_the_check_that_ships_has_its_questions(check: HealthCheck) -> None:
    assert len(check.profile) == 3
    assert len(check.questions) == 21
    assert len(check.dimensions) == 9
    assert [*check.asked][:4] == ["industry", "credit_sales", "export_share", "dso"]


def test_every_reason_that_ships_has_an_article_to_read() -> None:
    slugs = [each.article.slug for each in compile_content(ROOT / "content").articles]
    check = load_health_check(ROOT / "forms", slugs)
    assert all(question.reason.article in slugs for question in check.questions)


def test_points_that_ship_run_from_0_to_100(check: HealthCheck) -> None:
    for question in check.questions:
        points = [option.points for option in question.options]
        assert (points[0], points[-1]) == (0, 100)
        assert points == sorted(set(points))


def test_no_sentence_mixes_widths_of_punctuation(check: HealthCheck) -> None:
    for text in words(json.loads(check.stored)):
        assert not re.search(r"[\u4e00-\u9fff][,:;!?]|[,:;!?][\u4e00-\u9fff]", text), text
        assert " " not in text.replace(" / ", ""), text


def words(value: Any) -> Iterator[str]:
    if isinstance(value, str) and re.search(r"[\u4e00-\u9fff]", value):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from words(each)


# --- the README ---


def test_the_vocabulary_is_whole() -> None:
    declared = {
        model.__name__
        for module in (definition, parameters)
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
    }
    assert declared - {model.__name__ for model in MODELS} == {"_Declared", "Choice", "Question"}


@pytest.mark.parametrize(("model", "key"), VOCABULARY, ids=[f"{model}.{key}" for model, key in VOCABULARY])
def test_every_key_is_explained_in_the_readme(model: str, key: str) -> None:
    """In a row of a table for each part that has it, with words that are no placeholder."""
    rows = re.findall(rf"^\| `{re.escape(key)}` \|(.+)\|$", readme(), re.MULTILINE)
    wanted = [name for name, each in VOCABULARY if each == key]
    assert len(rows) == len(wanted), f"{key} is a key of {wanted}"
    assert all(len(row.strip()) > 8 for row in rows)


def test_the_readme_explains_no_key_that_is_none() -> None:
    explained = re.findall(r"^\| `([a-z_0-9]+)` \|", readme(), re.MULTILINE)
    assert {*explained} == {key for _, key in VOCABULARY}


# --- words and lookups ---


def test_unsure_is_offered_last_of_every_scored_question(check: HealthCheck) -> None:
    for question in check.questions:
        assert [*check.offered[question.id]] == [*question.by_key, UNSURE]
        assert check.answer_words(question.id, UNSURE) == check.unsure_label
    assert [*check.offered["export_share"]] == ["none", "lt20", "e20_50", "gt50"]


def test_an_answer_has_its_words_and_one_that_is_gone_its_key(check: HealthCheck) -> None:
    assert check.answer_words("dso", "d31_60") == "31–60天"
    assert check.answer_words("dso", "gone") == "gone"
    assert check.answer_words("gone", "x") == "x"


def test_parts_are_found_by_id(check: HealthCheck) -> None:
    assert check.dimension("D2").name == "客户集中度"
    assert check.level("high").starts == 65
    assert check.red_flag("RF2").floor == "elevated"
    assert check.prompt("C3").at_most == {"oldest": "none"}
    for find in (check.dimension, check.level, check.red_flag, check.prompt):
        with pytest.raises(KeyError):
            find("gone")


# --- stored ---


def test_a_stored_check_is_the_same_again(check: HealthCheck) -> None:
    again = stored_check(check.stored)
    assert again == check
    assert (again.stored, again.hash) == (check.stored, check.hash)
    assert re.fullmatch(r"[0-9a-f]{16}", check.hash)


def test_what_is_stored_holds_what_the_file_says_and_nothing_else(check: HealthCheck) -> None:
    assert json.loads(check.stored) == tomllib.loads((ROOT / "forms" / HEALTH_CHECK).read_text("utf-8"))


def test_a_stored_check_is_not_judged_by_todays_rules(check: HealthCheck) -> None:
    """It was right in its day: other limits, a key that is gone since, and one that is new."""
    data = json.loads(check.stored)
    data["dimensions"][0] |= {"name": "长" * 99, "weight": 23, "colour": "red"}
    del data["questions"][0]["reason"]["article"]
    again = stored_check(json.dumps(data))
    assert again.dimensions[0].weight == 23
    assert again.questions[0].reason.article == ""
    assert not hasattr(again.dimensions[0], "colour")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version = "1.0"', 'version = "1.1"'),
        ("points = 15", "points = 16"),
        ('label = "30天以内"', 'label = "一个月以内"'),
        ("low = 0.053\nbase = 0.053\nhigh = 0.053", "low = 0.06\nbase = 0.06\nhigh = 0.06"),
    ],
)  # fmt: skip
def test_other_words_or_numbers_are_another_version(written: Written, old: str, new: str) -> None:
    before = written.load()
    written.change(old, new)
    assert written.load().hash != before.hash


def test_the_same_words_are_the_same_version_whatever_the_file_looks_like(written: Written) -> None:
    before = written.load()
    written.file.write_bytes(b"\xef\xbb\xbf# a comment\n" + written.file.read_bytes().replace(b"\n", b"\r\n"))
    assert written.load().hash == before.hash


def test_a_check_cannot_be_changed(check: HealthCheck) -> None:
    with pytest.raises(ValueError, match="frozen"):
        check.questions[0].weight = 1  # type: ignore[misc]
