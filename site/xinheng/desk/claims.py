"""Why a member may not claim a lead now, in words."""

from __future__ import annotations

from flask import current_app

from xinheng.desk.frame import database, utc_now
from xinheng.desk.times import short
from xinheng.i18n import gettext as _
from xinheng.leads.assignment import Assigner, ClaimRefused


def assigner() -> Assigner:
    held: Assigner = current_app.extensions["xinheng.assigner"]
    return held


def claim_words(fault: ClaimRefused) -> str:
    """A sentence that says what to do."""
    match fault.why:
        case "a_day":
            return _("今天已经认领了%(limit)s条，到了上限；明天再来，或请主管分配", limit=fault.limit)
        case "capacity":
            return _("您手上最多%(limit)s条进行中的线索，已经满了；先结束或转交几条再认领", limit=fault.limit)
        case "again":
            until = short(fault.until, utc_now()) if fault.until else ""
            return _("这条线索刚从您手上退回，%(time)s以后才能再认领；先留给同事", time=until)


def why_no_more(staff_id: str) -> str:
    """Why a member may claim no more at all; empty where they may."""
    with database().reading() as session:
        try:
            assigner().check_claim(session, staff_id, utc_now())
        except ClaimRefused as fault:
            return claim_words(fault)
    return ""
