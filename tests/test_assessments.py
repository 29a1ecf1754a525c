"""Finished health checks: found by the token alone, sealed, gone in time unless an enquiry keeps them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from xinheng.assessments import (
    KEPT,
    Assessment,
    attach,
    delete_assessments,
    delete_due,
    find,
    find_by_id,
    keep,
)
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
        found = find(session, keys, token, NOON)
        assert found
        assert (found.answers, found.result) == ({"credit_sales": 1200.5, "dso": "gt120"}, {"score": 12.5})
        assert (found.version, found.previous_id, found.created_at) == ("v1", first, NOON)
        for wrong in ("", token[:-1], token + "A", found.id):
            assert find(session, keys, wrong, NOON) is None


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
    (alone, _), (attached, token), (other, other_token) = (kept(store, keys) for _ in range(3))
    with store.writing() as session:
        assert attach(session, keys, token, NOON) == attached
        assert attach(session, keys, other_token, NOON) == other
    with store.writing() as session:
        delete_due(session, NOON + KEPT - MINUTE)
        assert set(there(session)) == {alone, attached, other}
        delete_due(session, NOON + KEPT + MINUTE)
        assert set(there(session)) == {attached, other}
        delete_assessments(session, [attached])
        assert there(session) == [other]


def test_one_that_is_attached_at_the_moment_it_would_go_stays(store: Database, keys: Keys) -> None:
    id, token = kept(store, keys)

    def tidy() -> None:
        with store.writing() as session:
            delete_due(session, NOON + KEPT + MINUTE)

    with ThreadPoolExecutor(1) as housekeeping:
        with store.writing() as session:
            assert attach(session, keys, token, NOON + KEPT) == id
            tidying = housekeeping.submit(tidy)
            time.sleep(0.3)  # by now it has found the row, and waits for it
        tidying.result()
    with store.reading() as session:
        assert there(session) == [id]


def test_one_whose_time_is_over_is_found_no_more_even_before_it_is_deleted(
    store: Database, keys: Keys
) -> None:
    (alone, token), (attached, other) = kept(store, keys), kept(store, keys)
    late = NOON + KEPT + MINUTE
    with store.writing() as session:
        assert attach(session, keys, other, NOON) == attached
        assert find(session, keys, token, NOON + KEPT)
        assert find(session, keys, token, late) is None
        assert find_by_id(session, keys, alone, late) is None
        assert attach(session, keys, token, late) is None
        again = find(session, keys, other, late)
        assert again
        assert (again.id, again.retain_until) == (attached, None)
        assert find_by_id(session, keys, attached, late) == again


@pytest.mark.parametrize(
    ("confidence", "low", "high", "level"),
    [
        ("good", "high", "high", "high"),
        ("weak", "moderate", "high", "elevated"),
        ("insufficient", "moderate", "high", ""),
        ("insufficient", "high", "high", "high"),
    ],
)
def test_where_too_much_is_unsure_there_is_no_level_unless_both_ends_agree(
    store: Database, keys: Keys, confidence: str, low: str, high: str, level: str
) -> None:
    shown = "elevated" if low != high else high
    result = {"confidence": confidence, "level": shown, "level_low": low, "level_high": high}
    _, token = kept(store, keys, result=result)
    with store.reading() as session:
        found = find(session, keys, token, NOON)
    assert found
    assert found.level == level


def test_there_is_room_for_so_many_and_the_oldest_go_first(store: Database, keys: Keys) -> None:
    ids = []
    for day in range(5):
        with store.writing() as session:
            values = {"answers": {}, "result": {}, "previous_id": None, "now": NOON + timedelta(days=day)}
            ids.append(keep(session, keys, version="v1", **values)[0])
    with store.writing() as session:
        session.execute(
            update(Assessment).where(Assessment.id == ids[0]).values(retain_until=None)
        )  # attached
        assert delete_due(session, NOON, most=2)
        assert not delete_due(session, NOON, most=2)
        assert set(there(session)) == {ids[0], ids[3], ids[4]}
