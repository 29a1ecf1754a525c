"""An empty audit in a real database, and the two ways to write to it: as the program does, and by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from xinheng.audit.log import record
from xinheng.crypto import Keys, load_keys
from xinheng.db import Database, Databases

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""Noon in Shanghai."""

ZHOU, WU = f"{1:032x}", f"{2:032x}"
LEAD, OTHER_LEAD = f"{11:032x}", f"{12:032x}"


@pytest.fixture
def store(opened: Databases) -> Database:
    """The leads database, empty."""
    return opened.leads


@pytest.fixture
def store_place(tmp_path: Path, database_url: str) -> tuple[str, str]:
    """Where another process opens the same database: the folder, and the address of a server or nothing."""
    return str(tmp_path / "var"), database_url


@pytest.fixture
def store_keys(tmp_path: Path) -> Keys:
    return load_keys(tmp_path / "keys")


Write = Callable[..., None]


@pytest.fixture
def write(store: Database, store_keys: Keys) -> Write:
    """Record something; without words, that Zhou opened a lead at noon."""

    def written(**changed: Any) -> None:
        plain = {"actor": ZHOU, "action": "view", "subject_kind": "lead", "subject_id": LEAD, "now": NOON}
        with store.writing() as session:
            record(session, store_keys, **plain | changed)

    return written


@pytest.fixture
def ten_rows(store: Database, store_keys: Keys) -> None:
    """Rows 1 to 10, each with another count in its detail."""
    with store.writing() as session:
        for number in range(1, 11):
            at = NOON + timedelta(minutes=number)
            record(session, store_keys, actor=ZHOU, action="export", detail={"count": number}, now=at)


@pytest.fixture
def by_hand(store: Database) -> Callable[[str], None]:
    """Run statements as somebody would who has the database but not the program."""

    def run(statements: str) -> None:
        with store.writing() as session:
            for statement in filter(None, map(str.strip, statements.split(";"))):
                session.execute(text(statement.replace(":", r"\:")))

    return run
