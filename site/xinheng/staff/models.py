"""Tables of members of staff, their roles, their sessions, and of tries to sign in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from xinheng.crypto import new_row_id
from xinheng.db import LeadsBase, Moment
from xinheng.staff.permissions import Permission, permissions_of


class Role(LeadsBase):
    """One role that one member holds; the names are those of `permissions.RoleName`."""

    __tablename__ = "staff_roles"

    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(16), primary_key=True)

    def get_permissions(self) -> frozenset[str]:
        """What the role allows, for the sign-in library, which asks each role."""
        return permissions_of([self.name])


class User(LeadsBase):
    """One member of staff. The names of columns that the sign-in library reads are the library's.

    `on_duty` is off until it is switched on again, `absent_until` ends by itself; `capacity` is how many open leads they
    take at most, where that isn't what forms/assignment.toml says for everybody.
    """

    __tablename__ = "staff"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_row_id)
    email: Mapped[str] = mapped_column(String(254), nullable=False, unique=True)
    name: Mapped[str] = mapped_column(String(40), nullable=False)
    language: Mapped[str] = mapped_column(String(2), nullable=False, default="zh")
    password: Mapped[str] = mapped_column(String(200), nullable=False)
    one_time_password: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    active: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), nullable=False, unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    last_seen_at: Mapped[datetime | None] = mapped_column(Moment)
    tf_primary_method: Mapped[str | None] = mapped_column(String(16))
    tf_totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_counter: Mapped[int | None] = mapped_column(Integer)
    mf_recovery_codes: Mapped[list[str]] = mapped_column(JSON, nullable=False, default=list)
    on_duty: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True)
    absent_until: Mapped[datetime | None] = mapped_column(Moment)
    capacity: Mapped[int | None] = mapped_column(Integer)
    last_assigned_at: Mapped[datetime | None] = mapped_column(Moment)

    roles: Mapped[list[Role]] = relationship(
        lazy="selectin", order_by="Role.name", cascade="all, delete-orphan"
    )

    @property
    def role_names(self) -> frozenset[str]:
        return frozenset(role.name for role in self.roles)

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of(self.role_names)

    def present(self, now: datetime) -> bool:
        """Whether they are at work as far as they said."""
        return is_present(self.active, self.on_duty, self.absent_until, now)

    @property
    def second_factor(self) -> bool:
        """Whether a code of an authenticator is asked for at sign-in."""
        return bool(self.tf_primary_method and self.tf_totp_secret)


def is_present(active: bool, on_duty: bool, absent_until: datetime | None, now: datetime) -> bool:
    """Whether a member is on duty, and not away until later."""
    return active and on_duty and (absent_until is None or absent_until <= now)


class StaffSession(LeadsBase):
    """One browser at the desk. The id itself is only in the browser's cookie; here is its SHA-256."""

    __tablename__ = "sessions"

    id_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    number: Mapped[str] = mapped_column(String(32), nullable=False, unique=True, default=new_row_id)
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff.id"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False, default=dict)
    browser: Mapped[str] = mapped_column(String(40), nullable=False, default="")
    created_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    seen_at: Mapped[datetime] = mapped_column(Moment, nullable=False, index=True)


class StaffLink(LeadsBase):
    """The one link by which a member may set a password: to begin with, or anew. Here is the SHA-256 of its secret; the
    secret itself was shown once. A used one stays, so that who opens it again is told so, until the next takes its place.
    """

    __tablename__ = "staff_links"

    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), nullable=False)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), nullable=False, unique=True)
    expires_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class Tries(LeadsBase):
    """Recent tries under one key: an account from a network, a network, an account. The key is a keyed hash."""

    __tablename__ = "sign_in_tries"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    recent: Mapped[list[float]] = mapped_column(JSON, nullable=False, default=list)
    refusals: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    refused_until: Mapped[datetime | None] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment, nullable=False, index=True)
