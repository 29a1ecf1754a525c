"""A saved file goes live; a bad save keeps the last good and says what is wrong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from xinheng.db import DatabaseBusy
from xinheng.documents import BadDocument, Fault
from xinheng.reloading import Reloading, last_good, version_of

pytestmark = pytest.mark.usefixtures("saved_files_are_seen")


def loader(file: Path) -> Callable[[], str]:
    """Reads a file; one that says `bad` is refused as data files are."""

    def load() -> str:
        text = file.read_text(encoding="utf-8")
        if text.startswith("bad"):
            raise BadDocument([Fault(file, 3, "title", text)])
        return text

    return load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "subject.toml"
    made.write_text("one", encoding="utf-8")
    return made


@pytest.fixture
def value(file: Path) -> Reloading[str]:
    return Reloading(lambda: version_of([file]), loader(file))


def test_a_saved_file_goes_live(value: Reloading[str], file: Path) -> None:
    assert value.current() == "one"
    file.write_text("two!", encoding="utf-8")
    assert value.current() == "two!"


def test_without_a_save_nothing_is_read_again(value: Reloading[str], file: Path) -> None:
    first = value.current()
    assert all(value.current() is first for _ in range(5))


def test_the_first_reading_of_a_bad_file_raises_and_a_mended_one_is_read(
    value: Reloading[str], file: Path
) -> None:
    file.write_text("bad", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(BadDocument):
            value.current()
    file.write_text("mended", encoding="utf-8")
    assert value.current() == "mended"


def test_a_bad_save_keeps_the_last_good_and_says_what_is_wrong(
    value: Reloading[str], file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    value.current()
    file.write_text("bad one", encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        assert [value.current() for _ in range(3)] == ["one"] * 3
    assert len(caplog.records) == 1
    assert f"{file}:3: title：bad one" in caplog.text
    file.write_text("mended", encoding="utf-8")
    assert value.current() == "mended"


def test_a_bad_save_after_a_bad_save_says_the_new_fault(
    value: Reloading[str], file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    value.current()
    for text in ("bad one", "bad number two"):
        file.write_text(text, encoding="utf-8")
        assert value.current() == "one"
        assert caplog.messages[-1].endswith(f"title：{text}")


def test_a_file_that_is_gone_for_a_moment_keeps_the_last_good(value: Reloading[str], file: Path) -> None:
    """Editors delete and write anew."""
    assert value.current() == "one"
    file.unlink()
    assert value.current() == "one"
    file.write_text("back again", encoding="utf-8")
    assert value.current() == "back again"


@pytest.mark.parametrize(
    "fault", [DatabaseBusy("leads.lock"), PermissionError("subject.toml"), RuntimeError("x")]
)
def test_a_loading_that_fails_for_another_reason_keeps_the_last_good_and_is_tried_again(
    file: Path, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """A saved form whose words could not be stored just now must not take the form down, nor be forgotten."""
    fails = False

    def load() -> str:
        if fails:
            raise fault
        return file.read_text(encoding="utf-8")

    value = Reloading(lambda: version_of([file]), load)
    assert value.current() == "one"
    file.write_text("two!", encoding="utf-8")
    fails = True
    with caplog.at_level(logging.ERROR):
        assert value.current() == "one"
    assert caplog.records
    fails = False
    assert value.current() == "two!"


def test_files_are_looked_at_once_in_a_while_only(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("xinheng.reloading.time", SimpleNamespace(monotonic=lambda: now))
    value = Reloading(lambda: version_of([file]), loader(file), every=1.0)
    assert value.current() == "one"
    file.write_text("two!", encoding="utf-8")
    now = 0.9
    assert value.current() == "one"
    now = 1.1
    assert value.current() == "two!"


def test_while_one_thread_reads_anew_the_others_go_on_with_the_last_good(file: Path) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def load() -> str:
        text = file.read_text(encoding="utf-8")
        if text != "one":
            reading.set()
            go_on.wait(10)
        return text

    value = Reloading(lambda: version_of([file]), load)
    value.current()
    file.write_text("two!", encoding="utf-8")
    slow = threading.Thread(target=value.current)
    slow.start()
    assert reading.wait(10)
    assert value.current() == "one"
    go_on.set()
    slow.join()
    assert value.current() == "two!"


def test_many_threads_that_start_at_once_read_once(file: Path) -> None:
    readings: list[int] = []

    def load() -> str:
        readings.append(1)
        return "one"

    value = Reloading(lambda: version_of([file]), load)
    threads = [threading.Thread(target=value.current) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(readings) == 1


def test_the_version_changes_with_a_save_a_new_file_and_a_missing_one(tmp_path: Path) -> None:
    one, other = tmp_path / "a", tmp_path / "b"
    one.write_text("x", encoding="utf-8")
    versions = [version_of([one, other])]
    other.write_text("y", encoding="utf-8")
    versions.append(version_of([one, other]))
    one.write_text("longer", encoding="utf-8")
    versions.append(version_of([one, other]))
    one.unlink()
    versions.append(version_of([one, other]))
    assert len(set(versions)) == 4


# --- the start from the last good ---


def folder_loader(folder: Path) -> str:
    return loader(folder / "subject.toml")()


def start(file: Path, tmp_path: Path) -> Callable[[], str]:
    load, _ = last_good(file.parent, file.name, tmp_path / "spare" / "forms", folder_loader)
    return load


def worker(file: Path, tmp_path: Path) -> Reloading[str]:
    load, kept = last_good(file.parent, file.name, tmp_path / "spare" / "forms", folder_loader)
    made = Reloading(lambda: version_of([file]), load, kept=kept)
    made.current()
    return made


def test_production_starts_from_the_last_good_and_says_what_is_wrong(
    file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert start(file, tmp_path)() == "one"
    file.write_text("bad", encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        assert start(file, tmp_path)() == "one"
    assert "title：bad" in caplog.text


def test_without_a_last_good_a_bad_file_stops_the_start(file: Path, tmp_path: Path) -> None:
    file.write_text("bad", encoding="utf-8")
    with pytest.raises(BadDocument):
        start(file, tmp_path)()


def test_once_started_a_bad_save_is_a_fault_and_not_the_last_start(file: Path, tmp_path: Path) -> None:
    load = start(file, tmp_path)
    assert load() == "one"
    file.write_text("bad", encoding="utf-8")
    with pytest.raises(BadDocument):
        load()


def test_the_last_good_is_the_newest_that_was_right(file: Path, tmp_path: Path) -> None:
    load = start(file, tmp_path)
    load()
    file.write_text("two!", encoding="utf-8")
    assert load() == "two!"
    file.write_text("bad", encoding="utf-8")
    assert start(file, tmp_path)() == "two!"


def test_a_worker_that_missed_a_good_save_before_a_bad_one_shows_what_the_others_show(
    file: Path, tmp_path: Path
) -> None:
    """Without visitors a worker doesn't look."""
    busy, idle = worker(file, tmp_path), worker(file, tmp_path)
    file.write_text("two!", encoding="utf-8")
    assert busy.current() == "two!"
    file.write_text("bad", encoding="utf-8")
    assert [each.current() for each in (busy, idle, idle)] == ["two!"] * 3
    file.write_text("mended", encoding="utf-8")
    assert [each.current() for each in (busy, idle)] == ["mended"] * 2


def test_a_copy_that_is_bad_with_the_other_files_of_now_is_not_taken(file: Path, tmp_path: Path) -> None:
    idle = worker(file, tmp_path)
    (tmp_path / "spare" / "forms" / file.name).write_text("bad", encoding="utf-8")
    file.write_text("bad too", encoding="utf-8")
    assert idle.current() == "one"


def test_after_a_start_from_the_last_good_a_mended_file_goes_live(file: Path, tmp_path: Path) -> None:
    start(file, tmp_path)()
    file.write_text("bad", encoding="utf-8")
    value = Reloading(lambda: version_of([file]), start(file, tmp_path))
    assert value.current() == "one"
    file.write_text("mended", encoding="utf-8")
    assert value.current() == "mended"


def optional_loader(folder: Path) -> str:
    """Without the file there is a usual value."""
    return folder_loader(folder) if (folder / "subject.toml").exists() else "usual"


def test_a_file_that_was_taken_away_is_not_the_last_good_any_more(file: Path, tmp_path: Path) -> None:
    load, kept = last_good(file.parent, file.name, tmp_path / "spare" / "forms", optional_loader)
    value = Reloading(lambda: version_of([file]), load, kept=kept)
    assert value.current() == "one"
    file.unlink()
    assert value.current() == "usual"
    file.write_text("bad", encoding="utf-8")
    assert value.current() == "usual"


def test_what_is_saved_while_a_good_file_is_read_is_not_taken_for_good(file: Path, tmp_path: Path) -> None:
    def load(folder: Path) -> str:
        text = folder_loader(folder)
        if text == "two!":
            file.write_text("bad", encoding="utf-8")
        return text

    first, _ = last_good(file.parent, file.name, tmp_path / "spare" / "forms", load)
    assert first() == "one"
    file.write_text("two!", encoding="utf-8")
    assert first() == "two!"
    assert start(file, tmp_path)() == "one"
