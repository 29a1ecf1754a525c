"""Who is on duty in the sample and who is away; the newest leads are dealt out by turns, as far as a day's share goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from sqlalchemy import select

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.demo.acts import Acts
from xinheng.demo.staff import HANG, MIN, YIFAN, YUE, Colleague, Employed
from xinheng.forms.assignment import AssignmentRules, RoundRobin
from xinheng.leads.assignment import Assigner
from xinheng.leads.dealing import Dealing
from xinheng.leads.deeds import BulkChange
from xinheng.leads.models import Lead
from xinheng.leads.trail import Trail
from xinheng.settings import SHANGHAI
from xinheng.staff.models import User
from xinheng.working_days import Calendar

_RULES = AssignmentRules(way="round_robin", round_robin=RoundRobin(most_a_day=3))
_HANDED = 4
_ROOM = 150
_AWAY = timedelta(days=6)


def share_out(
    database: Database,
    keys: Keys,
    acts: Acts,
    employed: Mapping[Colleague, Employed],
    calendar: Calendar,
    site: str,
    now: datetime,
) -> None:
    """孙悦 has some leads that are late, and is away; the others on duty get the newest by turns."""
    yue, yifan = employed[YUE].member, employed[YIFAN].member
    with database.reading() as session:
        theirs = select(Lead.id).where(Lead.owner_id == yifan.id, Lead.queue == "planned")
        late = session.scalars(theirs.order_by(Lead.follow_up_at).limit(_HANDED)).all()
    acts.work.many(late, acts.deed(HANG, now), BulkChange(assigned=True, owner=yue))
    with database.writing() as session:
        back = (now + _AWAY).astimezone(SHANGHAI).date()
        session.get_one(User, yue.id).absent_until = datetime.combine(back, time(), SHANGHAI)
        for each in (MIN, YIFAN):
            session.get_one(User, employed[each].member.id).capacity = _ROOM
    acts.note_audit(YUE, "edit", now, subject=YUE, what="duty", to="away")
    assigner = Assigner(lambda: _RULES, lambda: calendar, second_factor=False)
    Dealing(database, Trail(keys), assigner, lambda: _RULES, lambda: calendar, site=site).deal(now)
