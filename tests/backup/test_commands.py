"""The commands: what they say, how they end."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from xinheng import disk
from xinheng.cli import main
from xinheng.disk import Line
from xinheng.settings import Settings

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in the site's folder, in which the site was started once and stopped."""
    monkeypatch.chdir(settings.root)
    for name in ("DATABASE_URL", "XINHENG_DATA"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: CliRunner().invoke(main, list(map(str, arguments)))


def test_a_backup_and_back(run: Run, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "kept" / "monday.zip"
    made = run("backup", file)
    assert made.exit_code == 0, made.output
    assert "完好" in made.output
    assert "密钥不在里面" in made.output
    refused = run("restore", file)
    assert refused.exit_code == 1
    assert "加上 --replace" in refused.output
    done = run("restore", file, "--replace")
    assert done.exit_code == 0, done.output
    assert "请删掉它，里面有个人信息" in done.output


def test_a_second_backup_of_the_same_name_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("backup", tmp_path / "a.zip").exit_code == 0
    again = run("backup", tmp_path / "a.zip")
    assert (again.exit_code, "换一个文件名" in again.output) == (1, True)


def test_the_last_room_on_the_disk_is_not_for_backups(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "SHORT", Line(1.0, 1 << 62))
    refused = run("backup", tmp_path / "kept" / "a.zip")
    assert (refused.exit_code, "备份到别的硬盘" in refused.output) == (1, True)
    assert not (tmp_path / "kept").exists()


def test_without_keys_nothing_is_restored(run: Run, settings: Settings, tmp_path: Path) -> None:
    run("backup", tmp_path / "a.zip")
    shutil.rmtree(settings.data / "keys")
    answer = run("restore", tmp_path / "a.zip", "--replace")
    assert (answer.exit_code, "请从备份里恢复 keys 文件夹" in answer.output) == (1, True)


def test_what_is_no_backup_is_said_to_be_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("x")
    answer = run("restore", tmp_path / "x.zip", "--replace")
    assert (answer.exit_code, "不是信衡的备份" in answer.output) == (1, True)


def test_housekeeping_says_what_it_did(run: Run) -> None:
    answer = run("housekeeping")
    assert (answer.exit_code, "已删除到期的线索0条" in answer.output) == (0, True)
