"""Two leads of one person become one, and for 30 days two again: each one transaction, with the rights to both.

Everything that hangs on the other lead moves to the kept one; its row goes. What both were before is kept sealed, so that
it can be undone; what happened since stays where it was done, but for enquiries, which go by their number.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from xinheng.crypto import CannotDecrypt, Keys, new_row_id
from xinheng.db import Database
from xinheng.leads.asked_since import follow_enquiries
from xinheng.leads.changing import Turn, changing
from xinheng.leads.deeds import AlreadyDone, Deed
from xinheng.leads.drafts import drop_draft, read_draft, save_draft
from xinheng.leads.handing import Handing
from xinheng.leads.images import image_of, number_indexes_of, set_from
from xinheng.leads.merged_owners import owned, tell_who_has_it_again, tell_who_lost
from xinheng.leads.merges import (
    LeadPhone,
    Merge,
    apart_from,
    merges_of,
    set_apart,
    take_together,
)
from xinheng.leads.models import Draft, Enquiry, Lead, LeadEvent
from xinheng.leads.moves import ROAD
from xinheng.leads.response import wait_for_one
from xinheng.leads.scope import NoSuchLead

Field = Literal["name", "phone", "company", "need", "owner", "status", "next"]
FIELDS: tuple[Field, ...] = get_args(Field)
"""What is chosen where two leads differ. All else follows: the earlier source, the later day to be kept to."""

_COLUMNS: Mapping[Field, tuple[str, ...]] = {
    "name": ("name",),
    "phone": ("phone", "extension", "phone_kind"),
    "company": ("company",),
    "need": ("need",),
    "owner": ("owner_id",),
    "status": ("status", "reason", "attempts"),
    "next": ("follow_up_at", "next_step"),
}
Refusal = Literal["unreadable", "itself", "late", "later_first", "empty"]


class MergeRefused(ValueError):
    """It can't be done, and nothing was; the reason is one of `Refusal`."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason: Refusal = reason


@dataclass(frozen=True, slots=True)
class Pair:
    """The lead to keep and the other one, in the versions that the page showed."""

    kept_id: str
    other_id: str
    kept_version: int
    other_version: int


@dataclass(slots=True)
class _Moved:
    """Ids of what changed its lead. `made` are further numbers that the merge itself made, `apart` leads that the kept one
    was said not to be only since; `were_apart` where that had been said of the two."""

    enquiries: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    merges: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)
    were_apart: bool = False

    def as_data(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def merge_leads(database: Database, keys: Keys, deed: Deed, pair: Pair, taken: Collection[Field]) -> None:
    """Make one of two; `taken` are the fields whose value is the other lead's. Raises NoSuchLead, LeadChanged, AlreadyDone
    where just that was done, MergeRefused."""
    if pair.kept_id == pair.other_id:
        raise MergeRefused("itself")
    with changing(database, keys, deed, [pair.kept_id, pair.other_id]) as turn:
        kept, other = _both(turn, pair)
        try:
            before, images = image_of(kept, keys), {"merged": image_of(other, keys)}
        except CannotDecrypt:
            raise MergeRefused("unreadable") from None
        owners = owned(turn, kept, other)
        moved = _move(turn, other, kept)
        _take(turn, kept, other, images["merged"], before, taken, moved)
        kept.version = max(kept.version, other.version)
        other.counted = False  # reports count one person
        turn.session.flush()
        turn.session.execute(delete(Lead).where(Lead.id == other.id))
        turn.session.expunge(other)
        turn.recount(kept)
        images |= {"kept": before, "after": image_of(kept, keys)}
        turn.event(kept, "merged", {"enquiries": len(moved.enquiries)})
        _keep(turn, pair, moved, images)
        tell_who_lost(turn, kept, owners)
        turn.audit("merge", kept.id, {"from": other.id})
        turn.audit("merge", other.id, {"to": kept.id})


def _both(turn: Turn, pair: Pair) -> tuple[Lead, Lead]:
    if pair.other_id not in turn.leads:
        done = select(Merge.id).where(Merge.merged_id == pair.other_id, Merge.kept_id == pair.kept_id)
        if turn.session.scalar(done):
            turn.lead(pair.kept_id, None)
            raise AlreadyDone(pair.kept_id)
    for lead_id in (pair.kept_id, pair.other_id):  # the rights to both first
        turn.lead(lead_id, None)
    return turn.lead(pair.kept_id, pair.kept_version), turn.lead(pair.other_id, pair.other_version)


def _move(turn: Turn, other: Lead, kept: Lead) -> _Moved:
    """Everything that points at the other lead points at the kept one."""
    session = turn.session
    moved = _Moved(
        enquiries=_repoint(session, Enquiry, Enquiry.lead_id, other.id, kept.id),
        events=_repoint(session, LeadEvent, LeadEvent.lead_id, other.id, kept.id),
        phones=_repoint(session, LeadPhone, LeadPhone.lead_id, other.id, kept.id),
        merges=_repoint(session, Merge, Merge.kept_id, other.id, kept.id),
        were_apart=take_together(session, kept.id, other.id),
    )
    staff_id, now = turn.deed.scope.staff_id, turn.deed.now
    for third in apart_from(session, other.id):
        if third != kept.id and set_apart(session, kept.id, third, staff_id, now):
            moved.apart.append(third)
    _move_drafts(session, turn.keys, other.id, kept.id)
    return moved


def _repoint(session: Session, table: Any, column: Any, other_id: str, kept_id: str) -> list[str]:
    """Ids of the rows that changed their lead."""
    done = update(table).where(column == other_id).values({column: kept_id}).returning(table.id)
    return list(session.scalars(done))


def _move_drafts(session: Session, keys: Keys, other_id: str, kept_id: str) -> None:
    """A text is bound to its lead; who was typing at both has one below the other."""
    for draft in session.scalars(select(Draft).where(Draft.lead_id == other_id)).all():
        texts = [read_draft(session, keys, lead_id, draft.staff_id) for lead_id in (kept_id, other_id)]
        text, saved_at = "\n\n".join(each.text for each in texts if each), draft.saved_at
        drop_draft(session, other_id, draft.staff_id)
        save_draft(session, keys, kept_id, draft.staff_id, text, saved_at)


def _take(
    turn: Turn,
    kept: Lead,
    other: Lead,
    theirs: Mapping[str, Any],
    before: Mapping[str, Any],
    taken: Collection[Field],
    moved: _Moved,
) -> None:
    """Give the kept lead its values; the number that isn't its first any more, or never was, becomes a further one."""
    for name in taken:
        set_from(kept, turn.keys, theirs, _COLUMNS[name])
    unchosen = before if "phone" in taken else theirs
    if (before["phone"], before["extension"]) != (theirs["phone"], theirs["extension"]):
        row = LeadPhone(id=new_row_id(), lead_id=kept.id, phone_kind=unchosen["phone_kind"])
        for column in ("phone", "extension"):
            row.seal(turn.keys, column, unchosen[column])
        for column, index in number_indexes_of(turn.keys, unchosen).items():
            setattr(row, column, index)
        turn.session.add(row)
        moved.made.append(row.id)
    first = min((kept, other), key=lambda lead: lead.created_at)
    kept.source, kept.article, kept.created_at = first.source, first.article, first.created_at
    kept.reached = max(kept.reached, other.reached, key=ROAD.index)
    wait_for_one(kept, other)
    kept.retain_until = max(kept.retain_until, other.retain_until)


def _keep(turn: Turn, pair: Pair, moved: _Moved, images: Mapping[str, Any]) -> None:
    row = Merge(
        id=new_row_id(),
        kept_id=pair.kept_id,
        merged_id=pair.other_id,
        staff_id=turn.deed.scope.staff_id,
        merged_at=turn.deed.now,
        moved=moved.as_data(),
    )
    row.seal(turn.keys, "image", json.dumps(images, ensure_ascii=False))
    turn.session.add(row)


def undo_merge(
    database: Database, keys: Keys, lead_id: str, deed: Deed, merge_id: str, handing: Handing
) -> str:
    """Make two again of a lead; returns the id of the one that comes back. Raises NoSuchLead, LeadChanged, AlreadyDone,
    MergeRefused."""
    with database.reading() as session:
        asked = session.get(Merge, merge_id)
    with changing(database, keys, deed, [lead_id, *([asked.merged_id] if asked else [])]) as turn:
        turn.lead(lead_id, None)
        row = turn.session.get(Merge, merge_id)
        if row is None or row.kept_id != lead_id:
            raise AlreadyDone(lead_id)
        kept = turn.lead(lead_id, deed.version)
        images, owner = _images(turn, row), kept.owner_id
        merged = _come_back(turn, row, images["merged"])
        _move_back(turn, kept, merged, row, images["kept"])
        _set_back(turn, kept, images)
        follow_enquiries(turn, kept, merged, row, images["kept"])
        turn.session.delete(row)
        kept.version = merged.version = max(kept.version, merged.version)
        for lead, other in ((kept, merged), (merged, kept)):
            turn.recount(lead)
            turn.event(lead, "unmerged")
            turn.audit("unmerge", lead.id, {"from": other.id})
        tell_who_has_it_again(turn, handing, kept, merged, owner)
        return merged.id


def _images(turn: Turn, row: Merge) -> Mapping[str, Any]:
    """What both were, where it may be undone."""
    if not row.can_be_undone(turn.deed.now):
        raise MergeRefused("late")
    if merges_of(turn.session, row.kept_id)[0].id != row.id:
        raise MergeRefused("later_first")
    try:
        images: Mapping[str, Any] = json.loads(row.open(turn.keys, "image"))
    except CannotDecrypt:
        raise MergeRefused("unreadable") from None
    return images


def _come_back(turn: Turn, row: Merge, image: Mapping[str, Any]) -> Lead:
    merged = Lead(id=row.merged_id)
    set_from(merged, turn.keys, image, [name for name in image if name != "id"])
    if not turn.deed.scope.sees(merged):
        raise NoSuchLead(merged.id)
    turn.session.add(merged)
    turn.session.flush()
    return merged


def _move_back(turn: Turn, kept: Lead, merged: Lead, row: Merge, before: Mapping[str, Any]) -> None:
    session, moved = turn.session, row.moved
    kept_index = number_indexes_of(turn.keys, before)["phone_index"]
    enquiries = _theirs(session, kept, merged, row, kept_index)
    left = select(Enquiry.id).where(Enquiry.lead_id == kept.id, Enquiry.id.not_in(enquiries)).limit(1)
    if not enquiries or session.scalar(left) is None:
        raise MergeRefused("empty")
    told = select(LeadEvent.id).where(LeadEvent.lead_id == kept.id, LeadEvent.enquiry_id.in_(enquiries))
    events = {*moved["events"], *session.scalars(told)}
    session.execute(delete(LeadPhone).where(LeadPhone.id.in_(moved["made"])))
    for table, column, ids in (
        (Enquiry, Enquiry.lead_id, enquiries),
        (LeadEvent, LeadEvent.lead_id, events),
        (LeadPhone, LeadPhone.lead_id, moved["phones"]),
        (Merge, Merge.kept_id, moved["merges"]),
    ):
        mine = update(table).where(table.id.in_(ids), column == kept.id).values({column: merged.id})
        session.execute(mine)
    for third in moved["apart"]:
        take_together(session, kept.id, third)
    if moved["were_apart"]:
        set_apart(session, kept.id, merged.id, turn.deed.scope.staff_id, turn.deed.now)


def _theirs(session: Session, kept: Lead, merged: Lead, row: Merge, kept_index: bytes | None) -> list[str]:
    """Enquiries that came with it, and those that came since from a number that is only its own."""
    moved = row.moved
    came = {merged.phone_index, *_indexes(session, LeadPhone.id.in_(moved["phones"]))}
    its_own = LeadPhone.lead_id == kept.id, LeadPhone.id.not_in([*moved["phones"], *moved["made"]])
    only_theirs = came - {None, kept_index, *_indexes(session, *its_own)}
    since = Enquiry.phone_index.in_(only_theirs), Enquiry.id > row.id  # ids lie in order of time
    found = select(Enquiry.id).where(
        Enquiry.lead_id == kept.id, or_(Enquiry.id.in_(moved["enquiries"]), and_(*since))
    )
    return list(session.scalars(found))


def _indexes(session: Session, *which: ColumnElement[bool]) -> set[bytes | None]:
    return set(session.scalars(select(LeadPhone.phone_index).where(*which)))


def _set_back(turn: Turn, kept: Lead, images: Mapping[str, Any]) -> None:
    """What the merge changed and nobody since is as it was before."""
    present, after, before = image_of(kept, turn.keys), images["after"], images["kept"]
    same = [name for name in before if name in present and present[name] == after.get(name)]
    set_from(kept, turn.keys, before, [name for name in same if name not in ("id", "version")])
