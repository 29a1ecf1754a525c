"""All leads are ranked by the rules as they stand: anew where these change, without anybody being told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from tests.leads.colleagues import plain_lead, put_leads, the_lead
from tests.leads.conftest import NOON
from tests.leads.test_record import Asked

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.forms.priority import Condition, Freshness, PriorityRules, Rule
from xinheng.leads.file import facts_of
from xinheng.leads.models import Lead, LeadEvent
from xinheng.leads.ranking import Ranked, Ranking
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.submission import Attribution, Touch
from xinheng.notices.outbox import Notice
from xinheng.privacy.restricting import restrict_lead

PHONES = ("138 0013 8000", "138 0013 8001", "138 0013 8002")


def rules_of(points: int, **when: object) -> PriorityRules:
    rule = Rule(when=Condition.model_validate(when), points=points, words="话")
    return PriorityRules(rules=(rule,), freshness=Freshness(points_per_day=3))


def rank_all(ranking: Ranking) -> int:
    """Rank until there is nothing left to rank; how many steps that took."""
    steps = 0
    while ranking.step():
        steps += 1
    return steps


@pytest.fixture
def three(desk: EnquiryDesk, asked: Asked) -> None:
    """Three people asked, a day between them, the first for what is overdue."""
    for day, phone in enumerate(PHONES):
        desk.record(
            asked(phone, typed_id=f"{day:032x}", need="other" if day else "overdue"),
            NOON + timedelta(days=day),
        )


def order(store: Database) -> list[str]:
    """The needs of all leads in the order in which they should be called."""
    with store.reading() as session:
        return list(session.scalars(select(Lead.need).order_by(Lead.priority.desc())))


@pytest.mark.usefixtures("three")
def test_changed_rules_rank_every_lead_anew_and_tell_nobody(store: Database, store_keys: Keys) -> None:
    with store.reading() as session:
        told = [session.scalar(select(func.count()).select_from(each)) for each in (Notice, LeadEvent)]
        versions = session.scalars(select(Lead.version)).all()
    rank_all(Ranking(store, store_keys, lambda: rules_of(90, need=("overdue",))))
    assert order(store) == ["overdue", "other", "other"]
    rank_all(Ranking(store, store_keys, lambda: rules_of(1, need=("overdue",))))
    assert order(store) == ["other", "other", "overdue"]
    with store.reading() as session:
        assert told == [
            session.scalar(select(func.count()).select_from(each)) for each in (Notice, LeadEvent)
        ]
        assert versions == session.scalars(select(Lead.version)).all()


@pytest.mark.usefixtures("three")
def test_leads_that_are_ranked_already_are_left_alone(store: Database, store_keys: Keys) -> None:
    ranking = Ranking(store, store_keys, lambda: rules_of(5, named=True))
    assert rank_all(ranking) > 0
    assert rank_all(ranking) == 0
    assert rank_all(Ranking(store, store_keys, lambda: rules_of(5, named=True))) == 0


def test_the_newest_are_ranked_first_and_a_stop_between_goes_on_where_it_was(
    store: Database, store_keys: Keys, desk: EnquiryDesk, asked: Asked
) -> None:
    """More than one batch: what a program that was stopped hadn't reached, the next one ranks."""
    for number in range(60):
        phone = f"1380013{number:04}"
        desk.record(asked(phone, typed_id=f"{number:032x}"), NOON + timedelta(minutes=number))
    with store.reading() as session:
        before = {lead.id: lead.priority for lead in session.scalars(select(Lead))}
    assert Ranking(store, store_keys, lambda: rules_of(70, named=True)).step()
    with store.reading() as session:
        reached = session.get_one(Ranked, 1).down_to
        after = {lead.id: lead.priority for lead in session.scalars(select(Lead))}
    assert {each for each in after if after[each] != before[each]} == {
        each for each in after if each >= reached
    }
    rank_all(Ranking(store, store_keys, lambda: rules_of(70, named=True)))
    with store.reading() as session:
        assert all(lead.priority != before[lead.id] for lead in session.scalars(select(Lead)))


@pytest.mark.usefixtures("three")
def test_who_may_not_be_worked_is_not_looked_at_until_that_is_over(store: Database, store_keys: Keys) -> None:
    with store.writing() as session:
        lead = session.scalars(select(Lead).where(Lead.need == "overdue")).one()
        held = lead.id
        restrict_lead(session, lead, None, NOON, restricted=True)
    before = the_lead(store, held).priority
    ranking = Ranking(store, store_keys, lambda: rules_of(90, need=("overdue",)))
    rank_all(ranking)
    assert the_lead(store, held).priority == before
    with store.writing() as session:
        restrict_lead(session, session.get_one(Lead, held), None, NOON, restricted=False)
    ranking.unranked(store, NOON)
    assert order(store)[0] == "overdue"


def test_a_lead_without_an_enquiry_is_passed_over(store: Database, store_keys: Keys) -> None:
    put_leads(store, [plain_lead()])
    assert rank_all(Ranking(store, store_keys, lambda: rules_of(5, named=True))) > 0
    assert the_lead(store).priority is None


@pytest.mark.parametrize(
    ("first", "last", "channel"),
    [
        ({}, {}, ""),
        ({"utm_medium": "cpc"}, {}, "ad"),
        ({"utm_medium": "cpc"}, {"utm_medium": "EDM"}, "email"),
        ({}, {"utm_source": "partner-a"}, "partner"),
        ({}, {"utm_medium": "nobody-knows"}, ""),
    ],
)
def test_the_channel_is_that_of_the_latest_visit_that_named_one(
    store: Database,
    store_keys: Keys,
    desk: EnquiryDesk,
    asked: Asked,
    first: dict[str, str],
    last: dict[str, str],
    channel: str,
) -> None:
    visit = Attribution(first=Touch(utm=first), last=Touch(utm=last))
    desk.record(asked(attribution=visit), NOON)
    with store.reading() as session:
        lead = session.scalars(select(Lead)).one()
        assert facts_of(lead, lead.enquiries[-1], store_keys).channel == channel


def test_answers_are_those_to_fields_that_need_none(
    store: Database, store_keys: Keys, desk: EnquiryDesk, asked: Asked
) -> None:
    desk.record(asked(call_time="", extra={"company": "某公司", "size": ""}), NOON)
    with store.reading() as session:
        lead = session.scalars(select(Lead)).one()
        assert facts_of(lead, lead.enquiries[-1], store_keys).answers == 2  # the name and the company
