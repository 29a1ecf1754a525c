"""Members of staff as the sign-in library wants them, read from our tables. It writes nothing: accounts do."""

from __future__ import annotations

from typing import Any, NoReturn

from flask_security import UserMixin
from flask_security.datastore import UserDatastore
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from xinheng.db import Database
from xinheng.desk.sign_in_services import sign_in_services
from xinheng.staff.models import Role, User


class Member(User, UserMixin):  # type: ignore[misc]  # the library types its columns for its own models
    """A member who signs in: a row of the table `staff` with the library's methods."""

    def verify_and_update_password(self, password: str) -> bool:
        return sign_in_services().passwords.matches(self.password, password)

    def track_failed_authn(self, auth_type: str, tfa: bool = False) -> None:
        sign_in_services().accounts.note("two_factor_failed", self.id, method=auth_type)


class StaffDatastore(UserDatastore):
    """Finds members. Each look-up is a short reading session of its own; what it finds is detached."""

    def __init__(self, database: Database) -> None:
        super().__init__(Member, Role)  # type: ignore[arg-type]  # a role needs no columns of the library
        self._database = database

    def find_user(self, case_insensitive: bool = False, **attribute: Any) -> Member | None:
        """The active member with this attribute."""
        ((name, value),) = attribute.items()
        with self._database.asking() as session:
            query = select(Member).where(getattr(Member, name) == value, Member.active)
            return session.scalars(query.options(joinedload(Member.roles))).unique().one_or_none()

    def find_role(self, role: str) -> None:
        return None

    def commit(self) -> None:
        """Nothing waits: see `put`."""

    def put(self, model: object) -> NoReturn:
        raise NotImplementedError("accounts are changed by xinheng.staff.accounts")

    delete = put
