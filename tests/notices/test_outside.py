"""Nothing is posted to anywhere inside, by whatever way it is asked for."""

from __future__ import annotations

import socket
import threading

import pytest
from tests.notices.bots import GOOD, PUBLIC, Bots

from xinheng.notices import outside
from xinheng.notices.channel import NotSent
from xinheng.notices.outside import MOST_BYTES, Outside, is_public

ADDRESS = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k"

INSIDE = [
    "0.0.0.0",  # noqa: S104 (refused)
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # a cloud's metadata
    "127.0.0.1",
    "127.1.2.3",
    "168.63.129.16",  # a cloud's own at a public address
    "169.254.0.23",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:1.2.3.4",
    "64:ff9b::7f00:1",
    "64:ff9b::102:304",
    "64:ff9b:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "ff02::1",
    "2130706433",
    "0177.0.0.1",
    "0x7f.1",
    "localhost",
    "",
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.2.3.4", "59.37.96.63", "2408:8756::1"])
def test_an_address_of_the_open_network_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_not_connected_to(bots: Bots, address: str) -> None:
    for addresses in ((address,), (PUBLIC, address), (address, PUBLIC)):
        with pytest.raises(NotSent, match="不是公网地址"):
            bots.outside(addresses=addresses).post(ADDRESS, {})
    assert bots.connected == []


def test_a_name_without_an_address_is_not_connected_to(bots: Bots) -> None:
    with pytest.raises(NotSent):
        bots.outside(addresses=()).post(ADDRESS, {})


def test_a_name_that_leads_elsewhere_a_moment_later_is_asked_once(bots: Bots) -> None:
    """DNS rebinding: the second answer would be this machine."""
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    way = bots.outside()
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return next(answers)

    rebinding = Outside(way.hosts, resolve, way.connect, way.context)
    assert rebinding.post(ADDRESS, {}) == GOOD
    assert (asked, bots.connected) == (["qyapi.weixin.qq.com"], [PUBLIC])


REFUSED = [
    "http://qyapi.weixin.qq.com/x",
    "ftp://qyapi.weixin.qq.com/x",
    "//qyapi.weixin.qq.com/x",
    "https://127.0.0.1/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[::1]/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0177.0.0.1/x",
    "https://127.1/x",
    "https://localhost/x",
    "https://evil.example/x",
    "https://evil.example/qyapi.weixin.qq.com",
    "https://qyapi.weixin.qq.com.evil.example/x",
    "https://evil.qyapi.weixin.qq.com/x",
    "https://qyapi.weixin.qq.com./x",
    "https://qyapi.weixin.qq.com:8443/x",
    "https://qyapi.weixin.qq.com:80/x",
    "https://qyapi.weixin.qq.com:x/x",
    "https://qyapi.weixin.qq.com@evil.example/x",
    "https://evil.example@qyapi.weixin.qq.com/x",
    "https://user:password@qyapi.weixin.qq.com/x",
    "https://@qyapi.weixin.qq.com/x",
    "https://evil.example\\@qyapi.weixin.qq.com/x",
    "https://qyapi.weixin.qq.com\\.evil.example/x",
    "https://qyapi.weixin.qq.com/x#@evil.example",
    "https://qyapi.weixin.qq.com /x",
    "https://qyapi.weixin.qq.com/x y",
    "https://qyapi.weixin.qq.com/x\r\nHost: evil.example",
    "https://qyapi.weixin.qq.com/x\tz",
    "https://ｑｙａｐｉ.weixin.qq.com/x",
    "https://qyapi。weixin。qq。com/x",
    "https://%71yapi.weixin.qq.com/x",
    "https:///x",
    "https://",
    "",
]


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_plainly_an_allowed_host_is_refused(bots: Bots, address: str) -> None:
    with pytest.raises(NotSent):
        bots.outside().post(address, {})
    assert (bots.connected, bots.posted) == ([], [])


def test_a_host_in_capitals_and_the_usual_port_are_the_same(bots: Bots) -> None:
    assert bots.outside().post("https://QYAPI.weixin.qq.com:443/x", {}) == GOOD


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "https://qyapi.weixin.qq.com/elsewhere",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(bots: Bots, location: str, status: int) -> None:
    bots.answer, bots.extra_headers = lambda posted: (status, GOOD), {"Location": location}
    with pytest.raises(NotSent, match=str(status)):
        bots.outside().post(ADDRESS, {})
    assert len(bots.posted) == len(bots.connected) == 1


def test_a_certificate_for_another_host_is_refused(bots: Bots) -> None:
    with pytest.raises(NotSent, match="SSLCertVerificationError"):
        bots.outside("bot.corp.example").post("https://bot.corp.example/x", {})
    assert bots.posted == []


def test_a_server_that_nobody_vouches_for_is_refused(bots: Bots) -> None:
    way = bots.outside()
    with pytest.raises(NotSent, match="SSLCertVerificationError"):
        Outside(way.hosts, way.resolve, way.connect).post(ADDRESS, {})
    assert bots.posted == []


def test_the_second_address_is_tried_where_the_first_is_dead(bots: Bots) -> None:
    way = bots.outside(addresses=("1.1.1.1", PUBLIC))

    def connect(address: str, timeout: float) -> socket.socket:
        if address == "1.1.1.1":
            raise ConnectionRefusedError
        return way.connect(address, timeout)

    assert Outside(way.hosts, way.resolve, connect, way.context).post(ADDRESS, {}) == GOOD


def test_a_dead_server_is_not_sent(bots: Bots) -> None:
    way = bots.outside()

    def connect(address: str, timeout: float) -> socket.socket:
        raise TimeoutError

    with pytest.raises(NotSent, match="连不上：对方一直没有回应（TimeoutError"):
        Outside(way.hosts, way.resolve, connect, way.context).post(ADDRESS, {})


def test_a_dead_resolver_is_not_sent(bots: Bots) -> None:
    way = bots.outside()

    def resolve(host: str) -> list[str]:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    with pytest.raises(NotSent, match="连不上：查不到这个域名（gaierror"):
        Outside(way.hosts, resolve, way.connect, way.context).post(ADDRESS, {})


def test_a_resolver_that_never_answers_is_left_in_the_end(
    bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "TIMEOUT", 0.2)
    way, let_go = bots.outside(), threading.Event()

    def resolve(host: str) -> list[str]:
        let_go.wait(30)
        return [PUBLIC]

    try:
        with pytest.raises(NotSent, match="连不上：对方一直没有回应（TimeoutError"):
            Outside(way.hosts, resolve, way.connect, way.context).post(ADDRESS, {})
    finally:
        let_go.set()
    assert bots.connected == []


@pytest.mark.parametrize("answer", [b"", b"ok", b"[]", b"1", b"null", b"\xff\xfe", b"[" * 20000, b"<html>"])
def test_an_answer_that_is_no_object_is_not_sent(bots: Bots, answer: bytes) -> None:
    bots.answer = lambda posted: (200, answer)
    with pytest.raises(NotSent, match="不是 JSON"):
        bots.outside().post(ADDRESS, {})


def test_an_answer_that_is_too_long_is_not_sent(bots: Bots) -> None:
    bots.answer = lambda posted: (200, GOOD | {"more": "x" * MOST_BYTES})
    with pytest.raises(NotSent, match="64 KiB"):
        bots.outside().post(ADDRESS, {})


def test_an_answer_that_breaks_off_is_not_sent(bots: Bots) -> None:
    bots.cut_short = True
    with pytest.raises(NotSent):
        bots.outside().post(ADDRESS, {})


def test_a_server_that_never_answers_is_left_in_the_end(bots: Bots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "TIMEOUT", 0.3)
    let_go = threading.Event()

    def wait(posted: object) -> tuple[int, object]:
        let_go.wait(30)
        return 200, GOOD

    bots.answer = wait
    try:
        with pytest.raises(NotSent, match="没有答完"):
            bots.outside().post(ADDRESS, {})
    finally:
        let_go.set()


def test_a_server_that_answers_byte_by_byte_is_left_in_the_end(
    tmp_path: object, bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes within the wait for one; all together would never end."""
    monkeypatch.setattr(outside, "TIMEOUT", 0.5)
    done = threading.Event()

    def drip() -> None:
        ours.settimeout(30)
        with ours:
            while not done.wait(0.05):
                try:
                    ours.send(b"x")
                except OSError:
                    return

    ours, theirs = socket.socketpair()
    way = bots.outside()
    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(NotSent):
            Outside(way.hosts, way.resolve, lambda address, timeout: theirs, _Plain()).post(ADDRESS, {})  # type: ignore[arg-type]
    finally:
        done.set()
        thread.join()


class _Plain:
    """In place of TLS: the bytes as they are."""

    def wrap_socket(self, line: socket.socket, server_hostname: str) -> socket.socket:
        return line
