"""While the database refuses, few enquiries wait for it in full."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from xinheng.leads import patience
from xinheng.leads.patience import IN_FULL_AGAIN, MOMENT, Patience

MOST = 2.0


class Seconds:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    ticking = Seconds()
    monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=ticking.monotonic))
    return ticking


@pytest.mark.usefixtures("seconds")
def test_as_long_as_the_database_serves_everybody_may_wait_in_full() -> None:
    held = Patience()
    assert [held.wait(MOST) for _ in range(9)] == [MOST] * 9


def test_after_one_waited_in_vain_the_others_wait_a_moment_and_one_now_and_then_in_full(
    seconds: Seconds,
) -> None:
    held = Patience()
    held.wait(MOST)
    held.refused()
    assert [held.wait(MOST) for _ in range(9)] == [MOMENT] * 9
    for _ in range(3):
        seconds.now += IN_FULL_AGAIN
        assert [held.wait(MOST) for _ in range(4)] == [MOST, MOMENT, MOMENT, MOMENT]
        held.refused()


def test_the_first_that_is_served_ends_it(seconds: Seconds) -> None:
    held = Patience()
    held.wait(MOST)
    held.refused()
    held.served()
    assert [held.wait(MOST) for _ in range(9)] == [MOST] * 9


def test_nobody_waits_longer_than_asked(seconds: Seconds) -> None:
    held = Patience()
    held.wait(0.01)
    held.refused()
    assert held.wait(0.01) == 0.01
