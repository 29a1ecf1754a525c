"""Bots' addresses and secrets as they are set, and what is said of those that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from xinheng.bots import VENDOR_HOSTS, Bot
from xinheng.settings import SettingError, Settings

KEY = "0f1e2d3c4b5a"
WECOM = f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}"
DINGTALK = f"https://oapi.dingtalk.com/robot/send?access_token={KEY}"
FEISHU = f"https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("content", "forms", "static", "translations"):
        (tmp_path / name).mkdir()
    return tmp_path


def read(root: Path, **environ: str) -> Settings:
    return Settings.from_env(environ, root)


def secret_file(root: Path, text: str, mode: int = 0o600) -> str:
    file = root / "secret"
    file.write_text(text, "utf-8")
    file.chmod(mode)
    return str(file)


def test_without_settings_there_is_no_bot(root: Path) -> None:
    assert (read(root).bots, read(root).bot_hosts) == ((), VENDOR_HOSTS)
    assert read(root, XINHENG_WECOM="", XINHENG_FEISHU_SECRET="", XINHENG_BOT_HOSTS=" , ").bots == ()


def test_each_bot_has_its_address_and_those_that_sign_their_secret(root: Path) -> None:
    found = read(
        root,
        XINHENG_WECOM=WECOM,
        XINHENG_DINGTALK=DINGTALK,
        XINHENG_DINGTALK_SECRET="SECa",
        XINHENG_FEISHU=FEISHU,
        XINHENG_FEISHU_SECRET="b",
    )
    assert found.bots == (
        Bot("wecom", WECOM),
        Bot("dingtalk", DINGTALK, "SECa"),
        Bot("feishu", FEISHU, "b"),
    )
    assert [bot.host for bot in found.bots] == [
        "qyapi.weixin.qq.com",
        "oapi.dingtalk.com",
        "open.feishu.cn",
    ]
    assert KEY not in repr(found)
    assert "SECa" not in repr(found)


def test_a_secret_may_lie_in_a_file(root: Path) -> None:
    found = read(root, XINHENG_WECOM_FILE=secret_file(root, WECOM + "\n"))
    assert found.bots == (Bot("wecom", WECOM),)
    mail = {"XINHENG_MAIL_FROM": "a@x.example", "XINHENG_MAIL_TO": "b@x.example"}
    found = read(root, XINHENG_SMTP_FILE=secret_file(root, "smtps://me:S3cret@mail.x.example"), **mail)
    assert found.mail_server is not None
    assert found.mail_server.password == "S3cret"


def test_a_private_deployments_host_is_named_by_the_administrator(root: Path) -> None:
    address = f"https://wecom.corp.example/cgi-bin/webhook/send?key={KEY}"
    with pytest.raises(SettingError, match=r"XINHENG_WECOM.*主机不在允许之列.*XINHENG_BOT_HOSTS"):
        read(root, XINHENG_WECOM=address)
    found = read(root, XINHENG_WECOM=address, XINHENG_BOT_HOSTS=" WeCom.corp.example , im.corp.example")
    assert found.bots == (Bot("wecom", address),)
    assert found.bot_hosts == VENDOR_HOSTS | {"wecom.corp.example", "im.corp.example"}


@pytest.mark.parametrize(
    "hosts",
    ["https://a.example", "a.example:8443", "10.0.0.1", "[::1]", "localhost", "a b.example", "*.a.example"],
)
def test_a_host_is_a_name_and_nothing_else(root: Path, hosts: str) -> None:
    with pytest.raises(SettingError, match=r"XINHENG_BOT_HOSTS.*不是主机名"):
        read(root, XINHENG_BOT_HOSTS=hosts)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"XINHENG_WECOM": WECOM.replace("https", "http")}, "XINHENG_WECOM：应以 https://"),
        ({"XINHENG_WECOM": KEY}, "XINHENG_WECOM：应以 https://"),
        ({"XINHENG_WECOM": FEISHU}, "XINHENG_WECOM：地址不完整，应像 https://qyapi"),
        ({"XINHENG_WECOM": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key="}, "地址不完整"),
        ({"XINHENG_WECOM": WECOM.replace("https://", f"https://{KEY}@")}, "不能带用户名"),
        ({"XINHENG_WECOM": f"https://127.0.0.1/?key={KEY}"}, "主机不在允许之列"),
        ({"XINHENG_DINGTALK": DINGTALK}, "XINHENG_DINGTALK 已设置，还需要 XINHENG_DINGTALK_SECRET"),
        ({"XINHENG_DINGTALK_SECRET": KEY}, "XINHENG_DINGTALK_SECRET 已设置，还需要 XINHENG_DINGTALK"),
        ({"XINHENG_DINGTALK": WECOM, "XINHENG_DINGTALK_SECRET": KEY}, "XINHENG_DINGTALK：地址不完整"),
        ({"XINHENG_FEISHU": FEISHU}, "XINHENG_FEISHU 已设置，还需要 XINHENG_FEISHU_SECRET"),
        ({"XINHENG_FEISHU": "https://open.feishu.cn/", "XINHENG_FEISHU_SECRET": KEY}, "地址不完整"),
        ({"XINHENG_FEISHU": f"https://open.larksuite.com/open-apis/bot/v2/hook/{KEY}"}, "主机不在允许"),
    ],
)
def test_a_bot_that_cannot_be_used_stops_the_start_and_its_secret_is_not_told(
    root: Path, environ: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingError) as fault:
        read(root, **environ)
    assert says in str(fault.value)
    assert KEY not in str(fault.value)


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        (WECOM, 0o644, "别的用户也能读.*chmod 600"),
        ("", 0o600, "只有一行"),
        (f"{WECOM}\n{WECOM}", 0o600, "只有一行"),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start(root: Path, text: str, mode: int, says: str) -> None:
    with pytest.raises(SettingError, match=f"XINHENG_WECOM_FILE.*{says}"):
        read(root, XINHENG_WECOM_FILE=secret_file(root, text, mode))


def test_a_file_that_is_not_there_stops_the_start(root: Path) -> None:
    with pytest.raises(SettingError, match=r"XINHENG_WECOM_FILE：读不了.*FileNotFoundError"):
        read(root, XINHENG_WECOM_FILE=str(root / "nowhere"))
    with pytest.raises(SettingError, match="只能设一个"):
        read(root, XINHENG_WECOM=WECOM, XINHENG_WECOM_FILE=secret_file(root, WECOM))
