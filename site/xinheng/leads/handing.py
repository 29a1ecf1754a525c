"""A lead gets another owner: the event, the audit, the turn that counts, and the mail to who has it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.trail import Trail
from xinheng.leads.turns import count_turn
from xinheng.notices.outbox import Notice, enqueue, withdraw
from xinheng.staff.colleagues import Colleague
from xinheng.staff.models import User


class Handing:
    """`site` is the public origin."""

    def __init__(self, trail: Trail, *, site: str) -> None:
        self._trail = trail
        self._site = site

    def hand(
        self,
        session: Session,
        lead: Lead,
        owner: User | Colleague | None,
        *,
        actor: str,
        now: datetime,
        kind: str = "assigned",
        why: Mapping[str, str] | None = None,
    ) -> bool:
        """Set the owner, None for nobody, in the caller's transaction, whose trail the caller finishes; False if it was
        theirs already. `why` goes to the event."""
        present = owner.id if owner else None
        if present == lead.owner_id:
            return False
        withdraw(session, references_of(session, [lead.id]), now, Notice.kind.in_(("assigned", "returning")))
        detail = {"from": lead.owner_id or "", "to": present or ""}
        lead.owner_id = present
        self._trail.event(session, lead, actor=actor, now=now, kind=kind, detail=detail | dict(why or {}))
        self._trail.audit(session, lead, actor=actor, now=now, action="assign", detail=detail)
        if present:
            count_turn(session, present, now, claimed=present == actor)
        return True

    def tell(
        self,
        session: Session,
        leads: Sequence[Lead],
        owner: User | Colleague | None,
        *,
        actor: str,
        now: datetime,
        why: str = "",
    ) -> None:
        """Mail the new owner once, and why if one lead has a reason; without a name or number of a person. One's own doing
        needs no mail."""
        if owner is None or owner.id == actor or not leads:
            return
        references = references_of(session, [lead.id for lead in leads])
        if len(leads) == 1:
            because = [why] if why else []
            lines = ["有一条线索交给您了", *because, f"受理编号：{references[0]}", self.page_of(leads[0])]
            text = "\n".join(lines)
        else:
            text = f"有{len(leads)}条线索交给您了\n查看：{self._site}/desk/leads?owner={owner.id}"
        # several have no reference in common: opening one of them doesn't mean that the others were seen
        reference = references[0] if len(leads) == 1 else ""
        enqueue(session, kind="assigned", reference=reference, text=text, now=now, recipient=owner.email)

    def page_of(self, lead: Lead) -> str:
        """The last line of a notice."""
        return f"查看：{self._site}/desk/leads/{lead.id}"


def references_of(session: Session, lead_ids: Sequence[str]) -> Sequence[str]:
    """The references of these leads' enquiries, newest first."""
    query = select(Enquiry.reference).where(Enquiry.lead_id.in_(lead_ids))
    return session.scalars(query.order_by(Enquiry.created_at.desc())).all()
