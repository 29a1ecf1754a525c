"""`xinheng doctor`: each line says that something is well, or what to do; and nothing is changed by looking."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.databases import a_writer_elsewhere

from xinheng import disk, doctor
from xinheng.cli import main
from xinheng.crypto import load_keys
from xinheng.db import Databases
from xinheng.disk import Line
from xinheng.doctor import examine
from xinheng.housekeeping import LastRun
from xinheng.leads.spool import Spool
from xinheng.settings import MailServer, Settings

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
MAIL = MailServer("127.0.0.1", 25, encrypted=False, user="", password="")
ENTRY = """
[[processors]]
channel = "mail"
name = "某某公司"
contact = "privacy@x.example"
purpose = "送通知"
kinds = ["受理编号"]
contract = "2026-001"
start = 2026-01-01
"""

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LITTLE", Line(0.0, 0))
    monkeypatch.setattr(doctor, "WITHIN", 0.05)


@pytest.fixture
def well(settings: Settings, databases: Databases) -> Settings:
    """A site that lacks nothing."""
    (settings.content / "processors.toml").write_text(ENTRY, "utf-8")
    Spool(settings.spool, load_keys(settings.data / "keys")).prepare()
    return replace(settings, mail_server=MAIL, mail_from="a@x.example", mail_to=("b@x.example",))


def wrong(settings: Settings) -> dict[str, str]:
    return {each.subject: each.words for each in examine(settings, NOW) if not each.good}


def test_where_nothing_is_wrong_nothing_is_said_to_be(well: Settings) -> None:
    assert wrong(well) == {}


FAULTS: dict[str, tuple[Callable[[Settings], object], str]] = {
    "密钥": (lambda site: (site.data / "keys" / "field.1.key").unlink(), "field.1.key"),
    "备用文件夹": (lambda site: (site.spool / f"{'a' * 32}.aside").write_bytes(b""), "有1份打不开"),
    "通知": (lambda site: (site.content / "processors.toml").write_text("", "utf-8"), "没有启用邮件"),
    "工作日": (lambda site: (site.content / "working_days.toml").unlink(), "没有2026年的放假安排"),
}


@pytest.mark.parametrize("subject", FAULTS)
def test_each_fault_is_named_with_what_to_do(well: Settings, subject: str) -> None:
    act, words = FAULTS[subject]
    act(well)
    assert words in wrong(well)[subject]


def test_a_database_that_takes_nothing_is_named(well: Settings, databases: Databases) -> None:
    with a_writer_elsewhere(databases.leads, "alembic_version_leads"):
        assert set(wrong(well)) == {"数据库"}


def test_a_clock_that_is_not_trusted_is_named(well: Settings, databases: Databases) -> None:
    with databases.leads.writing() as session:
        session.merge(LastRun(id=1, ran_at=NOW - timedelta(days=9), refused_at=NOW))
    assert "--clock-is-right" in wrong(well)["时钟"]


def test_a_disk_that_fills_up_is_named(well: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LITTLE", Line(1.0, 1 << 62))
    assert set(wrong(well)) == {"硬盘"}


def test_telephones_in_clear_are_named_in_production(well: Settings) -> None:
    site = replace(well, environment="production", origin="http://www.example.com")
    assert set(wrong(site)) == {"网址"}


@pytest.mark.databases("sqlite")
def test_before_the_first_start_nothing_is_made(well: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(well.data)
    assert wrong(well) == {}
    assert not well.data.exists()


@pytest.mark.databases("sqlite")
def test_the_command_says_how_many_and_ends_with_one(
    well: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(well.root)
    for name in ("DATABASE_URL", "XINHENG_DATA", "XINHENG_SMTP"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 1
    assert "好  数据库：写得进去" in done.stdout
    assert "不好  通知：没有启用的通知渠道" in done.stdout
    assert "1处要处理" in done.stderr
