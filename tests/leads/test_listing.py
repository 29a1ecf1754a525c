"""Leads and enquiries as staff may see them in a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.form_versions import publish_form
from xinheng.forms.definition import PublishedForm
from xinheng.leads.listing import UNREADABLE, ListedLead, find_receipt, list_leads, mask_name
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.submission import Attribution, Submission

Asked = Callable[..., Submission]
HOUR = timedelta(hours=1)


def listed(store: Database, keys: Keys, most: int = 50) -> list[ListedLead]:
    with store.reading() as session:
        return list(list_leads(session, keys, most))


def test_a_published_health_check_is_no_form_and_stops_no_list(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    """Both are kept in one table."""
    desk.record(asked(), NOON)
    publish_form(store, "check", '{"version": "1.0", "questions": []}')
    assert len(listed(store, store_keys)) == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "未留姓名"),
        ("张", "张"),
        ("张三", "张*"),
        ("张三丰", "张**"),
        ("阿布都热西提", "阿**"),
        ("Ann Lee", "A**"),
    ],
)
def test_of_a_name_only_the_first_sign_is_shown(name: str, shown: str) -> None:
    assert mask_name(name) == shown


def test_a_listed_lead_is_masked(desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked) -> None:
    done = desk.record(
        asked(purposes=("callback", "marketing"), attribution=Attribution(article="ageing")), NOON
    )
    (lead,) = listed(store, store_keys)
    assert (lead.name, lead.phone, lead.status, lead.possible_duplicate) == (
        "张**",
        "138****8000",
        "new",
        False,
    )
    (enquiry,) = lead.enquiries
    assert (enquiry.reference, enquiry.need, enquiry.call_time) == (
        done.reference,
        "逾期账款跟进",
        "上午 9:00–12:00",
    )
    assert (enquiry.article, enquiry.details_length, enquiry.notice) == ("ageing", 11, "waiting")
    assert set(enquiry.purposes) == {"callback", "marketing"}
    assert "张三" not in repr(lead)
    assert "13800138000" not in repr(lead)


def test_the_newest_stands_first_among_leads_and_among_their_enquiries(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    desk.record(asked(phone="13900139000", typed_id="e" * 32), NOON + HOUR)
    desk.record(asked(typed_id="f" * 32, need="other"), NOON + 2 * HOUR)
    leads = listed(store, store_keys)
    assert [lead.phone for lead in leads] == ["138****8000", "139****9000"]
    assert [enquiry.need for enquiry in leads[0].enquiries] == ["其他", "逾期账款跟进"]


def test_no_more_leads_are_listed_than_were_asked_for(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    for number in range(5):
        desk.record(asked(phone=f"1380013800{number}", typed_id=f"{number:032x}"), NOON + number * HOUR)
    assert [lead.phone[-1] for lead in listed(store, store_keys, most=2)] == ["4", "3"]


def test_a_restricted_lead_is_in_no_list(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    with store.writing() as session:
        session.execute(update(Lead).values(restricted=True))
    assert listed(store, store_keys) == []
    desk.record(asked(typed_id="f" * 32), NOON)
    assert len(listed(store, store_keys)) == 1


def test_with_other_keys_the_list_says_so_and_shows_the_rest(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    (lead,) = listed(store, replace(store_keys, field=bytes(range(32))))
    assert (lead.name, lead.phone) == (UNREADABLE, UNREADABLE)
    assert lead.enquiries[0].need == "逾期账款跟进"
    assert lead.enquiries[0].details_length == 0


def test_an_answer_that_is_no_longer_offered_shows_the_words_it_had(
    desk: EnquiryDesk, store: Database, store_keys: Keys, form: PublishedForm, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    newer = form.model_copy(update={"notice": form.notice + "（新）"})
    desk.publish(newer)
    assert listed(store, store_keys)[0].enquiries[0].need == "逾期账款跟进"


def test_an_answer_nobody_knows_shows_its_key(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    with store.writing() as session:
        session.execute(update(Enquiry).values(need="gone", call_time=""))
    assert (
        listed(store, store_keys)[0].enquiries[0].need,
        listed(store, store_keys)[0].enquiries[0].call_time,
    ) == (
        "gone",
        "",
    )


def test_a_receipt_is_found_by_its_reference_and_holds_nothing_else(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    done = desk.record(asked(), NOON)
    receipt = find_receipt(store, done.reference)
    assert receipt is not None
    assert (receipt.reference, receipt.received_at) == (done.reference, NOON)
    assert find_receipt(store, "XH-00000-00000") is None
    assert find_receipt(store, done.reference.lower()) is None
