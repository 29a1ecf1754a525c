"""Each vendor's bot gets what it wants, and an answer that says no is a failure, whatever its status."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.notices.bots import GOOD, Bots

from xinheng.bots import Bot
from xinheng.notices.bot import GroupBot
from xinheng.notices.channel import Message, NotSent
from xinheng.notices.dingtalk import dingtalk
from xinheng.notices.feishu import feishu
from xinheng.notices.wecom import wecom

TOKEN = "0f1e2d3c-aaaa-bbbb-cccc-5b4a39281706"
SECRET = "SECd7a1f0b2c3"
TEXT = (
    "新咨询：逾期账款跟进\n受理编号：XH-00000-00000\n查看：https://www.xinheng.example/desk/leads/" + "0" * 32
)
MESSAGE = Message("f" * 32, "XH-00000-00000", TEXT)

ADDRESSES = {
    "wecom": f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={TOKEN}",
    "dingtalk": f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN}",
    "feishu": f"https://open.feishu.cn/open-apis/bot/v2/hook/{TOKEN}",
}
MAKERS = {"wecom": wecom, "dingtalk": dingtalk, "feishu": feishu}
every_bot = pytest.mark.parametrize("name", MAKERS)


def channel(name: str, bots: Bots) -> GroupBot:
    return MAKERS[name](Bot(name, ADDRESSES[name], SECRET), bots.outside())


def signed(key: str, text: str) -> str:
    """As the vendors' documents put it, in other words than the code's."""
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def test_wecom_gets_a_text_at_the_address_with_its_key(bots: Bots) -> None:
    assert channel("wecom", bots).send(MESSAGE) == "ok"
    (posted,) = bots.posted
    assert (posted.host, posted.path) == ("qyapi.weixin.qq.com", f"/cgi-bin/webhook/send?key={TOKEN}")
    assert posted.body == {"msgtype": "text", "text": {"content": TEXT}}
    assert posted.headers["content-type"] == "application/json; charset=utf-8"


def test_dingtalk_gets_moment_and_signature_in_the_address(bots: Bots) -> None:
    channel("dingtalk", bots).send(MESSAGE)
    (posted,) = bots.posted
    query = parse_qs(urlsplit(posted.path).query, strict_parsing=True)
    (moment,) = query["timestamp"]
    assert query["access_token"] == [TOKEN]
    assert query["sign"] == [signed(SECRET, f"{moment}\n{SECRET}")]
    assert len(moment) == len(str(time.time_ns() // 1_000_000)), "milliseconds"
    assert posted.body == {"msgtype": "text", "text": {"content": TEXT}}


def test_feishu_gets_moment_and_signature_in_the_body(bots: Bots) -> None:
    channel("feishu", bots).send(MESSAGE)
    (posted,) = bots.posted
    moment = posted.body["timestamp"]
    assert posted.path == f"/open-apis/bot/v2/hook/{TOKEN}"
    assert len(moment) == len(str(int(time.time()))), "seconds"
    assert posted.body == {
        "timestamp": moment,
        "sign": signed(f"{moment}\n{SECRET}", ""),
        "msg_type": "text",
        "content": {"text": TEXT},
    }


@every_bot
def test_what_leaves_is_the_notice_and_the_signature_and_nothing_else(bots: Bots, name: str) -> None:
    channel(name, bots).send(MESSAGE)
    (posted,) = bots.posted
    assert SECRET.encode() not in posted.raw
    assert SECRET not in posted.path
    assert set(posted.headers) <= {
        "host",
        "content-type",
        "content-length",
        "accept-encoding",
        "connection",
    }


NO: list[tuple[str, dict[str, Any]]] = [
    ("wecom", {"errcode": 45009, "errmsg": "api freq out of limit"}),
    ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url"}),
    ("wecom", {}),
    ("wecom", {"errcode": "0"}),
    ("wecom", {"errcode": None}),
    ("wecom", {"errcode": False}),
    ("dingtalk", {"errcode": 310000, "errmsg": "sign not match"}),
    ("dingtalk", {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}),
    ("dingtalk", {"errcode": 410100, "errmsg": "发送速度太快而限流"}),
    ("dingtalk", {"success": True}),
    ("feishu", {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"}),
    ("feishu", {"code": 11232, "msg": "frequency limited psm"}),
    ("feishu", {"code": 9499, "msg": "Bad Request", "data": {}}),
    ("feishu", {"StatusCode": 19001, "StatusMessage": "incoming webhook access token invalid"}),
    ("feishu", {"code": 0, "StatusCode": 19024, "StatusMessage": "Key Words Not Found"}),
    ("feishu", {"data": {}}),
]


@pytest.mark.parametrize(("name", "answer"), NO)
def test_a_bot_that_answers_200_and_an_error_code_did_not_send(
    bots: Bots, name: str, answer: dict[str, Any]
) -> None:
    bots.answer = lambda posted: (200, answer)
    with pytest.raises(NotSent) as fault:
        channel(name, bots).send(MESSAGE)
    told = str(fault.value)
    for part in ("errmsg", "msg", "StatusMessage"):
        assert str(answer.get(part, "")) in told
    assert TOKEN not in told


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("wecom", {"errcode": 0, "errmsg": "ok"}),
        ("dingtalk", {"errcode": 0, "errmsg": "ok"}),
        ("feishu", {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}),
        ("feishu", {"code": 0, "msg": "success", "data": {}}),
        ("feishu", {"StatusCode": 0, "StatusMessage": "success", "Extra": None}),
    ],
)
def test_a_bot_that_answers_nought_has_sent(bots: Bots, name: str, answer: dict[str, Any]) -> None:
    bots.answer = lambda posted: (200, answer)
    assert channel(name, bots).send(MESSAGE) in {"ok", "success"}


@every_bot
@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 401, 404, 429, 500, 502, 503])
def test_any_other_status_is_a_failure_though_the_body_says_yes(bots: Bots, name: str, status: int) -> None:
    bots.answer = lambda posted: (status, b"" if status == 204 else GOOD)
    with pytest.raises(NotSent, match=str(status)):
        channel(name, bots).send(MESSAGE)


@every_bot
def test_a_token_that_a_bot_repeats_is_not_told_on(bots: Bots, name: str) -> None:
    words = f"token {TOKEN} with\n{SECRET} is not exist"
    bots.answer = lambda posted: (200, {"errcode": 1, "errmsg": words, "code": 1, "msg": words})
    with pytest.raises(NotSent) as fault:
        channel(name, bots).send(MESSAGE)
    assert TOKEN not in str(fault.value)
    assert SECRET not in str(fault.value)
    assert "\n" not in str(fault.value)


@every_bot
def test_what_is_shown_of_a_bot_is_its_host(bots: Bots, name: str) -> None:
    made = channel(name, bots)
    assert made.target in ADDRESSES[name]
    for secret in (TOKEN, SECRET):
        assert secret not in made.target + repr(made) + repr(made.bot)
