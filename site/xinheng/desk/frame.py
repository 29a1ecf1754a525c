"""What all pages of the desk share: the blueprint, who looks, what is kept of the list they came from."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, time
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, current_app, session
from werkzeug.routing import BaseConverter

from xinheng.articles.library import library
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.desk import words
from xinheng.desk.language import CHINESE, as_it_is, data_text, language_of, page_language, said
from xinheng.desk.level_names import level_names
from xinheng.desk.list_address import list_address, read_list
from xinheng.desk.permission import at_desk, current_member, may, signed_in_member
from xinheng.desk.times import day, short, span
from xinheng.leads.scope import Scope
from xinheng.leads.wanted import Wanted
from xinheng.leads.work import LeadWork
from xinheng.phone_display import dialled, readable
from xinheng.settings import SHANGHAI
from xinheng.staff import clock
from xinheng.staff.colleagues import Colleague, read_colleagues
from xinheng.staff.permissions import Permission
from xinheng.working_days import Calendar

blueprint = Blueprint("desk", __name__, url_prefix="/desk")


@blueprint.app_context_processor
def shared() -> dict[str, object]:
    """What every page of the desk may need in its templates; other pages get nothing of it."""
    if not at_desk():
        return {}
    now, chinese = utc_now(), page_language() == CHINESE
    return {
        "words": words,
        "level_names": level_names(),
        "page_language": page_language,
        "data_text": data_text,
        "language_of": language_of,
        "said": as_it_is if chinese else said,  # asked hundreds of times a page
        "may": may,
        "member": signed_in_member(),
        "library": library(),
        "short_time": lambda moment: short(moment, now),
        "short_day": lambda moment: day(moment, now),
        "week_day": lambda found: day(datetime.combine(found, time(), SHANGHAI), now),
        "time_span": span,
        "away": lambda member: not member.present(now),
        "parse_time": datetime.fromisoformat,
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


def calendar() -> Calendar:
    """When the company works."""
    held: Callable[[], Calendar] = current_app.extensions["xinheng.calendar"]
    return held()


def present_scope() -> Scope:
    """Whose leads the present member may see."""
    member = current_member()
    return Scope(member.id, everyone=Permission.ALL_LEADS in member.permissions)


def colleague(staff_id: str) -> Colleague | None:
    """A member of staff to whom leads can be given."""
    with database().reading() as reading:
        found = read_colleagues(reading).get(staff_id)
    return found if found and found.takes_leads else None


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
