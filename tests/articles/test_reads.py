"""A read counts once a reader in 30 minutes, exactly, over any number of workers; robots never."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, event, func, select
from tests.conftest import CHROME, OWN_PAGE
from tests.databases import address, allow_inserts, put_reads, raw_bytes, refuse_inserts
from tests.postgres import PostgresServer

from xinheng.articles.reads import ReadCount, ReadCounter, ReadMark
from xinheng.daily_salt import DailySalt
from xinheng.db import Databases
from xinheng.settings import SHANGHAI
from xinheng.week_counts import ArticleWeek, visits_by_article, visits_by_source
from xinheng.weeks import Weeks

START = datetime(2026, 3, 2, 10, 5, tzinfo=SHANGHAI)
SECOND = timedelta(seconds=1)


class Clock:
    """What the counters take for now; nothing is flushed but by hand."""

    def __init__(self) -> None:
        self.now = START

    def time(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()

    class Replaced(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return made.now

    monkeypatch.setattr("xinheng.articles.reads.datetime", Replaced)
    monkeypatch.setattr("xinheng.articles.reads.time", SimpleNamespace(time=made.time, monotonic=made.time))
    return made


@pytest.fixture
def worker(opened: Databases, clock: Clock) -> Iterator[Callable[[], ReadCounter]]:
    """Makes counters on one database, as several workers have them."""
    made: list[ReadCounter] = []

    def make() -> ReadCounter:
        made.append(ReadCounter(opened.counters))
        return made[-1]

    yield make
    for counter in made:
        counter.stop()


@pytest.fixture
def counter(worker: Callable[[], ReadCounter]) -> ReadCounter:
    return worker()


def read(
    counter: ReadCounter,
    article: str = "ageing",
    address: str = "203.0.113.9",
    agent: str = CHROME,
    referrer: str = "",
) -> int:
    return counter.record(article, address=address, agent=agent, referrer_host=referrer, own_host="127.0.0.1")


def stored(opened: Databases, article: str = "ageing") -> int:
    with opened.counters.reading() as session:
        return session.scalar(select(func.sum(ReadCount.reads)).where(ReadCount.article == article)) or 0


@pytest.mark.parametrize(
    ("moments", "counted"),
    [
        ([0], 1),
        ([0, 0, 0], 1),
        ([0, 1], 1),
        ([0, 1799], 1),
        ([0, 1800], 2),
        ([0, 1801], 2),
        # half an hour after the read that counted, not after the last one that did not
        ([0, 1200, 2400], 2),
        ([0, 1799, 1800, 3599, 3600], 3),
        ([0, 900, 1800, 2700, 3600], 3),
        ([0, 86400], 2),
    ],
)
@pytest.mark.parametrize("each_flushed", [True, False])
def test_a_reader_counts_once_in_thirty_minutes(
    counter: ReadCounter,
    clock: Clock,
    opened: Databases,
    moments: list[int],
    counted: int,
    each_flushed: bool,
) -> None:
    for moment in moments:
        clock.now = START + moment * SECOND
        read(counter)
        if each_flushed:
            counter.flush()
    counter.flush()
    assert stored(opened) == counted


def test_a_second_reader_counts_by_network_or_browser_and_per_article(
    counter: ReadCounter, opened: Databases
) -> None:
    read(counter)
    read(counter, address="203.0.113.200")  # the same network and browser: the same reader
    read(counter, address="198.51.100.7")
    read(counter, agent=CHROME + " MicroMessenger/8.0")
    read(counter, "first-call")
    counter.flush()
    assert (stored(opened), stored(opened, "first-call")) == (3, 1)


def test_workers_that_saw_the_same_readers_count_each_once(
    worker: Callable[[], ReadCounter], opened: Databases, clock: Clock
) -> None:
    workers = [worker() for _ in range(4)]
    for number in range(50):
        for each in (workers[number % 4], workers[(number + 1) % 4]):
            read(each, address=f"10.0.{number}.1")
    for each in workers:
        each.flush()
    assert stored(opened) == 50
    assert {each.total("ageing") for each in workers} <= set(range(51))
    clock.now += 2 * SECOND
    assert {each.total("ageing") for each in workers} == {50}


def test_totals_are_right_over_weeks_and_workers_without_a_look_at_each_day(
    worker: Callable[[], ReadCounter], opened: Databases, clock: Clock
) -> None:
    """A site of some years has hundreds of thousands of rows by day and source: too many for once a second."""
    one, other = worker(), worker()
    read(other, address="10.0.0.1")  # and is stored a week late
    for week in range(3):
        read(one, address=f"10.0.{week + 1}.1")
        read(one, "dso", address=f"10.0.{week + 1}.1")
        one.flush()
        clock.now += timedelta(days=7)
    other.flush()
    clock.now += 2 * SECOND
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(opened.counters.engine, "before_cursor_execute", note)
    assert one.totals() == other.totals() == {"ageing": 4, "dso": 3}
    event.remove(opened.counters.engine, "before_cursor_execute", note)
    assert asked
    assert not [each for each in asked if ReadCount.__tablename__ in each]


def test_the_number_shown_is_what_is_stored_and_what_this_worker_holds(
    worker: Callable[[], ReadCounter], clock: Clock
) -> None:
    one, other = worker(), worker()
    assert [read(one, address=f"10.0.{number}.1") for number in range(3)] == [1, 2, 3]
    assert read(one, address="10.0.0.1") == 3, "a reader who reads again isn't shown twice"
    one.flush()
    clock.now += 2 * SECOND
    assert read(other, address="10.0.9.1") == 4
    assert read(other, "first-call", address="10.0.9.1") == 1


def test_reads_are_kept_by_day_of_shanghai_and_by_kind_of_referrer(
    counter: ReadCounter, clock: Clock, opened: Databases
) -> None:
    clock.now = datetime(2026, 3, 2, 23, 59, 59, tzinfo=SHANGHAI)
    read(counter, address="10.0.1.1", referrer="www.baidu.com")
    read(counter, address="10.0.2.1", referrer="www.baidu.com")
    read(counter, address="10.0.3.1", referrer="127.0.0.1")
    clock.now += SECOND
    read(counter, address="10.0.4.1")
    counter.flush()
    with opened.counters.reading() as session:
        found = {(row.day, row.source): row.reads for row in session.scalars(select(ReadCount))}
    assert found == {
        (date(2026, 3, 2), "search"): 2,
        (date(2026, 3, 2), "own"): 1,
        (date(2026, 3, 3), "direct"): 1,
    }
    assert counter.since(date(2026, 3, 3)) == {"ageing": 1}
    assert counter.since(date(2026, 3, 2)) == {"ageing": 4}


def test_no_address_no_browser_and_no_yesterdays_salt_is_stored(
    counter: ReadCounter, clock: Clock, opened: Databases, tmp_path: Path
) -> None:
    read(counter, address="203.0.113.9", referrer="secret.example")
    counter.flush()
    held = raw_bytes(opened, tmp_path / "var")
    assert b"ageing" in held
    for secret in (b"203.0.113", b"Mozilla", b"V2166A", b"secret.example"):
        assert secret not in held
    with opened.counters.reading() as session:
        before = session.scalars(select(DailySalt.salt)).one()
        marked = session.scalars(select(ReadMark.reader)).one()
    clock.now += timedelta(days=1)
    read(counter)
    counter.flush()
    with opened.counters.reading() as session:
        assert session.scalars(select(DailySalt.salt)).one() != before
        assert session.scalars(select(ReadMark.reader)).one() != marked, "the mark of yesterday is gone too"


def test_all_workers_use_one_salt_a_day(worker: Callable[[], ReadCounter], opened: Databases) -> None:
    for _ in range(3):
        each = worker()
        read(each)
        each.flush()
    with opened.counters.reading() as session:
        assert len(session.scalars(select(DailySalt)).all()) == 1
    assert stored(opened) == 1


def test_what_could_not_be_stored_is_held_and_stored_later(
    counter: ReadCounter, opened: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    read(counter, address="10.0.1.1")
    refuse_inserts(opened.counters, "read_counts")
    counter.flush()
    assert "稍后再试" in caplog.text
    assert stored(opened) == 0
    assert read(counter, address="10.0.2.1") == 2
    allow_inserts(opened.counters, "read_counts")
    counter.flush()
    assert stored(opened) == 2


@pytest.mark.databases("postgresql")
def test_while_the_database_is_away_counts_are_told_as_they_were_and_reads_are_held(
    counter: ReadCounter, opened: Databases, postgres: PostgresServer, clock: Clock
) -> None:
    read(counter, address="10.0.1.1")
    counter.flush()
    postgres.cut_off(address(opened), away=True)
    clock.now += 2 * SECOND
    assert counter.totals() == {"ageing": 1}
    assert counter.since(START.date()) == {}
    assert read(counter, address="10.0.2.1") == 2
    counter.flush()
    postgres.cut_off(address(opened), away=False)
    counter.flush()
    assert stored(opened) == 2


def test_nothing_held_is_nothing_to_flush(counter: ReadCounter, opened: Databases) -> None:
    counter.flush()
    assert counter.totals() == {}
    assert counter.total("ageing") == 0


def test_what_is_held_is_stored_when_the_worker_ends(opened: Databases, clock: Clock) -> None:
    counter = ReadCounter(opened.counters)
    read(counter)
    counter.stop()
    assert stored(opened) == 1


COUNT = """
import sys
from pathlib import Path
from xinheng.articles.reads import ReadCounter
from xinheng.daily_salt import DailySalt
from xinheng.db import open_databases

counter = ReadCounter(open_databases(Path(sys.argv[1]), sys.argv[2]).counters)
sys.stdin.readline()
for number in range(60):
    counter.record("ageing", address=f"10.0.{number}.1", agent=f"Mozilla {number % 3}", referrer_host="", own_host="x")
    if number % 7 == 0:
        counter.flush()
"""


def test_processes_with_the_same_sixty_readers_store_sixty(opened: Databases, tmp_path: Path) -> None:
    """The process ends without a word to its counter: what it holds is stored all the same."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", COUNT, tmp_path / "var", address(opened)],
            stdin=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in started:
        process.communicate("go\n")
    assert [process.returncode for process in started] == [0, 0, 0]
    assert stored(opened) == 60


def test_reads_are_added_up_by_week_for_the_article_and_for_where_readers_came_from(
    counter: ReadCounter, opened: Databases, clock: Clock
) -> None:
    for number, (article, referrer) in enumerate(
        [("ageing", "www.baidu.com"), ("ageing", ""), ("dso", "www.baidu.com"), ("dso", "")]
    ):
        read(counter, article, address=f"203.0.{number}.9", referrer=referrer)
        counter.flush()
    read(counter, "dso", address="203.0.3.9")  # the same reader once more
    counter.flush()
    clock.now += timedelta(days=7)
    read(counter, "dso", address="203.0.3.9")
    counter.flush()
    with opened.counters.reading() as session:
        both = Weeks.until(clock.now, 2)
        by_source = visits_by_source(session, both)
        by_article = visits_by_article(session, both)
    assert {key: each.reads for key, each in by_source.items()} == {
        (both.first, "search"): 2,
        (both.first, "direct"): 2,
        (both.last, "direct"): 1,
    }
    assert {key: each.reads for key, each in by_article.items()} == {"ageing": 2, "dso": 3}


# --- over the web ---


@pytest.fixture
def app(shipped_app: Flask, clock: Clock) -> Iterator[Flask]:
    """The shipped site with no read in it, and a counter that goes by the test's clock."""
    database, held = (
        shipped_app.extensions["xinheng.databases"].counters,
        shipped_app.extensions["xinheng.reads"],
    )
    with database.writing() as session:
        for table in (ReadCount, ArticleWeek, ReadMark, DailySalt):
            session.execute(delete(table))
    shipped_app.extensions["xinheng.reads"] = ReadCounter(database)
    yield shipped_app
    shipped_app.extensions["xinheng.reads"].stop()
    shipped_app.extensions["xinheng.reads"] = held


SLUG = "ageing-report"


def beacon(client: FlaskClient, slug: str = SLUG, agent: str = CHROME, **headers: str) -> dict[str, int]:
    response = client.post(f"/articles/{slug}/reads", headers=OWN_PAGE | {"User-Agent": agent} | headers)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    found: dict[str, int] = response.get_json()
    return found


def test_a_beacon_answers_with_the_count_to_show(client: FlaskClient) -> None:
    assert beacon(client) == {"reads": 1}
    assert beacon(client) == {"reads": 1}
    assert beacon(client, agent=CHROME + " Edg/126") == {"reads": 2}


@pytest.mark.parametrize("agent", ["", "Mozilla/5.0 (compatible; Baiduspider/2.0)", "curl/8.5.0"])
def test_the_beacon_of_a_robot_is_answered_and_not_counted(
    client: FlaskClient, app: Flask, agent: str
) -> None:
    beacon(client)
    app.extensions["xinheng.reads"].flush()
    assert beacon(client, agent=agent) == {"reads": 1}
    assert beacon(client, agent=agent) == {"reads": 1}


def test_a_browser_that_has_been_at_the_desk_is_not_counted(client: FlaskClient, app: Flask) -> None:
    client.set_cookie(app.config["SESSION_COOKIE_NAME"], "whoever", domain="127.0.0.1")
    assert beacon(client) == {"reads": 0}


def test_a_page_made_ahead_of_a_click_is_not_counted(client: FlaskClient) -> None:
    assert beacon(client, **{"Sec-Purpose": "prefetch;prerender"}) == {"reads": 0}


def test_looking_at_a_page_counts_nothing_by_itself(client: FlaskClient, clock: Clock) -> None:
    for _ in range(3):
        assert client.get(f"/articles/{SLUG}", headers={"User-Agent": CHROME}).status_code == 200
    clock.now += 2 * SECOND
    assert client.get(f"/articles/read-counts?slugs={SLUG}").get_json() == {SLUG: 0}


def test_an_article_nobody_published_has_no_reads(client: FlaskClient) -> None:
    assert client.post("/articles/no-such/reads", headers=OWN_PAGE).status_code == 404


@pytest.mark.parametrize("referrer", ["https://www.baidu.com/", "https://[bad", "x" * 5000, ""])
def test_a_beacon_counts_whatever_referrer_it_brings(client: FlaskClient, referrer: str) -> None:
    response = client.post(
        f"/articles/{SLUG}/reads", data={"referrer": referrer}, headers=OWN_PAGE | {"User-Agent": CHROME}
    )
    assert (response.status_code, response.get_json()) == (200, {"reads": 1})


def test_counts_are_told_for_lists_that_came_from_a_cache(client: FlaskClient, app: Flask) -> None:
    beacon(client)
    app.extensions["xinheng.reads"].flush()
    response = client.get(f"/articles/read-counts?slugs={SLUG},no-such,repayment-plan,,../x")
    assert response.get_json() == {SLUG: 1, "repayment-plan": 0}
    assert response.headers["Cache-Control"] == "no-store"
    assert client.get("/articles/read-counts").get_json() == {}


def test_stored_counts_are_shown_on_the_article_in_lists_and_on_the_home_page(
    client: FlaskClient, app: Flask
) -> None:
    with app.extensions["xinheng.databases"].counters.writing() as session:
        put_reads(session, SLUG, START.date(), 1286)
    mark = f'<data value="1286" data-reads="{SLUG}">1,286</data>'
    assert mark in client.get(f"/articles/{SLUG}").get_data(as_text=True)
    assert mark in client.get("/categories/receivables").get_data(as_text=True)
    home = client.get("/").get_data(as_text=True)
    assert "大家在读" in home
    assert "近30天浏览 1,286" in home
