"""A result that its visitor attached: told of once it is surely there, kept with the enquiry, gone with it or with consent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.databases import a_writer_elsewhere, raw_bytes
from tests.leads.colleagues import hire, the_lead
from tests.leads.conftest import NOON
from tests.leads.deleting import delete_lead

from xinheng.assessments import KEPT, Assessment, keep
from xinheng.crypto import Keys, fingerprint
from xinheng.db import Database, Databases, LeadsBase
from xinheng.form_versions import FormVersion
from xinheng.forms.definition import PublishedForm
from xinheng.leads.deletion import Deletion
from xinheng.leads.drainer import drain
from xinheng.leads.listing import list_leads
from xinheng.leads.models import Consent, Enquiry, Lead
from xinheng.leads.quarantine import Quarantine
from xinheng.leads.reception import Reception
from xinheng.leads.record import EnquiryDesk, UnknownForm
from xinheng.leads.spool import Spool
from xinheng.leads.submission import Submission
from xinheng.leads.tombstones import TombstoneFile
from xinheng.leads.verdict import Verdict
from xinheng.notices.outbox import Notice

Asked = Callable[..., Submission]
Checked = Callable[..., str]
BOTH = ("callback", "attach_assessment")
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def checked(store: Database, store_keys: Keys) -> Checked:
    """A finished health check; returns its token."""
    with store.writing() as session:
        session.add(FormVersion(version="check", form="{}", published_at=NOON))

    def make(level: str = "high", at: datetime = NOON, confidence: str = "good", **result: str) -> str:
        found = {"level": level, "level_low": level, "level_high": level, "confidence": confidence} | result
        with store.writing() as session:
            answers = {"dso": "gt120"}
            _, token = keep(
                session,
                store_keys,
                version="check",
                answers=answers,
                result=found,
                previous_id=None,
                now=at,
            )
        return token

    return make


@pytest.fixture
def attaching(asked: Asked, checked: Checked) -> Asked:
    """A submission with a result attached; `token` names another than a new one."""

    def make(token: str = "", **changed: Any) -> Submission:
        return asked(purposes=BOTH, assessment=token or checked(), **changed)

    return make


@pytest.fixture
def deletion(store: Database, store_keys: Keys, tmp_path: Path) -> Deletion:
    return Deletion(store, store_keys, TombstoneFile(tmp_path / "var" / "keys"))


def all_of(store: Database, table: type[LeadsBase]) -> list[Any]:
    with store.reading() as session:
        return list(session.scalars(select(table)))


def purposes(store: Database) -> list[str]:
    return sorted(each.purpose for each in all_of(store, Consent))


def ids(store: Database) -> list[str]:
    return [each.id for each in all_of(store, Assessment)]


# --- attached ---


def test_a_result_is_attached_with_its_consent_and_counts_for_the_lead(
    desk: EnquiryDesk, store: Database, attaching: Asked, asked: Asked, form: PublishedForm
) -> None:
    desk.record(asked(phone="139 1234 5678"), NOON)
    desk.record(attaching(), NOON)
    (result,) = all_of(store, Assessment)
    enquiry = next(each for each in all_of(store, Enquiry) if each.assessment_id)
    assert (enquiry.assessment_id, result.retain_until) == (result.id, None)
    consent = next(each for each in all_of(store, Consent) if each.purpose == "attach_assessment")
    declared = next(each for each in form.declaration.consents if each.purpose == "attach_assessment")
    assert consent.text_sha256 == fingerprint(form.consent_text(declared))
    assert consent.enquiry_id == enquiry.id
    leads = {each.level: each for each in all_of(store, Lead)}
    assert leads["high"].priority == leads[""].priority + 40_000
    texts = [each.text for each in all_of(store, Notice)]
    assert sum("自查结果：高" in text for text in texts) == 1


def test_without_the_tick_nothing_is_attached(
    desk: EnquiryDesk, store: Database, asked: Asked, checked: Checked
) -> None:
    desk.record(asked(assessment=checked()), NOON)
    (result,) = all_of(store, Assessment)
    assert result.retain_until == NOON + KEPT
    assert (the_lead(store).level, all_of(store, Enquiry)[0].assessment_id) == ("", None)
    assert purposes(store) == ["callback"]


@pytest.mark.parametrize("token", ["", "gibt-es-nicht-0123456", "a" * 22])
def test_a_result_that_is_not_there_costs_no_enquiry_and_is_not_claimed(
    desk: EnquiryDesk, store: Database, asked: Asked, checked: Checked, token: str
) -> None:
    checked()
    desk.record(asked(purposes=BOTH, assessment=token), NOON)
    (enquiry,) = all_of(store, Enquiry)
    assert (enquiry.assessment_id, the_lead(store).level, purposes(store)) == (None, "", ["callback"])


def test_a_result_whose_time_is_over_is_not_there(
    desk: EnquiryDesk, store: Database, attaching: Asked, checked: Checked
) -> None:
    desk.record(attaching(checked(at=NOON - KEPT - MINUTE)), NOON)
    assert (the_lead(store).level, purposes(store)) == ("", ["callback"])


def test_one_that_does_not_open_is_attached_without_a_level(
    desk: EnquiryDesk, store: Database, attaching: Asked, checked: Checked
) -> None:
    token = checked()
    with store.writing() as session:
        session.execute(update(Assessment).values(result=b"\1\1rubbish"))
    desk.record(attaching(token), NOON)
    assert the_lead(store).level == ""
    assert purposes(store) == ["attach_assessment", "callback"]


def test_too_much_unsure_is_told_as_that_and_gives_no_points(
    desk: EnquiryDesk, store: Database, attaching: Asked, checked: Checked
) -> None:
    desk.record(attaching(checked("elevated", confidence="insufficient", level_low="moderate")), NOON)
    assert the_lead(store).level == "insufficient"
    assert "自查结果：信息不足" in all_of(store, Notice)[0].text
    desk.record(attaching(checked("elevated", at=NOON + DAY, confidence="insufficient")), NOON + DAY)
    assert the_lead(store).level == "elevated", "both ends agree"


def test_the_same_submission_again_is_the_same_enquiry(
    desk: EnquiryDesk, store: Database, attaching: Asked, checked: Checked
) -> None:
    token = checked()
    first = desk.record(attaching(token), NOON)
    assert desk.record(attaching(token), NOON + MINUTE) == replace(first, repeated=True)
    assert len(all_of(store, Enquiry)) == 1
    assert purposes(store) == ["attach_assessment", "callback"]


def test_the_same_words_with_another_result_are_another_enquiry(
    desk: EnquiryDesk, store: Database, attaching: Asked, checked: Checked
) -> None:
    for level in ("high", "low"):
        desk.record(attaching(checked(level)), NOON)
    assert len({each.assessment_id for each in all_of(store, Enquiry)}) == 2


@pytest.mark.parametrize(
    ("levels", "then"),
    [(("high", "low"), "low"), (("low", ""), "low"), (("", "elevated"), "elevated")],
)
def test_the_newest_result_of_a_person_counts(
    desk: EnquiryDesk,
    store: Database,
    asked: Asked,
    attaching: Asked,
    checked: Checked,
    levels: tuple[str, ...],
    then: str,
) -> None:
    for day, level in enumerate(levels):
        at = NOON + day * DAY
        once = {"details": f"第{day + 1}次"}
        desk.record(attaching(checked(level, at), **once) if level else asked(**once), at)
    assert the_lead(store).level == then


def test_an_older_result_that_comes_later_does_not_count(
    desk: EnquiryDesk, store: Database, attaching: Asked, checked: Checked
) -> None:
    older, newer = checked("high", NOON), checked("low", NOON + DAY)
    desk.record(attaching(newer), NOON + DAY)
    desk.record(attaching(older, details="上次的也附上"), NOON + DAY)
    assert the_lead(store).level == "low"


def test_a_version_of_the_check_is_no_form_that_anybody_agreed_to(
    desk: EnquiryDesk, store: Database, store_keys: Keys, attaching: Asked
) -> None:
    with pytest.raises(UnknownForm):
        desk.record(attaching(form_version="check"), NOON)
    desk.record(attaching(), NOON)
    with store.reading() as session:
        assert len(list_leads(session, store_keys, 10)) == 1


# --- other ways in ---


def test_through_the_spool_the_token_is_sealed_and_found(
    reception: Reception,
    desk: EnquiryDesk,
    store: Database,
    spool: Spool,
    attaching: Asked,
    checked: Checked,
) -> None:
    token = checked()
    with a_writer_elsewhere(store, "enquiries", "leads"):
        reception.take(attaching(token), NOON)
    kept = b"".join(file.read_bytes() for file in spool.folder.rglob("*") if file.is_file())
    assert token.encode() not in kept
    assert spool.read(spool.ids()[0]).submission.assessment == token
    assert drain(desk, spool)
    assert (the_lead(store).level, purposes(store)) == ("high", ["attach_assessment", "callback"])


def test_through_the_quarantine_it_waits_with_the_enquiry(
    desk: EnquiryDesk, store: Database, store_keys: Keys, attaching: Asked
) -> None:
    desk.record(attaching(verdict=Verdict(("trap",))), NOON)
    (held,), (result,) = all_of(store, Enquiry), all_of(store, Assessment)
    assert (held.assessment_id, result.retain_until) == (result.id, None)
    assert Quarantine(store, store_keys, desk).release(
        held.id, hire(store, "主管", "sales_lead").id, NOON + DAY
    )
    lead = the_lead(store)
    assert lead.level == "high"
    assert lead.priority
    assert lead.priority >= 40_000


def test_the_token_stands_nowhere_in_clear(
    desk: EnquiryDesk,
    store: Database,
    attaching: Asked,
    checked: Checked,
    opened: Databases,
    tmp_path: Path,
) -> None:
    token = checked()
    attached = attaching(token)
    desk.record(attached, NOON)
    assert token.encode() not in raw_bytes(opened, tmp_path / "var")
    assert token not in repr(attached)


# --- gone ---


def test_it_is_deleted_with_its_lead(
    desk: EnquiryDesk, store: Database, attaching: Asked, deletion: Deletion
) -> None:
    desk.record(attaching(), NOON)
    deletion.of_due(NOON + 200 * DAY)
    assert ids(store) == []


def test_it_is_deleted_with_what_was_never_released(
    desk: EnquiryDesk, store: Database, attaching: Asked, deletion: Deletion
) -> None:
    desk.record(attaching(verdict=Verdict(("trap",))), NOON)
    assert len(ids(store)) == 1
    deletion.of_due(NOON + 200 * DAY)
    assert ids(store) == []


def test_one_that_came_back_with_a_backup_is_deleted_again(
    desk: EnquiryDesk, store: Database, attaching: Asked, checked: Checked, deletion: Deletion
) -> None:
    desk.record(attaching(checked("high")), NOON)
    lead_id = the_lead(store).id
    with store.reading() as session:
        back = {table.name: session.execute(table.select()).mappings().all() for table in _TABLES}
    delete_lead(store, deletion, lead_id)
    assert ids(store) == []
    with store.writing() as session:
        session.execute(LeadsBase.metadata.tables["tombstones"].delete())
        for table in _TABLES:
            session.execute(table.insert(), [dict(row) for row in back[table.name]])
    assert len(ids(store)) == 1
    assert deletion.again() == 1
    assert ids(store) == []


_TABLES = [Lead.__table__, Assessment.__table__, Enquiry.__table__]


def test_one_that_another_enquiry_has_too_stays_with_that(
    desk: EnquiryDesk, store: Database, attaching: Asked, checked: Checked, deletion: Deletion
) -> None:
    token = checked()
    desk.record(attaching(token), NOON)
    first = the_lead(store).id
    desk.record(attaching(token, phone="139 1234 5678"), NOON)
    delete_lead(store, deletion, first)
    assert len(ids(store)) == 1
    delete_lead(store, deletion, the_lead(store).id)
    assert ids(store) == []
