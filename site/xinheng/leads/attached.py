"""The result of a health check that a visitor attached to an enquiry: found, kept as long, gone with it or with consent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from xinheng.assessments import INSUFFICIENT, Assessment, attach, delete_assessments, opened
from xinheng.crypto import CannotDecrypt, Keys
from xinheng.leads.models import Consent, Enquiry, Lead
from xinheng.leads.submission import Submission

PURPOSE = "attach_assessment"
_other = aliased(Enquiry)


def attach_result(
    session: Session, keys: Keys, enquiry: Enquiry, submission: Submission, now: datetime
) -> Sequence[str]:
    """Tie a result to an enquiry where its visitor agreed to it and it is kept still. Returns the purposes that stand:
    without a result there is nothing that was agreed to."""
    if PURPOSE in submission.purposes:
        enquiry.assessment_id = attach(session, keys, submission.assessment, now)
    return [each for each in submission.purposes if each != PURPOSE or enquiry.assessment_id]


def newest_level(session: Session, keys: Keys, lead_id: str, just_attached: str) -> str:
    """The level of a person's newest attached result, as it was shown to them, `insufficient` where it names none; empty
    where there is no result that can be read. `just_attached` is that of an enquiry which isn't stored yet."""
    earlier = select(Enquiry.assessment_id).where(Enquiry.lead_id == lead_id)
    mine = or_(Assessment.id == just_attached, Assessment.id.in_(earlier))
    newest = select(Assessment).where(mine).order_by(Assessment.created_at.desc(), Assessment.id.desc())
    row = session.scalars(newest.limit(1)).first()
    try:
        return (opened(keys, row).level or INSUFFICIENT) if row else ""
    except CannotDecrypt:  # which must not cost the enquiry
        return ""


def delete_with(session: Session, enquiries: Collection[Enquiry]) -> None:
    """Delete the results of enquiries that have just been deleted, but for those that another enquiry has too."""
    ids = {each.assessment_id for each in enquiries if each.assessment_id}
    if ids:
        others = session.scalars(select(Enquiry.assessment_id).where(Enquiry.assessment_id.in_(ids)))
        delete_assessments(session, ids - set(others))


def detach_withdrawn(session: Session, enquiries: ColumnElement[bool]) -> None:
    """Delete the results of those of the enquiries whose consent to attaching was taken back; nothing tells of them any
    more, and whom it told to call first is ranked anew (`Ranking`). What stays attached was attached later. The same
    statements whoever is asked for."""
    withdrawn = exists().where(
        Consent.enquiry_id == Enquiry.id, Consent.purpose == PURPOSE, Consent.withdrawn_at.is_not(None)
    )
    theirs = and_(enquiries, Enquiry.assessment_id.is_not(None), withdrawn.correlate(Enquiry))
    ids, leads, results = (
        select(column).where(theirs).correlate(None)
        for column in (Enquiry.id, Enquiry.lead_id, Enquiry.assessment_id)
    )
    stays = exists().where(_other.assessment_id.is_not(None), _other.id.not_in(ids))
    of_lead, of_result = (
        stays.where(same).correlate(table)
        for table, same in (
            (Lead, _other.lead_id == Lead.id),
            (Assessment, _other.assessment_id == Assessment.id),
        )
    )
    for statement in (
        update(Lead).where(Lead.id.in_(leads), ~of_lead).values(level="", priority=None),
        delete(Assessment).where(Assessment.id.in_(results), ~of_result),
        update(Enquiry).where(Enquiry.id.in_(ids)).values(assessment_id=None),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
