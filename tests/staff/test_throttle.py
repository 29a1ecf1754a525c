"""How often somebody may try: exact over threads and processes, growing, forgetting."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from tests.staff.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.staff.models import Tries
from xinheng.staff.throttle import ACCOUNT, CODE, KEEP, Throttle


@pytest.fixture
def throttle(store: Database, store_keys: Keys) -> Throttle:
    return Throttle(store, store_keys)


def test_five_codes_in_any_minute_and_no_more(throttle: Throttle) -> None:
    for second in (0, 20, 40, 59, 59.5):
        assert throttle.code("a", NOON + timedelta(seconds=second)) is None
    refusal = throttle.code("a", NOON + timedelta(seconds=59.9))
    assert refusal is not None
    assert refusal.first
    assert refusal.seconds == 60


def test_the_minute_slides(throttle: Throttle) -> None:
    for second in (0, 50, 51, 52, 53):
        assert throttle.code("a", NOON + timedelta(seconds=second)) is None
    assert throttle.code("a", NOON + timedelta(seconds=61)) is None
    assert throttle.code("a", NOON + timedelta(seconds=62)) is not None


def refused_for(throttle: Throttle, start: float) -> int:
    """Try six times at once; how long the refusal lasts."""
    answers = [throttle.code("a", NOON + timedelta(seconds=start)) for _ in range(CODE.most + 1)]
    assert answers[-1] is not None
    assert answers[:-1] == [None] * CODE.most
    return answers[-1].seconds


def test_each_refusal_lasts_twice_as_long_up_to_a_quarter_of_an_hour(throttle: Throttle) -> None:
    at, lasted = 0.0, []
    for _ in range(6):
        lasted.append(refused_for(throttle, at))
        at += lasted[-1] + 1
    assert lasted == [60, 120, 240, 480, 900, 900]


def test_after_a_quiet_time_the_delay_is_short_again(throttle: Throttle) -> None:
    assert refused_for(throttle, 0) == 60
    assert refused_for(throttle, 61) == 120
    assert refused_for(throttle, 61 + 120 + 901) == 60


def test_trying_while_refused_doesnt_make_it_longer(throttle: Throttle) -> None:
    refused_for(throttle, 0)
    for second in range(1, 60):
        refusal = throttle.code("a", NOON + timedelta(seconds=second))
        assert refusal is not None
        assert (refusal.seconds, refusal.first) == (60 - second, False)
    assert throttle.code("a", NOON + timedelta(seconds=60)) is None


def test_one_account_doesnt_slow_another_from_the_same_network(throttle: Throttle) -> None:
    for _ in range(6):
        hard, _ = throttle.sign_in("a@b.example", "10.0.0.0/24", NOON)
    assert hard is not None
    assert throttle.sign_in("c@d.example", "10.0.0.0/24", NOON) == (None, None)
    assert throttle.sign_in("a@b.example", "10.0.1.0/24", NOON) == (None, None)


def test_an_account_tried_from_everywhere_is_refused_softly(throttle: Throttle) -> None:
    for number in range(ACCOUNT.most):
        assert throttle.sign_in("a@b.example", f"10.0.{number}.0/24", NOON) == (None, None)
    hard, soft = throttle.sign_in("a@b.example", "10.1.0.0/24", NOON)
    assert hard is None
    assert soft is not None


def test_what_passed_starts_anew(throttle: Throttle) -> None:
    for _ in range(5):
        throttle.code("a", NOON)
    throttle.code_passed("a")
    assert throttle.code("a", NOON) is None


def test_the_count_is_exact_over_threads(throttle: Throttle, store: Database, store_keys: Keys) -> None:
    gate, answers = threading.Barrier(8), list[bool]()

    def run() -> None:
        own = Throttle(store, store_keys)
        gate.wait()
        for _ in range(5):
            answers.append(own.sign_in("a@b.example", "10.0.0.0/24", NOON)[0] is None)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 40
    assert sum(answers) == 5


def test_old_tries_leave_the_table(throttle: Throttle, store: Database) -> None:
    throttle.sign_in("a@b.example", "10.0.0.0/24", NOON)
    throttle.sign_in("c@d.example", "10.0.1.0/24", NOON + KEEP + timedelta(seconds=1))
    with store.reading() as session:
        assert session.query(Tries).count() == 3
