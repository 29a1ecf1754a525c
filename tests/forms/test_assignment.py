"""Who takes a lead: the file that says it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from tests.conftest import ROOT

from xinheng.documents import BadDocument
from xinheng.forms.assignment import ASSIGNMENT, AssignmentRules, Pool, RoundRobin, load_assignment


def test_what_ships_leaves_it_to_people(tmp_path: Path) -> None:
    shipped = load_assignment(ROOT / "forms")
    assert shipped.way == "hand"
    (tmp_path / ASSIGNMENT).write_text("", encoding="utf-8")
    assert load_assignment(tmp_path) == shipped  # what it writes out is what is so without it


@pytest.mark.parametrize("model", [AssignmentRules, RoundRobin, Pool], ids=lambda model: model.__name__)
def test_every_key_is_explained_in_the_readme(model: type[BaseModel]) -> None:
    readme = (ROOT / "forms" / "README.md").read_text(encoding="utf-8")
    section = readme.partition(f"`{ASSIGNMENT}`\n")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| `([a-z_]+)` \|.{8,}\|$", section, re.MULTILINE)
    assert set(model.model_fields) <= set(explained)
    assert len(explained) == sum(len(each.model_fields) for each in (AssignmentRules, RoundRobin, Pool))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('way = "random"', "way：应为 hand、round_robin、pool"),
        ("capacity = 0", "capacity：不能小于 1"),
        ('absent_owner = "keep"', "absent_owner：应为 give、tell"),
        ("turns = 1", "turns：没有这个键"),
        ("[round_robin]\nmost_a_day = 0", "round_robin.most_a_day：不能小于 1"),
        ("[pool]\nclaims_a_day = 201", "pool.claims_a_day：不能大于 200"),
        ("[pool]\nreturn_after_hours = 8\nwarn_before_hours = 8", "pool：warn_before_hours 应小于 return_after_hours"),
        ("way =", "TOML 写法有误"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_key_and_what_was_expected(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / ASSIGNMENT
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadDocument) as raised:
        load_assignment(tmp_path)
    assert str(raised.value.faults[0]).partition(": ")[2].startswith(says)


def test_a_pool_that_gives_nothing_back_needs_no_warning_in_time(tmp_path: Path) -> None:
    (tmp_path / ASSIGNMENT).write_text("[pool]\nreturn_after_hours = 0\n", encoding="utf-8")
    assert load_assignment(tmp_path).pool.return_after_hours == 0
