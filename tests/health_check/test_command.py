"""`xinheng score` as it is typed in the folder of a site."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.health_check.test_assessment import VECTORS

from xinheng.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, data_root: Path) -> Run:
    """Runs the command in the folder of the small site; `typed` is what stands on standard input."""
    for name in [name for name in os.environ if name.startswith("XINHENG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(data_root)
    return lambda file, typed=None: CliRunner().invoke(main, ["score", str(file)], input=typed)


@pytest.mark.parametrize("vector", VECTORS, ids=[each["id"] for each in VECTORS])
def test_a_file_of_answers_is_scored(run: Run, tmp_path: Path, vector: Mapping[str, Any]) -> None:
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(vector["answers"]), encoding="utf-8")
    result = run(file)
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == vector["expected"]


def test_answers_come_from_standard_input_too(run: Run) -> None:
    result = run("-", json.dumps(VECTORS[0]["answers"]))
    assert result.exit_code == 0
    assert json.loads(result.stdout)["score_shown"] == 52


def test_what_is_not_answered_is_unsure_but_for_exports(run: Run) -> None:
    result = run("-", '{"export_share": "none"}')
    assert (result.exit_code, json.loads(result.stdout)["unsure_share"]) == (0, 1.0)
    result = run("-", "{}")
    assert result.exit_code == 2
    assert result.stderr == "export_share：没有答，应为 none、lt20、e20_50、gt50\n"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ('{"export_share": "none", "colour": "red"}', "没有题目 colour，应为 industry、credit_sales、export_share、dso、"),
        ('{"export_share": "none", "dso": "x"}', "dso：没有选项 'x'，应为 le30、d31_60、d61_90、d91_120、gt120、unsure"),
        ('{"export_share": "no"}', "export_share：没有选项 'no'，应为 none、lt20、e20_50、gt50"),
        ('{"export_share": "none", "credit_sales_wan": 0}', "credit_sales_wan：0 不行，应为 0.0001 到 100000000 的数字（万元）"),
        ('{"export_share": "none", "credit_sales_wan": NaN}', "credit_sales_wan：nan 不行"),
        ('{"dso": "le30", "dso": "gt120"}', "同一题写了两次：dso"),
        ("[]", "应为一个 JSON 对象"),
        ('{"dso": \n"le30"', "JSON 写法有误（第2行）"),
        ("[" * 100_000, "JSON 写法有误：括号套得太深"),
        ("", "JSON 写法有误（第1行）"),
        (b'{"dso": "\xff"}', "不是 UTF-8 编码"),
    ],
)  # fmt: skip
def test_a_wrong_answer_names_the_question_and_what_is_allowed(
    run: Run, typed: str | bytes, says: str
) -> None:
    result = run("-", typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


def test_all_wrong_answers_are_named_at_once(run: Run) -> None:
    result = run("-", '{"dso": "x", "top1": "y"}')
    assert [line.partition("：")[0] for line in result.stderr.splitlines()] == ["dso", "top1", "export_share"]


def test_a_missing_file_is_wrong_use(run: Run, tmp_path: Path) -> None:
    assert run(tmp_path / "gone.json").exit_code == 2


def test_a_check_that_cannot_be_used_ends_with_1(run: Run, data_root: Path) -> None:
    file = data_root / "forms" / "health_check.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("weight = 22", "weight = 21"), encoding="utf-8")
    result = run("-", '{"export_share": "none"}')
    assert result.exit_code == 1
    assert "dimensions：各项 weight 加起来是 99，应为 100" in result.stderr
