"""Each key of a TOML file is found on its line, whatever stands around it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT

from xinheng.toml_lines import Keys, toml_lines

SHIPPED = sorted([*(ROOT / "content").glob("*.toml"), *(ROOT / "forms").glob("*.toml")])
TEXT = '''# [no] = "header"
title = "a = b # no comment"
long = """
fake = 1
[fake]
"""  # after it
literal = \'\'\'
[[fake]]
\'\'\'
"a key".b = 1

[one]
list = [
  {name = "x"},  # {
  {name = "]"},
]
pair = {a = 1, b = [2]}

[[many]]
name = 1
[many.inner]
deep = 1
[[many.rows]]
name = 1
[[many.rows]]
name = 2

[[many]]
[[many.rows]]
  name = 3
[last]'''
EXPECTED: dict[Keys, int] = {
    ("title",): 2,
    ("long",): 3,
    ("literal",): 7,
    ("a key",): 10,
    ("a key", "b"): 10,
    ("one",): 12,
    ("one", "list"): 13,
    ("one", "list", 0): 14,
    ("one", "list", 1): 15,
    ("one", "pair"): 17,
    ("many",): 19,
    ("many", 0): 19,
    ("many", 0, "name"): 20,
    ("many", 0, "inner"): 21,
    ("many", 0, "inner", "deep"): 22,
    ("many", 0, "rows"): 23,
    ("many", 0, "rows", 0): 23,
    ("many", 0, "rows", 0, "name"): 24,
    ("many", 0, "rows", 1): 25,
    ("many", 0, "rows", 1, "name"): 26,
    ("many", 1): 28,
    ("many", 1, "rows"): 29,
    ("many", 1, "rows", 0): 29,
    ("many", 1, "rows", 0, "name"): 30,
    ("last",): 31,
}


def keys_of(value: Any, above: Keys = ()) -> Iterator[Keys]:
    """The paths of all tables, and of all keys but those that stand in a line with others."""
    found = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in found:
        if isinstance(key, str) or isinstance(each, dict):
            yield (*above, key)
        if isinstance(each, dict | list):
            yield from keys_of(each, (*above, key))


def test_keys_headers_and_items_are_found_on_their_lines() -> None:
    assert dict(toml_lines(TEXT)) == EXPECTED


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_every_line_of_a_shipped_file_holds_its_key(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    found, rows = toml_lines(text), text.split("\n")
    there = set(keys_of(tomllib.loads(text)))
    assert found.keys() <= there
    for keys, line in found.items():
        names = [each for each in keys if isinstance(each, str)]
        assert (names[-1] in rows[line - 1]) or rows[line - 1].lstrip().startswith("{"), (keys, line)
    assert {keys[0] for keys in there} == {keys[0] for keys in found}
