"""Slots written beforehand: shared by processes, replaced when they are damaged, kept when the disk is full."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from xinheng.leads import reserve
from xinheng.leads.reserve import SLOT, SLOTS, Reserve, write_whole


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "spool"
    made.mkdir()
    return made


def free(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.free"))


def grow_old(folder: Path) -> None:
    for file in folder.iterdir():
        os.utime(file, (0, 0))


def test_the_reserve_is_filled_with_whole_slots_for_their_owner_only(folder: Path) -> None:
    Reserve(folder).fill()
    assert len(free(folder)) == SLOTS
    assert {file.stat().st_size for file in free(folder)} == {SLOT}
    assert {file.stat().st_mode & 0o777 for file in free(folder)} == {0o600}
    assert {file.stat().st_blocks * 512 for file in free(folder)} == {SLOT}, (
        "room is taken, not only promised"
    )


def test_filling_again_writes_only_what_is_missing_or_damaged(folder: Path) -> None:
    Reserve(folder).fill()
    kept, torn, gone = free(folder)[:3]
    kept_inode = kept.stat().st_ino
    torn.write_bytes(b"x")
    gone.unlink()
    Reserve(folder).fill()
    assert len(free(folder)) == SLOTS
    assert kept.stat().st_ino == kept_inode
    assert {file.stat().st_size for file in free(folder)} == {SLOT}


def test_a_part_comes_from_the_reserve_and_is_gone_afterwards(folder: Path) -> None:
    held = Reserve(folder)
    held.fill()
    with held.part(100) as (descriptor, part):
        write_whole(descriptor, b"abc")
        assert part.stat().st_size == SLOT
        assert len(free(folder)) == SLOTS - 1
    assert {file.suffix for file in folder.iterdir()} == {".free"}


def test_what_is_longer_than_a_slot_gets_a_file_of_its_own(folder: Path) -> None:
    held = Reserve(folder)
    held.fill()
    with held.part(SLOT + 1) as (_, part):
        assert part.exists()
        assert len(free(folder)) == SLOTS


def test_without_slots_there_is_still_the_disk(folder: Path) -> None:
    with Reserve(folder).part(100) as (descriptor, part):
        write_whole(descriptor, bytes(SLOT))
        assert part.stat().st_size == SLOT


def test_threads_at_once_each_have_a_slot_of_their_own(folder: Path) -> None:
    held = Reserve(folder)
    held.fill()
    inodes: list[int] = []
    gate = threading.Barrier(SLOTS)

    def take() -> None:
        gate.wait()
        with held.part(100) as (descriptor, _):
            inodes.append(os.fstat(descriptor).st_ino)
            gate.wait()

    threads = [threading.Thread(target=take) for _ in range(SLOTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(inodes)) == SLOTS


def test_what_the_killed_left_is_cleared_and_what_the_living_write_is_not(folder: Path) -> None:
    held = Reserve(folder)
    (folder / f"{'a' * 32}.part").write_bytes(b"half")
    with held.part(100) as (_, part):
        grow_old(folder)
        held.clear()
        assert part.exists()
        assert len(list(folder.iterdir())) == 1


def test_what_was_made_this_moment_is_left_alone(folder: Path) -> None:
    (folder / f"{'a' * 32}.part").write_bytes(b"not locked yet")
    Reserve(folder).clear()
    assert len(list(folder.iterdir())) == 1


def test_it_is_usable_while_slots_are_left_and_asking_takes_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Reserve(folder)
    held.fill()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(reserve.os, "pwrite", full)
    assert held.usable()
    assert len(free(folder)) == SLOTS
    for slot in free(folder):
        slot.unlink()
    with pytest.raises(OSError, match="full"):
        held.usable()
    assert list(folder.iterdir()) == []
