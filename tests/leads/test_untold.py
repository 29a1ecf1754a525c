"""An enquiry that no notice tells of gets one, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from tests.conftest import OWN_PAGE

from xinheng.db import Database, Databases
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.telling import LEVEL_WORDS
from xinheng.leads.untold import LOOKED_BACK, Untold
from xinheng.notices.outbox import Notice, acknowledge

SITE = "https://www.xinheng.example"
Fields = Callable[..., dict[str, str]]


@pytest.fixture
def store(databases: Databases) -> Database:
    return databases.leads


@pytest.fixture
def asked(client: FlaskClient, consultation: Fields, store: Database) -> datetime:
    """One enquiry is stored; returns when."""
    assert client.post("/consultation", data=consultation(), headers=OWN_PAGE).status_code == 303
    with store.reading() as session:
        return session.scalars(select(Enquiry.created_at)).one()


def lose_notices(store: Database) -> list[str]:
    with store.writing() as session:
        texts = list(session.scalars(select(Notice.text)))
        session.execute(delete(Notice))
    return texts


def notices(store: Database) -> list[str]:
    with store.reading() as session:
        return list(session.scalars(select(Notice.text)))


def test_an_enquiry_that_was_told_of_is_not_told_of_again(store: Database, asked: datetime) -> None:
    assert Untold(SITE)(store, asked + timedelta(minutes=3)) == 0
    with store.writing() as session:
        acknowledge(session, list(session.scalars(select(Notice.reference))), "", asked)
    assert Untold(SITE)(store, asked + timedelta(minutes=3)) == 0
    assert len(notices(store)) == 1


def test_an_enquiry_whose_notice_was_lost_is_told_of_after_two_minutes_once(
    store: Database, asked: datetime
) -> None:
    (before,) = lose_notices(store)
    look = Untold("http://127.0.0.1:8000")
    assert look(store, asked + timedelta(minutes=1, seconds=59)) == 0
    assert look(store, asked + timedelta(minutes=2)) == 1
    assert look(store, asked + timedelta(minutes=3)) == 0
    assert notices(store) == [before]


def test_several_that_look_at_once_tell_once(store: Database, asked: datetime) -> None:
    lose_notices(store)
    now, look = asked + timedelta(minutes=3), Untold(SITE)
    works = [threading.Thread(target=look, args=(store, now)) for _ in range(4)]
    for each in works:
        each.start()
    for each in works:
        each.join()
    assert len(notices(store)) == 1


def test_an_enquiry_of_a_lead_that_may_not_be_worked_is_not_told_of(store: Database, asked: datetime) -> None:
    lose_notices(store)
    with store.writing() as session:
        session.scalars(select(Lead)).one().restricted = True
    assert Untold(SITE)(store, asked + timedelta(minutes=3)) == 0


def test_an_enquiry_of_long_ago_is_not_looked_for(store: Database, asked: datetime) -> None:
    lose_notices(store)
    assert Untold(SITE)(store, asked + LOOKED_BACK + timedelta(seconds=1)) == 0


@pytest.mark.parametrize("level", LEVEL_WORDS)
def test_the_level_of_the_health_check_is_told_where_it_is_known(
    store: Database, asked: datetime, level: str
) -> None:
    lose_notices(store)
    with store.writing() as session:
        session.scalars(select(Lead)).one().level = level
    Untold(SITE)(store, asked + timedelta(minutes=3))
    (text,) = notices(store)
    assert f"自查结果：{LEVEL_WORDS[level]}" in text.splitlines()
