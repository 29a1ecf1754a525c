"""Who saw and changed what: the audit as a page, for the privacy officer and administrators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from xinheng.audit.models import ACTIONS
from xinheng.audit.reading import Entry, Page, Wanted, read_page
from xinheng.audit.report import Report
from xinheng.audit.verify import verify
from xinheng.crypto import plain_reference
from xinheng.desk.audit_words import ACTION, NOBODY, break_words, detail_words, person, what_to_do
from xinheng.desk.frame import blueprint, database, keys
from xinheng.desk.permission import may, requires
from xinheng.i18n import gettext as _
from xinheng.i18n import ngettext
from xinheng.leads.exports import export_reasons
from xinheng.leads.models import Enquiry, Lead
from xinheng.privacy.models import PrivacyRequest
from xinheng.settings import SHANGHAI
from xinheng.staff.colleagues import read_colleagues
from xinheng.staff.permissions import Permission

NEWEST = 50_000
"""How many rows the page's button checks: about a second and a half. The command checks them all."""

_NAMED = 5  # breaks that the page names
_YEARS = range(2020, 2100)
_LONGEST_ID = 32


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of the page. `lead` is the id to open, where whoever looks may open leads."""

    entry: Entry
    time: str
    who: str
    what: str
    subject: str
    lead: str
    detail: Sequence[tuple[str, str]]


@blueprint.get("/audit")
@requires(Permission.AUDIT)
def audit() -> str:
    """One page of rows, newest first."""
    wanted = _wanted()
    with database().reading() as session:
        people = {member.id: member.name for member in read_colleagues(session).values()}
        page = read_page(session, wanted, before=_number("before"), after=_number("after"))
        rows = _shown(session, page.entries, people)
        kind = page.entries[0].subject_kind if page.entries else "lead"
        subject = _subject_name(session, kind, wanted.subject_id, people)
    return render_template(
        "desk/audit.html",
        rows=rows,
        wanted=wanted,
        filtered=wanted != Wanted(),
        subject=subject,
        actors=[*NOBODY.items(), *people.items()],
        nobody=_NOBODY_CHOSEN,
        actions=ACTION,
        address=_address(wanted),
        pages=_neighbours(page, wanted),
        newest=NEWEST,
    )


@blueprint.post("/audit/find")
@requires(Permission.AUDIT)
def find_in_audit() -> Response:
    """From an enquiry's reference to the rows of its lead, or to its own where it has none; the reference itself gets into
    no address."""
    reference = plain_reference(request.form.get("reference", ""))
    with database().reading() as session:
        found = session.execute(
            select(Enquiry.lead_id, Enquiry.id).where(Enquiry.reference == reference)
        ).first()
    if found is None:
        flash(_("没有这个受理编号；编号像这样：XH-7K2M9-QPD4R"), "error")
        return redirect(url_for("desk.audit"), 303)
    return redirect(url_for("desk.audit", subject=found.lead_id or found.id), 303)


@blueprint.post("/audit/verify")
@requires(Permission.AUDIT)
def verify_audit() -> Response:
    """Check the newest rows, and say which they were."""
    report = verify(database(), keys(), newest=NEWEST)
    flash(_told(report), "done" if report.whole else "error")
    return redirect(url_for("desk.audit"), 303)


def _told(report: Report) -> str:
    if report.whole and not report.rows:
        return str(_("还没有记录，没有什么要核对的"))
    first, last = report.since, report.since + report.rows - 1
    if report.whole:
        return str(_("核对了第 %(first)s 到 %(last)s 条：都是原样", first=first, last=last))
    found = [break_words(each) for each in report.breaks[:_NAMED]]
    more = len(report.breaks) - len(found) + report.unlisted
    if more:
        found.append(
            ngettext(
                "另有%(num)s处，运行 xinheng audit verify 看全部",
                "另有%(num)s处，运行 xinheng audit verify 看全部",
                more,
            )
        )
    checked = ngettext(
        "从第 %(first)s 条起核对了%(num)s条，有问题",
        "从第 %(first)s 条起核对了%(num)s条，有问题",
        report.rows,
        first=first,
    )
    return str(
        _(
            "%(checked)s：%(found)s。%(advice)s",
            checked=checked,
            found=_("；").join(found),
            advice=what_to_do(),
        )
    )


# --- filters ---

_NOBODY_CHOSEN = "nobody"
"""In an address, the actor who isn't signed in: an empty one means anybody."""


def _wanted() -> Wanted:
    """The filters of the address; what isn't one counts for nothing."""
    actor, action = request.args.get("actor", ""), request.args.get("action", "")
    return Wanted(
        actor="" if actor == _NOBODY_CHOSEN else _code(actor) or None,
        action=action if action in ACTIONS else None,
        subject_id=_code(request.args.get("subject", "")),
        first_day=_day("since"),
        last_day=_day("until"),
    )


def _code(text: str) -> str:
    """An id or a word of the program from an address; other signs are none of either."""
    return text[:_LONGEST_ID] if text.isascii() and text.isalnum() else ""


def _address(wanted: Wanted) -> dict[str, Any]:
    """The filters as arguments of an address."""
    found = {
        "actor": _NOBODY_CHOSEN if wanted.actor == "" else wanted.actor or "",
        "action": wanted.action or "",
        "subject": wanted.subject_id,
        "since": str(wanted.first_day or ""),
        "until": str(wanted.last_day or ""),
    }
    return {key: value for key, value in found.items() if value}


def _neighbours(page: Page, wanted: Wanted) -> dict[str, str]:
    """Addresses of the pages beside this one; `first` where this one came out empty."""
    kept = _address(wanted)
    if not page.entries:
        turned = "before" in request.args or "after" in request.args
        return {"first": url_for("desk.audit", **kept)} if turned else {}
    found = {}
    if page.newer is not None:
        found["newer"] = url_for("desk.audit", **kept, after=page.newer)
    if page.older is not None:
        found["older"] = url_for("desk.audit", **kept, before=page.older)
    return found


def _day(name: str) -> date | None:
    try:
        day = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


# --- rows ---


def _shown(session: Session, entries: Iterable[Entry], people: Mapping[str, str]) -> list[Shown]:
    entries = list(entries)
    leads = {each.subject_id for each in entries if each.subject_kind == "lead"}
    held = {each.subject_id for each in entries if each.subject_kind == "enquiry"}
    asked = {each.subject_id for each in entries if each.subject_kind == "request"}
    references = _references(session, leads) | _own_references(session, held) | _receipts(session, asked)
    open_to_me = _may_open(session, leads)
    taken = [each.subject_id for each in entries if each.action == "export"]
    reasons = export_reasons(session, keys(), taken) if taken else {}
    return [
        Shown(
            entry=each,
            time=f"{each.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}",
            who=person(each.actor, people),
            what=str(ACTION.get(each.action, each.action)),
            subject=_subject(each.subject_kind, each.subject_id, references, people),
            lead=each.subject_id if each.subject_id in open_to_me else "",
            detail=[*detail_words(each.detail, people), *_why(reasons.get(each.subject_id))],
        )
        for each in entries
    ]


def _why(reason: str | None) -> list[tuple[str, str]]:
    return [(_("为什么"), reason)] if reason else []


def _subject(kind: str, subject_id: str, references: Mapping[str, str], people: Mapping[str, str]) -> str:
    match kind:
        case "lead":
            return references.get(subject_id) or str(_("线索，已不在库里"))
        case "staff":
            return person(subject_id, people)
        case "session":
            return str(_("一次登录"))
        case "request":
            return references.get(subject_id) or str(_("个人信息请求"))
        case "list":
            return str(_("线索列表"))
        case "enquiry":
            return references.get(subject_id) or str(_("咨询，已不在库里"))
    return ""


def _subject_name(session: Session, kind: str, subject_id: str, people: Mapping[str, str]) -> str:
    """What the page is narrowed to, if to anything; `kind` is what its rows say that it is."""
    if not subject_id:
        return ""
    if subject_id in people:
        return people[subject_id]
    only = {subject_id}
    references = _references(session, only) | _own_references(session, only) | _receipts(session, only)
    return references.get(subject_id) or _subject(kind, subject_id, references, people)


def _references(session: Session, leads: Iterable[str]) -> dict[str, str]:
    """Each lead's first reference: what its people were told, and no personal data."""
    query = (
        select(Enquiry.lead_id, Enquiry.reference)
        .where(Enquiry.lead_id.in_(leads))
        .order_by(Enquiry.created_at.desc(), Enquiry.id.desc())
    )
    return {row.lead_id: row.reference for row in session.execute(query) if row.lead_id}


def _own_references(session: Session, enquiries: Iterable[str]) -> dict[str, str]:
    """The references of enquiries that belong to no lead."""
    query = select(Enquiry.id, Enquiry.reference).where(Enquiry.id.in_(enquiries))
    return {row.id: row.reference for row in session.execute(query)}


def _receipts(session: Session, requests: Iterable[str]) -> dict[str, str]:
    """The numbers of requests, as the persons were given them and the officer's list has them."""
    query = select(PrivacyRequest.id, PrivacyRequest.receipt).where(PrivacyRequest.id.in_(requests))
    return {row.id: row.receipt for row in session.execute(query)}


def _may_open(session: Session, leads: Iterable[str]) -> frozenset[str]:
    """Leads that whoever looks may open besides: the privacy officer none, a sales lead all that aren't held back."""
    if not may(Permission.ALL_LEADS):
        return frozenset()
    return frozenset(session.scalars(select(Lead.id).where(Lead.id.in_(leads), Lead.restricted.is_(False))))
