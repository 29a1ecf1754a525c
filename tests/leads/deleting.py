"""Deletes a lead as whoever answers its person does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tests.leads.conftest import NOON

from xinheng.audit import log as audit
from xinheng.db import Database
from xinheng.leads.deletion import Deletion
from xinheng.leads.models import Lead


def delete_lead(
    store: Database,
    deletion: Deletion,
    lead_id: str,
    *,
    actor: str = audit.SYSTEM,
    now: datetime = NOON,
    requests: Sequence[str] = (),
) -> None:
    """With the requests of these ids, in one transaction."""
    with store.writing() as session:
        lead = session.get_one(Lead, lead_id, with_for_update=True)
        buried = deletion.of_person(session, [lead], [], requests, now)
        session.flush()
        deletion.record(session, buried, actor)
    deletion.settle(buried)
