"""Who is on duty, by which rules, and what they have, as tests of assignment need it."""

from __future__ import annotations

from typing import Any

from tests.leads.colleagues import hire, plain_lead, put_leads

from xinheng.db import Database
from xinheng.forms.assignment import AssignmentRules
from xinheng.leads.assignment import Assigner
from xinheng.staff.models import User
from xinheng.working_days import Calendar

WEEKDAYS = Calendar()
"""Monday to Friday from nine to six."""


def rules_of(way: str = "round_robin", **changed: Any) -> AssignmentRules:
    return AssignmentRules.model_validate({"way": way} | changed)


def assigner_of(rules: AssignmentRules, *, second_factor: bool = False) -> Assigner:
    return Assigner(lambda: rules, lambda: WEEKDAYS, second_factor=second_factor)


def on_duty(store: Database, name: str, *roles: str, **values: Any) -> User:
    """A member of staff; keywords set what the account has."""
    member = hire(store, name, *roles)
    set_member(store, member, **values)
    return member


def set_member(store: Database, member: User, **values: Any) -> None:
    with store.writing() as session:
        row = session.get_one(User, member.id)
        for name, value in values.items():
            setattr(row, name, value)


def leads_of(store: Database, member: User | None, number: int, **changed: Any) -> list[str]:
    """Open leads of a member."""
    rows = [plain_lead(owner_id=member.id if member else None, **changed) for _ in range(number)]
    put_leads(store, rows)
    return [row["id"] for row in rows]


def member_of(store: Database, member: User) -> User:
    with store.reading() as session:
        return session.get_one(User, member.id)
