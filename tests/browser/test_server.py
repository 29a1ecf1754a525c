"""The server as it runs in the world: several workers, many visitors at once, told to stop, edited while it runs."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import pytest
from tests.browser.running import FORM, RunningSite, copy_of_site

pytestmark = pytest.mark.browser

WORKERS = 4
KILLED_AFTER = 25  # seconds; the server kills a worker that will not end
PERSON = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 MicroMessenger/8.0.50"
)
ROBOTS = [
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
    "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/130.0.0.0 Safari/537.36",
    "curl/8.5.0",
    "",
]
Result = TypeVar("Result")
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """The site with four workers behind one proxy."""
    running = RunningSite(copy_of_site(tmp_path_factory.mktemp("busy")), workers=WORKERS, XINHENG_PROXIES="1")
    running.start()
    try:
        yield running
        running.stop()
    finally:
        running.kill()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[RunningSite]:
    """A site of its own, which a test may stop."""
    running = RunningSite(copy_of_site(tmp_path), workers=WORKERS)
    running.start()
    try:
        yield running
    finally:
        running.kill()


def eventually(reached: Callable[[], bool], within: float = 20.0) -> bool:
    """Whether something comes true before a time after which nobody would wait any longer."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if reached():
            return True
        time.sleep(0.05)
    return False


def at_once(number: int, act: Callable[[int], Result]) -> list[Result]:
    """Do something in as many threads, all let go at the same moment."""
    gate = threading.Barrier(number)

    def run(index: int) -> Result:
        gate.wait()
        return act(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


@pytest.mark.parametrize("submission_id", ["5f" * 16, ""], ids=["with the browser's id", "without script"])
def test_fifty_identical_posts_at_once_are_one_enquiry(busy: RunningSite, submission_id: str) -> None:
    before = busy.enquiries()
    fields = FORM | {
        "details": f"五十次同时提交{submission_id}",
        "consent_version": busy.consent_version(),
        "submission_id": submission_id,
    }
    answers = at_once(50, lambda _: busy.request("POST", "/consultation", fields, OWN))
    assert Counter(answer.status for answer in answers) == {303: 50}
    assert len({answer.reference for answer in answers}) == 1
    assert eventually(lambda: busy.enquiries() == before + 1)  # by way of the spool, on a slow machine
    assert busy.get(f"/consultation/{answers[0].reference}").status == 200


def test_fifty_people_at_once_are_fifty_enquiries(busy: RunningSite) -> None:
    before = busy.enquiries()
    version = busy.consent_version()

    def ask(number: int) -> str:
        fields = FORM | {"phone": f"138001390{number:02}", "consent_version": version}
        return busy.request("POST", "/consultation", fields, OWN).reference

    references = at_once(50, ask)
    assert len(set(references)) == 50
    assert eventually(lambda: busy.enquiries() == before + 50)
    query = "SELECT count(*) FROM leads WHERE enquiry_count > 1"
    assert int(busy.rows("SELECT count(*) FROM leads")[0][0]) >= 50
    assert int(busy.rows(query)[0][0]) <= 1  # the person of the other tests


def test_fifty_readers_some_twice_some_robots_are_counted_exactly(busy: RunningSite) -> None:
    path = "/articles/customer-review-abc/reads"
    before = busy.reads("customer-review-abc")

    def read(address: str, agent: str) -> int:
        headers = OWN | {"X-Forwarded-For": address, "User-Agent": agent}
        return busy.request("POST", path, {"referrer": "//www.baidu.com"}, headers).status

    visits = [(f"10.0.{network}.7", PERSON) for network in range(50)]
    visits += [(f"10.0.{network}.9", PERSON) for network in range(0, 50, 3)]  # again, from the same network
    visits += [(f"10.1.{number}.7", agent) for number, agent in enumerate(ROBOTS)]
    statuses = at_once(len(visits), lambda number: read(*visits[number]))
    assert Counter(statuses) == {200: len(visits)}
    assert eventually(lambda: busy.reads("customer-review-abc") == before + 50)

    assert read(*visits[0]) == 200
    time.sleep(2.5)  # two flushes later, nothing more has come
    assert busy.reads("customer-review-abc") == before + 50
    rows = busy.rows(
        "SELECT source, reads FROM read_counts WHERE article = ?", "customer-review-abc", database="counters"
    )
    assert [tuple(row) for row in rows] == [("search", 50)]


def test_every_worker_shows_the_count_that_is_stored(busy: RunningSite) -> None:
    slug = "ageing-report"
    headers = OWN | {"User-Agent": PERSON, "X-Forwarded-For": "10.9.9.9"}
    assert busy.request("POST", f"/articles/{slug}/reads", {}, headers).status == 200

    def shown(_: int) -> object:
        return json.loads(busy.get(f"/articles/read-counts?slugs={slug}").body)

    assert eventually(lambda: at_once(16, shown) == [{slug: 1}] * 16)


def test_a_read_held_in_memory_is_stored_when_the_server_ends(started: RunningSite) -> None:
    for number in range(20):
        headers = OWN | {"User-Agent": f"{PERSON} NetType/{number}"}
        assert started.request("POST", "/articles/shipping-hold/reads", {}, headers).status == 200
    started.stop()
    assert started.reads("shipping-hold") == 20


def test_a_request_under_way_is_finished_when_told_to_stop(started: RunningSite) -> None:
    """A phone on a slow network: half of the form has come when the server is told to end."""
    body = urlencode(FORM | {"consent_version": started.consent_version()}).encode()
    head = (
        f"POST /consultation HTTP/1.1\r\nHost: 127.0.0.1:{started.port}\r\nSec-Fetch-Site: same-origin\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", started.port), timeout=30) as connection:
        connection.sendall(head + body[:100])
        time.sleep(0.5)
        started.terminate()
        time.sleep(1)
        connection.sendall(body[100:])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 303"), answer[:300]
    assert started.ended() == 0
    assert started.enquiries() == 1
    started.check_log()


def test_whoever_saw_a_reference_while_the_server_ended_is_stored(started: RunningSite) -> None:
    version = started.consent_version()
    seen: list[str] = []
    stopped = threading.Event()

    def ask(visitor: int) -> None:
        for number in range(10_000):
            fields = FORM | {"phone": f"139{visitor:02}{number:06}", "consent_version": version}
            try:
                answer = started.request("POST", "/consultation", fields, OWN)
            except (OSError, HTTPException):
                if stopped.is_set():
                    return
                continue
            if answer.status == 303:
                seen.append(answer.reference)

    with ThreadPoolExecutor(8) as pool:
        visitors = [pool.submit(ask, visitor) for visitor in range(8)]
        assert eventually(lambda: len(seen) > 40)
        started.terminate()
        code = started.ended()
        stopped.set()
        for visitor in visitors:
            visitor.result()
    assert code == 0
    started.check_log()
    stored = {row[0].replace("-", "") for row in started.rows("SELECT reference FROM enquiries")}
    assert {reference.replace("-", "") for reference in seen} <= stored
    assert len(set(seen)) == len(seen)


def test_ctrl_c_ends_it_like_a_service_manager_does(started: RunningSite) -> None:
    for _ in range(3):  # whether a worker hears of it before its parent is a matter of luck
        time.sleep(1)  # all workers have started
        started.interrupt()
        assert started.ended(KILLED_AFTER - 5) == 0, "somebody had to be killed"
        started.check_log()
        started.start()
    started.stop()


def test_it_can_be_told_to_stop_while_its_workers_start(tmp_path: Path) -> None:
    running = RunningSite(copy_of_site(tmp_path), workers=6)
    try:
        for _ in range(3):
            running.start()  # one worker answers; the others are on their way
            running.stop()
    finally:
        running.kill()


def test_nothing_is_left_running_when_the_first_process_is_killed(started: RunningSite) -> None:
    """Else the workers of yesterday's version would go on answering beside those of the next start."""
    started.kill_first_process()
    assert eventually(lambda: not started.left_running())


def test_a_second_start_finds_everything_and_the_same_words_again(started: RunningSite) -> None:
    reference = started.post_form(submission_id="a1" * 16).reference
    started.stop()
    started.start()
    assert started.get(f"/consultation/{reference}").status == 200
    assert started.post_form(submission_id="a1" * 16).reference == reference
    assert started.enquiries() == 1
    started.stop()


def test_a_killed_server_leaves_every_enquiry_and_starts_again(started: RunningSite) -> None:
    reference = started.post_form(submission_id="b2" * 16).reference
    started.kill()
    started.start()
    assert started.get(f"/consultation/{reference}").status == 200
    assert started.enquiries() == 1
    started.stop()


def test_a_second_server_on_the_same_data_does_not_disturb_the_first(started: RunningSite) -> None:
    """A deploy that starts the new one before the old one ends."""
    other = RunningSite(started.root, workers=1)
    other.start()
    try:
        reference = other.post_form(submission_id="c3" * 16).reference
        assert started.get(f"/consultation/{reference}").status == 200
        other.stop()
    finally:
        other.kill()
    assert started.post_form(submission_id="c3" * 16).reference == reference
    started.stop()


EDITS = {
    "an article": (
        "content/articles/ageing-report.md",
        ("title: 账龄分析表怎么做、怎么看", "title: 账龄分析表，改过一次"),
        ("category: receivables", "category: no-such-category"),
        "/articles/ageing-report",
        "账龄分析表，改过一次",
    ),
    "the form": (
        "forms/consultation.toml",
        ('label = "您的需求"', 'label = "您想先解决什么"'),
        ('kind = "choice"', 'kind = "no-such-kind"'),
        "/consultation",
        "您想先解决什么",
    ),
    "the company": (
        "content/site.toml",
        ('hotline = "400-000-0000"', 'hotline = "400-111-2222"'),
        ("retention_days = 180", 'retention_days = "half a year"'),
        "/about",
        "400-111-2222",
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edit_goes_live_and_a_mistake_leaves_the_last_good_page(
    busy: RunningSite, edit: tuple[str, tuple[str, str], tuple[str, str], str, str]
) -> None:
    name, good, mistake, path, shown = edit
    file = busy.root / name
    shipped = file.read_text(encoding="utf-8")
    assert good[0] in shipped
    assert mistake[0] in shipped

    def everywhere(text: str, there: bool) -> bool:
        answers = at_once(16, lambda _: busy.get(path))
        assert {answer.status for answer in answers} == {200}
        return all((text in answer.text) == there for answer in answers)

    try:
        mistakes_told = busy.log.count("保存的文件有误")
        file.write_text(shipped.replace(*mistake), encoding="utf-8")
        assert eventually(
            lambda: everywhere(shown, False) and busy.log.count("保存的文件有误") > mistakes_told
        )
        assert file.name in busy.log
        assert busy.post_form(details=f"内容改错的时候也收得到：{name}").status == 303
        file.write_text(shipped.replace(*good), encoding="utf-8")
        # several times: a worker that none of the requests fell to would miss the good save, and show the shipped one
        assert eventually(lambda: all(everywhere(shown, True) for _ in range(4)))
        file.write_text(shipped.replace(*good).replace(*mistake), encoding="utf-8")
        mistakes_told = busy.log.count("保存的文件有误")
        assert eventually(
            lambda: busy.log.count("保存的文件有误") > mistakes_told or not everywhere(shown, True)
        )
        assert everywhere(shown, True)
    finally:
        file.write_text(shipped, encoding="utf-8")
    assert eventually(lambda: everywhere(shown, False))
