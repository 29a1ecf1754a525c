"""Two people behind one number: some enquiries of a lead become a lead of their own, and what was said after them with them.

The two are noted as not the same person: each shows the other. What the number asks later goes to the one of that name, else
to who asked last (see `joining`). Undone by merging them again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from sqlalchemy import select, update

from xinheng.crypto import CannotDecrypt, Keys, new_row_id
from xinheng.db import Database
from xinheng.leads.changing import Turn, changing
from xinheng.leads.contact import COMPANY, further_number, set_company, set_name, set_phone
from xinheng.leads.deeds import AlreadyDone, Deed
from xinheng.leads.merges import Apart, LeadPhone, Merge, forget_images, phones_of, set_apart
from xinheng.leads.models import Enquiry, Lead, LeadEvent
from xinheng.phones import NotAPhone, Phone, parse_phone

SPOKEN = frozenset({"note", "connected", "no_answer", "wechat"})
"""What was done about a person: it follows the enquiry before it. Plans, owners and statuses are the lead's."""

Refusal = Literal["nothing", "everything", "unreadable"]


class SplitRefused(ValueError):
    """Nothing was split; the reason is one of `Refusal`."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason: Refusal = reason


class _Told(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def happened_at(self) -> datetime: ...


Event = TypeVar("Event", bound=_Told)


def spoken_after(asked_at: Mapping[str, datetime], events: Collection[Event]) -> Mapping[str, list[Event]]:
    """What was said after each enquiry and before the next one, by the enquiry's id; what was said before all of them
    belongs to the first. `asked_at` is when they came."""
    found: dict[str, list[Event]] = {each: [] for each in asked_at}
    order = sorted(asked_at, key=lambda each: asked_at[each])
    for event in events:
        if event.kind in SPOKEN:
            earlier = [each for each in order if asked_at[each] <= event.happened_at]
            found[earlier[-1] if earlier else order[0]].append(event)
    return found


def split_lead(database: Database, keys: Keys, lead_id: str, deed: Deed, enquiry_ids: Collection[str]) -> str:
    """Make a lead of these enquiries; returns its id. It has the same owner, and no plan. Raises NoSuchLead, LeadChanged,
    AlreadyDone with the id of the lead that was made a moment ago, SplitRefused."""
    with changing(database, keys, deed, [lead_id]) as turn:
        lead = turn.lead(lead_id, None)
        _refuse_twice(turn, lead, enquiry_ids)
        lead = turn.lead(lead_id, deed.version)
        mine = select(Enquiry).where(Enquiry.lead_id == lead.id).order_by(Enquiry.created_at, Enquiry.id)
        rows = turn.session.scalars(mine).all()
        chosen = [row for row in rows if row.id in enquiry_ids]
        stays = [row for row in rows if row.id not in enquiry_ids]
        if not chosen or not stays:
            raise SplitRefused("everything" if chosen else "nothing")
        try:
            return _split(turn, lead, chosen, stays)
        except (CannotDecrypt, NotAPhone):
            raise SplitRefused("unreadable") from None


def _refuse_twice(turn: Turn, lead: Lead, enquiry_ids: Collection[str]) -> None:
    """The button was pressed twice: these enquiries are another lead's, which was taken apart from this one."""
    now_at = select(Enquiry.lead_id).where(Enquiry.id.in_(enquiry_ids)).distinct()
    split_off = select(Apart.other_id).where(Apart.lead_id == lead.id, Apart.other_id.in_(now_at))
    found = turn.session.scalars(now_at).all()
    if len(found) == 1 and (other := turn.session.scalar(split_off)):
        raise AlreadyDone(other)


def _split(turn: Turn, lead: Lead, chosen: Sequence[Enquiry], stays: Sequence[Enquiry]) -> str:
    keys, session = turn.keys, turn.session
    other = _new_lead(turn, lead, chosen)
    session.add(other)
    session.flush()
    events = _following(turn, lead, chosen, stays)
    for table, ids in ((Enquiry, [each.id for each in chosen]), (LeadEvent, [each.id for each in events])):
        mine = update(table).where(table.id.in_(ids)).values(lead_id=other.id)
        session.execute(mine)
    if SPOKEN & {each.kind for each in events} - {"no_answer"}:
        other.status = other.reached = "contacted"
    _part_numbers(turn, lead, other, chosen, stays)
    _rename(lead, keys, chosen, stays)
    _part_merges(turn, lead, other, chosen)
    set_apart(session, lead.id, other.id, turn.deed.scope.staff_id, turn.deed.now)
    for each, kind in ((lead, "split"), (other, "split_off")):
        turn.recount(each)
        turn.event(each, kind, {"enquiries": len(chosen)})
    turn.audit("split", lead.id, {"to": other.id, "count": len(chosen)})
    turn.audit("split", other.id, {"from": lead.id})
    return other.id


def _new_lead(turn: Turn, lead: Lead, chosen: Sequence[Enquiry]) -> Lead:
    """Of the latest of the enquiries, named after the latest that has a name."""
    keys, latest = turn.keys, chosen[-1]
    other = Lead(
        id=new_row_id(),
        status="new",
        owner_id=lead.owner_id,
        follow_up_at=None,
        need=latest.need,
        source=lead.source,
        article=chosen[0].article,
        first_response_due=lead.first_response_due,
        responded_at=lead.responded_at,
        escalation=lead.escalation,
        response_minutes=lead.response_minutes,
        created_at=chosen[0].created_at,
        last_enquiry_at=latest.created_at,
        retain_until=lead.retain_until,
        version=lead.version,
    )
    set_name(other, keys, _last_said(row.open(keys, "name") for row in chosen))
    set_phone(other, keys, _phone(turn, latest))
    set_company(other, keys, _last_said(_company(turn, row) for row in chosen))
    return other


def _following(
    turn: Turn, lead: Lead, chosen: Sequence[Enquiry], stays: Sequence[Enquiry]
) -> Sequence[LeadEvent]:
    """The events of the chosen enquiries, and what was said after them."""
    ids = {row.id for row in chosen}
    events = turn.session.scalars(select(LeadEvent).where(LeadEvent.lead_id == lead.id)).all()
    said = spoken_after({row.id: row.created_at for row in (*chosen, *stays)}, events)
    after = {event.id for each in ids for event in said[each]}
    return [event for event in events if event.enquiry_id in ids or event.id in after]


def _part_numbers(
    turn: Turn, lead: Lead, other: Lead, chosen: Sequence[Enquiry], stays: Sequence[Enquiry]
) -> None:
    """Each lead has the numbers of its own enquiries; one that no enquiry was sent from stays where it is."""
    session, keys = turn.session, turn.keys
    theirs = {phone.e164: phone for phone in (_phone(turn, row) for row in chosen)}
    ours = {phone.e164: phone for phone in (_phone(turn, row) for row in stays)}
    theirs.pop(other.open(keys, "phone"))
    session.add_all(further_number(other.id, keys, phone) for phone in theirs.values())
    gone = {_phone(turn, row).e164 for row in chosen} - set(ours)
    for row in phones_of(session, lead.id):
        if row.open(keys, "phone") in gone:
            session.delete(row)
    if lead.open(keys, "phone") in gone:
        first = list(ours.values())[-1]
        set_phone(lead, keys, first)
        same = LeadPhone.lead_id == lead.id, LeadPhone.phone_index == lead.phone_index
        for row in session.scalars(select(LeadPhone).where(*same)).all():
            session.delete(row)


def _rename(lead: Lead, keys: Keys, chosen: Sequence[Enquiry], stays: Sequence[Enquiry]) -> None:
    """A lead that had the other person's name gets that of its own latest enquiry."""
    ours = [row.open(keys, "name") for row in stays]
    name = lead.open(keys, "name")
    if name in {row.open(keys, "name") for row in chosen} - set(ours):
        set_name(lead, keys, _last_said(ours))


def _part_merges(turn: Turn, lead: Lead, other: Lead, chosen: Sequence[Enquiry]) -> None:
    """No earlier merge can be undone any more. One whose enquiries are all the new lead's is told of there."""
    ids = {row.id for row in chosen}
    forget_images(turn.session, [lead.id])
    for merge in turn.session.scalars(select(Merge).where(Merge.kept_id == lead.id)).all():
        if set(merge.moved["enquiries"]) <= ids:
            merge.kept_id = other.id


def _phone(turn: Turn, row: Enquiry) -> Phone:
    return parse_phone(row.open(turn.keys, "phone"))


def _company(turn: Turn, row: Enquiry) -> str:
    extra: dict[str, str] = json.loads(row.open(turn.keys, "extra"))
    return extra.get(COMPANY, "")


def _last_said(texts: Iterable[str]) -> str:
    """The last text that isn't empty."""
    return next((text for text in reversed(list(texts)) if text), "")
