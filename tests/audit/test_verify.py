"""What somebody with the database but without the key can't do unseen, each by its name and row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from tests.audit.conftest import NOON, WU, ZHOU, Write

from xinheng.audit import verify as verifying
from xinheng.audit.log import chained
from xinheng.audit.models import AuditHead, AuditRow
from xinheng.audit.report import BadNote, Break, NotedHead, Report
from xinheng.audit.verify import verify
from xinheng.crypto import Keys, load_keys
from xinheng.db import Database

ByHand = Callable[[str], None]


@pytest.fixture
def found(store: Database, store_keys: Keys) -> Callable[..., list[tuple[str, int, int]]]:
    """The breaks of a check, as tuples."""

    def check(**changed: object) -> list[tuple[str, int, int]]:
        report = verify(store, store_keys, **changed)  # type: ignore[arg-type]
        return [(each.what, each.first, each.last) for each in report.breaks]

    return check


Found = Callable[..., list[tuple[str, int, int]]]


def noted(store: Database) -> NotedHead:
    with store.reading() as session:
        head = session.scalars(select(AuditHead)).one()
    return NotedHead.of(head.last_id, head.chain)


def test_what_nobody_touched_is_whole(store: Database, store_keys: Keys, ten_rows: None) -> None:
    report = verify(store, store_keys)
    assert (report.whole, report.rows, report.since, report.unlisted) == (True, 10, 1, 0)
    assert report.head == noted(store)


def test_an_empty_record_is_whole(store: Database, store_keys: Keys) -> None:
    assert verify(store, store_keys) == Report(0, 1, NotedHead(0, ""), (), 0)


CHANGES = {
    "who": f"actor = '{WU}'",
    "nobody": "actor = ''",
    "what": "action = 'view'",
    "kind": "subject_kind = 'lead'",
    "whom": f"subject_id = '{WU}'",
    "detail": "detail = '{\"count\": 11}'",
    "no detail": "detail = '{}'",
    "when": "at = '2026-11-23 04:04:00.000001'",
    "chain": "chain = (SELECT chain FROM audit WHERE id = 2)",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("row", [1, 5, 10])
def test_a_changed_row_is_named_and_no_other(
    found: Found, ten_rows: None, by_hand: ByHand, change: str, row: int
) -> None:
    by_hand(f"UPDATE audit SET {change} WHERE id = {row}")  # noqa: S608
    assert found() == [("changed", row, row)]


@pytest.mark.parametrize(
    ("deleted", "named"),
    [
        ("id = 1", [("missing", 1, 1), ("unproved", 2, 2)]),
        ("id = 5", [("missing", 5, 5), ("unproved", 6, 6)]),
        ("id IN (4, 5, 6)", [("missing", 4, 6), ("unproved", 7, 7)]),
        ("id IN (3, 7)", [("missing", 3, 3), ("unproved", 4, 4), ("missing", 7, 7), ("unproved", 8, 8)]),
        ("id = 10", [("cut", 10, 10)]),
        ("id > 6", [("cut", 7, 10)]),
        ("id > 0", [("cut", 1, 10)]),
    ],
)
def test_what_was_taken_out_is_named_with_its_ends(
    found: Found, ten_rows: None, by_hand: ByHand, deleted: str, named: list[tuple[str, int, int]]
) -> None:
    by_hand(f"DELETE FROM audit WHERE {deleted}")  # noqa: S608
    assert found() == named


def test_rows_that_changed_places_are_named(found: Found, ten_rows: None, by_hand: ByHand) -> None:
    by_hand(
        "UPDATE audit SET id = 99 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 7;"
        "UPDATE audit SET id = 7 WHERE id = 99"
    )
    assert found() == [("changed", 4, 4), ("unproved", 5, 5), ("changed", 7, 7), ("unproved", 8, 8)]


def test_rows_that_were_moved_up_over_a_gap_are_named(found: Found, ten_rows: None, by_hand: ByHand) -> None:
    by_hand("DELETE FROM audit WHERE id = 9; UPDATE audit SET id = 9 WHERE id = 10")
    assert found() == [("changed", 9, 9), ("cut", 10, 10)]


COPY = "actor, action, subject_kind, subject_id, detail, chain FROM audit WHERE id = 10"


@pytest.mark.parametrize("row", [11, 400])
def test_a_row_put_in_at_the_end_is_named(found: Found, ten_rows: None, by_hand: ByHand, row: int) -> None:
    by_hand(f"INSERT INTO audit SELECT {row}, at, {COPY}")
    assert found() == [("inserted", row, row)]


def test_a_row_put_in_with_the_head_moved_along_is_named(
    found: Found, ten_rows: None, by_hand: ByHand
) -> None:
    by_hand(f"INSERT INTO audit SELECT 11, at, {COPY}; UPDATE audit_head SET last_id = 11")  # noqa: S608
    assert found() == [("changed", 11, 11)]


def test_a_row_put_in_before_the_first_is_named(found: Found, ten_rows: None, by_hand: ByHand) -> None:
    by_hand(f"INSERT INTO audit SELECT -3, at, {COPY}")
    assert found() == [("inserted", -3, 0)]


def test_a_row_put_in_for_one_that_was_deleted_is_named(
    found: Found, ten_rows: None, by_hand: ByHand
) -> None:
    by_hand(f"DELETE FROM audit WHERE id = 6; INSERT INTO audit SELECT 6, at, {COPY}")  # noqa: S608
    assert found() == [("changed", 6, 6), ("unproved", 7, 7)]


def test_a_deleted_head_is_named(found: Found, ten_rows: None, by_hand: ByHand) -> None:
    by_hand("DELETE FROM audit_head")
    assert found() == [("head_missing", 0, 0)]


def test_a_head_with_another_chain_is_named(found: Found, ten_rows: None, by_hand: ByHand) -> None:
    by_hand("UPDATE audit_head SET chain = (SELECT chain FROM audit WHERE id = 9)")
    assert found() == [("head_changed", 0, 0)]


def test_a_head_moved_back_is_named(found: Found, ten_rows: None, by_hand: ByHand) -> None:
    by_hand("UPDATE audit_head SET last_id = 8, chain = (SELECT chain FROM audit WHERE id = 8)")
    assert found() == [("inserted", 9, 10)]


@pytest.mark.parametrize("tampered", [(2, 9), (2, 3, 4), (1, 2, 9, 10)])
def test_of_several_changed_rows_all_are_named(
    found: Found, ten_rows: None, by_hand: ByHand, tampered: tuple[int, ...]
) -> None:
    by_hand(f"UPDATE audit SET actor = '{WU}' WHERE id IN ({', '.join(map(str, tampered))})")  # noqa: S608
    named = {row for _, first, last in found() for row in range(first, last + 1)}
    assert named == set(tampered)
    assert found()[0][:2] == ("changed", tampered[0])


def test_another_key_is_said_to_be_one(
    store: Database, ten_rows: None, tmp_path: Path, store_keys: Keys
) -> None:
    report = verify(store, load_keys(tmp_path / "others"))
    assert report.breaks == (Break("no_row_fits"),)
    assert verify(store, replace(store_keys, field=b"another")).whole


def test_a_single_row_that_is_wrong_is_named_by_its_row(found: Found, write: Write, by_hand: ByHand) -> None:
    write()
    by_hand("UPDATE audit SET actor = 'system'")
    assert found() == [("changed", 1, 1)]


# --- the end cut off together with the head ---

CUT = (
    "DELETE FROM audit WHERE id > 6;"
    "UPDATE audit_head SET last_id = 6, chain = (SELECT chain FROM audit WHERE id = 6)"
)


def test_an_end_cut_off_with_its_head_is_seen_by_a_noted_head_only(
    found: Found, store: Database, ten_rows: None, by_hand: ByHand
) -> None:
    """docs/audit.md says so: that is what the printed head is for."""
    head = noted(store)
    by_hand(CUT)
    assert found() == []
    assert found(noted=head) == [("not_as_noted", 10, 10)]


def test_rows_written_anew_after_a_cut_do_not_pass_for_those_that_were_noted(
    found: Found, store: Database, ten_rows: None, by_hand: ByHand, write: Write
) -> None:
    head = noted(store)
    by_hand(CUT)
    for _ in range(6):
        write()
    assert found() == []
    assert found(noted=head) == [("not_as_noted", 10, 10)]


def test_a_head_noted_long_ago_still_holds(
    found: Found, store: Database, ten_rows: None, write: Write
) -> None:
    head = noted(store)
    write()
    assert found(noted=head) == []
    assert found(noted=NotedHead(0, "")) == []


def test_a_noted_head_is_written_and_read_alike(store: Database, ten_rows: None) -> None:
    head = noted(store)
    assert NotedHead.parse(f"  {str(head).upper()}\n") == head
    assert NotedHead.parse("0:") == NotedHead(0, "")


@pytest.mark.parametrize(
    "typed",
    ["", "10", "10:", "10:abc", ":" + "0" * 32, "-1:" + "0" * 32, "１０:" + "0" * 32, "0:" + "0" * 32],
)
def test_what_is_no_noted_head_is_refused(typed: str) -> None:
    with pytest.raises(BadNote):
        NotedHead.parse(typed)


# --- many rows ---


def fill(store: Database, keys: Keys, count: int) -> None:
    """Many rows at once, chained as the program does."""
    chain, made = b"", []
    for number in range(1, count + 1):
        row = {
            "id": number,
            "at": NOON + timedelta(seconds=number),
            "actor": ZHOU,
            "action": "view",
            "subject_kind": "",
            "subject_id": "",
            "detail": {},
        }
        chain = chained(keys, chain, row)
        made.append(row | {"chain": chain})
    with store.writing() as session:
        session.execute(insert(AuditRow), made)
        session.execute(update(AuditHead).values(last_id=count, chain=chain))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "BATCH", 10)


def test_batches_join_without_a_seam(
    store: Database, store_keys: Keys, found: Found, by_hand: ByHand, small_batches: None
) -> None:
    fill(store, store_keys, 95)
    assert found() == []
    by_hand(
        f"UPDATE audit SET actor = '{WU}' WHERE id IN (10, 11, 20, 31, 95); DELETE FROM audit WHERE id = 50"  # noqa: S608
    )
    assert found() == [
        ("changed", 10, 10),
        ("unproved", 11, 11),
        ("changed", 20, 20),
        ("changed", 31, 31),
        ("missing", 50, 50),
        ("unproved", 51, 51),
        ("changed", 95, 95),
    ]


def test_it_tells_how_far_it_is(store: Database, store_keys: Keys, small_batches: None) -> None:
    fill(store, store_keys, 35)
    told: list[tuple[int, int]] = []
    verify(store, store_keys, lambda done, total: told.append((done, total)))
    assert told == [(10, 35), (20, 35), (30, 35), (35, 35)]
    assert all(before < after for (before, _), (after, _) in pairwise(told))


def test_only_the_newest_can_be_checked(
    store: Database, store_keys: Keys, found: Found, by_hand: ByHand
) -> None:
    fill(store, store_keys, 40)
    by_hand(f"UPDATE audit SET actor = '{WU}' WHERE id IN (5, 38)")  # noqa: S608
    assert found(newest=10) == [("changed", 38, 38)]
    report = verify(store, store_keys, newest=10)
    assert (report.since, report.rows) == (31, 10)
    assert verify(store, store_keys, newest=500).rows == 40


def test_a_report_lists_so_many_and_counts_the_rest(
    store: Database,
    store_keys: Keys,
    by_hand: ByHand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verifying, "MOST_BREAKS", 4)
    fill(store, store_keys, 40)
    by_hand(f"UPDATE audit SET actor = '{WU}' WHERE id % 4 = 0")  # noqa: S608
    report = verify(store, store_keys)
    assert [each.first for each in report.breaks] == [4, 8, 12, 16]
    assert report.unlisted == 6


# --- what doesn't even read: SQLite keeps anything in any column, PostgreSQL refuses it by itself ---

GARBAGE = {
    "json": "detail = '{oops'",
    "time": "at = 'noon'",
    "deep": f"detail = '{'[' * 5000}'",
    "bytes": "actor = CAST(X'FF' AS TEXT)",
    "chain": "chain = 'text'",
}


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_a_row_that_does_not_read_is_named_like_any_other(
    store: Database, store_keys: Keys, ten_rows: None, by_hand: ByHand, garbage: str
) -> None:
    by_hand(f"UPDATE audit SET {garbage} WHERE id = 4")  # noqa: S608
    report = verify(store, store_keys)
    assert (report.breaks[0].what, report.breaks[0].first) == ("changed", 4)
    assert {each.first for each in report.breaks} <= {4, 5}


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("garbage", ["last_id = 'ten'", "chain = 'text'"])
def test_a_head_that_does_not_read_is_as_good_as_gone(
    store: Database, store_keys: Keys, ten_rows: None, by_hand: ByHand, garbage: str
) -> None:
    by_hand(f"UPDATE audit_head SET {garbage}")  # noqa: S608
    assert verify(store, store_keys).breaks == (Break("head_missing"),)


def test_a_database_that_does_not_answer_is_not_called_tampered(
    store: Database, store_keys: Keys, ten_rows: None
) -> None:
    with store.writing() as session:
        session.execute(text("DROP TABLE audit_head"))
    with pytest.raises(Exception, match="audit_head"):
        verify(store, store_keys)
