"""`xinheng …` as it is typed in the folder of a site."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import KINDS, OWN_PAGE, write_article
from tests.notices.sending import send_due

from xinheng.cli import main
from xinheng.settings import SHANGHAI, Settings

Run = Callable[..., Result]
BOTH_DATABASES = pytest.mark.databases(*KINDS)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, data_root: Path, database_url: str) -> Run:
    """Runs a command in the folder of the small site."""
    for name in list(os.environ):
        if name.startswith("XINHENG_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(data_root)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


# --- check ---


def test_what_is_right_is_said_to_be(run: Run) -> None:
    result = run("check")
    assert (result.exit_code, result.stdout) == (0, "内容和表单都没有问题\n")


def test_processors_that_may_be_taken_out_are_named(run: Run, data_root: Path) -> None:
    entry = 'name = "从前的公司"\ncontact = "a"\npurpose = "b"\nkinds = ["c"]\ncontract = "d"\nstart = 2019-01-01\n'
    file = data_root / "content" / "processors.toml"
    file.write_text(f"[[processors]]\n{entry}end = 2020-01-01\n", encoding="utf-8")
    result = run("check")
    assert result.exit_code == 0
    assert "“从前的公司”结束满3年，可以删掉了" in result.stdout
    file.write_text("[[processors]]\nname = 1\n", encoding="utf-8")
    result = run("check")
    assert result.exit_code == 1
    assert "processors.toml:2: processors.0.name：应为文字" in result.stdout


def test_a_year_without_its_working_days_is_named(run: Run, data_root: Path) -> None:
    file = data_root / "content" / "working_days.toml"
    file.write_text('opens = "08:30"\n', encoding="utf-8")
    result = run("check")
    assert result.exit_code == 0
    assert f"working_days.toml：没有{datetime.now(SHANGHAI).year}年的放假安排" in result.stdout
    file.write_text('opens = "8:30"\n', encoding="utf-8")
    result = run("check")
    assert result.exit_code == 1
    assert 'working_days.toml:1: opens：应写成 "09:00" 这样' in result.stdout


def test_everything_that_is_wrong_is_listed_at_once(run: Run, data_root: Path) -> None:
    write_article(data_root / "content", "ageing", category="nowhere")
    form = data_root / "forms" / "consultation.toml"
    form.write_text(form.read_text(encoding="utf-8").replace("most = 500", "most = 5000"), encoding="utf-8")
    result = run("check")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{data_root}/content/articles/ageing.md:3: category：没有栏目 nowhere")
    place = form.read_text(encoding="utf-8").split("most = 5000")[0].count("\n") + 1
    assert lines[1] == f"{data_root}/forms/consultation.toml:{place}: fields.3.most：不能大于 500"
    assert "2处有误" in result.stderr


def test_a_wrong_site_file_is_found_too(run: Run, data_root: Path) -> None:
    (data_root / "content" / "site.toml").write_text("name = 1\n", encoding="utf-8")
    result = run("check")
    assert result.exit_code == 1
    assert "site.toml:1: name：应为文字" in result.stdout


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("content", 1),
        ("content/articles", 1),
        ("content/articles/ageing.md", 1),
        ("forms", 0),
        ("content/pages", 0),
        ("content/articles/first-call.md", 0),
    ],
)
def test_only_what_lies_below_a_path_is_reported(run: Run, data_root: Path, path: str, code: int) -> None:
    write_article(data_root / "content", "ageing", category="nowhere")
    assert run("check", path).exit_code == code


def test_a_path_that_is_none_is_wrong_use(run: Run) -> None:
    assert run("check", "nowhere").exit_code == 2


def test_checking_writes_nothing(run: Run, data_root: Path) -> None:
    before = sorted(data_root.rglob("*"))
    run("check")
    assert sorted(data_root.rglob("*")) == before


# --- leads ---


def test_before_the_first_start_there_is_nothing_to_list(run: Run, data_root: Path) -> None:
    result = run("leads")
    assert (result.exit_code, result.stderr) == (1, "还没有数据库：先启动一次网站\n")
    assert not (data_root / "var").exists()


@BOTH_DATABASES
def test_without_an_enquiry_the_list_says_so(run: Run, app: Flask) -> None:
    assert run("leads").stdout == "还没有咨询\n"


@BOTH_DATABASES
def test_leads_are_listed_masked_with_the_newest_first(
    run: Run, client: FlaskClient, consultation: Callable[..., dict[str, str]]
) -> None:
    first = consultation(marketing="yes", touch='{"page": "/articles/ageing"}')
    second = consultation(name="", phone="021-87654321", submission_id="f" * 32, call_time="", need="other")
    references = [
        client.post("/consultation", data=fields, headers=OWN_PAGE).headers["Location"].rpartition("/")[2]
        for fields in (first, second)
    ]
    result = run("leads")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "未留姓名  021-****4321" in lines[0]
    assert f"{references[1]}" in lines[1]
    assert "其他" in lines[1]
    assert "新线索  张**  138****8000" in lines[2]
    for told in (
        references[0],
        "逾期账款跟进",
        "说明19字",
        "上午 9:00–12:00",
        "来自 ageing",
        "愿收短信",
        "通知待发",
    ):
        assert told in lines[3]
    assert lines[4] == "通知：通知待发 2"
    for secret in ("张三", "13800138000", "87654321", "0013", "八十万"):
        assert secret not in result.output


@BOTH_DATABASES
def test_a_notice_that_stands_only_in_the_log_is_said_to(
    run: Run, client: FlaskClient, app: Flask, settings: Settings, consultation: Callable[..., dict[str, str]]
) -> None:
    client.post("/consultation", data=consultation(), headers=OWN_PAGE)
    send_due(app.extensions["xinheng.databases"].leads, {})
    assert "没有启用的渠道，只在日志里" in run("leads").stdout


def test_no_more_are_listed_than_asked_for(
    run: Run, client: FlaskClient, consultation: Callable[..., dict[str, str]]
) -> None:
    for number in range(3):
        fields = consultation(phone=f"1380013800{number}", submission_id=f"{number:032x}")
        client.post("/consultation", data=fields, headers=OWN_PAGE)
    assert run("leads", "--most", "2").stdout.count("新线索") == 2
    assert run("leads", "--most", "0").exit_code == 2


# --- wrong use ---


@pytest.mark.parametrize("command", ["check", "leads", "serve"])
def test_in_another_folder_a_command_says_where_to_go(
    run: Run, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    result = run(command)
    assert result.exit_code == 2
    assert "没有 wsgi.py：请在网站的文件夹里运行" in result.stderr


@pytest.mark.parametrize("command", ["check", "leads", "serve"])
def test_a_wrong_setting_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("XINHENG_PORT", "eighty")
    result = run(command)
    assert result.exit_code == 2
    assert "XINHENG_PORT='eighty'" in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_command_is_wrong_use(run: Run) -> None:
    assert run("export-everything").exit_code == 2


def test_help_names_the_commands(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert all(command in result.stdout for command in ("serve", "check", "leads"))


def test_a_start_with_bad_content_stops_with_the_place_and_without_a_trace(
    run: Run, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    write_article(data_root / "content", "ageing", category="nowhere")
    result = run("serve")
    assert result.exit_code == 1
    assert result.stderr.startswith("没有启动：")
    assert "ageing.md:3: category：没有栏目 nowhere" in result.stderr
    assert "Traceback" not in result.output
