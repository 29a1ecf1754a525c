"""`xinheng staff …`: what it prints, what it refuses, and how it ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from tests.conftest import ROOT
from tests.leads.colleagues import plain_lead, put_leads

from xinheng.audit.models import AuditRow
from xinheng.crypto import load_keys
from xinheng.db import Databases
from xinheng.desk.staff_commands import staff
from xinheng.staff import passwords
from xinheng.staff.models import User
from xinheng.staff.passwords import Cost


@pytest.fixture(autouse=True)
def site_here(tmp_path: Path, opened: Databases, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands are called in the site's folder; its database has been made by a start."""
    load_keys(tmp_path / "var" / "keys")
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("XINHENG_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setattr(passwords.Passwords.__init__, "__defaults__", (Cost(memory=8, passes=1),))


def call(*arguments: str) -> Result:
    return CliRunner().invoke(staff, list(arguments))


def test_adding_prints_a_password_once(opened: Databases) -> None:
    done = call("add", "Zhou@Xinheng.Example", "--name", "周敏", "--role", "sales", "--role", "sales_lead")
    assert done.exit_code == 0, done.output
    assert "邮箱：zhou@xinheng.example" in done.output
    found = re.search(r"一次性密码：([0-9A-Z-]{24})\n", done.output)
    assert found
    assert found.group(1) not in call("list").output
    with opened.leads.reading() as session:
        (row,) = session.query(AuditRow).all()
    assert (row.actor, row.action) == ("command", "staff_added")


def test_the_list_tells_roles_second_factor_and_last_use() -> None:
    assert "还没有账号" in call("list").output
    call("add", "zhou@xinheng.example", "--name", "周敏", "--role", "sales")
    call("add", "wu@xinheng.example", "--name", "吴越", "--role", "admin", "--role", "privacy")
    listed = call("list").output
    assert "周敏  zhou@xinheng.example  销售  两步验证：没有  最近使用：从未  一次性密码未换" in listed
    assert "管理员、隐私专员" in listed
    assert "共2个账号" in listed


@pytest.mark.parametrize(
    ("options", "says", "says_not"),
    [
        ([], "一次性密码：", "两步验证已取消"),
        (["--totp"], "两步验证已取消", "没有"),
        (["--totp", "--keep-password"], "两步验证已取消", "一次性密码："),
    ],
)
def test_a_reset_says_what_it_did(options: list[str], says: str, says_not: str) -> None:
    call("add", "zhou@xinheng.example", "--name", "周敏", "--role", "sales")
    done = call("reset", "zhou@xinheng.example", *options)
    assert done.exit_code == 0, done.output
    assert says in done.output
    assert says_not not in done.output
    assert "登录都已退出" in done.output


def test_roles_and_removal() -> None:
    call("add", "zhou@xinheng.example", "--name", "周敏", "--role", "sales")
    done = call("roles", "zhou@xinheng.example", "--role", "editor")
    assert (done.exit_code, "角色现在是：编辑" in done.output) == (0, True)
    assert call("remove", "zhou@xinheng.example").exit_code == 0
    assert "已停用" in call("list").output


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["remove", "wu@xinheng.example"], 1, "这是最后一个管理员"),
        (["roles", "wu@xinheng.example", "--role", "sales"], 1, "这是最后一个管理员"),
        (["reset", "nobody@xinheng.example"], 1, "没有这个账号"),
        (["remove", "nobody@xinheng.example"], 1, "没有这个账号"),
        (["add", "wu@xinheng.example", "--name", "吴", "--role", "sales"], 1, "已经有这个账号"),
        (["add", "nobody", "--name", "吴", "--role", "sales"], 1, "这不像邮箱地址"),
        (["add", "a@b.example", "--name", "吴", "--role", "owner"], 2, ""),
        (["add", "a@b.example", "--name", "吴"], 2, ""),
        (["add", "a@b.example", "--role", "sales"], 2, ""),
        (["reset", "wu@xinheng.example", "--keep-password"], 2, "--totp"),
        (["nothing"], 2, ""),
    ],
)
def test_what_cannot_be_done_is_said_in_chinese(arguments: list[str], code: int, sentence: str) -> None:
    call("add", "wu@xinheng.example", "--name", "吴越", "--role", "admin")
    done = call(*arguments)
    assert done.exit_code == code
    assert sentence in done.output


def test_outside_the_sites_folder_it_ends_with_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("list")
    assert (done.exit_code, "wsgi.py" in done.output) == (2, True)


@pytest.mark.databases("sqlite")
def test_before_the_first_start_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINHENG_DATA", str(tmp_path / "elsewhere"))
    done = call("list")
    assert (done.exit_code, "先启动一次网站" in done.output) == (1, True)


@pytest.mark.parametrize("change", [["remove"], ["roles", "--role", "editor"]])
def test_the_leads_of_who_takes_none_any_more_are_counted(opened: Databases, change: list[str]) -> None:
    call("add", "zhou@xinheng.example", "--name", "周敏", "--role", "sales")
    with opened.leads.reading() as session:
        owner = session.scalars(select(User.id)).one()
    put_leads(
        opened.leads,
        [
            plain_lead(owner_id=owner),
            plain_lead(owner_id=owner, queue="planned"),
            plain_lead(owner_id=owner, queue="closed", status="won", closed=True),
            plain_lead(),
        ],
    )
    done = call(change[0], "zhou@xinheng.example", *change[1:])
    assert "周敏名下还有2条没有结束的线索" in done.output
    assert "勾选后交给别人" in done.output
