"""What ties leads together: two that became one, further numbers of one person, and two that are not the same person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    CompoundSelect,
    ForeignKey,
    LargeBinary,
    String,
    delete,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from xinheng.crypto import new_row_id
from xinheng.db import LeadsBase, Moment, insert_into
from xinheng.leads.models import Lead
from xinheng.sealed import Sealed
from xinheng.staff.models import User

UNDONE_WITHIN = timedelta(days=30)
"""As long a merge can be undone; then what both leads were before is deleted."""


class LeadPhone(Sealed, LeadsBase):
    """A further number of a lead, by which its person is found as by the first. It came by a merge or a split."""

    __tablename__ = "lead_phones"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    lead_id: Mapped[str] = mapped_column(ForeignKey(Lead.id), nullable=False, index=True)
    phone: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    extension: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    phone_kind: Mapped[str] = mapped_column(String(8), nullable=False)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    last_four_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)


class Merge(Sealed, LeadsBase):
    """Two leads that became one. The row of `merged_id` is gone; `kept_id` is where all of it is now, and follows it on.

    `image` is what both were before, and the kept one afterwards, as JSON; None once it can't be undone any more. `moved` has
    the ids of what changed its lead. A merge that is undone leaves no row: the timelines and the audit tell of it."""

    __tablename__ = "merges"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    kept_id: Mapped[str] = mapped_column(ForeignKey(Lead.id), nullable=False, index=True)
    merged_id: Mapped[str] = mapped_column(String(32), nullable=False, unique=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey(User.id), nullable=False)
    merged_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    moved: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False, default=dict)
    image: Mapped[bytes | None] = mapped_column(LargeBinary)

    def can_be_undone(self, now: datetime) -> bool:
        return self.image is not None and now < self.merged_at + UNDONE_WITHIN


class Apart(LeadsBase):
    """Two leads that are not the same person, as somebody of staff said; one row for each side."""

    __tablename__ = "leads_apart"

    lead_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    other_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey(User.id), nullable=False)
    since: Mapped[datetime] = mapped_column(Moment, nullable=False)


_numbered = aliased(Lead)


def leads_of_number(index: Any) -> CompoundSelect[str]:
    """Ids of the leads that have this number, as the first or as a further one; each way walks its index."""
    return union_all(
        select(_numbered.id).where(_numbered.phone_index == index),
        select(LeadPhone.lead_id).where(LeadPhone.phone_index == index),
    )


def leads_of_last_four(index: bytes) -> CompoundSelect[str]:
    """The same for the last four digits."""
    return union_all(
        select(_numbered.id).where(_numbered.last_four_index == index),
        select(LeadPhone.lead_id).where(LeadPhone.last_four_index == index),
    )


def phones_of(session: Session, lead_id: str) -> Sequence[LeadPhone]:
    """The further numbers of a lead, the first that came first."""
    mine = select(LeadPhone).where(LeadPhone.lead_id == lead_id).order_by(LeadPhone.id)
    return session.scalars(mine).all()


def number_indexes(session: Session, lead_ids: Collection[str]) -> list[bytes]:
    """The indexes of all numbers of some leads: what nobody else may decide on while they change."""
    ways = (
        select(Lead.phone_index).where(Lead.id.in_(lead_ids)),
        select(LeadPhone.phone_index).where(LeadPhone.lead_id.in_(lead_ids)),
    )
    return [each for way in ways for each in session.scalars(way) if each]


def where_it_is_now(session: Session, lead_id: str) -> str | None:
    """The id of the lead that a merged one became part of; None for one that was never merged."""
    return session.scalar(select(Merge.kept_id).where(Merge.merged_id == lead_id))


def merged_into(session: Session, lead_ids: Collection[str]) -> Sequence[str]:
    """Ids of the leads that became part of these: in an earlier backup they stand by themselves."""
    return session.scalars(select(Merge.merged_id).where(Merge.kept_id.in_(lead_ids))).all()


def merges_of(session: Session, lead_id: str) -> Sequence[Merge]:
    """What was merged into a lead, the latest first."""
    mine = select(Merge).where(Merge.kept_id == lead_id)
    return session.scalars(mine.order_by(Merge.merged_at.desc(), Merge.id.desc())).all()


def forget_images(session: Session, lead_ids: Any) -> None:
    """What these leads were before their merges goes at once: none of it can be undone any more."""
    mine = update(Merge).where(Merge.kept_id.in_(lead_ids), Merge.image.is_not(None)).values(image=None)
    session.execute(mine.execution_options(synchronize_session=False))


def forget_old_images(session: Session, now: datetime) -> None:
    """What was before a merge is kept for 30 days."""
    old = Merge.merged_at <= now - UNDONE_WITHIN, Merge.image.is_not(None)
    session.execute(update(Merge).where(*old).values(image=None))


def set_apart(session: Session, lead_id: str, other_id: str, staff_id: str, now: datetime) -> bool:
    """Two are not the same person; False where that was said before."""
    said = {"staff_id": staff_id, "since": now}
    rows = [
        {"lead_id": lead_id, "other_id": other_id} | said,
        {"lead_id": other_id, "other_id": lead_id} | said,
    ]
    made = insert_into(session, Apart).values(rows).on_conflict_do_nothing().returning(Apart.lead_id)
    return bool(session.execute(made).all())


def take_together(session: Session, lead_id: str, other_id: str) -> bool:
    """It is open again whether they are the same person; False where nobody had said that they aren't."""
    pair = (Apart.lead_id == lead_id) & (Apart.other_id == other_id)
    other_way = (Apart.lead_id == other_id) & (Apart.other_id == lead_id)
    gone = session.execute(delete(Apart).where(or_(pair, other_way)).returning(Apart.lead_id))
    return bool(gone.all())


def apart_from(session: Session, lead_id: str) -> Sequence[str]:
    """Ids of the leads that are not the same person as this one; some may be gone."""
    return session.scalars(select(Apart.other_id).where(Apart.lead_id == lead_id)).all()


def delete_ties(session: Session, lead_id: str) -> list[str]:
    """All of a lead that is being deleted; returns the ids of those that had become part of it."""
    merged = list(merged_into(session, [lead_id]))
    ids = [lead_id, *merged]
    session.execute(delete(LeadPhone).where(LeadPhone.lead_id == lead_id))
    session.execute(delete(Merge).where(Merge.kept_id == lead_id))
    for column in (Apart.lead_id, Apart.other_id):
        session.execute(delete(Apart).where(column.in_(ids)))
    return merged
