"""How a figure came about can be followed: the numbers, put into the formula, give the figure."""

from __future__ import annotations

import re

import pytest
from tests.health_check.conftest import Written
from tests.health_check.results import EXAMPLES, taken

from xinheng.health_check.definition import UNSURE, HealthCheck
from xinheng.health_check.figures import amount_words, two_figures
from xinheng.health_check.workings import Working, workings


def reckoned(line: Working) -> float:
    """The value of the numbers of a line, as somebody with a pocket calculator would find it."""
    text = re.sub(r"万元|个月|天|（|）|\[|\]", lambda found: {"（": "(", "）": ")", "[": "(", "]": ")"}.get(found[0], ""), line.numbers)  # fmt: skip
    text = re.sub(r"([\d.e+-]+)%", r"(\1/100)", text)
    return float(eval(text.replace("×", "*").replace("÷", "/").replace("−", "-")))  # noqa: S307


@pytest.mark.parametrize("example", [*EXAMPLES, UNSURE])
def test_the_numbers_give_the_figure(check: HealthCheck, example: str) -> None:
    found = taken(check, example)
    for line in workings(check, found.answers, found.assessment):
        if line.result:
            value = max(0.0, reckoned(line))
            unit = "months" if line.result.endswith("个月") else "percent" if "%" in line.result else "wan"
            near = {amount_words(two_figures(value * factor), unit) for factor in (0.98, 0.99, 1, 1.01, 1.02)}  # fmt: skip
            near |= {amount_words(value + more, unit) for more in (-0.1, 0.1)} if unit == "months" else set()  # fmt: skip
            assert line.result.removeprefix("约") in near, line


def test_the_visitors_own_numbers_stand_in_it(check: HealthCheck) -> None:
    found = taken(check, "P04")
    lines = {line.name: line for line in workings(check, found.answers, found.assessment)}
    assert lines["应收账款"].numbers == "8000万元 × 105天 ÷ 365"
    assert lines["应收账款"].result == "约2300万元"
    assert lines["占用资金的年成本"].numbers == "2301万元 × 4%"
    assert [line.name for line in lines.values() if not line.result] == [
        "新增损失率",
        "存量损失率",
        "内控系数",
    ]


def test_what_it_rests_on_is_told_as_the_definition_has_it(written: Written) -> None:
    for key, old, new in (("history_credibility", "0.5", "0.3"), ("control_factor_max", "1.3", "1.5")):
        column = f"low = {old}\nbase = {old}\nhigh = {old}"
        for head in re.findall(rf"\[parameters\.{key}\][^\[]*?(?=low)", written.file.read_text("utf-8")):
            written.change(head + column, head + column.replace(old, new))
    written.change('name = "合同与单据"', 'name = "合同"')
    found = taken(written.load(), "P04")
    lines = {line.name: line for line in workings(found.check, found.answers, found.assessment)}
    assert "占30%的分量" in lines["新增损失率"].formula
    assert lines["内控系数"].formula.startswith(
        "客户准入与信用评估、授信与额度管理、合同、监控与催收加权平均"
    )
    assert lines["内控系数"].formula.endswith("0分取0.7，100分取1.5")
