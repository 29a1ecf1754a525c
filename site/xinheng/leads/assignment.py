"""Whose turn it is, and who may claim a lead: those on duty, with room, and not too much of one day."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from xinheng.forms.assignment import AssignmentRules
from xinheng.leads.handover import TO_DO
from xinheng.leads.models import Lead, LeadEvent
from xinheng.leads.turns import turns_of_day
from xinheng.staff.models import Role, User
from xinheng.staff.permissions import RoleName
from xinheng.working_days import Calendar

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_LOOKED_BACK = timedelta(days=120)
"""How far back it matters that a lead went back to the pool; hours off are at most 400 working hours."""

Refusal = Literal["a_day", "capacity", "again"]


class ClaimRefused(RuntimeError):
    """A member may not claim this lead now. `limit` is how many the limit allows; `until` when it is over."""

    def __init__(self, why: Refusal, limit: int = 0, until: datetime | None = None) -> None:
        super().__init__(why)
        self.why: Refusal = why
        self.limit = limit
        self.until = until


@dataclass(frozen=True, slots=True)
class Load:
    """What a member has to do: open leads, as far as `most` and one more; what they were given and claimed today."""

    open: int
    most: int
    given: int
    claimed: int

    @property
    def full(self) -> bool:
        return self.open >= self.most


class Assigner:
    """Knows the rules and the calendar as they stand. `second_factor`: who has none set up can't get in, and gets nothing."""

    def __init__(
        self,
        rules: Callable[[], AssignmentRules],
        calendar: Callable[[], Calendar],
        *,
        second_factor: bool,
    ) -> None:
        self._rules = rules
        self._calendar = calendar
        self._second_factor = second_factor

    def next_owner(
        self, session: Session, now: datetime, lead: Lead, exclude: Collection[str] = ()
    ) -> User | None:
        """Who of those that take turns is next: whose last lead was given longest ago. None where nobody is on duty with
        room. Not the present owner, nor who just lost it to the pool, nor those excluded."""
        let_go = self.let_go(session, [lead.id], now).get(lead.id, {})
        free = self.with_room(session, now, {*exclude, lead.owner_id})
        return next((each for each in free if each.id not in let_go), None)

    def with_room(
        self, session: Session, now: datetime, exclude: Collection[str | None] = ()
    ) -> Sequence[User]:
        """Those on duty who can be given one more today, whose turn it is before the others."""
        there = [
            each for each in _take_turns(session) if each.id not in exclude and self._is_there(each, now)
        ]
        loads, most = self.loads(session, there, now), self._rules().round_robin.most_a_day
        free = [each for each in there if not loads[each.id].full and loads[each.id].given < most]
        # of those who got one at the same moment, who has fewer today
        return sorted(free, key=lambda each: (each.last_assigned_at or _NEVER, loads[each.id].given, each.id))

    def loads(self, session: Session, members: Sequence[User], now: datetime) -> Mapping[str, Load]:
        """What each of these members has to do now, by id; two questions for all."""
        rules, today = self._rules(), turns_of_day(session, now)
        most = {each.id: rules.capacity if each.capacity is None else each.capacity for each in members}
        open_ones = session.execute(select(*(_open(*each) for each in most.items()))).one() if most else ()
        return {
            staff_id: Load(
                open=number,
                most=limit,
                given=turns.given if (turns := today.get(staff_id)) else 0,
                claimed=turns.claimed if turns else 0,
            )
            for (staff_id, limit), number in zip(most.items(), open_ones, strict=True)
        }

    def check_claim(self, session: Session, staff_id: str, now: datetime, lead: Lead | None = None) -> None:
        """Whether a member may claim one more, and this one, whose claim the caller then writes: two at once of one member
        wait for each other. Raises ClaimRefused; by hand there are no limits."""
        rules = self._rules()
        if rules.way == "hand":
            return
        member = session.get_one(User, staff_id, with_for_update=lead is not None)
        load = self.loads(session, [member], now)[staff_id]
        if load.claimed >= rules.pool.claims_a_day:
            raise ClaimRefused("a_day", rules.pool.claims_a_day)
        if load.full:
            raise ClaimRefused("capacity", load.most)
        let_go = self.let_go(session, [lead.id], now).get(lead.id, {}) if lead is not None else {}
        if until := let_go.get(staff_id):
            raise ClaimRefused("again", until=until)

    def _is_there(self, member: User, now: datetime) -> bool:
        return member.present(now) and (member.second_factor or not self._second_factor)

    def let_go(
        self, session: Session, lead_ids: Collection[str], now: datetime
    ) -> Mapping[str, Mapping[str, datetime]]:
        """Who may not have some of these leads again yet, having let them go back, and until when: by lead and member."""
        hours = self._rules().pool.not_again_for_hours
        events = select(LeadEvent).where(
            LeadEvent.lead_id.in_(lead_ids),
            LeadEvent.happened_at > now - _LOOKED_BACK,
            LeadEvent.kind == "returned",
        )
        found: dict[str, dict[str, datetime]] = {}
        for each in session.scalars(events.order_by(LeadEvent.happened_at)) if hours else ():
            until = self._calendar().add_working_minutes(each.happened_at, hours * 60)
            if until > now:
                found.setdefault(each.lead_id, {})[each.detail.get("from", "")] = until
        return found


def _open(staff_id: str, most: int) -> ScalarSelect[int]:
    """The number of a member's open leads, as far as `most` and one more."""
    mine = select(Lead.id).where(Lead.owner_id == staff_id, Lead.queue.in_(TO_DO)).limit(most + 1)
    return select(func.count()).select_from(mine.subquery()).scalar_subquery()


def _take_turns(session: Session) -> Collection[User]:
    """Those whose work is leads: a sales lead who takes turns too has the role of sales besides."""
    taking = select(Role.staff_id).where(Role.name == RoleName.SALES.value)
    return session.scalars(select(User).where(User.id.in_(taking), User.active)).all()
