"""`xinheng score …`: the health check's result for a file of answers. Ends with 0, 1 (bad form file) or 2 (bad answers)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import click

from xinheng.command_folder import settings_here
from xinheng.documents import BadDocument
from xinheng.health_check.answers import Answers, BadAnswer, checked_answer
from xinheng.health_check.assessment import assess
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.loader import load_health_check
from xinheng.health_check.path import is_answered


@click.command("score")
@click.argument("answers", type=click.File(encoding="utf-8"))
def score_command(answers: TextIO) -> None:
    """按 forms/health_check.toml 给 ANSWERS 里的回答评分，结果以 JSON 打印；ANSWERS 写 - 就从标准输入读。

    ANSWERS 是一个 JSON 对象：题目的 id 对选项的 key；赊销额可以写成 "credit_sales_wan": 4200（万元）。
    没有答的计分题按“不清楚”算，没有答的行业按“其他”、赊销额按“说不准”算；export_share 必须答。
    """
    try:
        check = load_health_check(settings_here().forms, None)
    except BadDocument as fault:
        click.echo(str(fault), err=True)
        raise SystemExit(1) from None
    try:
        counted = _checked(check, _read(answers))
    except BadAnswers as fault:
        click.echo(str(fault), err=True)
        raise SystemExit(2) from None
    click.echo(json.dumps(assess(check, counted).as_json(), ensure_ascii=False, indent=2))


class BadAnswers(ValueError):
    """The file can't be read as answers; the message has a line for each thing that is wrong."""


def _read(answers: TextIO) -> Mapping[str, object]:
    try:
        given = json.load(answers, object_pairs_hook=_once)
    except UnicodeDecodeError:
        raise BadAnswers("不是 UTF-8 编码，请另存为 UTF-8") from None
    except json.JSONDecodeError as fault:
        raise BadAnswers(f"JSON 写法有误（第{fault.lineno}行）：{fault.msg}") from None
    except RecursionError:
        raise BadAnswers("JSON 写法有误：括号套得太深") from None
    if not isinstance(given, dict):
        raise BadAnswers('应为一个 JSON 对象，例如 {"dso": "d31_60"}')
    return given


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadAnswers(f"同一题写了两次：{'、'.join(sorted(_repeated(pairs)))}")
    return found


def _repeated(pairs: Sequence[tuple[str, Any]]) -> set[str]:
    keys = [key for key, _ in pairs]
    return {key for key in keys if keys.count(key) > 1}


def _checked(check: HealthCheck, given: Mapping[str, object]) -> Answers:
    """The answers, each allowed, and all there that have nothing to stand for them. Raises BadAnswers."""
    counted: dict[str, str | float] = {}
    wrong = []
    for question, answer in given.items():
        try:
            counted[question] = checked_answer(check, question, answer)
        except BadAnswer as fault:
            wrong.append(str(fault))
    for each in check.profile:
        if not each.default and each.id not in given and not is_answered(each, counted):
            wrong.append(f"{each.id}：没有答，应为 {'、'.join(each.by_key)}")
    if wrong:
        raise BadAnswers("\n".join(wrong))
    return counted
