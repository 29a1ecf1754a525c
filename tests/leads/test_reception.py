"""Taking an enquiry when the database refuses: the same reference, once, from wherever it is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select
from tests.databases import a_writer_elsewhere, allow_inserts, refuse_inserts
from tests.leads.conftest import BROWSER_ID, NOON
from tests.postgres import PostgresServer

from xinheng.db import Database, DatabaseBusy
from xinheng.leads import record
from xinheng.leads.drainer import drain
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent
from xinheng.leads.reception import Reception
from xinheng.leads.record import NotStored, UnknownForm
from xinheng.leads.submission import Submission
from xinheng.notices.outbox import Notice

Asked = Callable[..., Submission]
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "WAIT", 0.1)


@pytest.fixture
def refusing(store: Database) -> Callable[[], object]:
    return lambda: a_writer_elsewhere(store, "leads", "enquiries")


def references(store: Database) -> list[str]:
    with store.reading() as session:
        return sorted(session.scalars(select(Enquiry.reference)))


def numbers(store: Database) -> list[int]:
    with store.reading() as session:
        tables = (Enquiry, Lead, Consent, LeadEvent, Notice)
        return [session.scalar(select(func.count()).select_from(each)) or 0 for each in tables]


@contextmanager
def unknown_outcome(store: Database) -> Iterator[None]:
    """The commit is done, and the answer that it is gets lost on the way."""

    def lose(connection: object) -> None:
        raise OSError("the answer never came")

    @event.listens_for(store.engine, "commit")
    def committed(connection: object) -> None:
        driver = connection.connection.driver_connection  # type: ignore[attr-defined]
        driver.execute("COMMIT") if store.engine.dialect.name == "sqlite" else driver.commit()
        lose(connection)

    try:
        yield
    finally:
        event.remove(store.engine, "commit", committed)


def test_while_the_database_takes_it_the_spool_stays_empty(
    reception: Reception, store: Database, asked: Asked
) -> None:
    done = reception.take(asked(), NOON)
    assert references(store) == [done.reference]
    assert reception.spool.ids() == []


def test_what_the_database_refuses_is_spooled_and_drained_under_the_same_reference(
    reception: Reception, store: Database, asked: Asked, refusing: Callable[[], object]
) -> None:
    with refusing():  # type: ignore[attr-defined]
        done = reception.take(asked(), NOON)
    assert not done.repeated
    assert references(store) == []
    receipt = reception.receipt(done.reference)
    assert receipt is not None
    assert (receipt.reference, receipt.received_at) == (done.reference, NOON)
    assert drain(reception.desk, reception.spool)
    assert references(store) == [done.reference]
    assert reception.spool.ids() == []
    assert reception.receipt(done.reference) == receipt
    assert numbers(store) == [1, 1, 1, 1, 1]
    assert reception.take(asked(), NOON + MINUTE) == replace(done, repeated=True)


def test_a_repeat_gets_its_reference_from_the_spool_whether_the_database_is_back_or_not(
    reception: Reception, store: Database, asked: Asked, refusing: Callable[[], object]
) -> None:
    with refusing():  # type: ignore[attr-defined]
        done = reception.take(asked(), NOON)
        assert reception.take(asked(), NOON) == replace(done, repeated=True)
    assert reception.take(asked(), NOON) == replace(done, repeated=True)
    assert references(store) == []
    drain(reception.desk, reception.spool)
    assert references(store) == [done.reference]


def test_without_script_a_double_click_over_the_windows_edge_is_one_in_the_spool_too(
    reception: Reception, asked: Asked, refusing: Callable[[], object]
) -> None:
    plain = asked(typed_id="")
    with refusing():  # type: ignore[attr-defined]
        done = reception.take(plain, NOON - timedelta(seconds=1))
        assert reception.take(plain, NOON + timedelta(seconds=1)) == replace(done, repeated=True)
        later = reception.take(plain, NOON + 11 * MINUTE)
    assert later.reference != done.reference


@pytest.mark.parametrize("first_spooled", [True, False])
@pytest.mark.parametrize("second_spooled", [True, False])
def test_two_wordings_of_one_id_are_two_enquiries_wherever_each_went(
    reception: Reception,
    store: Database,
    asked: Asked,
    refusing: Callable[[], object],
    first_spooled: bool,
    second_spooled: bool,
) -> None:
    def take(details: str, spooled: bool) -> str:
        if not spooled:
            return reception.take(asked(details=details), NOON).reference
        with refusing():  # type: ignore[attr-defined]
            return reception.take(asked(details=details), NOON).reference

    told = [take("第一种说法", first_spooled), take("第二种说法", second_spooled)]
    drain(reception.desk, reception.spool)
    assert references(store) == sorted(told)
    assert len(set(told)) == 2
    assert numbers(store)[:2] == [2, 1]


def test_where_nobody_knows_whether_the_commit_was_done_both_agree(
    reception: Reception, store: Database, asked: Asked
) -> None:
    with unknown_outcome(store):
        done = reception.take(asked(), NOON)
    store.dispose()
    assert references(store) == [done.reference], "it had been done"
    assert reception.spool.ids(), "and is spooled besides"
    drain(reception.desk, reception.spool)
    assert numbers(store) == [1, 1, 1, 1, 1]
    assert reception.spool.ids() == []


@pytest.mark.databases("postgresql")
def test_while_the_server_is_away_enquiries_are_spooled_and_thanked_for(
    reception: Reception, store: Database, asked: Asked, postgres: PostgresServer
) -> None:
    url = store.engine.url.render_as_string(hide_password=False)
    postgres.cut_off(url, away=True)
    done = reception.take(asked(), NOON)
    assert reception.take(asked(), NOON) == replace(done, repeated=True)
    assert reception.receipt(done.reference) is not None
    with pytest.raises(DatabaseBusy):
        reception.receipt("XH-00000-00000")
    assert drain(reception.desk, reception.spool), "tried, and it waits"
    postgres.cut_off(url, away=False)
    assert drain(reception.desk, reception.spool)
    assert references(store) == [done.reference]
    assert reception.spool.ids() == []


@pytest.mark.databases("sqlite")
def test_a_database_that_may_only_be_read_is_one_that_refuses(
    reception: Reception, store: Database, asked: Asked
) -> None:
    store.dispose()

    @event.listens_for(store.engine, "connect")
    def read_only(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    done = reception.take(asked(), NOON)
    assert reception.receipt(done.reference) is not None
    event.remove(store.engine, "connect", read_only)
    store.dispose()
    drain(reception.desk, reception.spool)
    assert references(store) == [done.reference]


@pytest.mark.parametrize("status", ["lost", "invalid", "won"])
@pytest.mark.parametrize("restricted", [True, False])
def test_no_lead_hides_an_enquiry_from_the_spool(
    reception: Reception,
    store: Database,
    asked: Asked,
    refusing: Callable[[], object],
    status: str,
    restricted: bool,
) -> None:
    """A closed lead opens again; a restricted one gets a lead beside it."""
    reception.take(asked(), NOON)
    with store.writing() as session:
        lead = session.scalars(select(Lead)).one()
        lead.status, lead.restricted = status, restricted
        lead.requeue()
    with refusing():  # type: ignore[attr-defined]
        done = reception.take(asked(typed_id="f" * 32), NOON + MINUTE)
    drain(reception.desk, reception.spool)
    with store.reading() as session:
        found = session.scalars(select(Lead).join(Enquiry).where(Enquiry.reference == done.reference)).one()
    assert (found.status, found.restricted, found.queue) == ("new", False, found.queue)
    assert found.queue in {"first", "planned"}
    assert numbers(store)[1] == (2 if restricted else 1)


@pytest.mark.parametrize("table", ["outbox", "consents", "enquiries", "leads"])
def test_whatever_is_wrong_inside_the_database_the_enquiry_is_spooled(
    reception: Reception, store: Database, asked: Asked, table: str
) -> None:
    refuse_inserts(store, table)
    done = reception.take(asked(), NOON)
    assert not drain(reception.desk, reception.spool), "still wrong, and it says so"
    assert len(reception.spool.ids()) == 1
    allow_inserts(store, table)
    assert drain(reception.desk, reception.spool)
    assert references(store) == [done.reference]


def test_a_fault_of_the_program_costs_no_enquiry(reception: Reception, store: Database, asked: Asked) -> None:
    def faulty() -> object:
        raise ZeroDivisionError

    sound, reception.desk._priority = reception.desk._priority, faulty  # type: ignore[assignment]
    done = reception.take(asked(), NOON)
    reception.desk._priority = sound
    drain(reception.desk, reception.spool)
    assert references(store) == [done.reference]


def test_many_at_once_while_the_database_refuses_are_each_kept_once(
    reception: Reception, store: Database, asked: Asked, refusing: Callable[[], object]
) -> None:
    told: list[str] = []
    gate = threading.Barrier(12)

    def take(number: int) -> None:
        gate.wait()
        told.append(reception.take(asked(typed_id=f"{number % 3:032x}"), NOON).reference)

    with refusing():  # type: ignore[attr-defined]
        threads = [threading.Thread(target=take, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(told) == 12
    assert len(reception.spool.ids()) == len(set(told)) == 3
    drain(reception.desk, reception.spool)
    assert references(store) == sorted(set(told))
    assert numbers(store)[:2] == [3, 1]


def test_if_both_refuse_nothing_is_told(
    reception: Reception, store: Database, asked: Asked, refusing: Callable[[], object]
) -> None:
    reception.spool.folder.rename(reception.spool.folder.with_name("away"))
    with refusing(), pytest.raises(NotStored) as raised:  # type: ignore[attr-defined]
        reception.take(asked(), NOON)
    assert "张三丰" not in str(raised.value)
    assert references(store) == []


def test_a_form_whose_words_nobody_can_vouch_for_is_asked_again_and_not_spooled(
    reception: Reception, asked: Asked, refusing: Callable[[], object]
) -> None:
    with refusing(), pytest.raises(UnknownForm):  # type: ignore[attr-defined]
        reception.take(asked(form_version="0" * 16), NOON)
    assert reception.spool.ids() == []


def test_a_reference_that_nobody_was_told_has_no_receipt(reception: Reception) -> None:
    assert reception.receipt("XH-00000-00000") is None
    assert BROWSER_ID not in reception.spool.ids()
