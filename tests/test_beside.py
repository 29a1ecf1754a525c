"""The work beside the web workers begins when all it needs is there, and ends as one."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from flask import Flask

from xinheng.beside import work_beside

WORKS = {"drain-spool", "housekeeping", "send-notices"}


def at_work() -> set[str]:
    return {thread.name for thread in threading.enumerate()} & WORKS


def test_where_something_is_missing_nothing_begins(app: Flask) -> None:
    del app.extensions["xinheng.channels"]
    with pytest.raises(KeyError):
        work_beside(app, threading.Event())
    assert not at_work()


def test_told_to_stop_it_ends_with_all_its_threads(app: Flask) -> None:
    stopping = threading.Event()
    working = threading.Thread(target=work_beside, args=[app, stopping])
    working.start()
    while at_work() != WORKS:
        stopping.wait(0.01)
    stopping.set()
    working.join()
    assert not at_work()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_where_one_of_them_ends_all_do(app: Flask) -> None:
    held = app.extensions["xinheng.consultation"]
    app.extensions["xinheng.consultation"] = replace(held, reception=replace(held.reception, spool=None))
    work_beside(app, threading.Event())
    assert not at_work()
