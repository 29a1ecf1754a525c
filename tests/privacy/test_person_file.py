"""What a person is given of an attached result: all answers in words and what they came to, and nothing that opens it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select, update
from tests.conftest import ROOT
from tests.health_check.results import answers_of
from tests.leads.colleagues import the_lead
from tests.leads.conftest import NOON

from xinheng.assessments import Assessment, keep
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.form_versions import publish_form
from xinheng.health_check.assessment import assess
from xinheng.health_check.loader import load_health_check
from xinheng.leads.listing import UNREADABLE
from xinheng.leads.models import Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.submission import Submission
from xinheng.privacy.person_file import as_csv, as_json, person_data


@pytest.fixture
def token(store: Database, store_keys: Keys) -> str:
    check = load_health_check(ROOT / "forms", None)
    publish_form(store, check.hash, check.stored)
    answers = answers_of(check, "P04")
    with store.writing() as session:
        return keep(
            session,
            store_keys,
            version=check.hash,
            answers=answers,
            result=assess(check, answers).as_json(),
            previous_id=None,
            now=NOON,
        )[1]


def data_of(store: Database, keys: Keys) -> dict[str, object]:
    with store.reading() as session:
        found: dict[str, object] = person_data(session, keys, the_lead(store).id)["咨询"][0]
        return found


def test_an_attached_result_is_given_in_words(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Callable[..., Submission],
    token: str,
) -> None:
    desk.record(asked(purposes=("callback", "attach_assessment"), assessment=token), NOON)
    found = data_of(store, store_keys)
    check = found["自查"]
    assert isinstance(check, dict)
    assert (check["等级"], check["得分"], check["问卷版本"]) == ("高", "54", "1.0")
    assert "30%–50%" in check["答案"].values()
    assert "逾期占比超过三成，且有超过180天的老账。" in as_csv(found)
    assert token not in as_json(found)
    json.loads(as_json(found))


def test_without_one_there_is_none_and_one_that_does_not_open_says_so(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Callable[..., Submission],
    token: str,
) -> None:
    desk.record(asked(purposes=("callback", "attach_assessment"), assessment=token), NOON)
    with store.writing() as session:
        session.execute(update(Assessment).values(answers=b"\1\1rubbish"))
    assert data_of(store, store_keys)["自查"] == UNREADABLE
    desk.record(asked("139 1234 5678"), NOON)
    with store.reading() as session:
        plain = next(
            each
            for each in (person_data(session, store_keys, lead) for lead in _leads(store))
            if each["咨询"][0]["自查"] != UNREADABLE
        )
    assert plain["咨询"][0]["自查"] == ""


def _leads(store: Database) -> list[str]:
    with store.reading() as session:
        return list(session.scalars(select(Lead.id)))
