"""Tables of the audit: rows numbered 1, 2, 3… without a gap, and the head that says where they end."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import JSON, CheckConstraint, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from xinheng.db import LeadsBase, Moment

HEAD = 1
"""The id of the only row of `audit_head`; the migration makes it, with last_id 0 and an empty chain."""


Action = Literal[
    "view", "reveal", "export", "edit", "assign", "delete",
    "sign_in", "sign_in_failed", "sign_out", "two_factor_failed", "two_factor_set", "recovery_used",
    "password_changed", "sessions_ended", "role_changed", "staff_added", "staff_invited", "staff_joined",
    "staff_reset", "staff_disabled",
    "denied", "notice_tested", "notices_again", "request", "restrict",
    "merge", "unmerge", "split",
]  # fmt: skip
"""All that is recorded; a view is the opening of a lead, a reveal the showing of its whole number, a request
what a person asked about their own data, and each step of answering it."""

ACTIONS: tuple[Action, ...] = get_args(Action)

SubjectKind = Literal["lead", "enquiry", "staff", "session", "list", "request", ""]
SUBJECT_KINDS: tuple[SubjectKind, ...] = get_args(SubjectKind)


class AuditRow(LeadsBase):
    """One thing that somebody did: ids and codes only, no personal data of a visitor.

    `actor` is a member of staff's id, `system`, `command`, or empty for somebody who isn't signed in. `chain` is a
    keyed hash of the row and of the chain before it.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_actor", "actor", "id"),
        Index("ix_audit_action", "action", "id"),
        Index("ix_audit_subject", "subject_id", "id"),
        Index("ix_audit_at", "at", "id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    actor: Mapped[str] = mapped_column(String(32), nullable=False)
    action: Mapped[str] = mapped_column(String(24), nullable=False)
    subject_kind: Mapped[str] = mapped_column(String(12), nullable=False)
    subject_id: Mapped[str] = mapped_column(String(32), nullable=False)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False)
    chain: Mapped[bytes] = mapped_column(LargeBinary(32), nullable=False)


class AuditHead(LeadsBase):
    """Where the record ends: one row, locked by whoever appends, so that a row cut off the end is missed."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint(f"id = {HEAD}", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last_id: Mapped[int] = mapped_column(Integer, nullable=False)
    chain: Mapped[bytes] = mapped_column(LargeBinary(32), nullable=False)
