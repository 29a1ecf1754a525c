"""The invented members of staff: one for each kind of work at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from xinheng.audit.log import COMMAND, record
from xinheng.crypto import Keys, new_row_id
from xinheng.db import Database
from xinheng.staff.models import Role, User
from xinheng.staff.passwords import Passwords, make_one_time
from xinheng.staff.permissions import RoleName


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff to be made; `mailbox` is the address before the @."""

    mailbox: str
    name: str
    roles: tuple[RoleName, ...]


@dataclass(frozen=True, slots=True)
class Employed:
    """A member of staff with an account. The password is shown once."""

    member: User
    password: str = field(repr=False)


MIN = Colleague("zhou.min", "周敏", (RoleName.SALES,))
HANG = Colleague("li.hang", "李航", (RoleName.SALES_LEAD,))
YIFAN = Colleague("chen.yifan", "陈一凡", (RoleName.SALES,))
YUE = Colleague("sun.yue", "孙悦", (RoleName.SALES,))
JING = Colleague("he.jing", "何静", (RoleName.EDITOR,))
ZHEN = Colleague("luo.zhen", "罗真", (RoleName.PRIVACY,))
ADMINISTRATOR = Colleague("admin", "管理员", (RoleName.ADMIN, RoleName.SALES_LEAD))
COLLEAGUES = (MIN, HANG, YIFAN, YUE, JING, ZHEN, ADMINISTRATOR)


def employ(database: Database, keys: Keys, then: datetime) -> Mapping[Colleague, Employed]:
    """Accounts as `xinheng staff add` makes them, but some time ago: the audit is in the order of time."""
    passwords = Passwords()
    made = {each: _account(each, passwords, then) for each in COLLEAGUES}
    with database.writing() as session:
        for account in made.values():
            session.add(account.member)
        session.flush()
        for account in made.values():
            record(
                session,
                keys,
                actor=COMMAND,
                action="staff_added",
                subject_kind="staff",
                subject_id=account.member.id,
                detail={"roles": sorted(account.member.role_names)},
                now=then,
            )
    return made


def _account(colleague: Colleague, passwords: Passwords, then: datetime) -> Employed:
    password = make_one_time()
    member = User(
        id=new_row_id(),
        email=f"{colleague.mailbox}@xinheng.example",
        name=colleague.name,
        language="zh",
        password=passwords.hash(password),
        one_time_password=True,
        active=True,
        fs_uniquifier=uuid4().hex,
        created_at=then,
        roles=[Role(name=role.value) for role in colleague.roles],
    )
    return Employed(member, password)
