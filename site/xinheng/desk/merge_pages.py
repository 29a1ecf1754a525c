"""The page on which two leads become one: each field side by side, and what happens to the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from flask import abort, flash, make_response, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from xinheng.desk import words
from xinheng.desk.deed_answers import deed_of_page, to_page, version_of_page
from xinheng.desk.frame import blueprint, database, keys, utc_now
from xinheng.desk.lead_page import opened_file, record_opening, where_it_went
from xinheng.desk.permission import requires
from xinheng.desk.rows import need_words
from xinheng.desk.times import short
from xinheng.i18n import gettext as _
from xinheng.i18n import ngettext
from xinheng.leads.deeds import AlreadyDone, LeadChanged
from xinheng.leads.file import LeadFile
from xinheng.leads.listing import UNREADABLE
from xinheng.leads.merging import FIELDS, Field, MergeRefused, Pair, merge_leads
from xinheng.leads.models import CLOSED, Lead
from xinheng.leads.moves import ROAD
from xinheng.leads.scope import NoSuchLead
from xinheng.staff.colleagues import Colleague, read_colleagues
from xinheng.staff.permissions import Permission


@dataclass(frozen=True, slots=True)
class Choice:
    """A field in which the two may differ, as both have it; `other` where the other lead's is chosen."""

    name: Field
    label: str
    mine: str = field(repr=False)
    theirs: str = field(repr=False)
    differs: bool
    other: bool


@blueprint.get("/leads/<row:lead_id>/merge/<row:other_id>")
@requires(Permission.LEADS)
def merge(lead_id: str, other_id: str) -> Response:
    """Both leads as one may see them; opening them is recorded first. Whoever comes back after merging them sees what
    they became."""
    if lead_id == other_id:
        abort(404)
    for each in (lead_id, other_id):
        try:
            record_opening(each)
        except NoSuchLead:
            return where_it_went(each)
    return _page(lead_id, other_id)


@blueprint.post("/leads/<row:lead_id>/merge/<row:other_id>")
@requires(Permission.LEADS)
def merge_now(lead_id: str, other_id: str) -> Response:
    taken: list[Field] = [name for name in FIELDS if request.form.get(f"take_{name}") == "other"]
    pair = Pair(lead_id, other_id, version_of_page(), version_of_page("other_version"))
    try:
        merge_leads(database(), keys(), deed_of_page(), pair, taken)
    except NoSuchLead:
        abort(404)
    except AlreadyDone:
        return to_page(lead_id, "timeline")
    except LeadChanged:
        told = _("有人刚改过其中一条，还没有合并。下面是最新的情况，您选的还在；看过以后再合并一次。")
        return _page(lead_id, other_id, chosen=taken, told=told, status=409)
    except MergeRefused as fault:
        told = str(words.MERGE_REFUSED[fault.reason])
        return _page(lead_id, other_id, chosen=taken, told=told, status=422)
    flash(_("合并好了，30天内可以撤销"), "done")
    return to_page(lead_id, "ties")


def _page(
    lead_id: str, other_id: str, *, chosen: Collection[Field] | None = None, told: str = "", status: int = 200
) -> Response:
    if lead_id == other_id:
        abort(404)
    with database().reading() as reading:
        mine, theirs = (opened_file(reading, each) for each in (lead_id, other_id))
        choices = _choices(reading, mine, theirs, chosen)
    text = render_template(
        "desk/merge.html",
        mine=mine,
        theirs=theirs,
        choices=choices,
        readable=UNREADABLE not in (mine.name, mine.phone, theirs.name, theirs.phone),
        told=told,
    )
    return make_response(text, status)


def _choices(
    reading: Session, mine: LeadFile, theirs: LeadFile, chosen: Collection[Field] | None
) -> Sequence[Choice]:
    people, needs = read_colleagues(reading), need_words(reading)
    both = [_said(file, people, needs) for file in (mine, theirs)]
    differing = _differing(mine, theirs)
    proposed = _proposed(mine.lead, theirs.lead, *both) if chosen is None else chosen
    return [
        Choice(name, label, both[0][name], both[1][name], name in differing, name in proposed)
        for name, label in _labels().items()
    ]


def _labels() -> Mapping[Field, str]:
    return {
        "name": _("称呼"),
        "phone": _("电话"),
        "company": _("单位"),
        "need": _("需求"),
        "owner": _("负责人"),
        "status": _("状态"),
        "next": _("下一步"),
    }


def _said(file: LeadFile, people: Mapping[str, Colleague], needs: Mapping[str, str]) -> Mapping[Field, str]:
    """Each field in words; empty where there is nothing."""
    lead, now = file.lead, utc_now()
    status = str(words.STATUS[lead.status])
    reason = str(words.REASON[lead.reason]) if lead.reason else ""
    extension = _("转 %(extension)s", extension=file.extension) if file.extension else ""
    at = short(lead.due_since, now) if lead.due_since else ""
    return {
        "name": file.name,
        "phone": " ".join(filter(None, (file.phone, extension))),
        "company": file.company,
        "need": needs.get(lead.need, lead.need),
        "owner": people[lead.owner_id].name if lead.owner_id else "",
        "status": _("%(name)s：%(value)s", name=status, value=reason) if reason else status,
        "next": " ".join(filter(None, (at, file.next_step))),
    }


def _differing(mine: LeadFile, theirs: LeadFile) -> Collection[Field]:
    """The fields to choose in. What is masked alike may differ: that is told by what it is found by."""
    one, two = mine.lead, theirs.lead
    same: Mapping[Field, bool] = {
        "name": one.name_index == two.name_index,
        "phone": one.phone_index == two.phone_index,
        "company": mine.company == theirs.company,
        "need": one.need == two.need,
        "owner": one.owner_id == two.owner_id,
        "status": (one.status, one.reason) == (two.status, two.reason),
        "next": (one.follow_up_at, mine.next_step) == (two.follow_up_at, theirs.next_step),
    }
    return {name for name, equal in same.items() if not equal}


def _proposed(mine: Lead, theirs: Lead, said: Mapping[Field, str], other: Mapping[Field, str]) -> set[Field]:
    """What is ticked at first: what is there rather than nothing, the newer need, what is farther on its road."""
    found: set[Field] = {name for name in ("company", "owner", "next") if other[name] and not said[name]}
    if mine.name_index is None and theirs.name_index is not None:
        found.add("name")
    if theirs.last_enquiry_at > mine.last_enquiry_at:
        found.add("need")
    if _progress(theirs) > _progress(mine):
        found.add("status")
    if theirs.follow_up_at and mine.follow_up_at and theirs.follow_up_at < mine.follow_up_at:
        found.add("next")
    return found


def _progress(lead: Lead) -> tuple[bool, int]:
    """An open lead goes before one that has ended."""
    return lead.status not in CLOSED, ROAD.index(lead.status) if lead.status in ROAD else -1


def enquiries_said(number: int) -> str:
    return ngettext("%(num)s份咨询", "%(num)s份咨询", number)


blueprint.record_once(lambda state: state.app.add_template_global(enquiries_said))
