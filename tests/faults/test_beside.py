"""What runs beside enquiries holds up none: other writers, a backup, notices that nobody takes. A minute."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

import pytest
from tests.browser.running import RunningSite, copy_of_site
from tests.conftest import CHROME
from tests.faults.visitors import stored, until, waiting
from tests.notices.bots import GOOD, PUBLIC, Posted, running_bots

pytestmark = pytest.mark.faults
WORKERS, THREADS = 4, 4
SECONDS = 15
ASKED = 40  # enquiries of which the median is taken
SLOW = 3.0  # seconds a bot takes to answer
LIKE = 10  # times as long as without channels an enquiry may take; a bot takes two hundred times as long

BOTS_OF_THE_TEST = """
import functools, socket, ssl
from xinheng.notices import channels, outside
def _connect(address, timeout):
    return socket.create_connection(("127.0.0.1", {port}), timeout)
channels.Outside = functools.partial(
    outside.Outside, resolve=lambda host: [{public!r}], connect=_connect,
    context=ssl.create_default_context(cafile={certificate!r}),
)
"""
ENTRY = """
[[processors]]
channel = "{channel}"
name = "某某公司"
contact = "privacy@x.example"
purpose = "送通知"
kinds = ["受理编号"]
contract = "2026-001"
start = 2026-01-01
"""


def asks(site: RunningSite) -> tuple[str, float]:
    """One visitor: the reference, and how long the answer took in seconds."""
    version = site.consent_version()
    began = time.monotonic()
    told = site.post_form(submission_id=secrets.token_hex(16), consent_version=version).reference
    return told, time.monotonic() - began


def test_sixteen_visitors_at_once_meet_no_lock_while_all_else_runs_beside_them(tmp_path: Path) -> None:
    site = RunningSite(copy_of_site(tmp_path), workers=WORKERS, XINHENG_PROXIES="1")
    told: list[tuple[str, float]] = []
    done = dict.fromkeys(("housekeeping", "backup", "reads"), 0)
    stopped = threading.Event()

    def again(name: str, act: Callable[[int], object]) -> None:
        while not stopped.is_set():
            act(done[name])
            done[name] += 1

    def visit() -> None:
        while not stopped.is_set():
            told.append(asks(site))

    def read(number: int) -> None:
        headers = {"Sec-Fetch-Site": "same-origin", "User-Agent": CHROME}
        address = {"X-Forwarded-For": f"10.{number >> 8 & 255}.{number & 255}.7"}
        assert site.request("POST", "/articles/ageing-report/reads", {}, headers | address).status == 200

    site.start()
    try:
        with ExitStack() as ends, ThreadPoolExecutor(WORKERS * THREADS + 3) as pool:
            ends.callback(stopped.set)
            runs = [pool.submit(visit) for _ in range(WORKERS * THREADS)]
            runs += [
                pool.submit(again, "housekeeping", lambda _: site.command("housekeeping")),
                pool.submit(
                    again, "backup", lambda each: site.command("backup", str(tmp_path / f"{each}.tar"))
                ),
                pool.submit(again, "reads", read),
            ]
            stopped.wait(SECONDS)
            stopped.set()
            for each in runs:
                each.result()
        until(lambda: not waiting(site), site)
        site.stop()
    finally:
        site.kill()
    assert stored(site) == sorted(reference for reference, _ in told)
    assert "database is locked" not in site.log
    assert all(done.values()), done
    waits = [seconds for _, seconds in told]
    print(
        f"{len(told) / SECONDS:.0f} enquiries/s beside {done}: median {median(waits) * 1000:.0f} ms, "
        f"p99 {quantiles(waits, n=100)[98] * 1000:.0f} ms, longest {max(waits) * 1000:.0f} ms; "
        f"{site.log.count('先存进了备用文件夹')} by the spool"
    )


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[RunningSite]:
    """A site without channels."""
    (tmp_path / "quiet").mkdir()
    yield from started(RunningSite(copy_of_site(tmp_path / "quiet")))


@pytest.fixture
def telling(tmp_path: Path) -> Iterator[RunningSite]:
    """A site whose mail server never says a word; of its bots one is slow, and one says no with HTTP 200."""
    root = tmp_path / "telling"
    root.mkdir()
    copy_of_site(root)
    channels = ("mail", "wecom", "feishu")
    entries = "".join(ENTRY.format(channel=each) for each in channels)
    (root / "content" / "processors.toml").write_text(entries, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as silent, running_bots(tmp_path) as bots:
        bots.answer = slow_or_no
        way = BOTS_OF_THE_TEST.format(port=bots.port, public=PUBLIC, certificate=str(tmp_path / "bots.pem"))
        wsgi = root / "wsgi.py"
        before, create, after = wsgi.read_text("utf-8").partition("app = ")
        wsgi.write_text(before + way + create + after, "utf-8")
        yield from started(
            RunningSite(
                root,
                XINHENG_SMTP=f"smtp://127.0.0.1:{silent.getsockname()[1]}",
                XINHENG_MAIL_FROM="site@xinheng.example",
                XINHENG_MAIL_TO="sales@xinheng.example",
                XINHENG_WECOM="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=5ecret5ecret",
                XINHENG_FEISHU="https://open.feishu.cn/open-apis/bot/v2/hook/5ecret5ecret",
                XINHENG_FEISHU_SECRET="5ecret5ecret",
            )
        )


def slow_or_no(posted: Posted) -> tuple[int, object]:
    if posted.host.startswith("qyapi"):
        time.sleep(SLOW)
        return 200, GOOD
    return 200, {"code": 19001, "msg": "no"}


def started(site: RunningSite) -> Iterator[RunningSite]:
    try:
        site.start()
        yield site
    finally:
        site.kill()


def test_an_enquiry_takes_as_long_where_the_channels_are_dead_slow_or_refuse(
    quiet: RunningSite, telling: RunningSite
) -> None:
    """Asked in turns, so that both meet the same machine."""
    answers: dict[str, list[tuple[str, float]]] = {"quiet": [], "telling": []}
    for _ in range(ASKED):
        for site in (quiet, telling):
            answers[site.root.name].append(asks(site))
    took = {name: median(seconds for _, seconds in found) for name, found in answers.items()}
    print({name: f"{seconds * 1000:.1f} ms" for name, seconds in took.items()})
    assert took["telling"] < LIKE * took["quiet"]
    assert stored(telling) == sorted(reference for reference, _ in answers["telling"])

    def channels(state: str) -> set[str]:
        query = "SELECT DISTINCT channel FROM outbox WHERE state = ? AND attempts > 0"
        return {row[0] for row in telling.rows(query, state)}

    until(lambda: channels("sent") == {"wecom"} and channels("waiting") >= {"mail", "feishu"}, telling)
    telling.stop()  # which waits for what is under way, and no longer
    assert "5ecret5ecret" not in telling.log
