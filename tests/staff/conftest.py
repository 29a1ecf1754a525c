"""Accounts, sessions and throttles with a real database, without the application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from xinheng.audit.models import AuditRow
from xinheng.crypto import Keys, load_keys
from xinheng.db import Database, Databases
from xinheng.staff.accounts import Accounts
from xinheng.staff.passwords import Cost, Passwords

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TINY = Passwords(Cost(memory=8, passes=1))


@pytest.fixture
def store(opened: Databases) -> Database:
    return opened.leads


@pytest.fixture
def store_keys(tmp_path: Path) -> Keys:
    return load_keys(tmp_path / "var" / "keys")


@pytest.fixture
def accounts(store: Database, store_keys: Keys) -> Accounts:
    return Accounts(store, store_keys, TINY)


@pytest.fixture
def recorded(store: Database) -> Callable[[], list[tuple[str, str, dict[str, object]]]]:
    """What the audit holds: actor, action, detail."""

    def read() -> list[tuple[str, str, dict[str, object]]]:
        with store.reading() as session:
            rows = session.query(AuditRow).order_by(AuditRow.id)
            return [(row.actor, row.action, dict(row.detail)) for row in rows]

    return read
