"""One enquiry, once; one person, never hidden; all of it in one transaction or none of it."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, update
from tests.conftest import ROOT
from tests.databases import a_writer_elsewhere, allow_inserts, refuse_inserts
from tests.leads.colleagues import hire
from tests.leads.conftest import NOON

from xinheng.crypto import Keys, fingerprint
from xinheng.db import Database, DatabaseBusy, LeadsBase
from xinheng.form_versions import FormVersion, publish_form
from xinheng.forms.definition import PublishedForm
from xinheng.forms.priority import LeadFacts, load_priority
from xinheng.leads import record
from xinheng.leads.attribution import read_attribution
from xinheng.leads.duplicates import marked
from xinheng.leads.joining import ASKED_AGAIN
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent
from xinheng.leads.record import EnquiryDesk, NotStored, UnknownForm
from xinheng.leads.submission import Attribution, Submission, Touch
from xinheng.notices.outbox import Notice
from xinheng.staff.models import User

Asked = Callable[..., Submission]
MINUTE = timedelta(minutes=1)
OTHER_ID = "f" * 32


def numbers(store: Database) -> dict[str, int]:
    """Rows by table, the published form left out."""
    tables = (Enquiry, Lead, Consent, LeadEvent, Notice)
    with store.reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        }


def only(store: Database, table: type[LeadsBase]) -> Any:
    with store.reading() as session:
        return session.scalars(select(table)).one()


def everyone(store: Database) -> list[Lead]:
    with store.reading() as session:
        return list(session.scalars(select(Lead).order_by(Lead.created_at)))


def duplicates(store: Database) -> list[bool]:
    with store.reading() as session:
        found = marked(session, everyone(store))
    return [lead.id in found for lead in everyone(store)]


def set_lead(store: Database, lead_id: str, **values: Any) -> None:
    with store.writing() as session:
        session.execute(update(Lead).where(Lead.id == lead_id).values(**values))


# --- one enquiry ---


def test_an_enquiry_is_stored_whole(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    came = Attribution(
        page="/articles/ageing",
        article="ageing",
        first=Touch("www.baidu.com", "/articles/ageing", {"utm_source": "x"}),
        articles_read=("ageing",),
    )
    done = desk.record(
        asked(phone="０２１－８７６５４３２１ 转 801", extra={"company": "示例厂"}, attribution=came), NOON
    )
    stored_under = asked(phone="０２１－８７６５４３２１ 转 801", extra={"company": "示例厂"}).own_ids(
        store_keys, NOON
    )[0]
    assert done == record.Recorded(store_keys.reference(stored_under), repeated=False)
    assert numbers(store) == {"enquiries": 1, "leads": 1, "consents": 1, "lead_events": 1, "outbox": 1}
    enquiry, lead = only(store, Enquiry), only(store, Lead)
    assert [enquiry.open(store_keys, column) for column in ("name", "phone", "details", "extra")] == [
        "张三丰",
        "０２１－８７６５４３２１ 转 801",
        "两家客户逾期四个多月。",
        '{"company": "示例厂"}',
    ]
    assert (enquiry.need, enquiry.call_time, enquiry.created_at) == ("overdue", "morning", NOON)
    assert (enquiry.page, enquiry.article, enquiry.articles_read) == (
        "/articles/ageing",
        "ageing",
        ["ageing"],
    )
    assert enquiry.first_touch["host"] == "www.baidu.com"
    assert [lead.open(store_keys, column) for column in ("name", "phone", "extension")] == [
        "张三丰",
        "+862187654321",
        "801",
    ]
    assert (lead.status, lead.phone_kind, lead.enquiry_count) == ("new", "landline", 1)
    assert lead.last_four_index == store_keys.blind_index("last_four", "4321")


@pytest.mark.parametrize("path", ["/a%00b", "/%0a%0d%1b", "/%ed%a0%80", "/" + "长" * 250, "/%F0%9F%98%80"])
def test_an_enquiry_is_stored_from_whatever_page_a_browser_names(
    desk: EnquiryDesk, store: Database, asked: Asked, path: str
) -> None:
    first = {"host": "\x00\ud800", "path": path, "utm": {"utm_source": path}}
    touch = json.dumps({"page": path, "first": first}, ensure_ascii=False)
    desk.record(asked(attribution=read_attribution(touch, "", "xinheng.example", ())), NOON)
    assert only(store, Enquiry).page.startswith("/")


def test_the_same_id_and_words_are_stored_once(desk: EnquiryDesk, store: Database, asked: Asked) -> None:
    first = desk.record(asked(), NOON)
    again = desk.record(asked(phone="+86 138-0013-8000"), NOON + 90 * MINUTE)
    assert again == replace(first, repeated=True)
    assert numbers(store)["enquiries"] == numbers(store)["outbox"] == 1


def test_the_same_id_with_other_words_is_a_second_enquiry_and_its_repeat_is_no_third(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    first = desk.record(asked(), NOON)
    second = desk.record(asked(details="还有一家也拖着。"), NOON + MINUTE)
    assert not second.repeated
    assert second.reference != first.reference
    assert desk.record(asked(details="还有一家也拖着。"), NOON + 2 * MINUTE) == replace(second, repeated=True)
    assert desk.record(asked(), NOON + 3 * MINUTE) == replace(first, repeated=True)
    assert numbers(store) == {"enquiries": 2, "leads": 1, "consents": 2, "lead_events": 2, "outbox": 2}


def test_a_third_wording_of_one_id_is_a_third_enquiry(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    references = {
        desk.record(asked(details=words), NOON).reference for words in ("一", "二", "三", "二", "三")
    }
    assert len(references) == numbers(store)["enquiries"] == 3


def test_two_browsers_with_the_same_words_are_two_enquiries_of_one_person(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    assert desk.record(asked(), NOON).reference != desk.record(asked(typed_id=OTHER_ID), NOON).reference
    assert (numbers(store)["enquiries"], numbers(store)["leads"]) == (2, 1)


@pytest.mark.parametrize(
    ("start", "later", "enquiries"),
    [
        (0, 1, 1),
        (0, 599, 1),
        (0, 600, 2),
        (300, 599, 1),
        (300, 600, 1),
        (300, 899, 1),
        (300, 900, 2),
        (599, 600, 1),
        (599, 1198, 1),
        (599, 1199, 2),
        (0, 1800, 2),
        (0, 86400, 2),
    ],
)
def test_without_an_id_the_same_words_are_one_within_ten_minutes(
    desk: EnquiryDesk, store: Database, asked: Asked, start: int, later: int, enquiries: int
) -> None:
    first = desk.record(asked(typed_id=""), NOON + timedelta(seconds=start))
    again = desk.record(asked(typed_id=""), NOON + timedelta(seconds=later))
    assert numbers(store)["enquiries"] == enquiries
    assert (again.reference == first.reference) is again.repeated is (enquiries == 1)


@pytest.mark.parametrize("later", [20, 320])
def test_without_an_id_a_changed_call_time_is_kept_on_both_sides_of_the_windows_edge(
    desk: EnquiryDesk, store: Database, asked: Asked, later: int
) -> None:
    start = NOON + timedelta(seconds=300)
    first = desk.record(asked(typed_id=""), start)
    changed = desk.record(asked(typed_id="", call_time="afternoon"), start + timedelta(seconds=later))
    assert not changed.repeated
    assert changed.reference != first.reference
    with store.reading() as session:
        assert set(session.scalars(select(Enquiry.call_time))) == {"morning", "afternoon"}


def test_without_an_id_the_repeat_of_changed_words_over_the_windows_edge_finds_its_own_reference(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    desk.record(asked(typed_id=""), NOON + timedelta(seconds=580))
    second = desk.record(asked(typed_id="", name="张三"), NOON + timedelta(seconds=590))
    again = desk.record(asked(typed_id="", name="张三"), NOON + timedelta(seconds=610))
    assert again == replace(second, repeated=True)
    assert numbers(store)["enquiries"] == 2


def test_many_threads_with_one_submission_store_one(desk: EnquiryDesk, store: Database, asked: Asked) -> None:
    found: list[record.Recorded] = []
    threads = [threading.Thread(target=lambda: found.append(desk.record(asked(), NOON))) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 24
    assert len({each.reference for each in found}) == 1
    assert [each.repeated for each in found].count(False) == 1
    assert numbers(store)["enquiries"] == 1


# --- one person ---


@pytest.mark.parametrize(
    "phone",
    ["13800138000", "138-0013-8000", "+86 138 0013 8000", "008613800138000", "１３８００１３８０００", "13800138000（微信同号）"],
)  # fmt: skip
def test_the_same_mobile_is_the_same_person_in_any_spelling(
    desk: EnquiryDesk, store: Database, asked: Asked, phone: str
) -> None:
    desk.record(asked(), NOON)
    desk.record(asked(phone=phone, typed_id=OTHER_ID, details="又来了"), NOON + MINUTE)
    lead = only(store, Lead)
    assert (lead.enquiry_count, lead.last_enquiry_at, lead.created_at) == (2, NOON + MINUTE, NOON)


def test_a_foreign_mobile_is_one_person_too(desk: EnquiryDesk, store: Database, asked: Asked) -> None:
    desk.record(asked(phone="+852 9123 4567"), NOON)
    desk.record(asked(phone="00852 91234567", typed_id=OTHER_ID), NOON)
    assert only(store, Lead).enquiry_count == 2


def test_another_mobile_is_another_person(desk: EnquiryDesk, store: Database, asked: Asked) -> None:
    desk.record(asked(), NOON)
    desk.record(asked(phone="13900139000", typed_id=OTHER_ID), NOON)
    assert duplicates(store) == [False, False]


@pytest.mark.parametrize("phone", ["021-87654321", "021-87654321 转 802", "400-820-8820"])
def test_a_switchboard_has_many_people(desk: EnquiryDesk, store: Database, asked: Asked, phone: str) -> None:
    desk.record(asked(phone=phone.partition(" ")[0]), NOON)
    desk.record(asked(phone=phone, typed_id=OTHER_ID, name="李四"), NOON + MINUTE)
    assert duplicates(store) == [True, True]
    with store.reading() as session:
        latest = session.scalars(select(Notice.text).order_by(Notice.created_at.desc())).first() or ""
    assert "可能是同一家公司" in latest


@pytest.mark.parametrize("status", ["won", "lost", "invalid"])
def test_a_closed_lead_opens_again_with_an_event_and_a_notice(
    desk: EnquiryDesk, store: Database, asked: Asked, status: str
) -> None:
    desk.record(asked(), NOON)
    set_lead(store, only(store, Lead).id, status=status)
    desk.record(asked(typed_id=OTHER_ID), NOON + MINUTE)
    assert only(store, Lead).status == "new"
    with store.reading() as session:
        assert sorted(session.scalars(select(LeadEvent.kind))) == ["enquiry", "enquiry", "reopened"]
        texts = list(session.scalars(select(Notice.text).order_by(Notice.created_at)))
    assert "重新打开" in texts[1]
    assert "重新打开" not in texts[0]


@pytest.mark.parametrize("status", ["new", "contacted", "interested", "proposal"])
def test_an_open_lead_keeps_its_status(desk: EnquiryDesk, store: Database, asked: Asked, status: str) -> None:
    desk.record(asked(), NOON)
    set_lead(store, only(store, Lead).id, status=status)
    desk.record(asked(typed_id=OTHER_ID), NOON + MINUTE)
    assert only(store, Lead).status == status


def test_a_restricted_lead_is_left_alone_and_gets_a_new_one_beside_it(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    restricted = only(store, Lead)
    set_lead(store, restricted.id, restricted=True)
    desk.record(asked(typed_id=OTHER_ID), NOON + MINUTE)
    desk.record(asked(typed_id="e" * 32), NOON + 2 * MINUTE)
    before, beside = everyone(store)
    assert (before.id, before.enquiry_count, before.last_enquiry_at) == (restricted.id, 1, NOON)
    assert (beside.restricted, beside.enquiry_count) == (False, 2)


def test_a_name_that_was_missing_is_added_and_one_that_was_given_stays(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    desk.record(asked(name=""), NOON)
    assert only(store, Lead).name_index is None
    desk.record(asked(name="陈女士", typed_id=OTHER_ID), NOON)
    desk.record(asked(name="陈小姐", typed_id="e" * 32), NOON)
    lead = only(store, Lead)
    assert lead.open(store_keys, "name") == "陈女士"
    assert lead.name_index == store_keys.blind_index("name", "陈女士")


def test_a_lead_whose_name_no_longer_opens_still_takes_an_enquiry(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked
) -> None:
    """After a wrong restore of the keys: the old name is lost, the new enquiry must not be."""
    desk.record(asked(), NOON)
    others = replace(store_keys, field=bytes(range(100, 132)))
    set_lead(store, only(store, Lead).id, name=others.seal("张三丰", "elsewhere"))
    desk.record(asked(typed_id=OTHER_ID), NOON)
    assert numbers(store)["enquiries"] == 2


def test_a_lead_is_kept_for_the_days_promised_after_the_last_enquiry(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    assert only(store, Lead).retain_until == NOON + timedelta(days=180)
    later = NOON + timedelta(days=30)
    desk.record(asked(typed_id=OTHER_ID), later)
    assert only(store, Lead).retain_until == later + timedelta(days=180)


# --- consents ---


def test_consents_are_kept_as_they_were_shown(
    desk: EnquiryDesk, store: Database, form: PublishedForm, asked: Asked
) -> None:
    desk.record(asked(purposes=("callback", "marketing")), NOON)
    with store.reading() as session:
        given = {row.purpose: row for row in session.scalars(select(Consent))}
    assert set(given) == {"callback", "marketing"}
    for purpose, row in given.items():
        consent = next(each for each in form.declaration.consents if each.purpose == purpose)
        assert row.text_sha256 == fingerprint(f"{form.notice}\n\n{consent.label}")
        assert (row.form_version, row.given_at, row.withdrawn_at) == (form.version, NOON, None)


def test_what_was_not_ticked_is_not_agreed_to(desk: EnquiryDesk, store: Database, asked: Asked) -> None:
    desk.record(asked(), NOON)
    assert only(store, Consent).purpose == "callback"


@pytest.mark.parametrize("version", ["", "0" * 16, "x", "' OR '1'='1"])
def test_words_we_never_published_are_refused_and_nothing_is_kept(
    desk: EnquiryDesk, store: Database, asked: Asked, version: str
) -> None:
    with pytest.raises(UnknownForm):
        desk.record(asked(form_version=version), NOON)
    assert set(numbers(store).values()) == {0}


def test_the_version_of_a_health_check_is_no_form(desk: EnquiryDesk, store: Database, asked: Asked) -> None:
    publish_form(store, "0123456789abcdef", '{"version": "1.0", "questions": []}')
    with pytest.raises(UnknownForm):
        desk.record(asked(form_version="0123456789abcdef"), NOON)
    assert set(numbers(store).values()) == {0}


def test_an_older_published_form_is_accepted_and_kept_as_the_older_one(
    desk: EnquiryDesk, store: Database, form: PublishedForm, asked: Asked
) -> None:
    newer = form.model_copy(update={"notice": form.notice + "（新）"})
    desk.publish(newer)
    desk.publish(newer)
    desk.record(asked(), NOON)
    consent = only(store, Consent)
    assert consent.form_version == form.version != newer.version
    assert consent.text_sha256 == fingerprint(form.consent_text(form.declaration.consents[0]))
    with store.reading() as session:
        kept = {row.version: row.form for row in session.scalars(select(FormVersion))}
    assert PublishedForm.model_validate_json(kept[form.version]) == form
    assert len(kept) == 2


# --- the notice ---


def test_the_notice_says_what_staff_need_and_nothing_personal(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    done = desk.record(asked(attribution=Attribution(article="ageing")), NOON)
    notice = only(store, Notice)
    assert (notice.reference, notice.state, notice.due_at, notice.attempts) == (
        done.reference,
        "waiting",
        NOON,
        0,
    )
    for told in (
        "新咨询：逾期账款跟进",
        done.reference,
        "2026-11-23 12:00+08:00",
        "上午",
        "/articles/ageing",
    ):
        assert told in notice.text
    for secret in ("张三", "138", "0013", "逾期四个"):
        assert secret not in notice.text


def test_the_notice_says_that_a_known_person_asks_again(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    desk.record(asked(typed_id=OTHER_ID), NOON + MINUTE)
    with store.reading() as session:
        texts = list(session.scalars(select(Notice.text).order_by(Notice.created_at)))
    assert texts[1].startswith("老客户再次咨询：")


# --- what the desk works with ---


def notices_to(store: Database, recipient: str) -> list[Notice]:
    with store.reading() as session:
        query = select(Notice).where(Notice.recipient == recipient).order_by(Notice.created_at)
        return list(session.scalars(query))


def test_a_new_lead_waits_for_its_first_contact(desk: EnquiryDesk, store: Database, asked: Asked) -> None:
    desk.record(asked(), NOON)
    lead = only(store, Lead)
    assert (lead.queue, lead.closed, lead.owner_id, lead.follow_up_at, lead.attempts, lead.version) == (
        "first",
        False,
        None,
        None,
        0,
        1,
    )


def test_the_need_is_that_of_the_latest_enquiry(desk: EnquiryDesk, store: Database, asked: Asked) -> None:
    desk.record(asked(), NOON)
    assert only(store, Lead).need == "overdue"
    desk.record(asked(typed_id=OTHER_ID, need="credit_policy"), NOON + MINUTE)
    assert only(store, Lead).need == "credit_policy"


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("", "direct"),
        ("www.baidu.com", "search"),
        ("mp.weixin.qq.com", "social"),
        ("127.0.0.1:8000", "own"),
        ("example.com", "other"),
    ],
)
def test_the_source_is_the_kind_of_place_of_the_first_touch_and_stays(
    desk: EnquiryDesk, store: Database, asked: Asked, host: str, source: str
) -> None:
    desk.record(asked(attribution=Attribution(first=Touch(host), last=Touch("weibo.com"))), NOON)
    assert only(store, Lead).source == source
    desk.record(asked(typed_id=OTHER_ID, attribution=Attribution(first=Touch("so.com"))), NOON + MINUTE)
    assert only(store, Lead).source == source


def test_the_priority_is_the_points_of_the_rules_and_is_counted_anew_each_time(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    rules = load_priority(ROOT / "forms")
    plain = {"details": "急", "call_time": "", "name": ""}
    desk.record(asked(need="other", **plain), NOON)
    assert only(store, Lead).priority == rules.rank(LeadFacts(need="other", source="direct", details=1), NOON)
    desk.record(
        asked(typed_id=OTHER_ID, details="一" * 60, attribution=Attribution(articles_read=("a", "b", "c"))),
        NOON + MINUTE,
    )
    facts = LeadFacts(
        need="overdue",
        source="direct",
        details=60,
        articles=3,
        enquiries=2,
        answers=2,
        named=True,
        call_time=True,
    )
    assert only(store, Lead).priority == rules.rank(facts, NOON + MINUTE)


def test_the_owner_is_told_by_mail_beside_the_others(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    assert numbers(store)["outbox"] == 1
    owner = hire(store, "周敏")
    set_lead(store, only(store, Lead).id, owner_id=owner.id)
    done = desk.record(asked(typed_id=OTHER_ID), NOON + MINUTE)
    (mail,) = notices_to(store, owner.email)
    assert (mail.kind, mail.reference, mail.state) == ("enquiry", done.reference, "waiting")
    assert mail.text == notices_to(store, "")[-1].text
    assert "老客户再次咨询" in mail.text
    for secret in ("张三", "13800138000", "0013", "逾期四个"):
        assert secret not in mail.text


@pytest.mark.parametrize(("active", "role"), [(False, "sales"), (True, "editor")])
def test_an_owner_who_takes_no_leads_any_more_is_not_written_to(
    desk: EnquiryDesk, store: Database, asked: Asked, active: bool, role: str
) -> None:
    desk.record(asked(), NOON)
    owner = hire(store, "周敏", role)
    set_lead(store, only(store, Lead).id, owner_id=owner.id)
    with store.writing() as session:
        session.get_one(User, owner.id).active = active
    desk.record(asked(typed_id=OTHER_ID), NOON + MINUTE)
    assert notices_to(store, owner.email) == []
    assert len(notices_to(store, "")) == 2


@pytest.mark.parametrize("status", ["won", "lost", "invalid"])
def test_a_lead_that_opens_again_waits_for_its_first_contact_and_stays_with_its_owner(
    desk: EnquiryDesk, store: Database, asked: Asked, status: str
) -> None:
    desk.record(asked(), NOON)
    owner = hire(store, "周敏")
    with store.writing() as session:
        lead = session.scalars(select(Lead)).one()
        lead.status, lead.reason, lead.owner_id, lead.attempts = status, "other", owner.id, 3
        lead.requeue()
    assert only(store, Lead).queue == "closed"
    desk.record(asked(typed_id=OTHER_ID), NOON + MINUTE)
    lead = only(store, Lead)
    assert (lead.status, lead.reason, lead.closed, lead.queue) == ("new", "", False, "first")
    assert (lead.owner_id, lead.attempts, lead.version) == (owner.id, 0, 2)
    (mail,) = notices_to(store, owner.email)
    assert "重新打开" in mail.text


@pytest.mark.parametrize(
    ("status", "planned", "due"),
    [
        ("new", None, None),
        ("new", 24 * 60, 1),
        ("new", -60, -60),
        ("contacted", None, 1),
        ("contacted", 24 * 60, 1),
        ("proposal", -60, -60),
    ],
)
def test_who_asks_again_is_due_at_once(
    desk: EnquiryDesk,
    store: Database,
    store_keys: Keys,
    asked: Asked,
    status: str,
    planned: int | None,
    due: int | None,
) -> None:
    """Minutes after noon; the second enquiry comes one minute after it. What was late before stays so."""
    desk.record(asked(), NOON)
    with store.writing() as session:
        lead = session.scalars(select(Lead)).one()
        lead.status = status
        lead.follow_up_at = None if planned is None else NOON + planned * MINUTE
        lead.requeue()
    desk.record(asked(typed_id=OTHER_ID), NOON + MINUTE)
    lead = only(store, Lead)
    assert (lead.status, lead.follow_up_at) == (status, None if due is None else NOON + due * MINUTE)
    assert lead.queue == ("first" if due is None else "planned")
    if due is not None:
        assert lead.open(store_keys, "next_step") == ASKED_AGAIN


def test_the_notice_leads_to_the_lead(desk: EnquiryDesk, store: Database, asked: Asked) -> None:
    desk.record(asked(), NOON)
    assert f"/desk/leads/{only(store, Lead).id}" in only(store, Notice).text


# --- all or nothing ---


@pytest.mark.parametrize("table", ["outbox", "consents", "lead_events", "enquiries", "leads"])
def test_where_one_row_cannot_be_written_nothing_is_kept(
    desk: EnquiryDesk, store: Database, asked: Asked, table: str
) -> None:
    refuse_inserts(store, table)
    with pytest.raises(NotStored):
        desk.record(asked(), NOON)
    assert set(numbers(store).values()) == {0}
    allow_inserts(store, table)
    assert not desk.record(asked(), NOON).repeated
    assert set(numbers(store).values()) == {1}


def test_each_row_of_a_new_persons_enquiry_is_written_once_and_the_form_is_read_once(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    desk.record(asked(), NOON)
    asked_for: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *arguments: asked_for.append(arguments[2]))
    desk.record(asked(typed_id=OTHER_ID, phone="139 1234 5678"), NOON)
    assert not [each for each in asked_for if "FROM form_versions" in each]
    assert (
        len([each for each in asked_for if each.startswith("SELECT")]) <= 3
    )  # its ids, its person, the turn
    assert [each.split()[2] for each in asked_for if each.startswith("INSERT")] == [
        *("leads", "enquiries"),
        *("lead_events", "outbox", "consents"),
    ]
    assert not [each for each in asked_for if each.startswith("UPDATE")]


@pytest.mark.databases("sqlite")
def test_a_full_disk_is_not_stored_and_later_is(desk: EnquiryDesk, store: Database, asked: Asked) -> None:
    store.dispose()

    @contextmanager
    def full() -> Iterator[None]:
        """SQLite refuses pages beyond a limit as it refuses a full disk."""
        with store.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            connection.rollback()
        yield
        with store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1000000")
            connection.rollback()

    with full(), pytest.raises(NotStored):  # noqa: PT012 (some still fit)
        for number in range(200):
            desk.record(asked(typed_id=f"{number:032x}", details="一" * 500), NOON)
    counts = numbers(store)
    assert counts["enquiries"] == counts["outbox"] == counts["consents"]
    assert desk.record(asked(), NOON).reference


def test_a_writer_elsewhere_is_waited_for_and_then_the_enquiry_is_not_stored(
    desk: EnquiryDesk, store: Database, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "WAIT", 0.1)  # the visitor's two seconds
    with a_writer_elsewhere(store, "leads", "enquiries"), pytest.raises(NotStored) as raised:
        desk.record(asked(), NOON)
    assert isinstance(raised.value.__cause__, DatabaseBusy)
    assert "张三丰" not in str(raised.value)
    assert set(numbers(store).values()) == {0}
    assert not desk.record(asked(), NOON).repeated


def test_an_enquiry_waits_two_seconds_at_most() -> None:
    assert record.WAIT == 2.0


@pytest.mark.databases("sqlite")
def test_an_acknowledged_enquiry_is_there_for_a_stranger_who_opens_the_file(
    desk: EnquiryDesk, store: Database, asked: Asked
) -> None:
    done = desk.record(asked(), NOON)
    connection = sqlite3.connect(store.file)
    try:
        found = connection.execute("SELECT reference, created_at FROM enquiries").fetchall()
    finally:
        connection.close()
    assert [(reference, datetime.fromisoformat(at)) for reference, at in found] == [
        (done.reference, NOON.replace(tzinfo=None))
    ]
