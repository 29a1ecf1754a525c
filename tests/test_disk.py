"""What a disk's last room is kept for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from tests.conftest import ORIGIN, OWN_PAGE

from xinheng import disk
from xinheng.articles.favourites import Favourites
from xinheng.articles.reads import ReadCounter
from xinheng.disk import ANY_DISK, LITTLE, SHORT, Disk, Line

GB = 1024**3
EVERYTHING, NOTHING = Line(1.0, 1 << 62), Line(0.0, 0)


@pytest.fixture
def reads(app: Flask) -> Iterator[ReadCounter]:
    counter: ReadCounter = app.extensions["xinheng.reads"]
    yield counter
    counter.stop()


@pytest.mark.parametrize(
    ("total", "free", "little", "short"),
    [
        (10 * GB, 2.1, False, False),
        (10 * GB, 1.9, True, False),
        (10 * GB, 0.9, True, True),
        (5 * GB, 0.49, True, True),
        (500 * GB, 5, False, False),  # one in a hundred, and yet more than enough
        (500 * GB, 3, True, False),
        (500 * GB, 0.9, True, True),
    ],
)
def test_a_share_of_a_small_disk_is_kept_and_some_of_a_large_one(
    total: int, free: float, little: bool, short: bool
) -> None:
    assert (LITTLE.passed(total, int(free * GB)), SHORT.passed(total, int(free * GB))) == (little, short)


def test_the_disk_of_a_folder_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Disk((tmp_path,))
    for line, passed in ((EVERYTHING, True), (NOTHING, False)):
        monkeypatch.setattr(disk, "LITTLE", line)
        monkeypatch.setattr(disk, "SHORT", line)
        assert (there.little, there.short) == (passed, passed)
        assert not ANY_DISK.short


def test_a_folder_that_is_gone_has_no_room(tmp_path: Path) -> None:
    gone = Disk((tmp_path / "gone",))
    assert (gone.little, gone.short) == (True, True)


def test_a_folder_that_has_to_be_made_lies_where_it_will(tmp_path: Path) -> None:
    assert Disk((tmp_path,)).shared_with(tmp_path / "not" / "yet")
    assert not Disk((Path("/proc"),)).shared_with(tmp_path / "not" / "yet")


def test_on_the_last_room_reads_and_favourites_are_not_counted_and_enquiries_are_stored(
    app: Flask, reads: ReadCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def visit() -> tuple[int, int]:
        with app.test_client() as client:
            path, headers = "/articles/first-call", OWN_PAGE | {"User-Agent": "Mozilla/5.0 (iPhone)"}
            shown = client.post(f"{path}/reads", headers=headers, base_url=ORIGIN)
            kept = client.put(f"{path}/favourite", headers=headers | {"X-Device": "0" * 32}, base_url=ORIGIN)
        return shown.get_json()["reads"], kept.get_json()["favourites"]

    monkeypatch.setattr(disk, "SHORT", EVERYTHING)
    assert visit() == (0, 0)
    favourites: Favourites = app.extensions["xinheng.favourites"]
    assert favourites.drop("first-call", "0" * 32) == 0
    monkeypatch.setattr(disk, "SHORT", NOTHING)
    assert visit() == (1, 1)
