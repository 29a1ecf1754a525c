"""A person's data as a table: whatever was typed, a spreadsheet calculates none of it."""

from __future__ import annotations

import csv
import io

import pytest

from xinheng.privacy.person_file import as_csv, safe_cell

STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "﹢", "﹣", "﹦", "﹫")
BEFORE = ("", " ", "\u3000", "\u00a0", '"', "'", "“", "\u200b", "\ufeff", ' "', "\t", "\r", "\n")


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("before", BEFORE)
def test_a_cell_that_could_be_calculated_begins_with_an_apostrophe(before: str, start: str) -> None:
    text = f"{before}{start}cmd|' /C calc'!A0"
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["张三丰", "欠80万元", "2026-11-23T12:00+08:00", "a=b", "", "（-3）", "“好”"]
)
def test_other_words_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


def test_every_cell_is_quoted_so_that_no_separator_ends_it() -> None:
    written = as_csv({"说明": '甲,乙\t"丙"\n=1+1', "电话": "+8613800138000"})
    assert written.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(written.removeprefix("\ufeff"), newline=""))) == [
        ["项目", "内容"],
        ["说明", '甲,乙\t"丙"\n=1+1'],
        ["电话", "'+8613800138000"],
    ]
    assert all(line.startswith('"') for line in written.removeprefix("\ufeff").split("\r\n")[:-1])
