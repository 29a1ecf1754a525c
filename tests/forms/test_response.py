"""How soon somebody must call, by what is known of a lead; and what a file that is wrong is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from tests.conftest import ROOT

from xinheng.company import load_company
from xinheng.documents import BadDocument
from xinheng.forms.loader import load_consultation
from xinheng.forms.needs import offered_needs
from xinheng.forms.priority import LeadFacts
from xinheng.forms.response import RESPONSE, LateStep, ResponseRule, ResponseRules, load_response

NEEDS = ("receivables", "overdue")
FILE = """within = 240
remind = 30

[[rules]]
when = { need = ["overdue"] }
within = 120

[[rules]]
when = { level = ["high"] }
within = 60

[[late]]
after = 0
tell = ["owner"]

[[late]]
after = 60
tell = ["owner", "sales_lead", "all"]
reassign = true
"""


def load(folder: Path, text: str) -> ResponseRules:
    (folder / RESPONSE).write_text(text, encoding="utf-8")
    return load_response(folder, NEEDS)


@pytest.mark.parametrize(
    ("facts", "minutes"),
    [
        (LeadFacts(), 240),
        (LeadFacts(need="receivables"), 240),
        (LeadFacts(need="overdue"), 120),
        (LeadFacts(level="high"), 60),
        (LeadFacts(need="overdue", level="high"), 60),
    ],
)
def test_the_shortest_time_of_all_rules_that_hold_counts(
    tmp_path: Path, facts: LeadFacts, minutes: int
) -> None:
    assert load(tmp_path, FILE).minutes(facts) == minutes


def test_steps_are_read_in_their_order(tmp_path: Path) -> None:
    rules = load(tmp_path, FILE)
    assert [(step.after, step.tell, step.reassign) for step in rules.late] == [
        (0, ("owner",), False),
        (60, ("owner", "sales_lead", "all"), True),
    ]


def test_a_folder_without_the_file_has_the_usual_times(tmp_path: Path) -> None:
    rules = load_response(tmp_path)
    assert (rules.minutes(LeadFacts(level="high")), rules.remind) == (240, 30)
    assert [step.tell for step in rules.late] == [("owner", "sales_lead")]


def test_what_ships_names_only_needs_that_the_form_offers() -> None:
    form = load_consultation(ROOT / "forms", load_company(ROOT / "content"))
    rules = load_response(ROOT / "forms", offered_needs(form.declaration))
    assert rules.minutes(LeadFacts(level="high")) < rules.minutes(LeadFacts())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("within = 240", "within = 0", "within：不能小于 1"),
        ("within = 240", "within = 99999", "within：不能大于 28800"),
        ("remind = 30", "remind = -1", "remind：不能小于 0"),
        ("remind = 30", 'remind = "x"', "remind：应为整数"),
        ("remind = 30", "remind = 30\nhours = 1", "hours：没有这个键"),
        (
            '["overdue"]',
            '["gone"]',
            "rules.0.when.need.0：consultation.toml 没有需求 gone，应为 receivables、overdue",
        ),
        ('need = ["overdue"]', "", "rules.0.when：when 里至少写一个条件"),
        ('tell = ["owner"]', 'tell = ["boss"]', "late.0.tell.0：应为 owner、sales_lead、all"),
        ('tell = ["owner"]', "tell = []", "late.0.tell：至少要有 1 项"),
        ("after = 60", "after = 0", "late 里的 after 应一个比一个晚"),
        ("after = 60\n", "", "late.1.after：缺少这一项"),
        ("[[late]]", "[[late]", "TOML 写法有误"),
    ],
)
def test_a_mistake_names_file_key_and_what_was_expected(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in FILE
    with pytest.raises(BadDocument) as raised:
        load(tmp_path, FILE.replace(old, new))
    assert any(says in str(fault) and fault.file == tmp_path / RESPONSE for fault in raised.value.faults)


def test_a_saved_file_is_live_and_a_wrong_one_changes_nothing(
    app: Flask, data_root: Path, saved_files_are_seen: None
) -> None:
    rules: Callable[[], ResponseRules] = app.extensions["xinheng.response"]
    file = data_root / "forms" / RESPONSE
    file.write_text("within = 77\n", encoding="utf-8")
    assert rules().within == 77
    file.write_text("within = 0\n", encoding="utf-8")
    assert rules().within == 77


@pytest.mark.parametrize("model", [ResponseRules, ResponseRule, LateStep], ids=lambda model: model.__name__)
def test_every_key_is_explained_in_the_readme(
    model: type[ResponseRules | ResponseRule | LateStep],
) -> None:
    readme = (ROOT / "forms" / "README.md").read_text(encoding="utf-8")
    section = readme.partition(f"`{RESPONSE}`\n")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| `([a-z_]+)` \|.{8,}\|$", section, re.MULTILINE)
    assert set(model.model_fields) <= set(explained)
