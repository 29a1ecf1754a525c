"""The table of requests: what somebody asked about their own data, by when it must be answered, and how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import JSON, Boolean, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from xinheng.crypto import new_row_id
from xinheng.db import LeadsBase, Moment
from xinheng.sealed import Sealed
from xinheng.staff.models import User

Kind = Literal[
    "withdraw", "stop_marketing", "detach_result", "delete", "access", "correct", "restrict", "complaint"
]
Proof = Literal["", "pair", "call"]
"""How we know that it is the person: the phone fits the reference, or somebody called the stored number back."""

Outcome = Literal["", "done", "deleted", "refused"]


class PrivacyRequest(Sealed, LeadsBase):
    """One request. `enquiry_id` is the enquiry that phone and reference name together, or that staff found: its lead is the
    person's, whatever becomes of it. `lead_id` is a lead that staff found, none of whose enquiries came from the phone. Both
    stay when the records are deleted, as in a tombstone. `corrected` are leads that got another phone, by which they are not
    found from here any more. `answer` is what staff wrote at the end; of a refusal it is the reason."""

    __tablename__ = "privacy_requests"
    __table_args__ = (Index("ix_privacy_requests_open", "closed_at", "due_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    receipt: Mapped[str] = mapped_column(String(14), nullable=False, unique=True)
    kind: Mapped[str] = mapped_column(String(16), nullable=False)
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    reference: Mapped[bytes | None] = mapped_column(LargeBinary)
    words: Mapped[bytes | None] = mapped_column(LargeBinary)
    lead_id: Mapped[str] = mapped_column(String(32), nullable=False, default="", index=True)
    enquiry_id: Mapped[str] = mapped_column(String(32), nullable=False, default="", index=True)
    corrected: Mapped[list[str]] = mapped_column(JSON, nullable=False, default=list)
    proof: Mapped[str] = mapped_column(String(4), nullable=False, default="")
    carried_out: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    received_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    due_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[str | None] = mapped_column(ForeignKey(User.id))
    outcome: Mapped[str] = mapped_column(String(8), nullable=False, default="")
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
