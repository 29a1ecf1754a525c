"""What requests hold of a person goes with the person, and in any case half a year after their end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from xinheng.leads.tombstones import Tombstone
from xinheng.privacy.models import PrivacyRequest

FORGOTTEN_AFTER = timedelta(days=180)
"""After this time from its end a request holds nothing personal any more."""

GONE_AFTER = timedelta(days=3 * 366)
_PERSONAL = ("phone", "phone_index", "reference", "words", "answer")


def forget(session: Session, now: datetime) -> None:
    """Take what is personal out of requests that ended long ago, and in the end the requests."""
    old = PrivacyRequest.closed_at < now - FORGOTTEN_AFTER, PrivacyRequest.phone.is_not(None)
    session.execute(update(PrivacyRequest).where(*old).values(**dict.fromkeys(_PERSONAL)))
    session.execute(delete(PrivacyRequest).where(PrivacyRequest.closed_at < now - GONE_AFTER))


def any_buried(session: Session) -> bool:
    """Whether there is anything for `empty_buried` to do."""
    return session.scalar(select(PrivacyRequest.id).where(_buried()).limit(1)) is not None


def empty_buried(session: Session, now: datetime) -> Sequence[PrivacyRequest]:
    """Take what is personal out of requests whose person was deleted because they asked, or whose withdrawal ended so.
    Those that were still open end with that; returns these."""
    mine = select(PrivacyRequest).where(_buried()).order_by(PrivacyRequest.id).with_for_update()
    # somebody may have closed one since it was read
    rows = session.scalars(mine.execution_options(populate_existing=True)).all()
    ended = [each for each in rows if each.closed_at is None]
    for row in rows:
        for column in _PERSONAL:
            setattr(row, column, None)
    for row in ended:
        row.closed_at, row.outcome = now, "deleted"
    return ended


def _buried() -> ColumnElement[bool]:
    """Not those that others' retention left open: who asked for a copy still gets an answer."""
    stones = select(Tombstone.id)
    asked = stones.where(Tombstone.reason == "request")
    gone = or_(
        PrivacyRequest.id.in_(asked),
        PrivacyRequest.lead_id.in_(asked),
        PrivacyRequest.enquiry_id.in_(asked),
        and_(
            PrivacyRequest.carried_out,
            or_(PrivacyRequest.lead_id.in_(stones), PrivacyRequest.enquiry_id.in_(stones)),
        ),
    )
    return and_(or_(PrivacyRequest.closed_at.is_(None), PrivacyRequest.phone.is_not(None)), gone)
