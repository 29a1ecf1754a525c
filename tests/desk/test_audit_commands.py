"""`xinheng audit verify`: what it prints, and how it ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from xinheng.audit.log import record
from xinheng.crypto import load_keys
from xinheng.db import Database, Databases
from xinheng.desk.audit_commands import audit

Run = Callable[..., Result]


@pytest.fixture
def store(data_root: Path, opened: Databases) -> Database:
    """The database of the site in `data_root`, with five rows of audit."""
    keys = load_keys(data_root / "var" / "keys")
    with opened.leads.writing() as session:
        for _ in range(5):
            record(session, keys, actor="command", action="edit", now=datetime.now(UTC))
    return opened.leads


@pytest.fixture
def run(data_root: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(data_root)
    monkeypatch.setenv("DATABASE_URL", database_url)
    return lambda *arguments: CliRunner().invoke(audit, ["verify", *arguments])


def by_hand(store: Database, statement: str) -> None:
    with store.writing() as session:
        session.execute(text(statement))


def end_of(result: Result) -> str:
    match = re.search(r"末尾 (\d+:[0-9a-f]*)", result.stdout)
    assert match, result.output
    return match[1]


def test_a_whole_record_ends_with_0_and_the_head_to_be_noted(store: Database, run: Run) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert "核对了5条，都是原样" in result.stdout
    assert re.fullmatch(r"5:[0-9a-f]{32}", end_of(result))


def test_a_changed_row_is_named_and_ends_with_1(store: Database, run: Run) -> None:
    by_hand(store, "UPDATE audit SET actor = 'system' WHERE id = 3")
    result = run()
    assert result.exit_code == 1
    assert result.stdout.split("\n")[0] == "第 3 条被改过"
    assert "核对了5条，有问题" in result.stdout
    assert "docs/audit.md" in result.stderr


def test_what_was_taken_out_is_named_with_its_ends(store: Database, run: Run) -> None:
    by_hand(store, "DELETE FROM audit WHERE id IN (2, 3)")
    result = run()
    assert result.exit_code == 1
    assert "第 2 到 3 条不见了\n第 4 条无法核对" in result.stdout


def test_a_deleted_head_is_named(store: Database, run: Run) -> None:
    by_hand(store, "DELETE FROM audit_head")
    result = run()
    assert result.exit_code == 1
    assert "末尾标记不见了" in result.stdout
    assert "没有末尾标记" in result.stdout


def test_a_noted_head_shows_an_end_cut_off_with_its_head(store: Database, run: Run) -> None:
    head = end_of(run())
    assert run("--expect", head).exit_code == 0
    by_hand(store, "DELETE FROM audit WHERE id > 3")
    by_hand(store, "UPDATE audit_head SET last_id = 3, chain = (SELECT chain FROM audit WHERE id = 3)")
    assert run().exit_code == 0
    result = run("--expect", head)
    assert result.exit_code == 1
    assert "第 5 条和当时抄下的不一样" in result.stdout


def test_a_noted_head_that_isn_t_one_is_wrong_use(store: Database, run: Run) -> None:
    result = run("--expect", "5:abc")
    assert result.exit_code == 2
    assert "应为核对时打印的末尾" in result.output


def test_another_key_is_said_to_be_one(store: Database, run: Run, data_root: Path) -> None:
    (data_root / "var" / "keys" / "index.key").write_text("0123456789abcdef" * 4 + "\n")
    result = run()
    assert result.exit_code == 1
    assert "没有一条对得上：密钥" in result.stdout
    assert "被改过" not in result.stdout


def test_without_the_keys_it_says_so_and_makes_none(store: Database, run: Run, data_root: Path) -> None:
    (data_root / "var" / "keys" / "index.key").unlink()
    result = run()
    assert result.exit_code == 1
    assert "密钥不见了" in result.stderr
    assert not (data_root / "var" / "keys" / "index.key").exists()


@pytest.mark.databases("sqlite")
def test_before_the_first_start_there_is_nothing_to_check(run: Run) -> None:
    result = run()
    assert result.exit_code == 1
    assert "先启动一次网站" in result.stderr


def test_a_database_without_the_table_is_no_tampering(store: Database, run: Run) -> None:
    by_hand(store, "DROP TABLE audit")
    result = run()
    assert result.exit_code == 1
    assert "版本不一致" in result.stderr


def test_outside_of_a_site_it_is_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert CliRunner().invoke(audit, ["verify"]).exit_code == 2
