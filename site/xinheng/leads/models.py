"""Tables of enquiries, leads and consents. Personal fields are sealed; they are found by keyed indexes only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from xinheng.crypto import Keys, new_row_id
from xinheng.db import LeadsBase, Moment

Status = Literal["new", "contacted", "interested", "proposal", "won", "lost", "invalid"]
CLOSED: frozenset[str] = frozenset({"won", "lost", "invalid"})


class Sealed:
    """A row with encrypted columns, each bound to its table, column and row."""

    __tablename__: str
    id: Mapped[str]

    def seal(self, keys: Keys, column: str, text: str) -> None:
        """Set a sealed column."""
        setattr(self, column, keys.seal(text, self._place(column)))

    def open(self, keys: Keys, column: str) -> str:
        """Read a sealed column. Raises CannotDecrypt."""
        return keys.open(getattr(self, column), self._place(column))

    def _place(self, column: str) -> str:
        return f"{self.__tablename__}:{column}:{self.id}"


class FormVersion(LeadsBase):
    """One published form, whole, by the hash of its words: what a consent was given to."""

    __tablename__ = "form_versions"

    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    form: Mapped[str] = mapped_column(Text, nullable=False)
    published_at: Mapped[datetime] = mapped_column(Moment, nullable=False)


class Lead(Sealed, LeadsBase):
    """One person being worked by sales."""

    __tablename__ = "leads"
    __table_args__ = (Index("ix_leads_newest", "last_enquiry_at", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    status: Mapped[str] = mapped_column(String(12), nullable=False, default="new")
    name: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    phone: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    extension: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    phone_kind: Mapped[str] = mapped_column(String(8), nullable=False)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    last_four_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    name_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    possible_duplicate: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    restricted: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    enquiry_count: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    created_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    last_enquiry_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    retain_until: Mapped[datetime] = mapped_column(Moment, nullable=False, index=True)

    enquiries: Mapped[list[Enquiry]] = relationship(back_populates="lead", order_by="Enquiry.created_at")


class Enquiry(Sealed, LeadsBase):
    """One submitted consultation form, as it was typed."""

    __tablename__ = "enquiries"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    lead_id: Mapped[str] = mapped_column(ForeignKey("leads.id"), nullable=False, index=True)
    reference: Mapped[str] = mapped_column(String(14), nullable=False, unique=True)
    submission_id: Mapped[str] = mapped_column(String(64), nullable=False, unique=True)
    payload_hash: Mapped[bytes] = mapped_column(LargeBinary(32), nullable=False)
    form_version: Mapped[str] = mapped_column(ForeignKey("form_versions.version"), nullable=False)
    need: Mapped[str] = mapped_column(String(32), nullable=False)
    call_time: Mapped[str] = mapped_column(String(32), nullable=False, default="")
    name: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    phone: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    details: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    extra: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    page: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    article: Mapped[str] = mapped_column(String(80), nullable=False, default="")
    first_touch: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False, default=dict)
    last_touch: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False, default=dict)
    articles_read: Mapped[list[str]] = mapped_column(JSON, nullable=False, default=list)
    created_at: Mapped[datetime] = mapped_column(Moment, nullable=False, index=True)

    lead: Mapped[Lead] = relationship(back_populates="enquiries")
    consents: Mapped[list[Consent]] = relationship(back_populates="enquiry")


class Consent(LeadsBase):
    """One purpose agreed to, with the hash of the words that were shown."""

    __tablename__ = "consents"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    enquiry_id: Mapped[str] = mapped_column(ForeignKey("enquiries.id"), nullable=False, index=True)
    purpose: Mapped[str] = mapped_column(String(20), nullable=False)
    form_version: Mapped[str] = mapped_column(ForeignKey("form_versions.version"), nullable=False)
    text_sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    given_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)

    enquiry: Mapped[Enquiry] = relationship(back_populates="consents")


class LeadEvent(LeadsBase):
    """One thing that happened to a lead. Staff can only append; `note` is sealed."""

    __tablename__ = "lead_events"
    __table_args__ = (Index("ix_lead_events_lead", "lead_id", "happened_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    lead_id: Mapped[str] = mapped_column(ForeignKey("leads.id"), nullable=False)
    kind: Mapped[str] = mapped_column(String(20), nullable=False)
    enquiry_id: Mapped[str | None] = mapped_column(ForeignKey("enquiries.id"))
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    happened_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
