"""A lead as data, to be kept and to be made again: the columns in clear, the sealed ones opened. Seal it before it is stored.

What it is found by is not in it: that is made anew, by the keys of the day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary

from xinheng.crypto import Keys
from xinheng.db import Moment
from xinheng.leads.company_name import plain_company
from xinheng.leads.models import Lead
from xinheng.phones import NotAPhone, last_four, parse_phone

SEALED = ("name", "phone", "extension", "company", "next_step")
Image = Mapping[str, Any]
_COLUMNS = {each.key: each.type for each in Lead.__table__.columns if not isinstance(each.type, LargeBinary)}


def image_of(lead: Lead, keys: Keys) -> dict[str, Any]:
    """Every column by its name. Raises CannotDecrypt."""
    plain = {name: getattr(lead, name) for name in _COLUMNS}
    image = {name: each.isoformat() if isinstance(each, datetime) else each for name, each in plain.items()}
    sealed = {name: lead.open(keys, name) if getattr(lead, name) is not None else None for name in SEALED}
    return image | sealed


def set_from(lead: Lead, keys: Keys, image: Image, columns: Collection[str]) -> None:
    """Give a lead these columns of an image; one that there is no more is left out. The lead has its id already."""
    for name in columns:
        if name in SEALED:
            _set_sealed(lead, keys, name, image[name])
        elif name in _COLUMNS:
            value = image[name]
            moment = isinstance(_COLUMNS[name], Moment) and value is not None
            setattr(lead, name, datetime.fromisoformat(value) if moment else value)


def _set_sealed(lead: Lead, keys: Keys, name: str, text: str | None) -> None:
    if text is None:
        setattr(lead, name, None)
    else:
        lead.seal(keys, name, text)
    for column, index in indexes_of(keys, {name: text or ""}).items():
        setattr(lead, column, index)


def indexes_of(keys: Keys, opened: Mapping[str, str]) -> dict[str, bytes | None]:
    """What a lead is found by, as far as it follows from these of its columns."""
    found: dict[str, bytes | None] = {}
    if "name" in opened:
        found["name_index"] = keys.blind_index("name", opened["name"])
    if "company" in opened:
        found["company_index"] = keys.blind_index("company", plain_company(opened["company"]))
    return found | number_indexes_of(keys, opened)


def number_indexes_of(keys: Keys, opened: Mapping[str, str]) -> dict[str, bytes | None]:
    """What a number is found by, a lead's first or a further one."""
    if "phone" not in opened:
        return {}
    return {
        "phone_index": keys.blind_index("phone", opened["phone"]),
        "last_four_index": keys.blind_index("last_four", _last_four(opened["phone"])),
    }


def _last_four(e164: str) -> str:
    try:
        return last_four(parse_phone(e164))
    except NotAPhone:
        return ""
