"""What is recorded, what is refused, and that the rows are one chain however many append at once."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from tests.audit.conftest import LEAD, NOON, WU, ZHOU, Write
from tests.conftest import ROOT

from xinheng.audit.log import DETAIL_KEYS, AuditHeadMissing, record
from xinheng.audit.models import ACTIONS, AuditHead, AuditRow
from xinheng.audit.verify import verify
from xinheng.crypto import Keys
from xinheng.db import Database


def rows(store: Database) -> list[AuditRow]:
    with store.reading() as session:
        return list(session.scalars(select(AuditRow).order_by(AuditRow.id)))


def test_a_row_says_who_did_what_to_which_lead_and_when(store: Database, write: Write) -> None:
    write(action="reveal", detail={"reason": "call", "roles": ("sales", "sales_lead")})
    (row,) = rows(store)
    assert (row.id, row.actor, row.action, row.subject_kind, row.subject_id, row.at) == (
        1, ZHOU, "reveal", "lead", LEAD, NOON,
    )  # fmt: skip
    assert row.detail == {"reason": "call", "roles": ["sales", "sales_lead"]}
    assert len(row.chain) == 32


def test_rows_are_numbered_without_a_gap_and_the_head_is_the_last(store: Database, write: Write) -> None:
    for _ in range(3):
        write()
    assert [row.id for row in rows(store)] == [1, 2, 3]
    with store.reading() as session:
        head = session.scalars(select(AuditHead)).one()
    assert (head.last_id, head.chain) == (3, rows(store)[-1].chain)


def test_two_rows_that_tell_the_same_have_different_chains(store: Database, write: Write) -> None:
    write()
    write()
    first, second = rows(store)
    assert first.chain != second.chain


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_fits_its_column(store: Database, write: Write, action: str) -> None:
    write(action=action)
    assert rows(store)[0].action == action


@pytest.mark.parametrize("actor", ["", "system", "command", WU])
def test_somebody_nobody_and_the_program_may_act(store: Database, write: Write, actor: str) -> None:
    write(actor=actor)
    assert rows(store)[0].actor == actor


@pytest.mark.parametrize(
    "detail",
    [
        {"count": 999_999},
        {"count": 0, "masked": True},
        {"from": "", "to": WU},
        {"from": None, "to": "0123456789abcdef0123456789abcdef"},
        {"columns": ["follow_up_at", "next_step"]},
        {"what": "desk.lead"},
        {"filters": ["status:new", "owner"]},
        {"filters": []},
    ],
)
def test_ids_codes_and_small_numbers_are_taken(store: Database, write: Write, detail: Any) -> None:
    write(detail=detail)
    assert rows(store)[0].detail == detail


REFUSED = [
    {"detail": {"reason": "13800138000"}},
    {"detail": {"reason": "call13800138000"}},
    {"detail": {"reason": "a138-0013-8000"}},
    {"detail": {"reason": "138 0013 8000"}},
    {"detail": {"reason": "１３８００１３８０００"}},
    {"detail": {"reason": "一三八〇〇一三八〇〇〇"}},
    {"detail": {"reason": "张三丰"}},
    {"detail": {"reason": "zhou@example.com"}},
    {"detail": {"reason": "x" * 49}},
    {"detail": {"count": 13_800_138_000}},
    {"detail": {"count": -1_380_013}},
    {"detail": {"count": 1.5}},
    {"detail": {"columns": ["phone", "13800138000"]}},
    {"detail": {"columns": [13_800_138_000]}},
    {"detail": {"columns": [["phone"]]}},
    {"detail": {"filters": {"phone": "a"}}},
    {"detail": {"phone": "a"}},
    {"detail": {"name": "a"}},
    {"detail": {"13800138000": "a"}},
    {"actor": "13800138000"},
    {"actor": "张三丰"},
    {"actor": "a" * 33},
    {"subject_id": "13800138000"},
    {"subject_id": "zhou@example.com"},
    {"subject_kind": "phone"},
    {"action": "call"},
]


@pytest.mark.parametrize("told", REFUSED, ids=range(len(REFUSED)))
def test_what_could_be_a_telephone_or_a_name_is_refused(
    store: Database, write: Write, told: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="audit") as refusal:
        write(**told)
    assert rows(store) == []
    assert not any(sign in str(refusal.value) for sign in ("138", "张", "zhou", "一三八"))


def test_a_moment_without_its_zone_is_refused(store: Database, write: Write) -> None:
    with pytest.raises(Exception, match="zone"):
        write(now=datetime(2026, 11, 23, 4, 0))  # noqa: DTZ001 (that is the point)
    assert rows(store) == []


def test_the_row_goes_with_the_transaction_that_it_is_about(store: Database, store_keys: Keys) -> None:
    def fail() -> None:
        with store.writing() as session:
            record(session, store_keys, actor=ZHOU, action="edit", now=NOON)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert rows(store) == []


def test_without_the_head_nothing_is_done(
    store: Database, store_keys: Keys, write: Write, by_hand: Any
) -> None:
    write()
    by_hand("DELETE FROM audit_head")
    with pytest.raises(AuditHeadMissing):
        write(action="reveal")
    assert [row.action for row in rows(store)] == ["view"]


def test_several_rows_of_one_transaction_follow_each_other(store: Database, store_keys: Keys) -> None:
    with store.writing() as session:
        for minutes in range(5):
            at = NOON + timedelta(minutes=minutes)
            record(session, store_keys, actor=ZHOU, action="assign", detail={"to": WU}, now=at)
    assert verify(store, store_keys).whole
    assert len(rows(store)) == 5


def test_threads_that_append_at_once_make_one_chain(store: Database, store_keys: Keys, write: Write) -> None:
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(write, detail={"count": number}) for number in range(200)]:
            done.result()
    report = verify(store, store_keys)
    assert (report.rows, report.whole) == (200, True)


APPENDER = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from xinheng.audit.log import record
from xinheng.crypto import load_keys
from xinheng.db import open_databases

folder, url, keys = json.loads(sys.argv[1])
opened, keys = open_databases(Path(folder), url), load_keys(Path(keys), make=False)
sys.stdin.readline()
for number in range(50):
    with opened.leads.writing() as session:
        record(session, keys, actor="command", action="edit", now=datetime.now(UTC))
opened.dispose()
"""


def test_processes_that_append_at_once_make_one_chain(
    store: Database, store_keys: Keys, store_place: tuple[str, str], tmp_path: Path
) -> None:
    told = json.dumps([*store_place, str(tmp_path / "keys")])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDER, told], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in started:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    report = verify(store, store_keys)
    assert (report.rows, report.whole) == (100, True)


def test_nothing_of_what_is_stored_looks_like_a_telephone(store: Database, write: Write) -> None:
    for number, action in enumerate(ACTIONS):
        write(action=action, detail={"count": number, "from": "new", "to": "contacted"})
    with store.reading() as session:
        told = session.execute(
            select(AuditRow.actor, AuditRow.action, AuditRow.detail).order_by(AuditRow.id)
        ).all()
        assert session.scalar(select(func.count()).select_from(AuditRow)) == len(ACTIONS)
    assert "138" not in str([(row.action, row.detail) for row in told])


# --- append-only ---

CODE = [
    file
    for file in sorted((ROOT / "site" / "xinheng").rglob("*.py"))
    if file.parent.name != "versions"  # a migration may make the table and, going down, drop it
]
OWN = ROOT / "site" / "xinheng" / "audit"


def calls(tree: ast.AST) -> list[tuple[str, str]]:
    """Calls of a tree: the name that is called, and all it is given, as source."""
    return [
        (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""),
            ast.unparse(node),
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]


@pytest.mark.parametrize("file", CODE, ids=lambda file: str(file.relative_to(ROOT / "site" / "xinheng")))
def test_no_code_changes_or_deletes_a_row(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    for name, call in calls(ast.parse(source)):
        if name in {"update", "delete", "insert", "insert_into", "merge", "add", "add_all"}:
            appends = file == OWN / "log.py" and call in {"insert(AuditRow)", "update(AuditHead)"}
            assert appends or "Audit" not in call, call
    if file.parent != OWN:
        assert "AuditHead" not in source.replace("AuditHeadMissing", "")
        assert not any(word in source for word in ("UPDATE audit", "DELETE FROM audit", "INTO audit"))


def test_the_append_only_test_reads_the_code_that_appends() -> None:
    found = [call for _, call in calls(ast.parse((OWN / "log.py").read_text(encoding="utf-8")))]
    assert {"insert(AuditRow)", "update(AuditHead)"} <= set(found)


def test_the_keys_of_details_are_words() -> None:
    assert DETAIL_KEYS
    assert all(key.isidentifier() or key == "from" for key in DETAIL_KEYS)


def test_times_keep_their_microseconds(store: Database, store_keys: Keys, write: Write) -> None:
    """The chain is over the time as it comes back: a database that rounded it would break every row."""
    exact = NOON.replace(microsecond=123_457)
    write(now=exact)
    assert rows(store)[0].at == exact
    assert verify(store, store_keys).whole


def test_the_head_is_made_by_the_schema_and_only_once(store: Database) -> None:
    with store.reading() as session:
        assert session.scalars(select(AuditHead.last_id)).all() == [0]
    with pytest.raises(Exception, match=r"one_row|CHECK"), store.writing() as session:
        session.execute(text("INSERT INTO audit_head SELECT 2, last_id, chain FROM audit_head"))
