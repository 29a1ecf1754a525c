"""The machine's clock jumps, forward and back, under the running site. Half a minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.browser.moved_clock import MovedClock
from tests.browser.running import RunningSite, copy_of_site
from tests.faults.test_beside import ENTRY
from tests.faults.test_refusals import Exclusively
from tests.faults.visitors import ask, stored, until, waiting
from tests.notices.conftest import MailBox, Post

pytestmark = pytest.mark.faults

FORWARD, BACK = timedelta(days=400), timedelta(days=-2)


class Jumping:
    """A site with a clock that jumps, and the mail it sends."""

    def __init__(self, folder: Path, post: Post) -> None:
        root = folder / "site"
        root.mkdir()
        copy_of_site(root)
        (root / "content" / "processors.toml").write_text(ENTRY.format(channel="mail"), "utf-8")
        self.clock = MovedClock(root, folder / "jump")
        self.site = RunningSite(
            root,
            XINHENG_SMTP=f"smtp://127.0.0.1:{post.port}",
            XINHENG_MAIL_FROM="site@xinheng.example",
            XINHENG_MAIL_TO="sales@xinheng.example",
        )

    def restart(self) -> None:
        self.site.terminate()
        assert self.site.ended() == 0
        self.site.start()


@pytest.fixture
def box() -> MailBox:
    return MailBox()


@pytest.fixture
def jumping(tmp_path: Path, box: MailBox) -> Iterator[Jumping]:
    post = Post(box)
    post.start()
    made = Jumping(tmp_path, post)
    try:
        made.site.start()
        yield made
    finally:
        made.site.kill()
        post.stop()


def test_enquiries_under_a_clock_that_jumps_are_each_kept_once_and_told(
    jumping: Jumping, box: MailBox
) -> None:
    site, told = jumping.site, []
    for number, jump in enumerate((timedelta(), FORWARD, timedelta(), BACK, timedelta())):
        jumping.clock.by(jump)
        told += ask(site, 3)
        for again in (jump, FORWARD, BACK, timedelta()):  # the same visitor presses once more after a jump
            jumping.clock.by(again)
            told.append(site.post_form(submission_id=f"{number:032x}").reference)
        assert len(set(told[-4:])) == 1
        del told[-3:]
    assert len(set(told)) == len(told)
    assert stored(site) == sorted(told)
    jumping.restart()  # what the clock ran ahead of is looked for at the start, and each minute
    until(lambda: {subject[1:15] for subject in box.subjects} == set(told), site)
    site.stop()


@pytest.mark.parametrize("jump", [FORWARD, BACK], ids=["forward", "back"])
def test_what_waits_while_the_clock_jumps_is_stored_and_told_afterwards(
    jump: timedelta, jumping: Jumping, box: MailBox
) -> None:
    """A notice that failed under a wrong clock is due in a far future, or was long ago; a record of the spool too."""
    site, told = jumping.site, ask(jumping.site)
    until(lambda: len(box.messages) == 1, site)
    jumping.clock.by(jump)
    box.refuse = "451 not now"
    told += ask(site, 2)
    postponed = (
        "SELECT count(*) FROM outbox WHERE state = 'waiting' AND attempts = 1 AND leased_until IS NULL"
    )
    until(lambda: site.rows(postponed)[0][0] == 2, site)
    other = Exclusively(site)
    told += ask(site, 2)
    assert {site.get(f"/consultation/{each}").status for each in waiting(site)} == {200}
    box.refuse = ""  # before it is tried again
    jumping.clock.by(timedelta())
    other.end()
    until(lambda: not waiting(site), site)
    jumping.restart()
    assert stored(site) == sorted(told)
    until(lambda: {subject[1:15] for subject in box.subjects} == set(told), site)
    site.stop()


@pytest.mark.parametrize("jump", [FORWARD, BACK], ids=["forward", "back"])
def test_a_start_under_a_wrong_clock_deletes_nobody(jump: timedelta, jumping: Jumping) -> None:
    """In four hundred days the time of all of them would be over."""
    site, told = jumping.site, ask(jumping.site, 3)
    jumping.clock.by(jump)
    jumping.restart()
    until(lambda: "到期删除停下了" in site.log, site)
    assert stored(site) == told
    assert site.rows("SELECT count(*) FROM leads")[0][0] == 1
    told += ask(site)
    jumping.clock.by(timedelta())
    jumping.restart()
    assert stored(site) == sorted(told)
    assert site.log.count("到期删除停下了") == 1
    site.stop()
