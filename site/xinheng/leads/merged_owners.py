"""A merge may take a lead from its owner, and undoing it gives it back: who didn't do it is told by mail, without a name or
a number of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xinheng.leads.changing import Turn
from xinheng.leads.handing import Handing, references_of
from xinheng.leads.models import Lead
from xinheng.leads.telling import takes_leads
from xinheng.notices.outbox import Notice, enqueue, withdraw
from xinheng.staff.models import User

MERGED = "merged"
"""A kind of notice: of a lead that became part of a colleague's."""

Owned = Mapping[str, Sequence[str]]
"""The references of somebody's lead, the newest first, by the owner's id."""


def owned(turn: Turn, *leads: Lead) -> Owned:
    """Whose these leads are, before they are merged."""
    return {lead.owner_id: references_of(turn.session, [lead.id]) for lead in leads if lead.owner_id}


def tell_who_lost(turn: Turn, kept: Lead, before: Owned) -> None:
    """Whoever owned one of the two and doesn't own what became of them."""
    whose = "同事的一条合并了，以后由同事负责" if kept.owner_id else "另一条合并了，现在没有负责人"
    for staff_id, references in before.items():
        if staff_id == kept.owner_id:
            continue
        member = turn.session.get_one(User, staff_id)
        _withdraw(turn, references, member, "assigned", "returning")
        if staff_id != turn.deed.scope.staff_id and takes_leads(member):
            text = f"您的一条线索和{whose}\n受理编号：{references[0]}"
            enqueue(
                turn.session,
                kind=MERGED,
                reference=references[0],
                text=text,
                now=turn.deed.now,
                recipient=member.email,
            )


def tell_who_has_it_again(
    turn: Turn, handing: Handing, kept: Lead, merged: Lead, owner_before: str | None
) -> None:
    """Whoever owns one of the two and didn't own what they were."""
    for lead in (kept, merged):
        if lead.owner_id is None or lead.owner_id == owner_before:
            continue
        member = turn.session.get_one(User, lead.owner_id)
        _withdraw(turn, references_of(turn.session, [lead.id]), member, MERGED)
        if takes_leads(member):
            actor, now = turn.deed.scope.staff_id, turn.deed.now
            handing.tell(turn.session, [lead], member, actor=actor, now=now, why="它的合并撤销了")


def _withdraw(turn: Turn, references: Sequence[str], member: User, *kinds: str) -> None:
    """What was to tell this member the contrary."""
    theirs = Notice.recipient == member.email, Notice.kind.in_(kinds)
    withdraw(turn.session, references, turn.deed.now, *theirs)
