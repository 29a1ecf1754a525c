"""Finished health checks: found by the token alone, sealed, gone in time unless an enquiry keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.assessments import KEPT, Assessment, attach, delete_assessments, delete_due, find, keep
from xinheng.crypto import Keys, load_keys
from xinheng.db import Database, Databases
from xinheng.form_versions import FormVersion

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return load_keys(tmp_path / "keys")


@pytest.fixture
def store(databases: Databases) -> Database:
    with databases.leads.writing() as session:
        session.add(FormVersion(version="v1", form="{}", published_at=NOON))
    return databases.leads


def kept(store: Database, keys: Keys, **given: Any) -> tuple[str, str]:
    with store.writing() as session:
        values = {"answers": {"dso": "le30"}, "result": {"score": 12.5}, "previous_id": None} | given
        return keep(session, keys, version="v1", now=NOON, **values)


def there(session: Session) -> list[str]:
    return list(session.scalars(select(Assessment.id)))


def test_a_result_is_found_by_its_token_alone(store: Database, keys: Keys) -> None:
    first, _ = kept(store, keys)
    _, token = kept(store, keys, answers={"credit_sales": 1200.5, "dso": "gt120"}, previous_id=first)
    with store.reading() as session:
        found = find(session, keys, token)
        assert found
        assert (found.answers, found.result) == ({"credit_sales": 1200.5, "dso": "gt120"}, {"score": 12.5})
        assert (found.version, found.previous_id, found.created_at) == ("v1", first, NOON)
        for wrong in ("", token[:-1], token + "A", found.id):
            assert find(session, keys, wrong) is None


def test_neither_the_token_nor_an_answer_stands_in_the_database(store: Database, keys: Keys) -> None:
    _, token = kept(store, keys, answers={"dso": "gt120"})
    with store.reading() as session:
        row = session.scalars(select(Assessment)).one()
        stored = b"".join(
            each if isinstance(each, bytes) else str(each).encode()
            for each in (getattr(row, column.key) for column in Assessment.__table__.columns)
        )
    assert token.encode() not in stored
    assert b"gt120" not in stored


def test_one_that_nobody_attached_goes_in_time_and_the_others_with_their_enquiry(
    store: Database, keys: Keys
) -> None:
    (alone, _), (attached, _), (other, _) = (kept(store, keys) for _ in range(3))
    with store.writing() as session:
        for each in (attached, other):
            attach(session, each)
    with store.writing() as session:
        delete_due(session, NOON + KEPT - MINUTE)
        assert set(there(session)) == {alone, attached, other}
        delete_due(session, NOON + KEPT + MINUTE)
        assert set(there(session)) == {attached, other}
        delete_assessments(session, [attached])
        assert there(session) == [other]
