"""All that is kept of one person, to be given to them: as JSON, and as a table that a spreadsheet opens safely."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.assessments import Assessment, opened
from xinheng.crypto import CannotDecrypt, Keys
from xinheng.form_versions import FormVersion
from xinheng.forms.definition import FormDeclaration, stored_form
from xinheng.health_check.in_words import in_words
from xinheng.health_check.loader import stored_check
from xinheng.leads.listing import UNREADABLE
from xinheng.leads.merges import Merge, merges_of, phones_of
from xinheng.leads.models import Consent, Draft, Enquiry, Lead, LeadEvent
from xinheng.privacy.models import PrivacyRequest
from xinheng.privacy.person import person_of, requests_of
from xinheng.sealed import Sealed
from xinheng.settings import SHANGHAI

_FORMULA = re.compile(r"[\s\"'“”‘’\u200b-\u200f\u2060\ufeff]*[=+\-@]|[\t\r\n]")
"""How a cell begins that a spreadsheet may calculate, in any width, after what it may strip."""


def person_data(session: Session, keys: Keys, request: PrivacyRequest) -> dict[str, Any]:
    """Everything of whoever was proved to ask, in clear, with Chinese names; of staff, nothing."""
    person = person_of(session, keys, request)
    return {
        "线索": [_lead(session, keys, each) for each in person.leads],
        "还没有进线索的咨询": [_held(session, keys, each) for each in person.held],
        "个人信息请求": [
            {
                "编号": each.receipt,
                "时间": _moment(each.received_at),
                "种类": each.kind,
                "说明": _opened(keys, each, "words"),
                "结果": each.outcome,
            }
            for each in requests_of(session, keys, request)
        ],
    }


def _lead(session: Session, keys: Keys, lead: Lead) -> dict[str, Any]:
    enquiries = select(Enquiry).where(Enquiry.lead_id == lead.id).order_by(Enquiry.created_at)
    events = (
        select(LeadEvent).where(LeadEvent.lead_id == lead.id).order_by(LeadEvent.happened_at, LeadEvent.id)
    )
    return {
        "姓名": _opened(keys, lead, "name"),
        "电话": _opened(keys, lead, "phone"),
        "分机": _opened(keys, lead, "extension"),
        "其他电话": [
            {"电话": _opened(keys, each, "phone"), "分机": _opened(keys, each, "extension")}
            for each in phones_of(session, lead.id)
        ],
        "单位": _opened(keys, lead, "company"),
        "下一步": _opened(keys, lead, "next_step"),
        "进展": lead.status,
        "限制处理": lead.restricted,
        "保存到": _moment(lead.retain_until),
        "咨询": [_enquiry(session, keys, each) for each in session.scalars(enquiries)],
        "跟进记录": [
            {"时间": _moment(each.happened_at), "种类": each.kind, "内容": _opened(keys, each, "note")}
            for each in session.scalars(events)
        ],
        "没有写完的记录": [
            _draft(keys, each) for each in session.scalars(select(Draft).where(Draft.lead_id == lead.id))
        ],
        "合并以前": [_before(keys, each) for each in merges_of(session, lead.id) if each.image],
    }


def _before(keys: Keys, merge: Merge) -> dict[str, Any] | str:
    """What two leads were before they were merged, as long as that is kept."""
    try:
        images = json.loads(merge.open(keys, "image"))
    except CannotDecrypt:
        return UNREADABLE
    return {
        "合并时间": _moment(merge.merged_at),
        **{name: _words_of(images[key]) for key, name in (("kept", "保留的"), ("merged", "并进来的"))},
    }


def _words_of(image: dict[str, Any]) -> dict[str, str]:
    names = {"name": "姓名", "phone": "电话", "extension": "分机", "company": "单位", "next_step": "下一步"}
    return {word: image[name] or "" for name, word in names.items()} | {"进展": image["status"]}


def _held(session: Session, keys: Keys, enquiry: Enquiry) -> dict[str, Any]:
    """One that waits in quarantine, or stays there."""
    return {
        **_enquiry(session, keys, enquiry),
        "状态": enquiry.state,
        "为什么先放着": list(enquiry.suspicion),
        "保存到": _moment(enquiry.retain_until) if enquiry.retain_until else "",
    }


def as_json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def as_csv(data: dict[str, Any]) -> str:
    """Two columns, with a mark that spreadsheets need to read Chinese; no cell can be a formula."""
    text = io.StringIO()
    rows = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    rows.writerow(["项目", "内容"])
    rows.writerows((safe_cell(name), safe_cell(value)) for name, value in _flat(data))
    return "\ufeff" + text.getvalue()


def safe_cell(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would calculate."""
    return f"'{text}" if _FORMULA.match(unicodedata.normalize("NFKC", text)) else text


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(each, f"{name}/{key}" if name else str(key))
    elif isinstance(value, list):
        for number, each in enumerate(value, 1):
            yield from _flat(each, f"{name}/{number}")
    else:
        yield name, ("是" if value else "否") if isinstance(value, bool) else str(value)


def _enquiry(session: Session, keys: Keys, row: Enquiry) -> dict[str, Any]:
    form = stored_form(session.get_one(FormVersion, row.form_version).form).declaration
    try:
        extra: dict[str, str] = json.loads(row.open(keys, "extra"))
    except CannotDecrypt:
        extra = {}
    return {
        "受理编号": row.reference,
        "提交时间": _moment(row.created_at),
        _label(form, "need"): _answer(form, "need", row.need),
        _label(form, "name"): _opened(keys, row, "name"),
        _label(form, "phone"): _opened(keys, row, "phone"),
        _label(form, "details"): _opened(keys, row, "details"),
        _label(form, "call_time"): _answer(form, "call_time", row.call_time),
        **{_label(form, name): _answer(form, name, text) for name, text in extra.items()},
        "在哪一页提交": row.page,
        "来自文章": row.article,
        "第一次从哪里来": row.first_touch,
        "这次从哪里来": row.last_touch,
        "这次看过的文章": row.articles_read,
        "自查": _check(session, keys, row.assessment_id),
        "同意": [_consent(each) for each in row.consents],
    }


def _check(session: Session, keys: Keys, assessment_id: str | None) -> dict[str, Any] | str:
    """The health check that was attached; empty where none was."""
    row = session.get(Assessment, assessment_id) if assessment_id else None
    if row is None:
        return ""
    form = session.get_one(FormVersion, row.version).form
    try:
        found = in_words(stored_check(form), opened(keys, row))
    except CannotDecrypt:
        return UNREADABLE
    return {"完成时间": _moment(row.created_at), **found}


def _consent(row: Consent) -> dict[str, str]:
    return {
        "用途": row.purpose,
        "同意时间": _moment(row.given_at),
        "撤回时间": _moment(row.withdrawn_at) if row.withdrawn_at else "",
        "告知的版本": row.form_version,
        "告知的校验数": row.text_sha256,
    }


def _draft(keys: Keys, row: Draft) -> dict[str, str]:
    try:
        text = keys.open(row.text, f"{Draft.__tablename__}:text:{row.lead_id}:{row.staff_id}")
    except CannotDecrypt:
        text = UNREADABLE
    return {"时间": _moment(row.saved_at), "内容": text}


def _opened(keys: Keys, row: Sealed, column: str) -> str:
    """A sealed text in clear; empty where there is none."""
    if not getattr(row, column):
        return ""
    try:
        return row.open(keys, column)
    except CannotDecrypt:
        return UNREADABLE


def _label(form: FormDeclaration, name: str) -> str:
    return next((each.label for each in form.fields if each.name == name), name)


def _answer(form: FormDeclaration, name: str, given: str) -> str:
    declared = next((each for each in form.fields if each.name == name), None)
    return declared.option_label(given) if declared and given else given


def _moment(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).isoformat(timespec="minutes")
