"""A record in the spool: whole or not there, sealed, found by its reference, set aside when it doesn't open."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.leads import spool as spool_module
from xinheng.leads.reserve import SLOT, SLOTS
from xinheng.leads.spool import Spool, Spooled, SpoolRefused, Unreadable
from xinheng.leads.submission import Attribution, Submission, Touch

pytestmark = pytest.mark.databases("sqlite")  # no database is asked
Asked = Callable[..., Submission]
ID, OTHER = "a" * 32, "b" * 32


def kept(spool: Spool, submission_id: str = ID) -> Path:
    return spool.folder / f"{submission_id}.kept"


@pytest.fixture
def whole(asked: Asked) -> Spooled:
    """A record with something in every field."""
    came = Attribution(
        page="/articles/ageing",
        article="ageing",
        first=Touch("www.baidu.com", "/articles/ageing", {"utm_source": "x"}),
        articles_read=("ageing", "first-call"),
    )
    submission = asked("021-87654321 转 801", extra={"company": "示例厂😀"}, attribution=came)
    return Spooled(submission, NOON)


def test_what_is_put_is_read_again_whole(spool: Spool, whole: Spooled) -> None:
    assert spool.put(ID, whole)
    assert spool.read(ID) == whole
    assert spool.ids() == [ID]


def test_nothing_in_the_folder_tells_what_was_typed_nor_how_long_it_was(spool: Spool, whole: Spooled) -> None:
    spool.put(ID, whole)
    spool.put(OTHER, Spooled(replace(whole.submission, details="短"), NOON))
    assert kept(spool).stat().st_size == kept(spool, OTHER).stat().st_size == SLOT
    assert kept(spool).stat().st_mode & 0o777 == 0o600
    assert spool.folder.stat().st_mode & 0o777 == 0o700
    held = b"".join(file.read_bytes() for file in spool.folder.iterdir())
    for typed in ("张三丰", "逾期四个多月", "87654321", "baidu", "示例厂"):
        assert typed.encode() not in held


def test_a_long_enquiry_fits_a_slot_and_a_longer_one_is_kept_all_the_same(
    spool: Spool, whole: Spooled
) -> None:
    long = replace(
        whole.submission,
        name="😀" * 50,
        details="😀" * 500,
        extra={"company": "一" * 500, "city": "一" * 200},
    )
    spool.put(ID, Spooled(long, NOON))
    assert kept(spool).stat().st_size == SLOT
    longer = Spooled(replace(long, extra={"more": "一" * 10_000}), NOON)
    spool.put(OTHER, longer)
    assert spool.read(OTHER) == longer


def test_a_second_record_of_one_id_changes_nothing(spool: Spool, whole: Spooled) -> None:
    assert spool.put(ID, whole)
    assert not spool.put(ID, Spooled(whole.submission, datetime.now(UTC)))
    assert spool.read(ID) == whole
    assert len(spool.ids()) == 1


def test_it_is_found_by_the_reference_that_its_visitor_has(
    spool: Spool, whole: Spooled, store_keys: Keys
) -> None:
    spool.put(ID, whole)
    assert spool.find(store_keys.reference(ID)) == whole
    assert spool.find(store_keys.reference(OTHER)) is None


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "a changed byte": lambda data: data[:60] + bytes((data[60] ^ 1,)) + data[61:],
    "cut short": lambda data: data[:100],
    "nothing in it": lambda data: b"",
    "zeros": lambda data: bytes(len(data)),
    "another mark": lambda data: b"XHS9" + data[4:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_record_is_not_read_and_makes_room_for_a_whole_one(
    spool: Spool, whole: Spooled, damage: Callable[[bytes], bytes]
) -> None:
    spool.put(ID, whole)
    kept(spool).write_bytes(damage(kept(spool).read_bytes()))
    with pytest.raises(Unreadable) as raised:
        spool.read(ID)
    assert "逾期" not in f"{raised.value} {raised.value.__context__}"
    assert spool.put(ID, whole), "kept anew, and the damaged one set aside"
    assert spool.read(ID) == whole
    assert spool.waiting().aside == 1


def test_a_record_under_another_name_does_not_open(spool: Spool, whole: Spooled) -> None:
    spool.put(ID, whole)
    kept(spool).rename(kept(spool, OTHER))
    with pytest.raises(Unreadable):
        spool.read(OTHER)


def test_a_record_of_another_key_waits_aside_until_the_key_is_back(spool: Spool, whole: Spooled) -> None:
    spool.put(ID, whole)
    stranger = Spool(spool.folder, Keys(bytes(range(32)), bytes(range(32)), bytes(range(32))))
    assert not stranger.holds(ID)
    assert (spool.waiting().count, spool.waiting().aside) == (0, 1)
    spool.take_up_again()
    assert spool.read(ID) == whole
    assert (spool.waiting().count, spool.waiting().aside) == (1, 0)


def test_what_waits_is_counted_with_its_age(spool: Spool, whole: Spooled) -> None:
    assert (spool.waiting().count, spool.waiting().oldest) == (0, None)
    spool.put(OTHER, whole)
    spool.put(ID, whole)
    long_ago = NOON - timedelta(days=30)
    os.utime(kept(spool), ns=(0, int(long_ago.timestamp() * 1e9)))
    assert (spool.waiting().count, spool.waiting().oldest) == (2, long_ago)
    assert spool.ids() == [ID, OTHER], "oldest first"
    spool.remove(ID)
    spool.remove(ID)
    assert spool.ids() == [OTHER]


def test_a_full_spool_refuses(spool: Spool, whole: Spooled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "MOST", 1)
    spool.put(ID, whole)
    assert not spool.takes_records()
    with pytest.raises(SpoolRefused):
        spool.put(OTHER, whole)
    assert not spool.put(ID, whole), "what it has it has"


def test_a_spool_that_is_gone_refuses_and_is_taken_for_empty(spool: Spool, whole: Spooled) -> None:
    spool.folder.rename(spool.folder.with_name("away"))
    with pytest.raises(SpoolRefused):
        spool.put(ID, whole)
    assert not spool.takes_records()
    assert spool.find("XH-00000-00000") is None
    assert spool.waiting().count == 0


def test_used_slots_are_written_anew(spool: Spool, whole: Spooled) -> None:
    spool.put(ID, whole)
    assert len(list(spool.folder.glob("*.free"))) == SLOTS - 1
    spool.refill()
    assert len(list(spool.folder.glob("*.free"))) == SLOTS


# --- a full disk, and a kill at every step ---

FULL = """
import errno, os, pickle, sys
from pathlib import Path
from xinheng.crypto import load_keys
from xinheng.leads.spool import Spool

spool = Spool(Path(sys.argv[1]), load_keys(Path(sys.argv[2])))
spool.prepare()
record = pickle.loads(bytes.fromhex(sys.stdin.read()))
plain_open = os.open

def without_room(path, flags, *mode):
    if flags & os.O_CREAT:
        raise OSError(errno.ENOSPC, "full")
    return plain_open(path, flags, *mode)

os.open = without_room
taken = 0
try:
    while True:
        spool.put(f"{taken:032x}", record)
        taken += 1
except Exception as fault:
    print(taken, type(fault).__name__)
"""


def run(script: str, *arguments: object, record: Spooled) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        input=pickle.dumps(record).hex(),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "site")},
    )


def test_where_no_file_can_be_made_the_reserve_takes_as_many_as_it_has_slots(
    spool: Spool, whole: Spooled, tmp_path: Path
) -> None:
    """A really full disk is filled in tests/faults; here only making a file fails."""
    done = run(FULL, spool.folder, tmp_path / "var" / "keys", record=whole)
    assert done.stdout.split() == [str(SLOTS), "SpoolRefused"], done.stderr
    assert [spool.read(each) for each in spool.ids()] == [whole] * SLOTS


KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from xinheng.crypto import load_keys
from xinheng.leads.spool import Spool

spool = Spool(Path(sys.argv[1]), load_keys(Path(sys.argv[2])))
record, left = pickle.loads(bytes.fromhex(sys.stdin.read())), int(sys.argv[3])

def counted(act):
    def counting(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*arguments, **named)
    return counting

for name in ("open", "rename", "pwrite", "fsync", "link", "unlink", "close"):
    setattr(os, name, counted(getattr(os, name)))
spool.put("a" * 32, record)
os.write(1, b"told\\n")
"""


def test_a_kill_at_any_step_leaves_a_whole_record_or_none_and_never_one_that_was_told_missing(
    spool: Spool, whole: Spooled, tmp_path: Path
) -> None:
    steps, kills = 0, []
    while True:
        done = run(KILLED, spool.folder, tmp_path / "var" / "keys", steps, record=whole)
        if done.stdout:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        kills.append(spool.ids())
        if spool.ids():
            assert spool.read(ID) == whole
            spool.remove(ID)
        for file in spool.folder.glob("*.part"):
            os.utime(file, (0, 0))
        spool.refill()
        assert {file.suffix for file in spool.folder.iterdir()} == {".free"}
        steps += 1
    assert [] in kills
    assert [ID] in kills, "between the name and the telling there are steps too"
    assert spool.read(ID) == whole
