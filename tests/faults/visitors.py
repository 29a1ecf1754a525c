"""Visitors of a running site that is in trouble, and what became of their enquiries."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.browser.running import RunningSite

from xinheng.crypto import load_keys
from xinheng.leads.spool import Spool


def ask(site: RunningSite, number: int = 1) -> list[str]:
    """As many visitors at once; their references."""
    with ThreadPoolExecutor(number) as pool:
        ids = [secrets.token_hex(16) for _ in range(number)]
        return sorted(pool.map(lambda each: site.post_form(submission_id=each).reference, ids))


def waiting(site: RunningSite) -> set[str]:
    """The references in the spool."""
    keys = load_keys(site.data / "keys", make=False)
    return {keys.reference(each) for each in Spool(site.data / "spool", keys).ids()}


def stored(site: RunningSite) -> list[str]:
    """The references in a database of SQLite."""
    return sorted(row[0] for row in site.rows("SELECT reference FROM enquiries"))


def until(reached: Callable[[], bool], site: RunningSite) -> None:
    """Wait for what must become true. Fails after a minute, with the site's log."""
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, site.log
        time.sleep(0.05)
