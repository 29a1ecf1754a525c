"""What a lead's page is made of: everything of one lead, newest first, masked for whom it wasn't shown to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from tests.conftest import ORIGIN
from tests.leads.colleagues import hire, scope_of, shanghai, the_lead
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.forms.definition import PublishedForm
from xinheng.forms.priority import LeadFacts
from xinheng.leads.deeds import Deed
from xinheng.leads.file import LeadFile, open_file
from xinheng.leads.listing import UNREADABLE
from xinheng.leads.models import Consent, Enquiry, Lead
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import NoSuchLead
from xinheng.leads.submission import Attribution, Submission, Touch
from xinheng.leads.work import LeadWork
from xinheng.staff.models import User

Asked = Callable[..., Submission]
Open = Callable[..., LeadFile]
MINUTE = timedelta(minutes=1)
TYPED = "欠了两笔，我的电话 138-0013-8000，座机 021 8765 4321。"


@pytest.fixture
def zhou(store: Database) -> User:
    return hire(store, "周敏")


@pytest.fixture
def work(store: Database, store_keys: Keys) -> LeadWork:
    return LeadWork(store, store_keys, site=ORIGIN)


@pytest.fixture
def opened_file(store: Database, store_keys: Keys, zhou: User) -> Open:
    """Open the only lead, masked unless it is said to be revealed."""

    def opened(*, revealed: bool = False, keys: Keys | None = None) -> LeadFile:
        lead_id = the_lead(store).id
        with store.reading() as session:
            return open_file(session, keys or store_keys, scope_of(zhou), lead_id, revealed=revealed)

    return opened


def told(file: LeadFile) -> str:
    """All texts of a file that a page may show."""
    enquiries = [(each.details, each.answers, each.page, each.first_touch) for each in file.enquiries]
    events = [(each.note, each.detail) for each in file.events]
    return repr((file.name, file.phone, file.extension, file.next_step, enquiries, events))


# --- masked and revealed ---


def test_what_was_not_shown_is_masked_everywhere(
    desk: EnquiryDesk, asked: Asked, work: LeadWork, store: Database, zhou: User, opened_file: Open
) -> None:
    desk.record(
        asked(phone="021-87654321 转 801", details=TYPED, extra={"company": "加微信 13800138000"}), NOON
    )
    lead_id = the_lead(store).id
    work.write_note(lead_id, Deed(scope_of(zhou), NOON + MINUTE), "另一个号 13911112222")
    work.plan(lead_id, Deed(scope_of(zhou), NOON + MINUTE), NOON + timedelta(days=1), "打 13911112222")
    file = opened_file()
    assert (file.name, file.phone, file.extension, file.revealed) == ("张**", "021-****4321", "", False)
    assert file.next_step == "打 ****22"
    for secret in ("张三丰", "13800138000", "138-0013-8000", "8765", "13911112222", "801"):
        assert secret not in told(file)


def test_who_was_shown_it_reads_all_of_it(
    desk: EnquiryDesk, asked: Asked, work: LeadWork, store: Database, zhou: User, opened_file: Open
) -> None:
    desk.record(asked(phone="021-87654321 转 801", details=TYPED), NOON)
    work.write_note(the_lead(store).id, Deed(scope_of(zhou), NOON + MINUTE), "另一个号 13911112222")
    file = opened_file(revealed=True)
    assert (file.name, file.phone, file.extension, file.revealed) == ("张三丰", "+862187654321", "801", True)
    assert file.latest.details == TYPED
    assert file.events[0].note == "另一个号 13911112222"


def test_a_file_keeps_what_is_personal_out_of_its_repr(
    desk: EnquiryDesk, asked: Asked, opened_file: Open
) -> None:
    desk.record(asked(extra={"company": "示例五金厂"}), NOON)
    shown = repr(opened_file(revealed=True))
    for secret in ("张三丰", "13800138000", "逾期四个多月", "示例五金厂"):
        assert secret not in shown


# --- what it holds ---


def test_enquiries_and_events_stand_newest_first(
    desk: EnquiryDesk, asked: Asked, store: Database, work: LeadWork, zhou: User, opened_file: Open
) -> None:
    references = [
        desk.record(
            asked(typed_id=f"{number:032x}", details=f"第{number}次"), NOON + number * MINUTE
        ).reference
        for number in range(3)
    ]
    work.write_note(the_lead(store).id, Deed(scope_of(zhou), NOON + 9 * MINUTE), "记")
    file = opened_file()
    assert [each.reference for each in file.enquiries] == references[::-1]
    assert file.latest.details == "第2次"
    assert [each.kind for each in file.events] == ["note", "enquiry", "enquiry", "enquiry"]
    assert [each.enquiry and each.enquiry.details for each in file.events] == [
        None,
        "第2次",
        "第1次",
        "第0次",
    ]
    assert file.events[0].staff_id == zhou.id


def test_answers_are_in_the_words_of_the_form_they_were_given_to(
    desk: EnquiryDesk, form: PublishedForm, asked: Asked, opened_file: Open
) -> None:
    old = [
        each.model_copy(
            update={"options": (*each.options[:2], each.options[2].model_copy(update={"label": "旧名"}))}
        )
        if each.name == "need"
        else each
        for each in form.declaration.fields
    ]
    older = form.model_copy(
        update={"declaration": form.declaration.model_copy(update={"fields": tuple(old)})}
    )
    desk.publish(older)
    desk.record(asked(form_version=older.version, call_time=""), NOON)
    desk.record(asked(typed_id="e" * 32), NOON + MINUTE)
    latest, first = opened_file().enquiries
    assert (latest.need, first.need) == ("逾期账款跟进", "旧名")
    assert (latest.call_time, first.call_time) == ("上午 9:00–12:00", "")


def test_answers_to_fields_the_product_does_not_know_are_shown_with_their_names(
    desk: EnquiryDesk, asked: Asked, opened_file: Open
) -> None:
    desk.record(asked(extra={"company": "示例厂", "seat": ""}), NOON)
    assert list(opened_file().latest.answers) == [("company", "示例厂"), ("seat", "")]


def test_where_the_visitor_came_from_is_told(desk: EnquiryDesk, asked: Asked, opened_file: Open) -> None:
    came = Attribution(
        page="/articles/ageing",
        article="ageing",
        first=Touch("www.baidu.com", "/articles/ageing", {"utm_term": "坏账"}),
        last=Touch("", "/", {}),
        articles_read=("ageing", "first-call"),
    )
    desk.record(asked(attribution=came), NOON)
    latest = opened_file().latest
    assert (latest.article, latest.page, latest.articles_read) == (
        "ageing",
        "/articles/ageing",
        ["ageing", "first-call"],
    )
    assert latest.first_touch["utm"] == {"utm_term": "坏账"}
    assert latest.last_touch["path"] == "/"


def test_only_what_is_still_agreed_to_is_named(
    desk: EnquiryDesk, asked: Asked, store: Database, opened_file: Open
) -> None:
    desk.record(asked(purposes=("callback", "marketing")), NOON)
    assert sorted(opened_file().latest.purposes) == ["callback", "marketing"]
    with store.writing() as session:
        session.execute(update(Consent).where(Consent.purpose == "marketing").values(withdrawn_at=NOON))
    assert opened_file().latest.purposes == ["callback"]


def test_the_facts_are_those_of_the_latest_enquiry(
    desk: EnquiryDesk, asked: Asked, opened_file: Open
) -> None:
    first = Touch("www.baidu.com", "/", {})
    desk.record(asked(name="", attribution=Attribution(first=first)), NOON)
    read = Attribution(articles_read=("a", "b"))
    desk.record(
        asked(
            typed_id="e" * 32, need="other", details="一" * 41, call_time="", name="张三丰", attribution=read
        ),
        NOON + MINUTE,
    )
    assert opened_file().facts == LeadFacts(
        need="other",
        source="search",
        details=41,
        articles=2,
        enquiries=2,
        answers=1,
        named=True,
        call_time=False,
    )


# --- what can't be opened ---


@pytest.mark.parametrize("revealed", [False, True])
def test_after_a_wrong_restore_of_the_keys_the_page_says_what_it_cannot_read(
    desk: EnquiryDesk,
    asked: Asked,
    work: LeadWork,
    store: Database,
    store_keys: Keys,
    zhou: User,
    opened_file: Open,
    revealed: bool,
) -> None:
    desk.record(asked(extra={"company": "示例厂"}), NOON)
    lead_id = the_lead(store).id
    work.write_note(lead_id, Deed(scope_of(zhou), NOON), "记")
    work.plan(lead_id, Deed(scope_of(zhou), NOON), shanghai("2026-11-24 10:00"), "回电")
    file = opened_file(revealed=revealed, keys=replace(store_keys, field=bytes(range(100, 132))))
    assert {file.name, file.phone, file.next_step, file.latest.details} == {UNREADABLE}
    assert (file.revealed, file.extension, file.latest.answers) == (False, "", [])
    assert file.facts.details == 0


# --- whose it is ---


def test_a_lead_that_one_may_not_see_is_not_there(
    desk: EnquiryDesk, asked: Asked, store: Database, store_keys: Keys, zhou: User
) -> None:
    desk.record(asked(), NOON)
    lead_id, wu = the_lead(store).id, hire(store, "吴凯")

    def opens(*, everyone: bool = False, lead: str = lead_id) -> bool:
        with store.reading() as session:
            try:
                open_file(session, store_keys, scope_of(zhou, everyone=everyone), lead, revealed=False)
            except NoSuchLead:
                return False
            return True

    assert opens()
    assert not opens(lead="f" * 32)
    with store.writing() as session:
        session.execute(update(Lead).values(owner_id=wu.id))
    assert not opens()
    assert opens(everyone=True)
    with store.writing() as session:
        session.execute(update(Lead).values(restricted=True))
    assert not opens(everyone=True)


def test_opening_a_file_writes_nothing(
    desk: EnquiryDesk, asked: Asked, store: Database, opened_file: Open
) -> None:
    desk.record(asked(), NOON)
    opened_file(revealed=True)
    with store.reading() as session:
        assert session.scalars(select(Lead.version)).one() == 1
        assert session.scalars(select(Enquiry.reference)).one() == opened_file().latest.reference
