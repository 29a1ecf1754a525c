"""What a database does for a statement: which statements were run, and which of them read a whole table."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

LARGE = frozenset({"leads", "enquiries", "lead_events", "consents", "outbox", "audit"})
"""Tables that grow with enquiries and deeds: no page may read one as a whole. All others stay small."""

_PLANNED = ("SELECT", "UPDATE", "DELETE", "WITH")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was sent, with its values."""

    text: str
    values: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a statement is answered, in the database's words, and what is wrong with it (empty: nothing)."""

    text: str
    faults: tuple[str, ...]


@contextmanager
def watched(engine: Engine) -> Iterator[list[Statement]]:
    """The statements that are run within the block and that have a plan."""
    found: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(_PLANNED) and "pg_advisory" not in statement:
            found.append(Statement(statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan_of(engine: Engine, statement: Statement) -> Plan:
    """Ask the database how it answers a statement."""
    postgres = engine.dialect.name == "postgresql"
    prefix = "EXPLAIN (FORMAT JSON) " if postgres else "EXPLAIN QUERY PLAN "
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(prefix + statement.text, statement.values).all()
        connection.rollback()
    return _postgres_plan(rows[0][0]) if postgres else _sqlite_plan([row[3] for row in rows], statement.text)


def seconds(engine: Engine, statement: Statement) -> float:
    """How long a reading statement takes alone, its rows fetched: the best of three."""
    taken = []
    with engine.connect() as connection:
        for _ in range(3):
            start = time.perf_counter()
            connection.exec_driver_sql(statement.text, statement.values).all()
            taken.append(time.perf_counter() - start)
        connection.rollback()
    return min(taken)


def _sqlite_plan(steps: list[str], text: str) -> Plan:
    """A scan of a large table is one row after another, unless it walks an index in order and stops at a limit."""
    sorted_apart = any(step.startswith("USE TEMP B-TREE FOR ORDER BY") for step in steps)
    ends = "LIMIT" in text.upper() and not sorted_apart
    faults = []
    for step in steps:
        words = step.split()
        if words[0] == "SCAN" and words[1].removesuffix("_1") in LARGE and not ("USING" in words and ends):
            faults.append(step)
    return Plan(" | ".join(steps), tuple(faults))


def _postgres_plan(answer: Any) -> Plan:
    found = json.loads(answer) if isinstance(answer, str) else answer
    told: list[str] = []
    faults: list[str] = []

    def walk(node: dict[str, Any], *, ends: bool) -> None:
        kind, table = node["Node Type"], node.get("Relation Name", "")
        index = node.get("Index Name", "")
        condition = node.get("Index Cond") or node.get("Recheck Cond") or ""
        line = " ".join(filter(None, (kind, table, index, condition, f"≈{node['Plan Rows']}")))
        told.append(line)
        whole = kind == "Seq Scan" or (kind.startswith("Index") and table and not condition and not ends)
        if table in LARGE and whole:
            faults.append(line)
        ends = (ends or kind == "Limit") and kind not in {"Sort", "Incremental Sort", "Aggregate", "Hash"}
        for child in node.get("Plans", ()):
            walk(child, ends=ends)

    walk(found[0]["Plan"], ends=False)
    return Plan(" | ".join(told), tuple(faults))
