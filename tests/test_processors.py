"""The register of processors: what a wrong entry says, which entries count today, which may go."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import ROOT

from xinheng.app import create_app
from xinheng.documents import BadDocument
from xinheng.notices.channels import CHANNELS, Switchboard, made_channels, start_words
from xinheng.processors import Processor, Register, load_processors
from xinheng.settings import Settings

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ENTRY = """
[[processors]]
channel = "mail"
name = "某某邮件服务有限公司"
contact = "privacy@mail.example"
purpose = "把“有新咨询”的通知送到工作人员的邮箱"
kinds = ["受理编号", "需求类别"]
contract = "2026-001"
start = 2026-11-22
"""


def write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "processors.toml").write_text(text, "utf-8")
    return folder


def entry(**changed: Any) -> Processor:
    keys: dict[str, Any] = {
        "name": "甲",
        "contact": "a@x.example",
        "purpose": "送通知",
        "kinds": ("受理编号",),
        "contract": "1",
        "start": date(2026, 1, 1),
    }
    return Processor(**keys | changed)


def test_an_entry_is_read(tmp_path: Path) -> None:
    (found,) = load_processors(write(tmp_path, ENTRY)).processors
    assert (found.channel, found.name, found.kinds) == (
        "mail",
        "某某邮件服务有限公司",
        ("受理编号", "需求类别"),
    )
    assert (found.start, found.end, found.role) == (date(2026, 11, 22), None, "processor")


def test_a_folder_without_the_file_has_no_entries(tmp_path: Path) -> None:
    assert load_processors(tmp_path) == Register()


def test_the_file_that_ships_is_right_and_so_are_its_examples(tmp_path: Path) -> None:
    assert load_processors(ROOT / "content") == Register()
    text = (ROOT / "content" / "processors.toml").read_text("utf-8")
    examples = re.sub(r"(?m)^# (?=\[\[|[a-z]+ = )", "", text)
    assert [each.channel for each in load_processors(write(tmp_path, examples)).processors] == list(CHANNELS)


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('channel = "mail"', 'channel = "sms"', "processors.0.channel", "mail"),
        ('name = "某某邮件服务有限公司"\n', "", "processors.0.name", "缺少这一项"),
        ('contact = "privacy@mail.example"', 'contact = " "', "processors.0.contact", "不能为空"),
        ('kinds = ["受理编号", "需求类别"]', "kinds = []", "processors.0.kinds", "至少要有 1 项"),
        ('kinds = ["受理编号", "需求类别"]', 'kinds = [""]', "processors.0.kinds", "不能为空"),
        ("start = 2026-11-22", 'start = "明天"', "processors.0.start", "2026-03-02"),
        ("start = 2026-11-22", "start = 2026-11-22\nend = 2026-11-21", "processors.0", "不能早于 start"),
        ("start = 2026-11-22", 'start = 2026-11-22\nrole = "owner"', "processors.0.role", "processor"),
        ("start = 2026-11-22", "start = 2026-11-22\nprice = 1", "processors.0.price", "没有这个键"),
        ("[[processors]]", "[[processor]]", "processor", "没有这个键"),
        ('channel = "mail"', "channel = mail", "", "TOML 写法有误"),
    ],
)
def test_a_wrong_entry_stops_the_start_with_file_key_and_what_was_expected(
    settings: Settings, old: str, new: str, key: str, says: str
) -> None:
    write(settings.content, ENTRY.replace(old, new))
    with pytest.raises(BadDocument) as bad:
        create_app(settings)
    (fault,) = bad.value.faults
    assert (fault.file.name, fault.key) == ("processors.toml", key)
    assert says in fault.message


def test_in_production_the_last_good_register_stays_in_use(
    settings: Settings, tmp_path: Path, saved_files_are_seen: None
) -> None:
    site = settings.content / "site.toml"
    site.write_text(site.read_text("utf-8").replace("sample = true", "sample = false"), "utf-8")
    production = replace(settings, environment="production", origin="https://www.xinheng.example")
    write(settings.content, ENTRY)
    stop(create_app(production))
    write(settings.content, ENTRY.replace("start", "begin"))
    app = create_app(production)
    assert [each.channel for each in app.extensions["xinheng.processors"]().processors] == ["mail"]
    stop(app)


def stop(app: Flask) -> None:
    app.extensions["xinheng.reads"].stop()
    app.extensions["xinheng.databases"].dispose()


@pytest.mark.parametrize(
    ("start", "end", "current"),
    [
        (date(2026, 11, 23), None, True),
        (date(2026, 11, 24), None, False),
        (date(2026, 1, 1), date(2026, 11, 22), False),
        (date(2026, 1, 1), date(2026, 11, 23), True),
    ],
)
def test_an_entry_counts_from_its_first_to_its_last_day(start: date, end: date | None, current: bool) -> None:
    register = Register(processors=(entry(channel="wecom", start=start, end=end),))
    assert bool(register.current(NOON)) is bool(register.for_channel("wecom", NOON)) is current
    assert register.for_channel("mail", NOON) is None


def test_a_day_is_the_sites_not_londons() -> None:
    midnight = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert Register(processors=(entry(start=date(2026, 11, 23)),)).current(midnight)


@pytest.mark.parametrize(
    ("end", "may_go"),
    [(None, False), (date(2026, 1, 1), False), (date(2023, 11, 23), False), (date(2023, 11, 22), True)],
)
def test_an_entry_may_go_three_years_after_its_end(end: date | None, may_go: bool) -> None:
    register = Register(processors=(entry(start=date(2020, 1, 1), end=end),))
    assert bool(register.outdated(NOON)) is may_go


def test_every_key_is_in_the_readme() -> None:
    text = (ROOT / "content" / "README.md").read_text("utf-8").partition("`processors.toml`\n")[2]
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", text)) == set(Processor.model_fields)


# --- and channels ---


def test_a_channel_without_an_entry_is_not_switched_on(settings: Settings) -> None:
    environ = {
        "XINHENG_SMTP": "smtp://127.0.0.1",
        "XINHENG_MAIL_FROM": "a@x.example",
        "XINHENG_MAIL_TO": "b@x.example",
        "XINHENG_WECOM": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abcdef",
    }
    channels = made_channels(Settings.from_env(environ, settings.root))
    register = Register(processors=(entry(channel="mail"), entry(channel="feishu")))
    board = Switchboard(channels, lambda: register)
    assert list(board.on(NOON)) == ["mail"]
    standing = {line.name: line.standing for line in board.lines(NOON)}
    assert standing == {"mail": "on", "wecom": "unregistered", "dingtalk": "unset", "feishu": "unset"}
    (words,) = start_words(board, NOON)
    assert "XINHENG_WECOM 已设置" in words
    assert 'channel = "wecom"' in words


def test_where_no_channel_is_on_the_start_says_so() -> None:
    assert "没有启用的通知渠道" in start_words(Switchboard({}, Register), NOON)[0]


# --- and the privacy rules ---


def test_the_privacy_rules_list_the_current_processors(
    settings: Settings, client: FlaskClient, saved_files_are_seen: None
) -> None:
    assert "没有委托别的公司" in client.get("/privacy").text
    past = ENTRY.replace("某某邮件服务有限公司", "从前的公司").replace(
        "start = 2026-11-22", "start = 2024-01-01\nend = 2025-01-01"
    )
    odd = ENTRY.replace("某某邮件服务有限公司", "<b>丙&丁</b>").replace("2026-11-22", "2026-01-01")
    write(settings.content, ENTRY.replace("2026-11-22", "2026-01-01") + past + odd)
    page = client.get("/privacy").text
    for words in ("某某邮件服务有限公司", "privacy@mail.example", "受理编号、需求类别", "&lt;b&gt;丙&amp;丁"):
        assert words in page
    assert "从前的公司" not in page
    assert "{processors}" not in page
