"""Which leads may be the same person or company: by phone, by landline without its extension, by the company's name.

Found when it is shown, each way by its index: so it is right after whatever happened to either lead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from xinheng.leads.merges import Apart, LeadPhone
from xinheng.leads.models import Lead
from xinheng.leads.scope import Scope

Why = Literal["mobile", "landline", "number", "company"]
"""What two leads have in common. `number` is one of a service, or abroad."""

MOST_LOOKED_AT = 50
"""A switchboard may have hundreds behind it: no page shows more."""

_WHY: Mapping[str, Why] = {"mobile": "mobile", "landline": "landline"}
_other, _mine, _theirs = aliased(Lead), aliased(LeadPhone), aliased(LeadPhone)


@dataclass(frozen=True, slots=True)
class Possible:
    """A lead that may be the same person, and why."""

    lead: Lead
    why: Sequence[Why]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Those of a lead. `likely` and `apart` are those that one may see, the latter not the same person as somebody said;
    `hidden` is how many more there are that one may not see."""

    likely: Sequence[Possible]
    apart: Sequence[Possible]
    hidden: int


def duplicates_of(session: Session, scope: Scope, lead: Lead) -> Duplicates:
    """What a lead's page shows, those that asked last on top."""
    why = _found(session, lead)
    said = set(session.scalars(select(Apart.other_id).where(Apart.lead_id == lead.id)))
    ids = [*dict.fromkeys([*why, *said])]
    rows = session.scalars(
        select(Lead).where(Lead.id.in_(ids), Lead.restricted.is_(False)).order_by(Lead.last_enquiry_at.desc())
    ).all()
    seen = [Possible(each, why.get(each.id, ())) for each in rows if scope.sees(each)]
    return Duplicates(
        likely=[each for each in seen if each.lead.id not in said],
        apart=[each for each in seen if each.lead.id in said],
        hidden=sum(not scope.sees(each) and each.id not in said for each in rows),
    )


def marked(session: Session, leads: Iterable[Lead]) -> Collection[str]:
    """Ids of those of a page's leads that may be duplicates: one question for all of them."""
    ids = [lead.id for lead in leads]
    alive = and_(_other.id != Lead.id, _other.restricted.is_(False), ~_are_apart(_other.id))
    ways = (
        exists().where(_other.phone_index == Lead.phone_index, alive),
        exists().where(_other.company_index == Lead.company_index, alive),
        exists().where(_theirs.phone_index == Lead.phone_index, _theirs.lead_id == _other.id, alive),
        exists().where(_mine.lead_id == Lead.id, _other.phone_index == _mine.phone_index, alive),
        exists().where(
            _mine.lead_id == Lead.id,
            _theirs.phone_index == _mine.phone_index,
            _theirs.lead_id == _other.id,
            alive,
        ),
    )
    query = select(Lead.id).where(Lead.id.in_(ids), or_(*(way.correlate(Lead) for way in ways)))
    return set(session.scalars(query)) if ids else set()


def _are_apart(other: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return exists().where(Apart.lead_id == Lead.id, Apart.other_id == other).correlate(Lead, _other)


def _found(session: Session, lead: Lead) -> Mapping[str, Sequence[Why]]:
    """The ids of other leads with what they have in common, the number first."""
    found: dict[str, list[Why]] = {}
    for row in session.execute(union_all(*_ways(lead))):
        why: Why = "company" if row.kind == "company" else _WHY.get(row.kind, "number")
        if row.id != lead.id and why not in found.setdefault(row.id, []):
            found[row.id].append(why)
    return found


def _ways(lead: Lead) -> Iterable[Select[str, str]]:
    """One question for each way to another lead; those of nothing, like an empty number, are left out."""
    further = select(_mine.phone_index).where(_mine.lead_id == lead.id)
    by_first = select(Lead.id.label("id"), Lead.phone_kind.label("kind"))
    by_further = select(_theirs.lead_id, _theirs.phone_kind)
    ways = [
        by_first.where(Lead.phone_index.in_(further)),
        by_further.where(_theirs.phone_index.in_(further)),
    ]
    if lead.phone_index:
        ways += [
            by_first.where(Lead.phone_index == lead.phone_index),
            by_further.where(_theirs.phone_index == lead.phone_index),
        ]
    if lead.company_index:
        ways.append(select(Lead.id, literal("company")).where(Lead.company_index == lead.company_index))
    return [select(way.limit(MOST_LOOKED_AT).subquery()) for way in ways]
