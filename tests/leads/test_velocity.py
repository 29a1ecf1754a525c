"""How many may come: exact over threads, soft on people, and never in the way of an enquiry."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from tests.databases import a_writer_elsewhere, raw_bytes
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Databases
from xinheng.leads.arrivals import Arrival, SpentProof
from xinheng.leads.proof import Proof
from xinheng.leads.submission import Submission
from xinheng.leads.velocity import Velocity
from xinheng.limits import Limit, Limits
from xinheng.phones import parse_phone

Asked = Callable[..., Submission]
WIDE = Limit(10_000, 86_400)
OPEN = Limits(address=WIDE, phone=WIDE, text=WIDE, all=WIDE)
PROOF = Proof(b"p" * 32, int((NOON + timedelta(hours=2)).timestamp()))
LONG = "我们是做外贸的，有三个客户超过一百八十天没有付款，想请顾问帮忙看看"


@pytest.fixture
def velocity(opened: Databases, store_keys: Keys) -> Callable[..., Velocity]:
    def made(**limits: Limit) -> Velocity:
        return Velocity(opened.counters, store_keys, replace(OPEN, **limits))

    return made


@pytest.fixture
def comes(asked: Asked) -> Callable[..., Submission]:
    """The numbered visitor: another id, phone and text each."""

    def submission(number: int, **changed: object) -> Submission:
        plain = {
            "phone": parse_phone(f"139{number:08d}"),
            "typed_id": f"{number:032x}",
            "details": f"第{number}位",
        }
        return replace(asked(), **plain | changed)

    return submission


def test_what_is_over_a_limit_is_said_and_takes_no_place(
    velocity: Callable[..., Velocity], comes: Asked
) -> None:
    counted = velocity(address=Limit(2, 600))
    said = [counted.count(comes(number), "10.0.0.1", None, NOON) for number in range(4)]
    assert said == [(), (), ("address",), ("address",)]
    assert counted.count(comes(9), "10.0.1.1", None, NOON) == ()
    assert counted.count(comes(10), "10.0.0.200", None, NOON + timedelta(seconds=601)) == ()


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("10.0.0.1", "10.0.0.254", True),
        ("10.0.0.1", "10.0.1.1", False),
        ("2001:db8:1:1ff::1", "2001:db8:1:100::2", True),
        ("2001:db8:1:1ff::1", "2001:db8:1:200::2", False),
        ("::ffff:10.0.0.1", "10.0.0.9", True),
    ],
)
def test_a_network_is_a_24_or_a_56(
    velocity: Callable[..., Velocity], comes: Asked, first: str, second: str, same: bool
) -> None:
    counted = velocity(address=Limit(1, 600))
    counted.count(comes(1), first, None, NOON)
    assert counted.count(comes(2), second, None, NOON) == (("address",) if same else ())


def test_a_phone_and_an_extension_of_a_switchboard_count_apart(
    velocity: Callable[..., Velocity], comes: Asked
) -> None:
    counted = velocity(phone=Limit(1, 86_400))
    for number, extension in enumerate(("801", "802", "")):
        phone = parse_phone(f"021-63958427 转 {extension}" if extension else "021-63958427")
        assert counted.count(comes(number, phone=phone), "10.0.0.1", None, NOON) == ()
    assert counted.count(comes(9, phone=parse_phone("021-63958427")), "10.0.0.1", None, NOON) == ("phone",)


def test_the_same_words_of_many_phones_are_odd_and_of_one_phone_are_not(
    velocity: Callable[..., Velocity], comes: Asked
) -> None:
    counted = velocity(text=Limit(2, 86_400))
    same = [
        counted.count(comes(1, details=LONG, typed_id=f"{n:032x}"), "10.0.0.1", None, NOON) for n in range(4)
    ]
    assert same == [()] * 4
    others = [counted.count(comes(n, details=f"{LONG}{n}！"), "10.0.0.1", PROOF, NOON) for n in (5, 6, 7)]
    assert others == [(), ("same_text",), ("same_text",)]


def test_a_repeat_counts_once_and_other_words_under_its_id_count_again(
    velocity: Callable[..., Velocity], comes: Asked
) -> None:
    counted = velocity(all=Limit(2, 3600))
    assert [counted.count(comes(1), "10.0.0.1", None, NOON) for _ in range(5)] == [()] * 5
    assert counted.count(comes(1, details="别的话"), "10.0.0.1", None, NOON) == ()
    assert counted.count(comes(1, details="又一份"), "10.0.0.1", None, NOON) == ("all",)


def test_what_a_clock_that_ran_ahead_has_counted_is_forgotten_when_it_is_put_right(
    velocity: Callable[..., Velocity], comes: Asked
) -> None:
    counted = velocity(all=Limit(2, 3600))
    ahead = NOON + timedelta(days=400)
    assert [counted.count(comes(number), "10.0.0.1", None, ahead) for number in (1, 2)] == [(), ()]
    assert [counted.count(comes(number), "10.0.0.1", None, NOON) for number in (3, 4)] == [(), ()]
    assert counted.count(comes(5), "10.0.0.1", None, NOON) == ("all",)


def test_a_proof_takes_the_crowd_away_once(velocity: Callable[..., Velocity], comes: Asked) -> None:
    counted = velocity(all=Limit(1, 3600), address=Limit(1, 600))
    assert counted.count(comes(1), "10.0.0.1", None, NOON) == ()
    assert counted.count(comes(2), "10.0.0.1", PROOF, NOON) == ()
    assert counted.count(comes(2), "10.0.0.1", PROOF, NOON) == ()
    assert counted.count(comes(3), "10.0.0.1", PROOF, NOON) == ("address", "all")


def test_a_proof_is_asked_for_from_half_a_limit_on(velocity: Callable[..., Velocity], comes: Asked) -> None:
    counted = velocity(all=Limit(6, 3600), address=Limit(4, 600))
    found = []
    for number, address in enumerate(("10.0.0.1", "10.0.0.2", "10.0.1.1")):
        counted.count(comes(number), address, None, NOON)
        found.append((counted.pressed("10.0.0.9", NOON), counted.pressed("10.0.9.9", NOON)))
    assert found == [(False, False), (True, False), (True, True)]


def test_200_at_once_over_four_threads_pass_exactly_as_many_as_may(
    opened: Databases, store_keys: Keys, comes: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xinheng.leads.arrivals.WAIT", 30.0)  # a slow machine is no reason to let one through
    workers = [Velocity(opened.counters, store_keys, replace(OPEN, all=Limit(37, 3600))) for _ in range(4)]
    said: list[tuple[str, ...]] = []

    def send(worker: int) -> None:
        for number in range(worker, 200, 4):
            said.append(workers[worker].count(comes(number), f"10.0.{number}.1", None, NOON))

    threads = [threading.Thread(target=send, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (said.count(()), said.count(("all",))) == (37, 163)


def test_busy_counts_hold_nothing_against_anybody(
    velocity: Callable[..., Velocity], opened: Databases, comes: Asked
) -> None:
    counted = velocity(all=Limit(2, 3600))
    assert counted.count(comes(1), "10.0.0.1", None, NOON) == ()
    with a_writer_elsewhere(opened.counters, "arrivals"):
        assert counted.count(comes(2), "10.0.0.1", None, NOON) == ()
    assert [counted.count(comes(number), "10.0.0.1", None, NOON) for number in (3, 4)] == [(), ("all",)]


def test_broken_counts_hold_nothing_against_anybody(
    velocity: Callable[..., Velocity], opened: Databases, comes: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    with opened.counters.writing() as session:
        session.execute(text("DROP TABLE arrivals"))
    counted = velocity()
    assert counted.count(comes(1), "10.0.0.1", None, NOON) == ()
    assert not counted.pressed("10.0.0.1", NOON)
    assert "13900000001" not in caplog.text


def test_what_no_longer_counts_is_deleted_and_no_address_or_phone_is_there(
    velocity: Callable[..., Velocity],
    opened: Databases,
    comes: Asked,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    counted = velocity(all=Limit(1, 600))
    counted.count(comes(13800011), "203.0.113.77", None, NOON)
    counted.count(comes(2), "203.0.113.77", PROOF, NOON)
    folder = (
        opened.counters.file.parent if hasattr(opened.counters, "file") else tmp_path_factory.getbasetemp()
    )
    held = raw_bytes(opened, folder)
    for secret in (b"203.0.113", bytes((203, 0, 113)), b"13913800011", b"13800011"):
        assert secret not in held
    later: datetime = NOON + timedelta(days=2)
    counted.count(comes(3), "203.0.113.77", None, later)
    with opened.counters.reading() as session:
        assert session.scalar(select(func.count()).select_from(SpentProof)) == 0
        assert session.scalar(select(func.min(Arrival.until))) > later.timestamp()
