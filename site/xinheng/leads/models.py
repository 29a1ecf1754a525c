"""Tables of enquiries, leads and consents. Personal fields are sealed; they are found by keyed indexes only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    Boolean,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    TypeDecorator,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from xinheng.crypto import new_row_id
from xinheng.db import LeadsBase, Moment
from xinheng.form_versions import FormVersion
from xinheng.leads.verdict import Reason
from xinheng.sealed import Sealed
from xinheng.staff.models import User

Status = Literal["new", "contacted", "interested", "proposal", "won", "lost", "invalid"]
State = Literal["accepted", "quarantined", "spam", "restricted", "withdrawn"]
HELD: frozenset[State] = frozenset({"quarantined", "spam"})
"""Enquiries that staff may still release."""

CLOSED: frozenset[str] = frozenset({"won", "lost", "invalid"})
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
FILTERS = ("status", "owner_id", "need", "source", "level", "closed")
SORTS = ("last_enquiry_at", "follow_up_at", "priority")
BY_FIRST_ENQUIRY = (
    *("created_at", "id", "status", "closed", "need", "source", "level", "reached"),
    *("article", "owner_id", "restricted", "response_minutes"),
)
"""What is walked where leads are looked for by when they first came: every filter is in it."""


class MomentOrNever(Moment):
    """An instant, or None, stored as the end of time: so that none sorts last in an index, on every database."""

    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return super().process_bind_param(NEVER if value is None else value, dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        moment = super().process_result_value(value, dialect)
        return None if moment == NEVER else moment


class PointsOrNone(TypeDecorator[int]):
    """Points from 0 on, or None, stored as -1: so that none sorts last, highest first."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int:
        return -1 if value is None else value

    def process_result_value(self, value: int | None, dialect: Dialect) -> int | None:
        return None if value == -1 else value


def _indexes() -> tuple[Index, ...]:
    """For each sort one index, one behind each filter, and what finds a person: no list reads the whole table.

    Those that several filters share hold these too, so that a filter with few leads behind it is answered from the index.
    """
    lists: dict[str, tuple[str, ...]] = {sort: (sort, "id") for sort in SORTS}
    lists |= {f"{name}_{sort}": (name, sort, "id") for name in FILTERS for sort in SORTS}
    filters = ("status", "closed", "need", "source", "level", "restricted")
    lists |= {
        "owner_id_last_enquiry_at": (
            "owner_id",
            "last_enquiry_at",
            "id",
            *filters,
            "follow_up_at",
            "priority",
        ),
        "owner_id_follow_up_at": ("owner_id", "follow_up_at", "id", *filters),
        "owner_id_priority": ("owner_id", "priority", "id", *filters),
        "days": ("last_enquiry_at", "id", "follow_up_at", "priority", "restricted"),
        "queue": ("queue", "follow_up_at", "id", "last_enquiry_at", "priority", "restricted"),
        "owner_queue": (
            *("owner_id", "queue", "follow_up_at", "id"),
            *("last_enquiry_at", "priority", "restricted"),
        ),
        "waiting": ("queue", "first_response_due", "id", "restricted"),
        "owner_waiting": ("owner_id", "queue", "first_response_due", "id", "restricted"),
        "last_four": ("last_four_index", "last_enquiry_at", "id"),
        "name": ("name_index", "last_enquiry_at", "id"),
        "created_at": BY_FIRST_ENQUIRY,
    }
    # few leads have a company, few wait for a response: the others aren't written there
    named, unanswered = text("company_index IS NOT NULL"), text("responded_at IS NULL")
    return (
        *(Index(f"ix_leads_{name}", *columns) for name, columns in lists.items()),
        Index("ix_leads_company_index", "company_index", sqlite_where=named, postgresql_where=named),
        Index(
            "ix_leads_unanswered",
            *("first_response_due", "id"),
            sqlite_where=unanswered,
            postgresql_where=unanswered,
        ),
    )


class Lead(Sealed, LeadsBase):
    """One person being worked by sales.

    `queue` says what it waits for: `first` the first contact, `planned` its `follow_up_at`, `stuck` a next step,
    `closed` nothing, `held` nothing either, being restricted. `version` rises with each change by staff. `reached` is how
    far it ever came on the road, `article` where its first enquiry was written; `counted` is False for one that reports
    leave out, being part of another.

    Somebody must try to reach the person by `first_response_due`, and did at `responded_at`; `escalation` is how many steps
    of forms/response.toml were taken meanwhile, the reminder among them. Each enquiry that isn't the first one waits for
    begins all three anew. A lead that is closed before anybody tried waits for nobody. `response_minutes` is how long the
    very first try took, from the first enquiry on, in minutes at work; None before it.
    """

    __tablename__ = "leads"
    __table_args__ = _indexes()

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    status: Mapped[str] = mapped_column(String(12), nullable=False, default="new")
    closed: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    reason: Mapped[str] = mapped_column(String(16), nullable=False, default="")
    queue: Mapped[str] = mapped_column(String(8), nullable=False, default="first")
    owner_id: Mapped[str | None] = mapped_column(ForeignKey(User.id))
    follow_up_at: Mapped[datetime | None] = mapped_column(MomentOrNever, nullable=False, default=None)
    next_step: Mapped[bytes | None] = mapped_column(LargeBinary)
    first_response_due: Mapped[datetime | None] = mapped_column(MomentOrNever, nullable=False, default=None)
    responded_at: Mapped[datetime | None] = mapped_column(Moment)
    escalation: Mapped[int] = mapped_column(SmallInteger, nullable=False, default=0)
    response_minutes: Mapped[int | None] = mapped_column(Integer)
    attempts: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    priority: Mapped[int | None] = mapped_column(PointsOrNone, nullable=False, default=None)
    version: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    need: Mapped[str] = mapped_column(String(32), nullable=False, default="")
    source: Mapped[str] = mapped_column(String(8), nullable=False, default="direct")
    level: Mapped[str] = mapped_column(String(12), nullable=False, default="")
    reached: Mapped[str] = mapped_column(String(12), nullable=False, default="new", server_default="new")
    article: Mapped[str] = mapped_column(String(80), nullable=False, default="", server_default=text("''"))
    counted: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True, server_default=true())
    name: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    phone: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    extension: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    phone_kind: Mapped[str] = mapped_column(String(8), nullable=False)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    last_four_index: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    name_index: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    company: Mapped[bytes | None] = mapped_column(LargeBinary)
    company_index: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    restricted: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    enquiry_count: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    created_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    last_enquiry_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    retain_until: Mapped[datetime] = mapped_column(Moment, nullable=False, index=True)

    enquiries: Mapped[list[Enquiry]] = relationship(back_populates="lead", order_by="Enquiry.created_at")

    @property
    def due_since(self) -> datetime | None:
        """When its next step is due: as planned, or at once where its person asked again after that; None without a plan.
        Its place among the late ones is that of the plan: who asks again doesn't move down."""
        if self.follow_up_at is None or self.enquiry_count < 2:
            return self.follow_up_at
        return max(self.follow_up_at, self.last_enquiry_at)

    def requeue(self) -> None:
        """Set what the lead waits for from its status and plan; a closed lead has no plan."""
        self.closed = self.status in CLOSED
        if self.closed:
            self.follow_up_at = None
            self.next_step = None
            if self.responded_at is None:
                self.first_response_due = None
        if self.restricted:
            self.queue = "held"
        elif self.closed:
            self.queue = "closed"
        elif self.follow_up_at is not None:
            self.queue = "planned"
        else:
            self.queue = "first" if self.status == "new" else "stuck"


class Enquiry(Sealed, LeadsBase):
    """One submitted consultation form, as it was typed.

    A `quarantined` one, and one that staff called `spam`, has no lead; it goes at `retain_until`. Nor has one that its
    person had `restricted` or `withdrawn` there: it never gets one. `suspicion` has the reasons, and keeps them when it is
    released. `phone_index` finds those without a lead, as the lead's own finds the others.
    """

    __tablename__ = "enquiries"
    __table_args__ = (Index("ix_enquiries_state", "state", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    lead_id: Mapped[str | None] = mapped_column(ForeignKey("leads.id"), index=True)
    reference: Mapped[str] = mapped_column(String(14), nullable=False, unique=True)
    submission_id: Mapped[str] = mapped_column(String(64), nullable=False, unique=True)
    payload_hash: Mapped[bytes] = mapped_column(LargeBinary(32), nullable=False)
    form_version: Mapped[str] = mapped_column(ForeignKey(FormVersion.version), nullable=False)
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
    assessment_id: Mapped[str | None] = mapped_column(String(32), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment, nullable=False, index=True)
    state: Mapped[str] = mapped_column(String(12), nullable=False, default="accepted")
    suspicion: Mapped[list[Reason]] = mapped_column(JSON, nullable=False, default=list)
    retain_until: Mapped[datetime | None] = mapped_column(Moment, index=True)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)

    lead: Mapped[Lead | None] = relationship(back_populates="enquiries")
    consents: Mapped[list[Consent]] = relationship(back_populates="enquiry")


class Consent(LeadsBase):
    """One purpose agreed to, with the hash of the words that were shown."""

    __tablename__ = "consents"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    enquiry_id: Mapped[str] = mapped_column(ForeignKey("enquiries.id"), nullable=False, index=True)
    purpose: Mapped[str] = mapped_column(String(20), nullable=False)
    form_version: Mapped[str] = mapped_column(ForeignKey(FormVersion.version), nullable=False)
    text_sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    given_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)

    enquiry: Mapped[Enquiry] = relationship(back_populates="consents")


class LeadEvent(Sealed, LeadsBase):
    """One thing that happened to a lead. Staff can only append. `note` is sealed; `detail` has keys and dates only."""

    __tablename__ = "lead_events"
    __table_args__ = (
        Index("ix_lead_events_lead", "lead_id", "happened_at"),
        Index("ix_lead_events_enquiry", "enquiry_id"),  # without it a deletion reads the whole table
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    lead_id: Mapped[str] = mapped_column(ForeignKey("leads.id"), nullable=False)
    kind: Mapped[str] = mapped_column(String(20), nullable=False)
    enquiry_id: Mapped[str | None] = mapped_column(ForeignKey("enquiries.id"))
    staff_id: Mapped[str | None] = mapped_column(ForeignKey(User.id))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False, default=dict)
    version: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    happened_at: Mapped[datetime] = mapped_column(Moment, nullable=False)


class Draft(LeadsBase):
    """A note that a member of staff is typing: kept so that no text is lost, gone once it is written down."""

    __tablename__ = "lead_drafts"

    lead_id: Mapped[str] = mapped_column(ForeignKey("leads.id"), primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey(User.id), primary_key=True)
    text: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    saved_at: Mapped[datetime] = mapped_column(Moment, nullable=False)


class SavedView(LeadsBase):
    """A list that a member of staff wants again: its name and its filters as a query string, without a search."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("staff_id", "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    staff_id: Mapped[str] = mapped_column(ForeignKey(User.id), nullable=False)
    name: Mapped[str] = mapped_column(String(20), nullable=False)
    query: Mapped[str] = mapped_column(String(300), nullable=False)
