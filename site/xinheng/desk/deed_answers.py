"""What the deeds of a lead's page have in common: who does it to which version, and how they end."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from xinheng.desk.frame import present_scope, utc_now
from xinheng.desk.lead_page import show_lead
from xinheng.leads.deeds import Deed


def deed_of_page(*, versioned: bool = False) -> Deed:
    """Who does it and when; `versioned` where it must not overwrite what somebody else did meanwhile."""
    return Deed(present_scope(), utc_now(), version_of_page() if versioned else None)


def version_of_page(name: str = "version") -> int:
    """The version of a lead that the page showed; without a number none fits."""
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def changed_meanwhile(lead_id: str, **typed: Any) -> Response:
    """Somebody was quicker: nothing was written; what they did is shown, and what was typed stands there still."""
    return show_lead(lead_id, status=409, changed_since=version_of_page(), **typed)


def to_page(lead_id: str, part: str) -> Response:
    return redirect(url_for("desk.lead", lead_id=lead_id, _anchor=part), 303)
