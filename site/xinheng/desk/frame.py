"""What all pages of the desk share: the blueprint, who looks, what is kept of the list they came from."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, current_app, session
from sqlalchemy import select
from werkzeug.routing import BaseConverter

from xinheng.articles.library import library
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.desk import words
from xinheng.desk.language import CHINESE, data_text, language_of, page_language, runs
from xinheng.desk.list_address import list_address, read_list
from xinheng.desk.permission import at_desk, current_member, may, signed_in_member
from xinheng.desk.times import day, short, span
from xinheng.leads.finding import Wanted
from xinheng.leads.scope import Scope
from xinheng.leads.work import LeadWork
from xinheng.phone_display import dialled, readable
from xinheng.staff import clock
from xinheng.staff.models import User
from xinheng.staff.permissions import Permission

blueprint = Blueprint("desk", __name__, url_prefix="/desk")


@blueprint.app_context_processor
def shared() -> dict[str, object]:
    """What every page of the desk may need in its templates; other pages get nothing of it."""
    if not at_desk():
        return {}
    now = utc_now()
    return {
        "words": words,
        "page_language": page_language,
        "chinese_page": page_language() == CHINESE,
        "data_text": data_text,
        "language_of": language_of,
        "runs": runs,
        "may": may,
        "member": signed_in_member(),
        "library": library(),
        "short_time": lambda moment: short(moment, now),
        "short_day": lambda moment: day(moment, now),
        "time_span": span,
        "parse_time": datetime.fromisoformat,
        "takes_leads": takes_leads,
        "readable_phone": readable,
        "dialled": dialled,
    }


class RowId(BaseConverter):
    """The id of a row in an address; anything else is an address that there isn't."""

    regex = "[0-9a-f]{32}"


blueprint.record_once(lambda state: state.app.url_map.converters.update(row=RowId))


def is_row_id(text: str) -> bool:
    return re.fullmatch(RowId.regex, text) is not None


def utc_now() -> datetime:
    return clock.now()


def database() -> Database:
    held: Database = current_app.extensions["xinheng.databases"].leads
    return held


def keys() -> Keys:
    held: Keys = current_app.extensions["xinheng.keys"]
    return held


def work() -> LeadWork:
    held: LeadWork = current_app.extensions["xinheng.work"]
    return held


def present_scope() -> Scope:
    """Whose leads the present member may see."""
    member = current_member()
    return Scope(member.id, everyone=Permission.ALL_LEADS in member.permissions)


def colleagues() -> dict[str, User]:
    """All members of staff by id, those who left included: their deeds still carry their names."""
    with database().reading() as reading:
        return {member.id: member for member in reading.scalars(select(User).order_by(User.name, User.id))}


def takes_leads(member: User) -> bool:
    """Whether leads can be given to a member."""
    return member.active and Permission.LEADS in member.permissions


def remember_list(wanted: Wanted, page: str) -> None:
    """Keep which list a lead is opened from: `today` or `list`."""
    place = {"page": page, "query": list_address(wanted)}
    if session.get("list") != place:
        session["list"] = place


def remembered_list() -> tuple[Wanted, str]:
    """The list the present member came from, and its page."""
    kept: Any = session.get("list") or {}
    return read_list(arguments_of(kept.get("query", ""))), kept.get("page", "list")


def arguments_of(query: str) -> dict[str, str]:
    """A query string as its arguments, the last of each name."""
    return dict(parse_qsl(query))
