"""While the database takes nothing, some enquiries wait for it, and the others hold up no reader of an article."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import select
from tests.databases import a_writer_elsewhere
from tests.leads.conftest import NOON

from xinheng import serve
from xinheng.db import Database
from xinheng.leads import patience, record
from xinheng.leads.models import Enquiry
from xinheng.leads.patience import PLACES, Patience
from xinheng.leads.reception import Reception
from xinheng.leads.submission import Submission

Asked = Callable[..., Submission]


def test_half_of_a_workers_threads_are_always_free_for_others() -> None:
    assert serve.THREADS >= 2 * PLACES


def test_who_has_no_place_waits_a_little_and_not_at_all_once_it_is_known() -> None:
    held = Patience()
    turns = [held.turn() for _ in range(PLACES)]
    assert [turn.__enter__() for turn in turns] == [math.inf] * PLACES

    def seconds() -> float:
        with held.turn() as within:
            return within

    assert seconds() == patience.HURRIED
    held.refused()
    assert seconds() == 0
    held.stored()
    assert seconds() == patience.HURRIED
    for turn in turns:
        turn.__exit__(None, None, None)
    held.refused()
    assert seconds() == math.inf


def test_who_is_too_many_is_spooled_and_who_waits_is_stored(
    reception: Reception, store: Database, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "WAIT", 60.0)
    monkeypatch.setattr(patience, "HURRIED", 0.1)
    waited: list[str] = []

    def take(number: int) -> str:
        submission = asked(phone=f"1380013800{number}", typed_id=f"{number:032x}")
        return reception.take(submission, NOON).reference

    def wait(number: int) -> None:
        waited.append(take(number))

    waiting = [threading.Thread(target=wait, args=[number]) for number in range(PLACES)]
    with a_writer_elsewhere(store, "leads", "enquiries"):
        for each in waiting:
            each.start()
        while free_places(reception):
            time.sleep(0.01)
        first = take(8)
        monkeypatch.setattr(patience, "HURRIED", 60.0)
        second = take(9)  # it is known now: nobody asks the database once more
        assert not waited
    for each in waiting:
        each.join()
    with store.reading() as session:
        assert set(session.scalars(select(Enquiry.reference))) == set(waited)
    assert len(waited) == PLACES
    spooled = {reception.keys.reference(each) for each in reception.spool.ids()}
    assert spooled == {first, second}


def free_places(reception: Reception) -> bool:
    with reception.patience.turn() as within:
        return within == math.inf
