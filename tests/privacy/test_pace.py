"""How many requests one network may send: exact over threads, soft on people, and nothing kept of anybody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.databases import a_writer_elsewhere, raw_bytes
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Databases
from xinheng.limits import Limit
from xinheng.privacy.pace import Pace

HERE, ELSEWHERE = "203.0.113.7", "198.51.100.7"


@pytest.fixture
def pace(opened: Databases, store_keys: Keys) -> Callable[[Limit | None], Pace]:
    return lambda limit: Pace(opened.counters, store_keys, limit)


def test_what_is_over_the_limit_hears_when_and_takes_no_place(pace: Callable[..., Pace]) -> None:
    tight = pace(Limit(2, 600))
    assert tight.wait(HERE, NOON) == 0
    assert tight.wait("203.0.113.200", NOON + timedelta(seconds=100)) == 0
    for _ in range(3):
        assert tight.wait(HERE, NOON + timedelta(seconds=200)) == 400
    assert tight.wait(ELSEWHERE, NOON + timedelta(seconds=200)) == 0
    assert tight.wait(HERE, NOON + timedelta(seconds=600)) == 0
    assert tight.wait(HERE, NOON + timedelta(seconds=601)) == 99


def test_several_at_once_are_counted_exactly(
    pace: Callable[..., Pace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xinheng.leads.arrivals.WAIT", 30.0)  # a slow machine is no reason to let one through
    tight, said = pace(Limit(5, 600)), []
    ready = threading.Barrier(8)

    def ask() -> None:
        ready.wait()
        for _ in range(3):
            said.append(tight.wait(HERE, NOON))

    works = [threading.Thread(target=ask) for _ in range(8)]
    for each in works:
        each.start()
    for each in works:
        each.join()
    assert sorted(said) == [0] * 5 + [600] * 19


def test_without_a_limit_everybody_is_heard(pace: Callable[..., Pace]) -> None:
    assert {pace(None).wait(HERE, NOON) for _ in range(50)} == {0}


def test_where_counts_cannot_be_had_everybody_is_heard(
    pace: Callable[..., Pace], opened: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    tight = pace(Limit(2, 600))
    assert tight.wait(HERE, NOON) == 0
    with a_writer_elsewhere(opened.counters, "arrivals"):
        assert tight.wait(HERE, NOON) == 0
    assert "暂时数不了" in caplog.text
    assert HERE not in caplog.text


def test_no_address_is_stored(pace: Callable[..., Pace], opened: Databases, tmp_path: Path) -> None:
    pace(Limit(2, 600)).wait(HERE, NOON)
    held = raw_bytes(opened, tmp_path / "var")
    assert HERE.encode() not in held
    assert b"203.0.113" not in held
