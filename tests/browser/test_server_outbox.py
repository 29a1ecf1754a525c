"""The worker beside the web workers, when something takes it away."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.browser.desk import eventually
from tests.browser.running import RunningSite, copy_of_site

pytestmark = pytest.mark.browser


def told(site: RunningSite) -> set[str]:
    return {row[0] for row in site.rows("SELECT state FROM outbox")}


def test_it_comes_back_whatever_happened_to_the_files_it_was_started_with(tmp_path: Path) -> None:
    """It once read its keys anew with a thread at work already, and hung half alive where they were gone."""
    site = RunningSite(copy_of_site(tmp_path), workers=1)
    site.start()
    keys, aside = site.data / "keys", site.data / "keys-aside"
    try:
        keys.rename(aside)
        os.kill(site.outbox(), signal.SIGKILL)
        site.post_form()
        assert eventually(lambda: told(site) == {"logged"})
        aside.rename(keys)
        site.stop()
    finally:
        site.kill()
